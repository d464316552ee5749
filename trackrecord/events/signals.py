"""The events of a signal: emitted, closed, assessed by a model, scored on bars."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from trackrecord.events.base import Event, EventType
from trackrecord.events.types import (
    Account,
    Amount,
    Count,
    Currency,
    Fraction,
    FreeJson,
    Identifier,
    Name,
    Number,
    PositiveCount,
    PositiveDecimal,
    Price,
    Quantity,
    Rate,
    Reason,
    Revision,
    Side,
    Symbol,
    Timeframe,
    UtcTime,
)

_ONE_FEE: Final[dict[str, Any]] = {
    "not": {
        "required": ["fee", "fee_rate"],
        "properties": {"fee": {"type": "string"}, "fee_rate": {"type": "string"}},
    }
}
"""The same rule for readers of the schema: null counts as left out."""


def _one_fee(fee: object, fee_rate: object) -> None:
    if fee is not None and fee_rate is not None:
        raise ValueError("give fee (money) or fee_rate (a fraction of the notional), not both")


class SignalEmitted(Event):
    """A strategy says: open this position."""

    model_config = ConfigDict(json_schema_extra=_ONE_FEE)

    event_type: ClassVar[EventType] = "signal_emitted"
    key_field: ClassVar[str] = "symbol"
    identity: ClassVar[tuple[str, ...]] = ("signal_id",)

    signal_id: Identifier
    """This signal."""
    strategy: Name
    """Whose record it enters."""
    symbol: Symbol
    """The instrument."""
    side: Side
    """BUY opens a long position, SELL a short one."""
    price: Price
    """The entry price per unit, or the last price known where ``entry`` is ``next_open``."""
    quantity: Quantity = Decimal(1)
    """Units of the instrument."""
    currency: Currency = "USD"
    """The currency of price and fees."""
    emitted_at: UtcTime
    """When the publisher said it."""
    timeframe: Timeframe = "1d"
    """The bars on which its outcome is judged."""
    target_price: Price | None = None
    """Where it takes its profit."""
    stop_loss: Price | None = None
    """Where it gives up."""
    horizon_bars: PositiveCount | None = None
    """How many bars it has, the entry bar included."""
    exits: Literal["own", "barriers"] = "own"
    """``own``: the publisher sends the exits; ``barriers``: the outcome on bars closes it."""
    entry: Literal["filled", "next_open"] = "filled"
    """``filled``: entered at ``price``; ``next_open``: at the open of the next bar."""
    fee: Amount | None = None
    """Money paid on entry."""
    fee_rate: Rate | None = None
    """Fraction of the entry notional paid on entry."""
    leverage: PositiveDecimal | None = None
    """Multiplies the return, never the PnL."""
    confidence: Fraction | None = None
    """How sure the publisher is, 0 to 1."""
    source: Name | None = None
    """What produced it, such as ``extractor``."""
    execution_id: Identifier | None = None
    """The script run that it was read from."""
    model_version: Name | None = None
    """The model that it came from."""
    account: Account | None = None
    """Where its trades are made: ``live``, ``paper``, ``backtest`` or ``imported`` from elsewhere;
    left out: not known."""
    metadata: FreeJson | None = None
    """What the publisher adds for itself."""
    revision: Revision = 0
    """Raised by a correction; the highest wins."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        _one_fee(self.fee, self.fee_rate)
        return self


class SignalClosed(Event):
    """A position, or a part of it, was closed."""

    model_config = ConfigDict(json_schema_extra=_ONE_FEE)

    event_type: ClassVar[EventType] = "signal_closed"
    key_field: ClassVar[str] = "symbol"
    identity: ClassVar[tuple[str, ...]] = ("signal_id", "exit_id")

    signal_id: Identifier
    """The signal that it ends."""
    exit_id: Identifier
    """This exit; unique within its signal."""
    symbol: Symbol
    """The instrument."""
    strategy: Name | None = None
    """Whose signal it is, for readers of the topic; the signal itself decides."""
    price: Price
    """The exit price per unit."""
    quantity: Quantity | None = None
    """Units closed; left out: all that is still open in the order of ``closed_at``, ``exit_id``."""
    entry_price: Price | None = None
    """The open at which a signal with ``entry`` ``next_open`` was entered, by its first exit."""
    closed_at: UtcTime
    """When it was closed."""
    fee: Amount | None = None
    """Money paid on this exit."""
    fee_rate: Rate | None = None
    """Fraction of the exit notional paid on this exit."""
    interest: Amount | None = None
    """Interest paid for holding what was closed; above 0 is a cost."""
    funding: Amount | None = None
    """Funding paid for holding what was closed; above 0 is a cost."""
    reason: Reason
    """Why: target, stop, expired, manual … or any text."""
    revision: Revision = 0
    """Raised by a correction; the highest wins."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        _one_fee(self.fee, self.fee_rate)
        return self


class SignalAssessed(Event):
    """A model's judgement of a signal at the moment it was emitted."""

    event_type: ClassVar[EventType] = "signal_assessed"
    key_field: ClassVar[str] = "symbol"
    identity: ClassVar[tuple[str, ...]] = ("signal_id", "model_version")

    signal_id: Identifier
    """The signal judged."""
    strategy: Name
    """Whose signal it is."""
    symbol: Symbol
    """The instrument."""
    probability: Fraction | None = None
    """Calibrated probability of success; none without a champion model."""
    verdict: Literal["STRONG_BUY", "BUY", "STRONG_SELL", "SELL", "SKIP"] | None = None
    """What the probability means at the thresholds that the trainer chose."""
    quality: Literal["HIGH", "MEDIUM", "POOR"] | None = None
    """The same, as a grade."""
    model_version: Name | None = None
    """The champion that judged."""
    features: dict[Name, Number | None] = Field(default_factory=dict)
    """What was known at that moment, by name; null where it was not known."""
    assessed_at: UtcTime
    """When it was judged."""


class SignalScored(Event):
    """What happened to a signal on the bars that followed."""

    event_type: ClassVar[EventType] = "signal_scored"
    key_field: ClassVar[str] = "strategy"
    identity: ClassVar[tuple[str, ...]] = ("signal_id", "policy")

    signal_id: Identifier
    """The signal scored."""
    strategy: Name
    """Whose signal it is."""
    symbol: Symbol
    """The instrument."""
    revision: Revision = 0
    """Raised when late or corrected bars change the score."""
    outcome: Literal["target", "stop", "expired", "pending", "void"]
    """What it met first."""
    label: Annotated[int, Field(strict=True, ge=-1, le=1)] | None = None
    """+1 target, -1 stop, 0 expired; none while pending or void."""
    return_: Number | None = Field(default=None, alias="return")
    """Gross return on the entry price, as a fraction."""
    mae: Annotated[Number, Field(le=0)] | None = None
    """Maximum adverse excursion, as a fraction of the entry price; at most 0."""
    mfe: Annotated[Number, Field(ge=0)] | None = None
    """Maximum favourable excursion, as a fraction of the entry price; at least 0."""
    bars_held: Count | None = None
    """Bars from entry to exit, both included."""
    exit_price: Price | None = None
    """The price at which it ended."""
    ambiguous: bool = Field(default=False, strict=True)
    """Whether target and stop lay inside one bar, so that the policy decided."""
    policy: Name
    """The rule that decides such ties: stop_first, target_first, open_proximity."""
    features: dict[Name, Number | None] = Field(default_factory=dict)
    """The features stored when the signal was emitted."""
    scored_at: UtcTime
    """When the score was made."""
