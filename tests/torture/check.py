"""Everything that an episode must have come to, held against what was published."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support import compare, oracle, runs, wire
from tests.support.pipeline import Letters, Pipeline
from tests.torture.check_outcomes import check_outcomes
from tests.torture.check_strategies import check_strategies
from tests.torture.history import Sent
from tests.torture.plan import EXTRACTOR, RUNNER, SCORER, TRACKER
from trackrecord.events import Event, ScriptExecuted, SignalClosed, SignalEmitted
from trackrecord.events.codec import decode

_ENTRY_PRICE = re.compile(r"Entry price: (\S+)")
_DECISION = re.compile(r"Recommendation: (\w+)")


@dataclass
class Verdict:
    """What was found.

    Attributes:
        problems: In words; none if all is exact.
        lost: Effects that are missing.
        doubled: Effects that are there more than once, or without a cause.
        events: Messages that were on the topics.
    """

    problems: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    events: int = 0

    def compare(self, expected: Collection[Any], found: Collection[Any]) -> None:
        """Count what is missing and what should not be there, with repetitions."""
        wanted, there = Counter(expected), Counter(found)
        self.lost += (wanted - there).total()
        self.doubled += (there - wanted).total()

    def ask(self, what: str, check: Callable[[], object]) -> None:
        """Note the problem if a check does not hold."""
        try:
            check()
        except AssertionError as error:
            self.problems.append(f"{what}: {error}")


def check(
    pipeline: Pipeline,
    sent: Sequence[Sent],
    *,
    extracts: bool,
    judges: bool,
    strategies: bool,
    replay: bool,
) -> Verdict:
    """Check tables, sums, dead letters and outgoing events of every stage.

    Args:
        pipeline: All of its stages have stopped.
        sent: What was published.
        extracts: Whether there was an extractor.
        judges: Whether there was an outcome_scorer.
        strategies: Whether strategies ran.
        replay: Whether to hold a replay against the tables, too.
    """
    settings = pipeline.settings
    verdict = Verdict()
    # The order within a partition is the one that counts.
    sent = sorted(sent, key=lambda each: each.place)
    if strategies:
        own = check_strategies(verdict, pipeline, sent)
        bars_sent = [each for each in sent if each.place[0] == settings.topic("market_bar")]
        _check_letters(verdict, pipeline, RUNNER, bars_sent, [])
        # To the other stages they are like those of any strategy.
        sent = sorted([*sent, *own], key=lambda each: each.place)
    topic = settings.topic("script_executed")
    scripts = [each for each in sent if each.place[0] == topic]
    signals = [each for each in sent if each.place[0] != topic]
    said = [each.item.event for each in scripts if isinstance(each.item.event, ScriptExecuted)]
    on_wire = wire.read(settings, settings.topic("signal_emitted"))
    found = _outgoing(verdict, pipeline, sent, said, on_wire)
    if extracts:
        verdict.ask("executions", lambda: _check_executions(verdict, pipeline, said))
        _check_letters(verdict, pipeline, EXTRACTOR, scripts, runs.expect(said)[1])
    if judges:
        judged, conflicts = check_outcomes(verdict, pipeline, signals)
        found += judged
        _check_letters(verdict, pipeline, SCORER, signals, conflicts)
    bars = settings.topic("market_bar")
    signals = [each for each in signals if each.place[0] != bars]
    _check_tracker(verdict, pipeline, signals, found)
    if replay:
        verdict.ask("replay", pipeline.check_replay)
    verdict.events = len(sent) + len(found)
    return verdict


def _outgoing(
    verdict: Verdict,
    pipeline: Pipeline,
    sent: Sequence[Sent],
    said: Sequence[ScriptExecuted],
    on_wire: Sequence[wire.Parcel],
) -> list[wire.Parcel]:
    """Check what the extractor has published, and return it."""
    ours = {each.place: each.item.parcel.value for each in sent}
    found = [each for each in on_wire if each.place not in ours]
    copies: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for each in found:
        signal_id = runs.signal_id_of(each.value)
        copies[signal_id].add((each.key, each.value, tuple(each.headers)))
    expected, _ = runs.expect(said)
    verdict.compare(expected, copies.keys())

    def check() -> None:
        missing, extra = expected - copies.keys(), copies.keys() - expected
        if missing:
            query = "SELECT count(*) FROM recommendations WHERE signal_id = ANY(%s)"
            ((known,),) = compare.fetch(pipeline.settings, query, (list(missing),))
            raise AssertionError(
                f"{len(missing)} signals were never published, such as {min(missing)}; "
                f"{known} of them stand in recommendations"
            )
        assert not extra, f"{len(extra)} signals that no run explains, such as {min(extra)}"
        differing = [name for name, same in copies.items() if len(same) > 1]
        assert not differing, f"{len(differing)} signals in more than one form: {differing[:3]}"
        printed = {
            event.execution_id: (
                _DECISION.findall(event.output)[0],
                Decimal(_ENTRY_PRICE.findall(event.output)[0]),
            )
            for event in reversed(said)
            if "Entry price" in event.output
        }
        for each in found:
            event = decode(SignalEmitted, each.value)
            assert (event.side, event.price) == printed[event.execution_id or ""]

    verdict.ask("published signals", check)
    return found


def _check_tracker(
    verdict: Verdict, pipeline: Pipeline, sent: Sequence[Sent], found: Sequence[wire.Parcel]
) -> None:
    read = [each for each in sent if each.item.event is not None]
    events: list[Event] = [each.item.event for each in read if each.item.event is not None]
    models = {
        pipeline.settings.topic(model.event_type): model for model in (SignalEmitted, SignalClosed)
    }
    events += [decode(models[each.topic], each.value) for each in found]
    times = {
        each.place: each.appended_at
        for topic in models
        for each in wire.read(pipeline.settings, topic)
    }
    appended = [times[each.place] for each in (*read, *found)]
    expected = oracle.expect(events, [at for at in appended if at is not None])
    verdict.ask("tables", lambda: compare.check(pipeline.settings, expected))
    _check_letters(verdict, pipeline, TRACKER, sent, expected.conflicts)

    def ids(query: str) -> list[tuple[Any, ...]]:
        return compare.fetch(pipeline.settings, query)

    signals = [(name,) for name in expected.signals]
    verdict.compare(signals, ids("SELECT signal_id FROM signals WHERE revision >= 0"))
    verdict.compare(expected.exits.keys(), ids("SELECT signal_id, exit_id FROM exits"))
    for name in ("signals", "exits", "closed"):
        ((total,),) = ids(f"SELECT coalesce(sum({name}), 0)::bigint FROM strategy_days")
        wanted = sum(int(sums.get(name, 0)) for sums in expected.strategy_days.values())
        verdict.lost += max(wanted - total, 0)
        verdict.doubled += max(total - wanted, 0)
    assert all(isinstance(event, SignalEmitted | SignalClosed) for event in events)


def _check_letters(
    verdict: Verdict,
    pipeline: Pipeline,
    stage: str,
    sent: Sequence[Sent],
    conflicts: Sequence[int],
) -> None:
    """Check that what cannot be read, and the conflicts among what can, and no more is refused."""
    readable = [each for each in sent if each.item.event is not None]
    refused: Letters = {
        each.place: each.item.parcel.value for each in sent if each.item.event is None
    }
    refused |= {readable[index].place: readable[index].item.parcel.value for index in conflicts}
    verdict.ask(f"dead letters of {stage}", lambda: pipeline.check_letters(stage, refused))
    verdict.compare(
        refused.keys(),
        compare.fetch(
            pipeline.settings,
            "SELECT topic, partition, log_offset FROM dead_letters WHERE stage = %s",
            (stage,),
        ),
    )


def _check_executions(verdict: Verdict, pipeline: Pipeline, said: Sequence[ScriptExecuted]) -> None:
    """Check the extractor's tables against what the scripts printed."""
    first: dict[str, ScriptExecuted] = {}
    for event in said:
        first.setdefault(event.execution_id, event)
    wanted = {
        name: (event.script, event.exit_code, _decision(event)) for name, event in first.items()
    }
    got = {
        row[0]: row[1:]
        for row in compare.fetch(
            pipeline.settings,
            "SELECT execution_id, script, exit_code, final_action FROM executions",
        )
    }
    verdict.compare(wanted.keys(), got.keys())
    days: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for event in first.values():
        sums = days[event.script, event.finished_at.date()]
        sums["runs"] += 1
        sums["failures"] += event.exit_code != 0
        sums[_SUM_OF[_decision(event)]] += 1
    names = ("runs", "failures", *_SUM_OF.values())
    rows = compare.fetch(
        pipeline.settings,
        f"SELECT script, day, {', '.join(f'sum({name})::bigint' for name in names)}"
        " FROM script_days GROUP BY 1, 2",
    )
    total = sum(row[2] for row in rows)
    verdict.lost += max(len(first) - total, 0)
    verdict.doubled += max(total - len(first), 0)
    assert got == wanted, f"{len(got)} executions instead of {len(wanted)}, or other ones"
    assert {row[:2]: Counter(dict(zip(names, row[2:], strict=True))) for row in rows} == dict(
        days
    ), f"sums of days: {total} runs instead of {len(first)}, or others"


def _decision(event: ScriptExecuted) -> str | None:
    printed = _DECISION.findall(event.output)
    return str(printed[0]) if printed else None


_SUM_OF = {"BUY": "buys", "SELL": "sells", "HOLD": "holds", None: "undecided"}
