"""Numbers of a series of returns."""
