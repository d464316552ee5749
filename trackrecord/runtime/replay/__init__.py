"""Derived tables once more, from the topics, and what differs."""
