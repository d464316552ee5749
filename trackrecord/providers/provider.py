"""What a language model is asked, and what comes back, whoever made it.

A provider never raises for what the other side does: a refusal, a limit, a broken answer or
silence is an :class:`Answer` that says so. It asks once; whether to ask again is decided by
:mod:`trackrecord.providers.generation`, which counts and logs every question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Protocol

Ending = Literal["finished", "truncated", "refused", "rate_limited", "timed_out", "failed"]
"""How an answer ended: only ``finished`` is whole."""

DEFAULT_TOKENS: Final = 8_192
"""Tokens of one answer; a model that thinks spends them on its thoughts, too."""
DEFAULT_SECONDS: Final = 120.0
"""Seconds that one question may take from its first byte to its last."""
LONGEST_ANSWER: Final = 1_000_000
"""Characters of an answer that are read; no strategy is as long."""


@dataclass(frozen=True)
class Prompt:
    """A question: ``instructions`` are ours, ``request`` holds what came from outside."""

    instructions: str
    request: str


@dataclass(frozen=True)
class Budget:
    """What one question may cost: tokens of the answer, and seconds in all."""

    tokens: int = DEFAULT_TOKENS
    seconds: float = DEFAULT_SECONDS


@dataclass(frozen=True)
class Answer:
    """What a provider answered to one question.

    Attributes:
        ending: How it ended.
        text: As the model wrote it; empty where nothing came.
        model: The model that answered, by its own word; else the one that was asked.
        input_tokens: Tokens of the question, None where the provider does not say.
        output_tokens: Tokens of the answer, thoughts included, None where it does not say.
        seconds: From the question to the end of the answer.
        error: In plain words why it is not ``finished``, without secrets; else None.
        retry_after: Seconds after which the provider wants to be asked again, if it says so.
    """

    ending: Ending
    text: str = ""
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float = 0.0
    error: str | None = None
    retry_after: float | None = None


class Provider(Protocol):
    """A language model behind its maker's client."""

    @property
    def name(self) -> str:
        """What it is called in settings: ``gemini``, ``anthropic``, ``openai``."""

    @property
    def model(self) -> str:
        """The model that is asked."""

    def ask(self, prompt: Prompt, budget: Budget) -> Answer:
        """Ask once, within a budget; takes at most its seconds, whatever the other side does."""
