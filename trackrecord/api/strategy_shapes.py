"""What answers about strategies that were made here look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from trackrecord.api.shapes import Answer, Money, Versioned

Status = Literal["draft", "validated", "active", "archived"]
State = Literal["waiting", "working", "done", "failed"]


class Finding(BaseModel):
    """What is wrong with a strategy, for whoever writes it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    line: int | None
    """In its code, from 1; null: it is about the whole."""
    code: str
    """One word for the kind."""
    message: str


class MadeStrategy(BaseModel):
    """A strategy that was made here."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    strategy_id: UUID
    name: str
    owner: str | None
    """Who asked for it; null: not for whoever asks to know."""
    yours: bool
    record_name: str | None
    """The name that its signals bear, once it was active: its record is under it."""
    description: str
    kind: Literal["rule", "code"]
    """`rule`: from words, by the rules at hand; `code`: written out."""
    status: Status
    public: bool
    """Whether all may read and copy it."""
    version: int
    """The one that counts."""
    parameters: dict[str, int | float | bool | str]
    """Values that differ from the defaults of its code."""
    symbols: list[str]
    """What it trades; `*`: whatever has bars."""
    timeframe: str
    """Of the bars that it decides on."""
    source: str | None
    """Of these bars; null: the first by name."""
    quantity: Money
    """Of each of its signals."""
    currency: str
    takes_over: bool
    """Whether a new version takes over what the old one holds; else that runs to its end."""
    copied_from: UUID | None
    copies: int
    """How often others have copied it."""
    created_at: datetime
    changed_at: datetime
    activated_at: datetime | None
    suspended_at: datetime | None
    suspended_why: str | None
    """Why it is not asked for decisions though it is active."""


class Version(BaseModel):
    """What a strategy is, or was."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    version: int
    code: str | None
    code_digest: str | None
    """SHA-256 of the code, UTF-8."""
    rule: dict[str, Any] | None
    """The rule that the code was made from, if one was."""
    declared: dict[str, Any]
    """The parameters that its code has, with their defaults and bounds."""
    prompt: str
    """What was asked for."""
    provider: str
    model: str
    """The language model that wrote it; empty: none did."""
    asked_at: datetime | None
    """When that model was asked: it may remember bars from before."""
    is_valid: bool
    """Whether it may be activated."""
    reads_as: str
    """How the words were understood."""
    assumptions: list[str]
    """What was not said and is taken for granted."""
    not_understood: list[str]
    """Words that nothing was made of."""
    problems: list[Finding]
    backtest: dict[str, Any] | None
    """The last one's verdict and numbers."""
    created_at: datetime


class MadeStrategies(Versioned):
    """One page of strategies that were made here, the newest first."""

    strategies: list[MadeStrategy]
    next: str | None
    """The cursor of the next page; null on the last."""


class OneMadeStrategy(Versioned):
    """One strategy, and the version of it that counts."""

    strategy: MadeStrategy
    current: Version


class ChangedStrategy(Answer):
    """A strategy as it is now, and the version of it that counts."""

    strategy: MadeStrategy
    current: Version
    notes: list[str]
    """What is worth knowing of what was done."""


class Versions(Versioned):
    """What a strategy was, the latest first."""

    versions: list[Version]


class OneVersion(Versioned):
    """One version of a strategy."""

    strategy_id: UUID
    content: Version


class Generation(Answer):
    """What became of a request."""

    request_id: str
    status: State
    error: str | None
    """Why it failed."""
    provider: str
    strategy_id: UUID | None
    """What was made; null: nothing, or nothing yet."""
    answer: dict[str, Any] | None
    """Once it is done: `status` (`validated`, `draft` or `refused`), how the words were read,
    what was assumed and not understood, and what is wrong."""
    requested_at: datetime
    ended_at: datetime | None


class Made(Generation):
    """What became of a request, and the strategy where there is one already."""

    strategy: MadeStrategy | None
    current: Version | None


class Validated(Answer):
    """Whether a strategy may be run."""

    valid: bool
    problems: list[Finding]
    """Why not."""
    notes: list[Finding]
    """What is worth knowing and no reason to refuse it."""
    decisions: int
    """How many it was asked for."""
    microseconds_per_decision: float
    actions: dict[str, int]
    """How often it answered what."""


class Backtested(Answer):
    """What a strategy is worth on bars that are kept here."""

    strategy_id: UUID
    version: int
    backtest: dict[str, Any]


class Template(BaseModel):
    """A strategy ready to take."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    prompt: str
    """Generate a strategy from it."""
    description: str
    reads_as: str
    """What becomes of it, in words."""


class Templates(Versioned):
    """Strategies ready to take."""

    templates: list[Template]


class Attempt(BaseModel):
    """One attempt at a strategy."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    attempt_id: str
    request_id: str
    number: int
    """From 1, of the attempts of a request."""
    owner: str
    prompt: str
    provider: str
    model: str
    status: Literal["asking", "success", "failure", "partial"]
    """`success`: code that is valid; `partial`: code that is not; `failure`: none."""
    ending: str | None
    error: str | None
    problems: list[Finding]
    answered_by: str | None
    """The model that answered, by its own word."""
    input_tokens: int | None
    output_tokens: int | None
    seconds: float | None
    asked_at: datetime
    ended_at: datetime | None


class Attempts(Answer):
    """One page of attempts, the latest first."""

    attempts: list[Attempt]
    next: str | None


class OneAttempt(Answer, Attempt):
    """An attempt, with what was sent and what came back."""

    instructions: str
    request: str
    raw_answer: str
    code: str | None


class Archived(Answer):
    """What became of strategies that were to be archived."""

    archived: list[UUID]
    refused: list[dict[str, str]]
    """The `strategy_id` of each other, and why."""
