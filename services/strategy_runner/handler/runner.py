"""One batch, from its bars to what is written and published.

Which strategies are active is read in the transaction, so that all consumers agree. Their code is
asked there too: what it answers depends on what is held, and nobody else waits for the rows that
are locked, as a symbol's bars come to one consumer.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from services.strategy_runner import store
from services.strategy_runner.handler.asking import Asker
from services.strategy_runner.handler.deciding import Deciding
from services.strategy_runner.handler.noted import Noted
from services.strategy_runner.handler.roster import Roster
from services.strategy_runner.handler.symbols import Symbol, Symbols
from services.strategy_runner.metrics import (
    ACTIVE,
    CORRECTED,
    DECIDING_SECONDS,
    DECISIONS,
    METRICS,
    MISSED,
    POSITIONS,
    SIGNALS,
    SUSPENDED,
)
from services.strategy_runner.rows import Arrived, Claimed, Key, Touched, VersionKey, arrived
from trackrecord.events import MarketBar
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.errors import TooSlowError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context, Effects, Handler

_log = get_logger(__name__)


class StrategyRunner(Handler):
    """Runs the active strategies; keeps bars and positions in memory, as in its tables."""

    temporary = store.TEMPORARY

    def __init__(self, context: Context) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._clock = context.clock
        self._metrics = Metrics(context.registry, "strategy_runner", METRICS)
        self._roster = Roster()
        self._symbols = Symbols()
        self._asker = Asker(context.settings, context.clock)

    def prepare(self, batch: Batch) -> Arrived:
        """Bring bars into the forms in which they are loaded and met."""
        return arrived(batch.of(MarketBar))

    def load(self, batch: Batch, cursor: Cursor) -> None:
        """COPY the bars into temporary tables."""
        prepared: Arrived = batch.prepared
        store.bars.load(cursor, prepared.loaded, prepared.sessions)

    def forget(self) -> None:
        """Drop what is in memory."""
        self._symbols.forget()
        self._roster.forget()

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Write bars, and have strategies decide on them."""
        prepared: Arrived = batch.prepared
        if not prepared.bars:
            return Effects()
        started = self._clock.monotonic()
        claimed = store.symbols.claim(cursor)
        timeframes = sorted({each.timeframe for each in claimed})
        self._roster.read(cursor, timeframes)
        symbols = self._symbols.bring(cursor, self._roster, claimed)
        is_one = len(batch.messages) == 1
        if not is_one and self._asker.expects_too_much(_calls(prepared, symbols)):
            raise TooSlowError("code would take longer than TRACKRECORD_STRATEGY_BATCH_SECONDS")
        noted = Noted(batch.messages, self._clock.now())
        self._asker.begin()
        deciding = Deciding(
            self._asker,
            noted,
            policy=self._settings.outcome_policy,
            most_failures=self._settings.strategy_failures,
            failed=store.decisions.failed_in_a_row(cursor, batch.lane),
            sessions=partial(store.bars.sessions_between, cursor),
            may_miss=is_one,
        )
        for key, came in prepared.bars:
            deciding.take(symbols[key], came)
        deciding.finish()
        # Only now: until here each bar knows no more than what came before it.
        store.bars.write(cursor)
        self._touch(cursor, claimed, symbols)
        store.positions.write(cursor, noted.take_stood())
        self._end_ceased(cursor, batch, timeframes, deciding)
        self._write(cursor, batch.lane, noted, deciding.failed)
        store.bars.prune(cursor)
        seconds = self._clock.monotonic() - started
        return Effects(outgoing=noted.outgoing, after_commit=partial(self._count, noted, seconds))

    def _touch(self, cursor: Cursor, claimed: list[Claimed], symbols: dict[Key, Symbol]) -> None:
        touched = []
        for row in claimed:
            line = symbols[row.key].lines.get(None)
            touched.append(Touched(*row.key, None if line is None else line.folded))
            symbols[row.key].version = row.version + 1
        store.symbols.touch(cursor, touched)

    def _end_ceased(
        self, cursor: Cursor, batch: Batch, timeframes: list[str], deciding: Deciding
    ) -> None:
        """End what is held of symbols that have had no bar for ten sessions.

        Where sessions have piled up, some partitions are read before others: that a symbol has
        ceased to trade can be told only when all is read, and an exit cannot be taken back.
        """
        reach = batch.reach
        if reach.ends_here():
            store.symbols.take_turns(cursor)
        if not store.symbols.have_ceased(cursor, timeframes) or not reach.has_all(MarketBar):
            return
        ceased = store.symbols.lock_ceased(cursor, timeframes)
        if not ceased:
            return
        symbols = self._symbols.bring(cursor, self._roster, ceased)
        for each in ceased:
            deciding.cease(symbols[each.key], len(batch.messages) - 1)
        store.symbols.raise_version(cursor, [each.key for each in ceased])
        for each in ceased:
            symbols[each.key].version = each.version + 1

    def _write(
        self, cursor: Cursor, lane: int, noted: Noted, failed: dict[VersionKey, int]
    ) -> None:
        store.positions.write(cursor, noted.take_stood())
        store.decisions.write(cursor, noted.decided, noted.now)
        store.decisions.correct(cursor, noted.corrected)
        store.decisions.add(cursor, lane, noted.counts, failed)
        store.decisions.set_failures(cursor, noted.failures)
        store.strategies.suspend(cursor, noted.suspended.items(), noted.now)

    def _count(self, noted: Noted, seconds: float) -> None:
        """Metrics, once the batch is committed."""
        metrics = self._metrics
        answers = Counter(noted.answers)
        asked = answers.pop("asked", 0)
        answers["hold"] = max(0, asked - answers.total())
        metrics.count_all(DECISIONS, "answer", answers)
        metrics.count_all(MISSED, "why", noted.missed)
        metrics.count(CORRECTED, len(noted.corrected))
        metrics.count_all(SIGNALS, "kind", noted.signals)
        metrics.count(SUSPENDED, len(noted.suspended))
        metrics.set(ACTIVE, len(self._roster.active))
        metrics.set(POSITIONS, self._symbols.positions)
        metrics.observe(DECIDING_SECONDS, seconds)
        for strategy, why in noted.suspended.items():
            _log.warning("strategy suspended", strategy_id=strategy, reason=why)


def _calls(prepared: Arrived, symbols: dict[Key, Symbol]) -> dict[VersionKey, int]:
    """How often code is asked at most, by strategy and version."""
    found: Counter[VersionKey] = Counter()
    bars = Counter(key for key, _ in prepared.bars)
    for key, times in bars.items():
        for members in symbols[key].active.values():
            for name, member in members.items():
                if member.rule is None:
                    found[name] += times
    return found
