"""What an extraction holds: recommendations, a result, and why."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

Outcome = Literal["profit", "loss", "breakeven"]


def side_of(action: str) -> str:
    """Return what an action does, however strongly: BUY for STRONG_BUY and BTST_BUY."""
    return action.rpartition("_")[2]


class Recommendation(NamedTuple):
    """One thing the text says should be done now, in one instrument."""

    action: str
    """``BUY``, ``SELL``, ``HOLD``, ``STRONG_BUY``, ``STRONG_SELL`` or ``BTST_BUY``."""
    symbol: str | None = None
    """The instrument as printed, or None where the text names none."""
    entry_price: Decimal | None = None
    """The price labelled as the entry, in the instrument's currency."""
    target_price: Decimal | None = None
    """The first target, in the instrument's currency."""
    stop_loss: Decimal | None = None
    """The stop as a price, in the instrument's currency."""
    confidence: float | None = None
    """What the text calls its confidence or probability, 0 to 1."""
    currency: str | None = None
    """The currency printed with its prices, such as INR or USDT; None where none is printed."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields with prices as JSON numbers."""
        return {
            "action": self.action,
            "symbol": self.symbol,
            "entry_price": number(self.entry_price),
            "target_price": number(self.target_price),
            "stop_loss": number(self.stop_loss),
            "confidence": self.confidence,
        }


class Result(NamedTuple):
    """What the text says has actually happened."""

    return_pct: Decimal | None = None
    """Realised or backtested return in percent (12.5 is 12.5 %)."""
    outcome: Outcome | None = None
    """The sign of the return, or of the profit in money where no percent is printed."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields with the percentage as a JSON number."""
        return {"return_pct": number(self.return_pct), "outcome": self.outcome}


class Evidence(NamedTuple):
    """Which rule took a value from which words."""

    field: str
    """``recommendations[0].action``, ``result.return_pct`` and the like."""
    value: str
    """The value as text."""
    rule: str
    """The rule's id, ``pack/name``."""
    start: int
    """Offset of the first character in the text given."""
    end: int
    """Offset behind the last character."""


class Rejected(NamedTuple):
    """A candidate that lost, and why."""

    candidate: str
    """What it would have said."""
    rule: str
    """The rule that refused it."""
    reason: str
    """Why, in words."""
    start: int
    """Offset of the first character in the text given."""
    end: int
    """Offset behind the last character."""


class Extraction(NamedTuple):
    """All that one text says. Two are equal that say the same, for whatever reasons."""

    recommendations: tuple[Recommendation, ...]
    """In print order; empty where the text recommends nothing."""
    result: Result
    """What happened, as far as the text says so."""
    final_action: str | None
    """The action that all recommendations share; None if there is none or they differ."""
    extractor_version: str
    """The version of code and rules that said so."""
    evidence: tuple[Evidence, ...] = ()
    """Where each value came from."""
    rejected: tuple[Rejected, ...] = ()
    """Candidates that lost."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extraction) and self[:_SAID] == other[:_SAID]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:_SAID])

    def to_json(self) -> dict[str, Any]:
        """Return what ``trackrecord extract --json`` prints for one text."""
        return {
            "recommendations": [item.to_json() for item in self.recommendations],
            "result": self.result.to_json(),
            "final_action": self.final_action,
            "extractor_version": self.extractor_version,
        }

    def explain(self) -> dict[str, Any]:
        """Return the evidence and the losing candidates, with offsets into the text."""
        return {
            "evidence": [
                {
                    "field": item.field,
                    "value": item.value,
                    "rule": item.rule,
                    "span": [item.start, item.end],
                }
                for item in self.evidence
            ],
            "rejected": [
                {
                    "candidate": item.candidate,
                    "rule": item.rule,
                    "reason": item.reason,
                    "span": [item.start, item.end],
                }
                for item in self.rejected
            ],
        }


_SAID: Final = 4
"""Fields of an extraction that say what the text says; those behind them say why."""


_NEW: Final = tuple.__new__


def evidence(field: str, value: str, rule: str, start: int, end: int) -> Evidence:
    """Make evidence, in half the time that its class takes: there are several to a text."""
    return _NEW(Evidence, (field, value, rule, start, end))


def rejected(candidate: str, rule: str, reason: str, start: int, end: int) -> Rejected:
    """Make a candidate that lost, likewise."""
    return _NEW(Rejected, (candidate, rule, reason, start, end))


def number(value: Decimal | None) -> int | float | None:
    """Turn a decimal into the JSON number that a person would write for it."""
    if value is None:
        return None
    whole = int(value)
    return whole if value == whole and abs(whole) < 2**53 else float(value)
