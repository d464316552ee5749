"""``trackrecord train``: one training run, from the database or from files."""

from trackrecord.cli.train.command import train_command

__all__ = ["train_command"]
