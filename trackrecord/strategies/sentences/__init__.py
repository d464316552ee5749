"""Reading a sentence as a rule, without guessing: what is not understood is named."""

from trackrecord.strategies.sentences.read import Reading, read

__all__ = ["Reading", "read"]
