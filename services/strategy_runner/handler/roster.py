"""Which strategies there are, ready to be asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from services.strategy_runner import store
from services.strategy_runner.rows import VersionKey
from services.strategy_runner.store.strategies import Listed, Written
from trackrecord.runtime.database import Cursor
from trackrecord.strategies.contract import Sides
from trackrecord.strategies.live.signals import Speaker
from trackrecord.strategies.rules.as_json import from_json
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.rules.parameters import with_parameters
from trackrecord.strategies.source import Source, parameter_values, read_source

EVERY: Final = "*"
"""Stands among the symbols of a strategy for all there are."""
_MOST_KNOWN: Final = 20_000
"""Versions that stay in memory, beyond which all are read anew."""


@dataclass(frozen=True)
class Member:
    """A version of a strategy that can be asked.

    Attributes:
        listed: As its owner has set it.
        speaker: What its signals say of it.
        rule: With its parameters; None where code decides.
        code: Where no rule does.
        parameters: Of the code.
        lookback: Closed bars that it is handed.
        sides: What it may hold.
        broken: Why it can be asked nothing; None where it can.
    """

    listed: Listed
    speaker: Speaker
    rule: Rule | None
    code: str
    parameters: Mapping[str, Any]
    lookback: int
    sides: Sides
    broken: str | None = None

    @property
    def key(self) -> VersionKey:
        """Strategy and version."""
        return self.listed.key

    @property
    def source(self) -> str | None:
        """Of its bars; None: of each bar the first by name."""
        return self.listed.source

    def trades(self, symbol: str) -> bool:
        """Whether a symbol is one of its own."""
        return symbol in self.listed.symbols or EVERY in self.listed.symbols


class Roster:
    """The strategies of the last batch.

    Attributes:
        active: By strategy and version, in the order in which they were activated.
        generation: Another number as soon as any of them has changed.
    """

    def __init__(self) -> None:
        """Nobody is known yet."""
        self.active: dict[VersionKey, Member] = {}
        self.generation = 0
        self._known: dict[tuple[VersionKey, bool], Member] = {}

    def forget(self) -> None:
        """Drop which there are."""
        self.active = {}
        self._known = {}
        self.generation += 1

    def read(self, cursor: Cursor, timeframes: Iterable[str]) -> None:
        """Read which are active on bars of some timeframes, in the transaction of the batch."""
        before = self.active
        if len(self._known) > _MOST_KNOWN:
            self._known = {}
        self.active = self._members(cursor, store.strategies.active(cursor, sorted(timeframes)))
        same = len(before) == len(self.active) and all(
            before.get(key) is member for key, member in self.active.items()
        )
        if not same:
            self.generation += 1

    def others(self, cursor: Cursor, keys: Iterable[VersionKey]) -> dict[VersionKey, Member]:
        """Versions that are not active and still hold something, by strategy and version."""
        wanted = sorted(set(keys) - self.active.keys())
        if not wanted:
            return {}
        return self._members(cursor, store.strategies.others(cursor, wanted))

    def _members(self, cursor: Cursor, listed: list[Listed]) -> dict[VersionKey, Member]:
        """Those who have not changed are known; what the others are made of is read."""
        found: dict[VersionKey, Member | None] = {}
        for each in listed:
            known = self._known.get((each.key, each.is_active))
            found[each.key] = known if known is not None and known.listed == each else None
        unread = [key for key, known in found.items() if known is None]
        written = store.strategies.written(cursor, unread) if unread else {}
        members: dict[VersionKey, Member] = {}
        for each in listed:
            made = found[each.key] or member(each, written[each.key])
            members[each.key] = self._known[each.key, each.is_active] = made
        return members


def member(listed: Listed, written: Written) -> Member:
    """A version ready to be asked; what cannot be is told in its ``broken``."""
    speaker = Speaker(
        listed.strategy_id, listed.version, listed.name, listed.timeframe, listed.quantity,
        listed.currency,
    )  # fmt: skip
    nothing = Member(listed, speaker, None, "", {}, 1, "long")
    parameters = json.loads(listed.parameters)
    if written.rule is not None:
        try:
            rule = with_parameters(from_json(written.rule), parameters)
        except (ValueError, TypeError) as error:
            return replace(nothing, broken=f"its rule cannot be asked: {error}")
        return replace(nothing, rule=rule, lookback=rule.lookback, sides=rule.sides)
    source = read_source(written.code)
    if not isinstance(source, Source):
        return replace(nothing, broken=source[0].message)
    values = parameter_values(source, parameters)
    if isinstance(values, list):
        return replace(nothing, broken=values[0].message)
    return replace(
        nothing, code=written.code, parameters=parameters, lookback=source.lookback,
        sides=source.sides,
    )  # fmt: skip
