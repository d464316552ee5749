"""Intervals: how far a number may be luck."""
