"""``trackrecord metrics``: every number of a list of returns or trades."""

from trackrecord.cli.metrics.command import metrics_command

__all__ = ["metrics_command"]
