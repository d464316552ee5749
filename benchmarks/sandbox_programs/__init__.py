"""Programs that nobody would write, run in the sandbox under a filter that kills on an attempt."""
