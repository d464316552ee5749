"""Learns from outcomes, and lets a model serve only where it is better on unseen ones."""
