"""What answers look like, for the OpenAPI document and whoever builds a client from it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Money = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["150.25"])]
"""An amount or a price: a decimal as a text, exact."""


class Answer(BaseModel):
    """What every answer has."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    as_of: datetime
    """Up to when it is known."""


class Versioned(Answer):
    """An answer that is another one only when its version is."""

    version: str
    """Of what it tells of; also the ETag, for If-None-Match."""


class Record(BaseModel):
    """Numbers of a record, as docs/numbers.md defines them.

    In one currency all are here; of several, counts are here and the rest under ``currencies``.
    """

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    signals: int
    closed: int
    open: int
    wins: int
    losses: int
    breakevens: int
    win_rate: float | None
    """A fraction of the closed."""
    account: Literal["live", "paper", "imported", "backtest", "mixed", "unknown"]
    """The kind of account of all signals; `mixed`: of several, `unknown`: none says so."""
    accounts: dict[str, int]
    """Signals by kind of account."""
    currency: str | None = None
    total_pnl: Money | None = None
    """Net, of the closed."""
    average_pnl: Money | None = None
    profit_factor: float | None = None
    realised_pnl: Money | None = None
    """Net, of all exits."""
    currencies: dict[str, Any] | None = None
    reasons: dict[str, str]
    """Why a number is null."""


Standing = Literal["public", "private", "unclaimed"]
"""Whose a name is, and who sees it: its user lets all see it, or keeps it; or it is nobody's, and
nobody answers for what was published under it."""


class Line(BaseModel):
    """Cumulative realised PnL at even steps, as a small picture shows it."""

    since: date
    until: date
    """The last day on which something happened."""
    values: list[Money]
    """At the end of each step."""
    below_peak: Money
    """How far it is below its highest, by day; at least 0."""
    deepest: Money
    """The most that it ever was below the highest before."""


class NamedRecord(Record):
    """Numbers of a strategy in one of its currencies."""

    strategy: str
    standing: Standing
    line: Line | None = None
    """With `line=true`: null until it is worked out."""


class Strategies(Versioned):
    """One page of strategies."""

    strategies: list[NamedRecord]
    next: str | None
    """The cursor of the next page; null on the last."""


class Strategy(Versioned):
    """One strategy."""

    strategy: str
    standing: Standing
    totals: Record
    """What its sums say now."""
    judged: Record
    """With the numbers of daily returns."""
    judged_as_of: datetime
    """When those were worked out."""


class Day(BaseModel):
    """What a strategy came to on one day, in one currency."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    day: date
    currency: str
    signals: int
    exits: int
    closed: int
    wins: int
    losses: int
    breakevens: int
    total_pnl: Money
    realised_pnl: Money
    fees: Money
    cumulative_pnl: Money
    """What its exits realised since the first of these days."""


class Days(Versioned):
    """A strategy by day."""

    strategy: str
    day_timezone: str
    days: list[Day]


class Month(BaseModel):
    """What a strategy came to in one month, in one currency."""

    month: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}$")]
    signals: int
    closed: int
    realised_pnl: Money
    average_return: float | None
    """Of the closed, a fraction; null where none has a return."""


class MonthsOfCurrency(BaseModel):
    """The months of a strategy in one currency."""

    currency: str
    judged_as_of: datetime
    """When they were worked out."""
    months: list[Month]
    line: Line | None


class Months(Versioned):
    """A strategy by month."""

    strategy: str
    day_timezone: str
    currencies: list[MonthsOfCurrency]


class Signal(BaseModel):
    """A signal and what became of it."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    signal_id: str
    strategy: str
    symbol: str
    side: Literal["BUY", "SELL"]
    price: Money
    entry_price: Money | None
    """Null: it is not entered yet."""
    quantity: Money
    currency: str
    emitted_at: datetime
    closed_at: datetime | None
    realised_pnl: Money
    return_: Annotated[Money | None, Field(alias="return")]
    """A fraction, once it is closed."""
    outcome: Literal["win", "loss", "breakeven"] | None
    """Null while it is open."""
    account: Literal["live", "paper", "backtest", "imported"] | None
    """Where its trades are made; null: not said."""
    backdated: bool
    corrected_late: bool


class Signals(Versioned):
    """One page of signals, the newest first."""

    signals: list[Signal]
    next: str | None
    """The cursor of the next page; null on the last."""


class OneSignal(Versioned):
    """All that is known of a signal."""

    signal_id: str
    said: dict[str, Any] | None
    """Its last revision; null while only exits of it are known."""
    position: Signal | None
    revisions: list[dict[str, Any]]
    exits: list[dict[str, Any]]
    assessment: dict[str, Any] | None
    outcomes: list[dict[str, Any]]


class Scripts(Versioned):
    """Records of scripts."""

    scripts: list[dict[str, Any]]
    next: str | None


class Script(Versioned):
    """The record of one script."""

    script: str
    standing: Standing


class Outcomes(Versioned):
    """What became of signals on the bars that followed."""

    policies: dict[str, dict[str, Any]]
    """By policy, then by strategy."""
    verdicts: dict[str, int]
    """How many signals were given each verdict."""


class Models(Versioned):
    """One page of models, the newest first."""

    models: list[dict[str, Any]]
    next: str | None


class TrainingLog(Versioned):
    """One page of the training runs that ended, the latest first."""

    runs: list[dict[str, Any]]
    next: str | None


class Calibration(Versioned):
    """What a model said, and what happened."""

    judged: dict[str, Any]
    since: dict[str, Any]
    judged_as_of: datetime
    """Up to when outcomes count."""


class Ranked(NamedRecord):
    """A place on a leaderboard."""

    rank: int
    """Among the strategies of its kind of account, from 1."""


class Leaderboard(Versioned):
    """Strategies by one number, the best first; kinds of account one after another."""

    by: str
    strategies: list[Ranked]


class Comparison(Versioned):
    """Strategies over the days that all of them have."""

    since: date | None
    until: date | None
    strategies: list[dict[str, Any]]
    together: dict[str, Any] | None
    """Summed, where all are in one currency."""
    why_not_summed: str | None


class DeadLetters(Answer):
    """One page of messages that had no effect, the oldest first."""

    letters: list[dict[str, Any]]
    next: str | None


class DeadLetter(Answer):
    """A message that had no effect, and its bytes."""

    letter: dict[str, Any]


class Requeued(Answer):
    """What became of sending a message again."""

    letters: int
    messages: int
    failed: list[dict[str, str]]


class Status(Answer):
    """Where each stage is."""

    broker: dict[str, Any]
    stages: dict[str, Any]
    version: str


class Published(Answer):
    """Events that the broker has acknowledged."""

    published: int
    id: str | None = None
    """Of the event, where it was one and no batch."""
    warnings: list[dict[str, Any]]


class Performance(BaseModel):
    """Results of strategies and how models are trained, in plain numbers."""

    performance: dict[str, dict[str, Any]]
    training_status: dict[str, dict[str, Any]]


class ScriptAnalytics(Answer):
    """One script's results, looked at from several sides."""

    script_name: str
    distribution: dict[str, Any]
    recent: dict[str, Any]
    earlier: dict[str, Any]
    trend: dict[str, Any]
    summary: str
