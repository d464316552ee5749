"""What the outcome_scorer has come to, held against the rules on all bars at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Protocol

from tests.support import compare, outcome_oracle, wire
from tests.support.outcome_oracle import Expected, Verdict
from tests.support.pipeline import Pipeline
from tests.torture.history import Sent
from trackrecord.events import Event, SignalClosed, SignalScored
from trackrecord.events.codec import decode
from trackrecord.runtime.settings import Settings

_ROUNDING = Decimal("1e-15")
"""Of a fraction: a table holds floats, and the oracle decimals."""

_COLUMNS = (
    'signal_id, revision, outcome, label, "return", mae, mfe, bars_held, exit_price, how,'
    " ambiguous, delisted, exit_opened_at, known_at, ends_at"
)

Row = dict[str, Any]


class Asker(Protocol):
    """The verdict that is being found."""

    def compare(self, expected: Any, found: Any) -> None: ...

    def ask(self, what: str, check: Any) -> None: ...


def check_outcomes(
    verdict: Asker, pipeline: Pipeline, sent: Sequence[Sent]
) -> tuple[list[wire.Parcel], list[int]]:
    """Check outcomes, exits and scores.

    Args:
        verdict: Told what is wrong.
        pipeline: Its stages have stopped.
        sent: Bars, signals and exits, in the order of their places.

    Returns:
        The exits that were published; and, of what could be read, the bars that contradict
        others.
    """
    events: list[Event] = [each.item.event for each in sent if each.item.event is not None]
    expected = outcome_oracle.expect(events)
    table = _read(pipeline.settings)
    verdict.ask("outcomes", lambda: _check_table(expected, table))
    verdict.ask("bars", lambda: _check_bars(pipeline, expected))
    settled = [name for name, row in table.items() if row["outcome"] != "pending"]
    wanted = [name for name, each in expected.verdicts.items() if each.judged.outcome != "pending"]
    verdict.compare(wanted, settled)
    scores = _by_id(pipeline, "signal_scored", set())
    verdict.ask("scores", lambda: _check_scores(scores, table))
    exits = _by_id(pipeline, "signal_closed", {each.place for each in sent})
    verdict.ask("exits", lambda: _check_exits(pipeline, expected, exits))
    return [each for copies in exits.values() for each in copies], expected.conflicts


def _by_id(pipeline: Pipeline, topic: str, ours: set[wire.Place]) -> dict[str, list[wire.Parcel]]:
    """What the stage has published, by event id."""
    found: dict[str, list[wire.Parcel]] = defaultdict(list)
    for each in wire.read(pipeline.settings, pipeline.settings.topic(topic)):
        if each.place not in ours:
            found[each.header("ce_id") or ""].append(each)
    return found


def _one_form(found: dict[str, list[wire.Parcel]]) -> Iterator[bytes]:
    """Of each event the bytes, which are the same in all of its copies."""
    for event_id, copies in found.items():
        assert event_id
        assert len({(each.key, each.value, tuple(each.headers)) for each in copies}) == 1, (
            f"{event_id} in more than one form: {[each.value for each in copies]}"
        )
        yield copies[0].value or b""


# -- tables -------------------------------------------------------------------------------------


def differences(expected: Expected, settings: Settings) -> list[str]:
    """Where the outcomes in the table are not as expected, in words."""
    return _differences(expected, _read(settings))


def _read(settings: Settings) -> dict[str, Row]:
    names = [name.strip('"') for name in _COLUMNS.split(", ")]
    rows = compare.fetch(settings, f"SELECT {_COLUMNS} FROM outcomes")
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def _differences(expected: Expected, table: dict[str, Row]) -> list[str]:
    return [
        f"{name}: {why}"
        for name, verdict in expected.verdicts.items()
        for why in _differs(verdict, table.get(name))
    ]


def _check_table(expected: Expected, table: dict[str, Row]) -> None:
    unknown = table.keys() - expected.verdicts.keys()
    assert not unknown, f"outcomes of nothing: {sorted(unknown)[:3]}"
    wrong = _differences(expected, table)
    assert not wrong, f"{len(wrong)} differences, such as {'; '.join(wrong[:4])}"


def _differs(verdict: Verdict, row: Row | None) -> Iterator[str]:
    judged = verdict.judged
    if row is None:
        if judged.outcome != "pending":
            yield f"missing, instead of {verdict}"
        return
    wanted = {
        "outcome": judged.outcome,
        "label": judged.label,
        "bars_held": None if judged.exit_index is None else judged.exit_index + 1,
        "exit_price": judged.exit_price,
        "how": judged.how,
        "ambiguous": judged.ambiguous,
        "delisted": verdict.delisted,
        "exit_opened_at": verdict.exit_opened_at,
        "known_at": verdict.known_at,
        "ends_at": verdict.ends_at,
    }
    for name, value in wanted.items():
        if row[name] != value:
            yield f"{name} is {row[name]} instead of {value} ({judged.outcome})"
    fractions = {"return": judged.returned, "mae": judged.mae, "mfe": judged.mfe}
    for name, exact in fractions.items():
        there = None if row[name] is None else Decimal(row[name])
        if there is None or exact is None:
            is_same = there is exact
        else:
            is_same = abs(there - exact) <= _ROUNDING
        if not is_same:
            yield f"{name} is {there} instead of {exact}"


def _check_bars(pipeline: Pipeline, expected: Expected) -> None:
    columns = "opened_at, source, closed_at, open, high, low, close, volume, revision"
    found = set(compare.fetch(pipeline.settings, f"SELECT symbol, timeframe, {columns} FROM bars"))
    wanted = {
        (each.symbol, each.timeframe, *(getattr(each, name) for name in columns.split(", ")))
        for each in expected.bars.values()
    }
    assert found == wanted, f"{len(found - wanted)} too many, {len(wanted - found)} missing"


# -- events -------------------------------------------------------------------------------------


def _check_scores(found: dict[str, list[wire.Parcel]], table: dict[str, Row]) -> None:
    """Each revision of each outcome was told once, and the last is what the table says."""
    told: dict[str, dict[int, SignalScored]] = defaultdict(dict)
    for value in _one_form(found):
        event = decode(SignalScored, value)
        assert event.revision not in told[event.signal_id], f"told under two ids: {event}"
        told[event.signal_id][event.revision] = event
    assert told.keys() == table.keys(), "scores of other signals than those with an outcome"
    for signal_id, row in table.items():
        revisions = told[signal_id]
        assert sorted(revisions) == list(range(row["revision"] + 1)), (
            f"{signal_id}: revisions {sorted(revisions)} were told, of {row['revision']}"
        )
        last = revisions[row["revision"]]
        said = {name: getattr(last, name) for name in ("outcome", "label", "mae", "mfe",
                "bars_held", "exit_price", "ambiguous")} | {"return": last.return_}  # fmt: skip
        kept = {name: row[name] for name in said}
        assert said == kept, f"{signal_id}: {said} was told, and {kept} is kept"


def _check_exits(
    pipeline: Pipeline, expected: Expected, found: dict[str, list[wire.Parcel]]
) -> None:
    """One exit of each signal that nobody manages; it was right when it was published."""
    told: dict[str, tuple[Any, ...]] = {}
    for value in _one_form(found):
        event = decode(SignalClosed, value)
        assert event.exit_id == "barrier"
        assert event.signal_id not in told, f"{event.signal_id} was closed twice"
        told[event.signal_id] = (
            event.price, event.closed_at, event.reason, event.entry_price
        )  # fmt: skip
    strange = {
        name: exit_ for name, exit_ in told.items() if exit_ not in expected.exits.get(name, ())
    }
    assert not strange, f"{len(strange)} exits that no bars explain: {list(strange.items())[:3]}"
    missing = expected.certain - told.keys()
    assert not missing, f"{len(missing)} exits were not published, such as {min(missing)}"
    kept = compare.fetch(
        pipeline.settings,
        "SELECT signal_id, exit_price, closed_at, reason, entry_price FROM closings WHERE own",
    )
    assert {row[0]: row[1:] for row in kept} == told
