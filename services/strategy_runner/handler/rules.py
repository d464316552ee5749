"""What rules answer on bars of a batch, worked out for all of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.strategy_runner.handler.noted import Noted
from services.strategy_runner.handler.roster import Member
from services.strategy_runner.handler.symbols import Symbol
from services.strategy_runner.rows import Key, VersionKey
from trackrecord.strategies.live.lines import Came, Counted
from trackrecord.strategies.live.panel import Answers, Panel
from trackrecord.strategies.rules.model import Rule


@dataclass(frozen=True, slots=True)
class Pending:
    """A bar that is to be decided upon.

    Attributes:
        symbol: In memory.
        source: Of the line that it counts on.
        counted: The bar, with those before it.
        last: The symbol's last bar before it ceased to trade for a while; None: it did not.
    """

    symbol: Symbol
    source: str | None
    counted: Counted
    last: Came | None


def answer(
    pending: Sequence[Pending], noted: Noted
) -> tuple[dict[VersionKey, Answers], dict[int, list[Member]]]:
    """Ask all rules about bars, and count that they were asked.

    Returns:
        What each answers, by strategy and version; and by place of the bar, who enters there if
        nothing is held.
    """
    rules, own, leaving = _gather(pending)
    panel = Panel([each.counted for each in pending])
    appended = [each.counted.bar.appended_at for each in pending]
    answers: dict[VersionKey, Answers] = {}
    entering: dict[int, list[Member]] = defaultdict(list)
    for name, rule in rules.items():
        mine = own.get(name, [])
        places = sorted(mine + leaving.get(name, []))
        answers[name] = found = panel.ask(rule, places)
        if not mine:
            continue
        first = pending[mine[0]]
        member = first.symbol.active[first.source][name]
        since = member.listed.activated_at
        asked = {place for place in mine if place in found.column and appended[place] > since}
        if asked:
            noted.asks(member, len(asked))
        for place in found.entering:
            if place in asked:
                entering[place].append(member)
    return answers, entering


def _gather(
    pending: Sequence[Pending],
) -> tuple[dict[VersionKey, Rule], dict[VersionKey, list[int]], dict[VersionKey, list[int]]]:
    """The rules that are asked; and the places of the bars, by who may enter and who may not."""
    places: dict[tuple[Key, str | None], list[int]] = defaultdict(list)
    for place, each in enumerate(pending):
        places[each.symbol.key, each.source].append(place)
    rules: dict[VersionKey, Rule] = {}
    own: dict[VersionKey, list[int]] = defaultdict(list)
    leaving: dict[VersionKey, list[int]] = defaultdict(list)
    for some in places.values():
        symbol, source = pending[some[0]].symbol, pending[some[0]].source
        for name, member in symbol.active.get(source, {}).items():
            if member.rule is not None:
                rules[name] = member.rule
                own[name] += some
        for name, member in symbol.leaving.items():
            if member.rule is not None and member.source == source:
                rules[name] = member.rule
                leaving[name] += some
    return rules, own, leaving
