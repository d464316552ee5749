"""Records from exact sums per strategy and day, which any number of consumers can keep."""
