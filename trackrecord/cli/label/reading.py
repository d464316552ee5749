"""What ``trackrecord label`` reads: a signal and its bars per line, with decimals kept exact."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from trackrecord.outcomes import POLICIES, Bar, Judged, Policy, RuleError, Signal, label

Limits = tuple[Decimal, Decimal] | None
Work = Callable[[Limits], dict[str, Any]]

_DIRECTIONS: Final = {"LONG": 1, "BUY": 1, "SHORT": -1, "SELL": -1}
_PRICES: Final = ("open", "high", "low", "close")
_FIELDS: Final = 5
"""Of a bar: time, open, high, low, close; what follows, such as the volume, is not read."""


def lines(texts: Iterable[str], *, policy: str, horizon: int) -> Iterator[tuple[Any, Work]]:
    """Each line's id, and what judges it within limits of jumps; blank lines are passed over.

    Args:
        texts: JSON lines.
        policy: Where a line names none.
        horizon: Bars, where a signal names none.
    """
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            document = json.loads(text, parse_float=Decimal, parse_constant=Decimal)
            identity = document["id"]
        except (ValueError, RecursionError) as error:
            yield None, _refuse(f"line {number} is not JSON: {error}")
        except (KeyError, TypeError):
            yield None, _refuse(f'line {number} is no object with an "id"')
        else:
            yield identity, _judge(document, policy, horizon)


def _refuse(error: str) -> Work:
    return lambda _limits: {"error": error}


def _judge(document: dict[str, Any], policy: str, horizon: int) -> Work:
    def work(limits: Limits) -> dict[str, Any]:
        try:
            signal = _signal(document.get("signal"), horizon)
            times, bars = _bars(document.get("bars"))
            _check_entry(document["signal"], times[0])
            chosen = _policy(document.get("policy") or policy)
            return _answer(label(signal, bars, chosen, limits), times)
        except RuleError as error:
            return {"error": str(error)}

    return work


def _signal(given: Any, horizon: int) -> Signal:
    if not isinstance(given, dict):
        raise RuleError('a line has a "signal", which is an object')
    side = given.get("side")
    direction = _DIRECTIONS.get(side.upper()) if isinstance(side, str) else None
    if direction is None:
        raise RuleError(f"the side is LONG or SHORT (or BUY or SELL), not {side!r}")
    bars = given.get("horizon_bars")
    if bars is None:
        bars = horizon
    if isinstance(bars, bool) or not isinstance(bars, int):
        raise RuleError(f"horizon_bars is a whole number, not {bars}")
    signal = Signal(
        direction,
        _price(given.get("entry_price"), "the entry price"),
        None if given.get("target") is None else _price(given["target"], "the target"),
        None if given.get("stop") is None else _price(given["stop"], "the stop"),
        bars,
    )
    signal.check()
    return signal


def _policy(value: Any) -> Policy:
    if value not in POLICIES:
        raise RuleError(f"the policy is one of {', '.join(POLICIES)}, not {value!r}")
    return cast("Policy", value)


def _price(value: Any, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise RuleError(f"{name} is a number, not {value!r}")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise RuleError(f"{name} is a number, not {value!r}") from None
    if not found.is_finite():
        raise RuleError(f"{name} is {found}, which is no price")
    return found


def _bars(given: Any) -> tuple[list[Any], list[Bar]]:
    if not isinstance(given, list) or not given:
        raise RuleError("there are no bars; bars[0] is the entry bar")
    times: list[Any] = []
    bars: list[Bar] = []
    before: Any = None
    for index, row in enumerate(given):
        if not isinstance(row, list) or len(row) < _FIELDS:
            raise RuleError(f"bar {index} is not [time, open, high, low, close]")
        bar = Bar(
            *(
                _price(value, f"the {name} of bar {index}")
                for name, value in zip(_PRICES, row[1:_FIELDS], strict=True)
            )
        )
        if bar.high < bar.low:
            raise RuleError(f"bar {index} has its high, {bar.high}, below its low, {bar.low}")
        at = _time(row[0], index)
        if before is not None and not _follows(at, before):
            raise RuleError(f"bars out of order: bar {index} is not later than the one before")
        before = at
        times.append(row[0])
        bars.append(bar)
    return times, bars


def _time(value: Any, index: int) -> datetime | Decimal | str:
    """A time as what can be compared: a moment, a number such as seconds since 1970, or a text."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        raise RuleError(f"the time of bar {index} is neither a text nor a number: {value!r}")
    try:
        return _moment(value)
    except ValueError:
        return value


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _follows(at: Any, before: Any) -> bool:
    return type(at) is type(before) and bool(at > before)


def _check_entry(signal: dict[str, Any], first: Any) -> None:
    entry = signal.get("entry_time")
    if not isinstance(entry, str) or not isinstance(first, str):
        return
    if _follows(_time(entry, 0), _time(first, 0)):
        raise RuleError(f"the entry bar, {first}, is before the entry, {entry}")


def _answer(judged: Judged, times: list[Any]) -> dict[str, Any]:
    index = judged.exit_index
    return {
        "outcome": judged.outcome,
        "exit_index": index,
        "exit_time": None if index is None else _plain(times[index]),
        "exit_price": _number(judged.exit_price),
        "return": _number(judged.returned),
        "label": judged.label,
        "how": judged.how,
        "ambiguous": judged.ambiguous,
        "win": judged.won(),
        "mae": _number(judged.mae),
        "mfe": _number(judged.mfe),
        "reason": judged.reason,
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
