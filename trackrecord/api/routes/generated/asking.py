"""What requests about strategies may ask with: bodies and queries."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from trackrecord.api.routes.asking import Paged
from trackrecord.api.routes.asking import Text as ShortText
from trackrecord.api.routes.me import Body
from trackrecord.catalogue.life import LONGEST_DESCRIPTION, MOST_SYMBOLS
from trackrecord.events.types import (
    Currency,
    Identifier,
    Name,
    Number,
    PositiveDecimal,
    Symbol,
    Text,
    Timeframe,
)
from trackrecord.strategies.parameters import LONGEST_TEXT, MOST_PARAMETERS
from trackrecord.strategies.source import LONGEST_SOURCE

MOST_ARCHIVED: Final = 500
LONGEST_PROMPT: Final = 20_000


def _is_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError('write it as a text such as "150.25"')  # noqa: TRY004 - see events.types
    return value


Prompt = Annotated[Text, Field(min_length=1, max_length=LONGEST_PROMPT)]
Code = Annotated[Text, Field(min_length=1, max_length=LONGEST_SOURCE)]
Symbols = Annotated[list[Symbol], Field(max_length=MOST_SYMBOLS)]
Quantity = Annotated[PositiveDecimal, BeforeValidator(_is_text)]
Parameters = Annotated[
    dict[Name, int | Number | bool | Annotated[Text, Field(max_length=LONGEST_TEXT)]],
    Field(max_length=MOST_PARAMETERS),
]


class Listed(Paged):
    """Which strategies."""

    whose: Literal["mine", "public", "all"] = "mine"
    """Yours, those that all may read, or both; for admins `all` is everybody's."""
    status: Literal["draft", "validated", "active", "archived"] | None = None
    """Only those that are this."""
    search: ShortText | None = None
    """Only those that have this in their name or description."""
    owner: Name | None = None
    """Only those that this one has asked for; for admins."""


class LoggedAttempts(Paged):
    """Which attempts."""

    request_id: Identifier | None = None
    """Only those of this request."""
    status: Literal["asking", "success", "failure", "partial"] | None = None
    """Only those that came to this."""
    provider: Name | None = None
    """Only those of this one."""
    owner: Name | None = None
    """Only those that this one has asked for; for admins."""


class New(Body):
    """A strategy that is asked for."""

    prompt: Prompt
    """What it is to do, in plain English."""
    provider: Name | None = None
    """Who makes it: `offline` (rules at hand, which ask nobody), `gemini`, `anthropic` or
    `openai`; left out: what TRACKRECORD_STRATEGY_PROVIDER says, which is `offline` by default."""
    name: Name | None = None
    """What it is to be called; left out: a name made from its words."""
    symbols: Symbols = Field(default_factory=list)
    """What it is to trade; may be said later."""
    timeframe: Timeframe = "1d"
    """The bars that it decides on."""
    model_version: Name | None = None
    """The trained model whose findings it shall use."""
    request_id: Identifier | None = None
    """Of this request, so that it counts once however often it is sent; left out: a new one."""


class Checked(Body):
    """Code to look at."""

    code: Annotated[Text, Field(max_length=LONGEST_SOURCE)]
    """Of a strategy, in Python."""
    parameters: Parameters = Field(default_factory=dict)
    """Values that differ from its defaults."""
    quick: bool = False
    """Try it on fewer bars, in a tenth of the time."""


class Brought(Body):
    """A strategy that somebody has written."""

    name: Name
    code: Code
    """In Python."""
    description: Annotated[Text, Field(max_length=LONGEST_DESCRIPTION)] = ""
    symbols: Symbols = Field(default_factory=list)
    """What it is to trade; may be said later."""
    timeframe: Timeframe = "1d"
    """The bars that it decides on."""


class Changed(Body):
    """What is to be another; what is left out stays as it is."""

    name: Name | None = None
    description: Annotated[Text, Field(max_length=LONGEST_DESCRIPTION)] | None = None
    parameters: Parameters | None = None
    """All values that differ from the defaults of its code."""
    symbols: Symbols | None = None
    """`*`: whatever has bars."""
    timeframe: Timeframe | None = None
    source: Name | None = None
    """Of the bars that it decides on; null: the first by name."""
    quantity: Quantity | None = None
    """Of each of its signals, a decimal as a text."""
    currency: Currency | None = None
    public: bool | None = None
    """Whether all may read and copy it."""
    takes_over: bool | None = None
    """Whether a new version takes over what the old one holds."""
    code: Code | None = None
    """Another code makes another version."""


class NewVersion(Body):
    """Another version: `code` or `prompt`, one of both."""

    code: Code | None = None
    """In Python."""
    prompt: Prompt | None = None
    """In words, which the rules at hand read."""


class Copied(Body):
    """A copy that is asked for."""

    name: Name | None = None
    """What it is to be called; left out: as the original."""


class Tried(Body):
    """A backtest that is asked for."""

    symbols: Annotated[Symbols, Field(min_length=1)] | None = None
    """Left out: those of the strategy."""
    whole: bool = False
    """Whether the answer has each trade and the equity of each day, too."""


class Several(Body):
    """Strategies."""

    ids: Annotated[
        list[Annotated[UUID, Field(strict=False)]],
        Field(min_length=1, max_length=MOST_ARCHIVED),
    ]
