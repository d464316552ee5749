"""``trackrecord demo``: real scripts and strategies on real prices, and the record of each."""

from trackrecord.cli.demo.command import demo

__all__ = ["demo"]
