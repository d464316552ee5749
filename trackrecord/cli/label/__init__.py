"""``trackrecord label``: judge signals on bars."""

from trackrecord.cli.label.command import label_command

__all__ = ["label_command"]
