"""What ``trackrecord label`` reads: a signal and its bars per line, with decimals kept exact."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

from trackrecord.cli.label.bar_file import BarsBySymbol
from trackrecord.events.market import impossible_bar
from trackrecord.events.types import side_of
from trackrecord.outcomes import POLICIES, Bar, Judged, Policy, RuleError, Signal, label
from trackrecord.times import NO_NUMBER, read_time

Limits = tuple[Decimal, Decimal] | None
Work = Callable[[Limits], dict[str, Any]]

_DIRECTIONS: Final = {"BUY": 1, "SELL": -1}
_WITH_WORDS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)? .+")
_PRICES: Final = ("open", "high", "low", "close")
_FIELDS: Final = 5
"""Of a bar: time, open, high, low, close; what follows, such as the volume, is not read."""


def lines(
    texts: Iterable[str], *, policy: str, horizon: int, bars: BarsBySymbol | None = None
) -> Iterator[tuple[Any, Work]]:
    """Each line's id, and what judges it within limits of jumps; blank lines are passed over.

    Args:
        texts: JSON lines.
        policy: Where a line names none.
        horizon: Bars, where a signal names none.
        bars: Of lines that have none themselves.
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
            yield identity, _judge(document, policy, horizon, bars)


def _refuse(error: str) -> Work:
    return lambda _limits: {"error": error}


def _judge(document: dict[str, Any], policy: str, horizon: int, known: BarsBySymbol | None) -> Work:
    def work(limits: Limits) -> dict[str, Any]:
        try:
            signal = _signal(document.get("signal"), horizon)
            given, splits = document.get("bars"), document.get("splits")
            if given is None and known is not None:
                given = known.after(document["signal"], signal.horizon)
                among = {row[0] for row in given}
                splits = [
                    split
                    for split in known.splits[document["signal"]["symbol"]]
                    if split[0] in among
                ]
            times, bars = _bars(given)
            _check_entry(document["signal"], times[0])
            bars = _with_splits(bars, times, splits, document["signal"].get("entry_time"))
            chosen = _policy(document.get("policy") or policy)
            return _answer(label(signal, bars, chosen, limits), times)
        except RuleError as error:
            return {"error": str(error)}

    return work


def _signal(given: Any, horizon: int) -> Signal:
    if not isinstance(given, dict):
        raise RuleError('a line has a "signal", which is an object')
    side = given.get("side")
    name = side_of(side) if isinstance(side, str) else None
    if name is None:
        raise RuleError(f"the side is LONG or SHORT, BUY or SELL, not {side!r}")
    direction = _DIRECTIONS[name]
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
    before: datetime | str | None = None
    for index, row in enumerate(given):
        if not isinstance(row, list) or len(row) < _FIELDS:
            raise RuleError(f"bar {index} is not [time, open, high, low, close]")
        bar = Bar(
            *(
                _price(value, f"the {name} of bar {index}")
                for name, value in zip(_PRICES, row[1:_FIELDS], strict=True)
            )
        )
        if problem := impossible_bar(*bar[:4]):
            raise RuleError(f"bar {index} is no bar: {problem} ({_prices(bar)})")
        at = _time(row[0], f"the time of bar {index}")
        if before is not None and not _follows(at, before):
            raise RuleError(f"bars out of order: bar {index} is not later than the one before")
        before = at
        times.append(row[0])
        bars.append(bar)
    return times, bars


def _follows(at: Any, before: Any) -> bool:
    return type(at) is type(before) and bool(at > before)


def _prices(bar: Bar) -> str:
    return ", ".join(f"{name} {price}" for name, price in zip(_PRICES, bar[:4], strict=True))


def _with_splits(bars: list[Bar], times: list[Any], splits: Any, entered: Any) -> list[Bar]:
    """Bars with the splits that are told beside them, ``[[time of a bar, ratio], ...]``.

    One at the entry bar counts where the entry time is before it: else the signal came after.
    """
    if splits is None:
        return bars
    if not isinstance(splits, list) or any(
        not isinstance(split, list) or len(split) != 2  # noqa: PLR2004 - a time and a ratio
        for split in splits
    ):
        raise RuleError('"splits" are [[time of a bar, new shares for an old one], ...]')
    places = {_time(at, "the time of a bar"): place for place, at in enumerate(times)}
    found = list(bars)
    for at, ratio in splits:
        place = places.get(_time(at, "the time of a split"))
        if place is None:
            raise RuleError(f"no bar is of {at}, from which a split is told")
        number = _price(ratio, f"the split of {at}")
        if number <= 0:
            raise RuleError(f"the split of {at} is new shares for an old one, above 0, not {ratio}")
        if place or (
            entered is not None
            and _follows(_time(times[0], "the time of bar 0"), _time(entered, "the entry time"))
        ):
            found[place] = found[place]._replace(split_ratio=number)
    return found


def _time(value: Any, what: str) -> datetime | str:
    """A moment; or the text of a date and time with words behind it, which sorts as it stands."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        raise RuleError(f"{what}: {NO_NUMBER}")
    if not isinstance(value, str):
        raise RuleError(f"{what} is a time such as 2026-01-31T09:30:00Z, not {value!r}")
    try:
        return read_time(value)
    except ValueError as error:
        if _WITH_WORDS.fullmatch(value):
            return value
        raise RuleError(f"{what}: {error}") from None


def _check_entry(signal: dict[str, Any], first: Any) -> None:
    entry = signal.get("entry_time")
    if entry is None:
        return
    if _follows(_time(entry, "the entry time"), _time(first, "the time of bar 0")):
        raise RuleError(f"the entry bar, {first}, is before the entry, {entry}")


def _answer(judged: Judged, times: list[Any]) -> dict[str, Any]:
    index = judged.exit_index
    return {
        "outcome": judged.outcome,
        "exit_index": index,
        "exit_time": None if index is None else times[index],
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
