"""Bars are folded and decided upon, in the order in which they came.

First a bar happens to what is held, then the strategies are asked, as in a backtest. What rules
answer is worked out for many bars at once, as it depends on the bars alone; code is asked bar by
bar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from services.strategy_runner.handler.asking import NO_SANDBOX, Asker
from services.strategy_runner.handler.noted import Noted
from services.strategy_runner.handler.roster import Member
from services.strategy_runner.handler.rules import Pending, answer
from services.strategy_runner.handler.symbols import Symbol
from services.strategy_runner.rows import Corrected, VersionKey
from trackrecord.outcomes import Policy
from trackrecord.outcomes.model import DELISTED_AFTER
from trackrecord.runtime.errors import TooSlowError
from trackrecord.strategies.contract import Decision, Fault
from trackrecord.strategies.live.lines import Came, Counted, shown_time
from trackrecord.strategies.live.panel import Answers
from trackrecord.strategies.live.signals import emitted, signal_id
from trackrecord.strategies.live.standing import FLAT, Standing, conclude, end, follow
from trackrecord.strategies.simulate import State
from trackrecord.times import DAY

_TOGETHER: Final = 256
"""Bars whose answers are worked out at once: more take memory, and save nothing."""


Sessions = Callable[[str, int, int], set[int]]
"""The dates (days since 1970) between two, on which bars of a timeframe opened."""


class Deciding:
    """Decides on the bars of one batch."""

    def __init__(
        self,
        asker: Asker,
        noted: Noted,
        *,
        policy: Policy,
        most_failures: int,
        failed: dict[VersionKey, int],
        sessions: Sessions,
        may_miss: bool,
    ) -> None:
        """Begin with nothing decided.

        Args:
            asker: Asks code.
            noted: Takes what comes of it.
            policy: Which level counts when one bar reaches both target and stop.
            most_failures: In a row, with which a strategy is suspended.
            failed: How often in a row versions have failed so far; is brought up to date.
            sessions: Tells the dates between two on which any symbol had a bar.
            may_miss: Whether decisions are left out when the time is used up; else the batch is
                to be cut.
        """
        self._asker = asker
        self._noted = noted
        self._policy = policy
        self._most_failures = most_failures
        self.failed = failed
        self._sessions = sessions
        self._days: dict[str, set[int]] = defaultdict(set)
        self._may_miss = may_miss
        self._pending: list[Pending] = []

    # -- bars ---------------------------------------------------------------------------------

    def take(self, symbol: Symbol, came: Came) -> None:
        """Take in the next bar that came."""
        returned = self._had_ceased(symbol, came)
        for source, line in symbol.lines.items():
            if source is not None and source != came.source:
                continue
            last = line.newest if returned else None
            kind, counted = line.take(came)
            members = symbol.active.get(source, {}).values()
            known = [each for each in members if came.appended_at > each.listed.activated_at]
            if kind == "late":
                for member in known:
                    self._noted.misses(member, "late")
            elif kind == "corrected":
                self._noted.corrected[Corrected(*symbol.key, came.opened_at)] = None
                for member in known:
                    self._noted.counts[member.key]["corrected"] += 1
            for each in counted:
                self._pending.append(Pending(symbol, source, each, last))
                last = None
        if len(self._pending) >= _TOGETHER:
            self.finish()

    def _had_ceased(self, symbol: Symbol, came: Came) -> bool:
        """Whether a symbol had no bar for ten sessions before this one, while others traded."""
        timeframe, day, before = symbol.key[1], came.opened_at // DAY, symbol.last_day
        days = self._days[timeframe]
        days.add(day)
        if before is None or day > before:
            symbol.last_day = day
        if before is None or day - before <= DELISTED_AFTER or not symbol.lines:
            return False
        between = self._sessions(timeframe, before, day)
        between |= {each for each in days if before < each < day}
        return len(between) >= DELISTED_AFTER

    def finish(self) -> None:
        """Decide on what has been taken in.

        Raises:
            TooSlowError: It takes longer than a batch may.
        """
        pending, self._pending = self._pending, []
        if not pending:
            return
        answers, entering = answer(pending, self._noted)
        for place, each in enumerate(pending):
            if each.last is not None:
                last = each.last._replace(position=each.counted.bar.position)
                self._cease(each.symbol, each.source, last)
            self._bar(place, each, answers, entering[place])

    def cease(self, symbol: Symbol, position: int) -> None:
        """A symbol has ceased to trade: what is held of it expires at its last close.

        Args:
            symbol: In memory.
            position: Of the message that this is owed to.
        """
        for source, line in symbol.lines.items():
            if line.newest is not None:
                self._cease(symbol, source, line.newest._replace(position=position))

    def _cease(self, symbol: Symbol, source: str | None, last: Came) -> None:
        for name, (own, standing) in list(symbol.standings.items()):
            if own != source:
                continue
            member = symbol.active.get(source, {}).get(name) or symbol.leaving.get(name)
            after, left = end(standing)
            for each in left:
                self._noted.leaves(member, name, symbol.key[0], last, each)
            self._stands(symbol, name, source, after)

    # -- one bar ------------------------------------------------------------------------------

    def _bar(
        self,
        place: int,
        pending: Pending,
        answers: dict[VersionKey, Answers],
        entering: Iterable[Member],
    ) -> None:
        symbol, source, counted = pending.symbol, pending.source, pending.counted
        active = symbol.active.get(source, {})
        self._hand_over(symbol, source)
        held = [name for name, (own, _) in symbol.standings.items() if own == source]
        for name in held:
            member = active.get(name) or symbol.leaving.get(name)
            standing = self._follow(symbol, name, member, source, counted)
            if member is None or member.rule is None:
                continue
            if standing.state.held is None and name not in active:
                continue  # it has left, and may not enter
            if name not in active and member.listed.is_asked:
                self._noted.asks(member)
            decision = answers[name].decision(place, standing.state)
            if decision is not None:
                self._conclude(symbol, member, source, counted, decision)
        followed = set(held)
        for member in entering:
            if member.key not in followed:
                decision = answers[member.key].decision(place, FLAT.state)
                if decision is not None:
                    self._conclude(symbol, member, source, counted, decision)
        self._ask_code(symbol, source, counted)

    def _hand_over(self, symbol: Symbol, source: str | None) -> None:
        """Positions of an older version go over to the one that takes over, if it has none."""
        for name, (line, heir) in symbol.heirs.items():
            if line == source and name in symbol.standings and heir not in symbol.standings:
                own, standing = symbol.standings[name]
                self._stands(symbol, name, own, FLAT)
                self._stands(symbol, heir, source, standing)

    def _follow(
        self,
        symbol: Symbol,
        name: VersionKey,
        member: Member | None,
        source: str | None,
        counted: Counted,
    ) -> Standing:
        """Let a bar happen to what is held."""
        before = symbol.standings[name][1]
        standing, left = follow(before, counted.bar.prices, counted.time, self._policy)
        for each in left:
            self._noted.leaves(member, name, symbol.key[0], counted.bar, each)
        self._stands(symbol, name, source, standing)
        return standing

    def _stands(
        self, symbol: Symbol, name: VersionKey, source: str | None, standing: Standing
    ) -> None:
        if standing.is_flat:
            symbol.standings.pop(name, None)
            self._noted.standings[symbol.key, name] = (source, None)
        else:
            symbol.standings[name] = (source, standing)
            self._noted.standings[symbol.key, name] = (source, standing)

    def _may_enter(self, member: Member, bar: Came) -> bool:
        return member.listed.is_active and bar.appended_at > member.listed.activated_at

    def _is_asked(self, member: Member) -> bool:
        return member.listed.is_asked and member.key[0] not in self._noted.suspended

    def _conclude(
        self,
        symbol: Symbol,
        member: Member,
        source: str | None,
        counted: Counted,
        decision: Decision,
    ) -> None:
        """Have a decision wait for the next open, and say so to others."""
        if decision.action == "hold" or not self._is_asked(member):
            return
        bar, name = counted.bar, member.key
        nothing = Standing(State(close=bar.prices.close))
        _, before = symbol.standings.get(name, (source, nothing))
        may_enter = self._may_enter(member, bar)
        signal = signal_id(member.speaker, symbol.key[0], bar.opened_at)
        standing, said = conclude(before, decision, member.sides, signal, may_enter=may_enter)
        if standing == before:
            return
        if said is not None:
            try:
                event = emitted(member.speaker, symbol.key[0], bar, said)
            except ValueError as error:
                words = str(error).splitlines()[0]
                self._fail(symbol, member, bar, Fault("contract", f"it is no signal: {words}"))
                return
            self._noted.emits(name, event, bar)
        order = standing.state.order
        closes = order is not None and order.closes
        self._noted.decides(member, symbol.key, bar, decision, said, closes=closes)
        self._stands(symbol, name, source, standing)

    # -- code ---------------------------------------------------------------------------------

    def _ask_code(self, symbol: Symbol, source: str | None, counted: Counted) -> None:
        """Ask those who decide by code, the quick ones first."""
        bar = counted.bar
        asked = [
            member
            for member in (*symbol.active.get(source, {}).values(), *symbol.leaving.values())
            if member.rule is None and self._is_asked(member) and self._has_say(symbol, member, bar)
            and member.source == source
        ]  # fmt: skip
        for member in sorted(asked, key=self._asker.seconds):
            if member.broken is not None:
                self._noted.asks(member)
                self._fail(symbol, member, bar, Fault("contract", member.broken))
            elif counted.end >= member.lookback and self._is_asked(member):
                self._ask(symbol, source, counted, member)

    def _has_say(self, symbol: Symbol, member: Member, bar: Came) -> bool:
        """Whether it may enter, or holds something that it may leave."""
        if self._may_enter(member, bar):
            return True
        found = symbol.standings.get(member.key)
        return found is not None and found[1].state.held is not None

    def _ask(self, symbol: Symbol, source: str | None, counted: Counted, member: Member) -> None:
        _, standing = symbol.standings.get(member.key, (source, FLAT))
        answer = self._asker.ask(member, symbol.key[0], counted, standing.state.position)
        if answer is None:
            if not self._may_miss:
                raise TooSlowError("code takes longer than TRACKRECORD_STRATEGY_BATCH_SECONDS")
            self._noted.misses(member, "time")
            return
        if isinstance(answer, Fault) and answer.code == NO_SANDBOX:
            self._noted.misses(member, NO_SANDBOX)
            return
        self._noted.asks(member)
        if isinstance(answer, Fault):
            self._fail(symbol, member, counted.bar, answer)
            return
        if self.failed.get(member.key):
            self.failed[member.key] = 0
        if symbol.failures.pop(member.key, 0):
            self._noted.failures[member.key, symbol.key] = 0
        self._conclude(symbol, member, source, counted, answer)

    def _fail(self, symbol: Symbol, member: Member, bar: Came, fault: Fault) -> None:
        """A strategy gave no decision; one time too many, and it is suspended."""
        name = member.key
        self._noted.fails(member, symbol.key, bar, fault)
        self.failed[name] = self.failed.get(name, 0) + 1
        symbol.failures[name] = symbol.failures.get(name, 0) + 1
        times = max(self.failed[name], symbol.failures[name])
        if times >= self._most_failures:
            # Whoever resumes it begins anew.
            self.failed[name] = symbol.failures[name] = 0
            often = "once" if times == 1 else f"{times} times in a row"
            self._noted.suspended[name[0]] = (
                f"failed {often}, the last time on {symbol.key[0]}'s bar of "
                f"{shown_time(bar.opened_at)}: {fault.message}"
            )
        self._noted.failures[name, symbol.key] = symbol.failures[name]
        if not symbol.failures[name]:
            del symbol.failures[name]
