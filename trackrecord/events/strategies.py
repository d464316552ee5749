"""The events of generated strategies: requested and generated."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trackrecord.events.base import Event, EventType
from trackrecord.events.types import (
    FreeJson,
    Identifier,
    Name,
    PositiveCount,
    Prompt,
    Symbol,
    Text,
    Timeframe,
)


def _says_nothing(value: object) -> bool:
    """Whether a field is left out on the wire, as it was before there was such a field."""
    return not value


class StrategyRequested(Event):
    """Somebody asks for a strategy in plain words."""

    event_type: ClassVar[EventType] = "strategy_requested"
    key_field: ClassVar[str] = "owner"
    identity: ClassVar[tuple[str, ...]] = ("request_id",)

    request_id: Identifier
    """This request."""
    owner: Name
    """Who asks."""
    prompt: Prompt
    """What is asked for."""
    provider: Name | None = None
    """Which generator to use; left out: the offline one."""
    model_version: Name | None = None
    """The trained model whose findings the strategy shall use."""
    name: Name | None = None
    """What the strategy is to be called; left out: a name made from its words."""
    symbols: Annotated[list[Symbol], Field(max_length=1000)] = Field(
        default_factory=list, exclude_if=_says_nothing
    )
    """What it is to trade, once it is active; may be said later."""
    timeframe: Timeframe = Field(default="1d", exclude_if=lambda value: value == "1d")
    """The bars that it decides on."""


class StrategyGenerated(Event):
    """The answer to a request."""

    event_type: ClassVar[EventType] = "strategy_generated"
    key_field: ClassVar[str] = "owner"
    identity: ClassVar[tuple[str, ...]] = ("request_id", "strategy_id")

    request_id: Identifier
    """The request answered."""
    owner: Name
    """Who asked."""
    prompt: Prompt
    """What was asked for."""
    provider: Name | None = None
    """Which generator answered."""
    model_version: Name | None = None
    """The trained model whose findings were used."""
    strategy_id: Identifier
    """The strategy made."""
    status: Literal["validated", "draft", "refused"]
    """Whether it may run."""
    problems: list[FreeJson] = Field(default_factory=list)
    """What validation found, a line each."""
    metrics: FreeJson = Field(default_factory=dict)
    """What its backtest measured."""
    name: Name | None = None
    """What the strategy is called."""
    version: PositiveCount | None = None
    """Which of the strategy's versions this is; none where nothing was made."""
    code_digest: Annotated[str, Field(strict=True, pattern="^[0-9a-f]{64}$")] | None = None
    """SHA-256 of the version's code, UTF-8; none where there is no code."""
    reads_as: Annotated[Text, Field(max_length=20_000)] = Field(
        default="", exclude_if=_says_nothing
    )
    """How the words were understood, in words."""
    assumptions: Annotated[list[Text], Field(max_length=1000)] = Field(
        default_factory=list, exclude_if=_says_nothing
    )
    """What was not said and is taken for granted."""
    not_understood: Annotated[list[Text], Field(max_length=1000)] = Field(
        default_factory=list, exclude_if=_says_nothing
    )
    """Words that nothing was made of."""
    verdict: Name | None = None
    """What its backtest came to; none where there was none."""
