"""Every question to a language model, as it is kept: what was asked, what came, what it cost.

A question is written down before it is asked: the provider bills it whether or not this process
lives to see the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol

Status = Literal["asking", "success", "failure", "partial"]
"""``partial``: there is code, and something is wrong with it."""

INTERRUPTED: Final = "interrupted, may have been billed"
"""The error of a question whose end nobody has written down."""


@dataclass(frozen=True)
class Question:
    """What is known before an answer.

    Attributes:
        attempt_id: Its own.
        generation_id: What the attempts at one strategy share.
        number: 1 for the first of them.
        owner: Who asked.
        sentence: What the strategy is to do, as it came.
        instructions: Ours, as they were sent.
        request: The rest of what was sent, the sentence in it.
        provider: Who was asked.
        model: Which model was asked for.
        most_tokens: The budget of tokens.
        most_seconds: The budget of time.
        asked_at: When, in UTC.
    """

    attempt_id: str
    generation_id: str
    number: int
    owner: str
    sentence: str
    instructions: str
    request: str
    provider: str
    model: str
    most_tokens: int
    most_seconds: float
    asked_at: datetime


@dataclass(frozen=True)
class Result:
    """What came of a question.

    Attributes:
        status: ``success`` only where the code passed validation.
        ending: How the answer ended, as :data:`trackrecord.providers.provider.Ending` has it;
            None where nobody knows.
        error: Why it is no success, in plain words without secrets; else None.
        answer: As the model wrote it.
        code: What was found in it; None where nothing was.
        problems: Of the code, as validation told them.
        answered_by: The model that answered, by its own word.
        input_tokens: None where it is not known, as for the rest of the numbers.
        output_tokens: Thoughts included.
        seconds: Until the answer was there.
        retry_after: Seconds after which the provider wants to be asked again.
        ended_at: When, in UTC.
    """

    status: Status
    ending: str | None = None
    error: str | None = None
    answer: str = ""
    code: str | None = None
    problems: Sequence[Mapping[str, Any]] = ()
    answered_by: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    retry_after: float | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Attempt:
    """A question and what came of it."""

    question: Question
    result: Result

    def as_json(self) -> dict[str, Any]:
        """All of it in one mapping, times as text."""
        flat = {**vars(self.question), **vars(self.result)}
        flat["problems"] = [dict(each) for each in self.result.problems]
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in flat.items()
        }


class AttemptLog(Protocol):
    """Where attempts are kept."""

    def asking(self, question: Question) -> None:
        """Keep a question for good, before it is asked.

        Raises:
            OSError: It cannot be kept; it must then not be asked.
        """

    def ended(self, attempt_id: str, result: Result) -> None:
        """Keep what came of it; of several results the last counts."""

    def attempts(self, limit: int | None = None) -> list[Attempt]:
        """The attempts, the latest first; at most ``limit`` of them."""
