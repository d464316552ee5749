"""Runs the strategies that are active on every bar that comes."""
