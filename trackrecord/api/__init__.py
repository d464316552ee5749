"""The record over HTTP: what is known, and a way in for events."""
