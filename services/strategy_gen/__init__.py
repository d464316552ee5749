"""Makes strategies that were asked for in words, each of whose attempts is on record."""
