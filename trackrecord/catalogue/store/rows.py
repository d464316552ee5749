"""Strategies and their versions as rows: what is in them, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Literal, TypedDict
from uuid import UUID

from trackrecord.catalogue.life import Status
from trackrecord.runtime.database import Cursor, rows

Kind = Literal["rule", "code"]
"""``rule``: made from words at hand, so that it can be evaluated in columns; ``code``: written."""

Place = tuple[datetime, UUID]
"""Where a page of strategies ended: when the last one was made, and its id."""


@dataclass(frozen=True)
class Strategy:
    """A strategy, but for its code.

    Attributes:
        strategy_id: What stays when all else changes.
        owner: Who asked for it, in the words of the request.
        user_id: The user of the HTTP API whose it is; None: nobody's.
        name: What it is called; of one owner's strategies only one is called so.
        record_name: The name that its signals bear, from the first activation on.
        description: Free text.
        kind: Of its present version.
        status: Where it stands.
        public: Whether all may read and copy it. Who may see its record, its name's claim says.
        version: The present one, from 1.
        parameters: Values that differ from the code's defaults.
        symbols: What it trades; ``*`` alone is all.
        timeframe: The bars that it decides on.
        source: Of these bars; None: the first by name.
        quantity: Of each of its signals.
        currency: Of each of its signals.
        takes_over: Whether a new version takes over the positions of the one before.
        copied_from: The strategy that it was copied from.
        copies: How often it was copied.
        created_at: When it was made.
        changed_at: When anything in its row changed last.
        activated_at: Since when it decides, or did last; only bars after that count.
        suspended_at: Since when it is not asked though it is active; None: it is.
        suspended_why: Why it is not.
        deleted_at: When its owner deleted it; its record stays.
    """

    strategy_id: UUID
    owner: str
    user_id: UUID | None
    name: str
    record_name: str | None
    description: str
    kind: Kind
    status: Status
    public: bool
    version: int
    parameters: Mapping[str, Any]
    symbols: Sequence[str]
    timeframe: str
    source: str | None
    quantity: Decimal
    currency: str
    takes_over: bool
    copied_from: UUID | None
    copies: int
    created_at: datetime
    changed_at: datetime
    activated_at: datetime | None
    suspended_at: datetime | None
    suspended_why: str | None
    deleted_at: datetime | None


@dataclass(frozen=True)
class Version:
    """What a strategy was at one time; a version never changes, only its backtest is made anew.

    Attributes:
        strategy_id: Whose it is.
        version: Its number, from 1.
        code: The source; None for a draft without one.
        code_digest: SHA-256 of it, UTF-8.
        rule: The rule that made it, as JSON; None for other code.
        declared: The parameters that it declares, by name.
        prompt: What was asked for.
        provider: Who was asked.
        model: The language model that wrote it; empty: none did.
        asked_at: When that model was asked.
        is_valid: Whether all was understood, and validation passed.
        reads_as: How the words were understood.
        assumptions: What was not said and is taken for granted.
        not_understood: Words that nothing was made of.
        problems: What validation found: ``line``, ``code``, ``message`` each.
        backtest: The last backtest's verdict and numbers.
        created_at: When it was made.
    """

    strategy_id: UUID
    version: int
    code: str | None
    code_digest: str | None
    rule: Mapping[str, Any] | None
    declared: Mapping[str, Any]
    prompt: str
    provider: str
    model: str
    asked_at: datetime | None
    is_valid: bool
    reads_as: str
    assumptions: Sequence[str]
    not_understood: Sequence[str]
    problems: Sequence[Mapping[str, Any]]
    backtest: Mapping[str, Any] | None
    created_at: datetime


@dataclass(frozen=True)
class Made:
    """What becomes a version, and the first of which a strategy; see :class:`Version`."""

    kind: Kind
    name: str
    code: str | None
    is_valid: bool
    description: str = ""
    rule: Mapping[str, Any] | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    prompt: str = ""
    provider: str = ""
    model: str = ""
    asked_at: datetime | None = None
    reads_as: str = ""
    assumptions: Sequence[str] = ()
    not_understood: Sequence[str] = ()
    problems: Sequence[Mapping[str, Any]] = ()
    backtest: Mapping[str, Any] | None = None

    @property
    def code_digest(self) -> str | None:
        """SHA-256 of the code, UTF-8; None where there is none."""
        return None if self.code is None else sha256(self.code.encode()).hexdigest()


class Changes(TypedDict, total=False):
    """What is to be another in a strategy; what is left out stays."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    symbols: Sequence[str]
    timeframe: str
    source: str | None
    quantity: Decimal
    currency: str
    public: bool
    takes_over: bool


STRATEGY_COLUMNS: Final = ", ".join(each.name for each in fields(Strategy))
VERSION_COLUMNS: Final = ", ".join(each.name for each in fields(Version))
_UUIDS: Final = ("strategy_id", "user_id", "copied_from")


def read_strategies(cursor: Cursor, rest: str, parameters: Mapping[str, Any]) -> list[Strategy]:
    """Strategies that a condition is true for, as it orders them.

    Args:
        cursor: Inside a transaction.
        rest: What follows on ``FROM strategies``.
        parameters: Its parameters.
    """
    names = [each.name for each in fields(Strategy)]
    found = []
    for row in rows(cursor, f"SELECT {STRATEGY_COLUMNS} FROM strategies {rest}", parameters):
        values = dict(zip(names, row, strict=True))
        for name in _UUIDS:
            values[name] = None if values[name] is None else UUID(str(values[name]))
        found.append(Strategy(**values))
    return found


def read_versions(cursor: Cursor, rest: str, parameters: Mapping[str, Any]) -> list[Version]:
    """Versions that a condition is true for; see :func:`read_strategies`."""
    names = [each.name for each in fields(Version)]
    found = []
    for row in rows(cursor, f"SELECT {VERSION_COLUMNS} FROM strategy_versions {rest}", parameters):
        values = dict(zip(names, row, strict=True))
        values["strategy_id"] = UUID(str(values["strategy_id"]))
        found.append(Version(**values))
    return found


def write_version(
    cursor: Cursor, strategy_id: UUID, number: int, made: Made, now: datetime
) -> None:
    """Write a version of a strategy."""
    cursor.execute(
        "INSERT INTO strategy_versions (strategy_id, version, code, code_digest, rule, declared,"
        " prompt, provider, model, asked_at, is_valid, reads_as, assumptions, not_understood,"
        " problems, backtest, created_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            str(strategy_id),
            number,
            made.code,
            made.code_digest,
            as_json(made.rule),
            as_json(made.declared),
            made.prompt,
            made.provider,
            made.model,
            made.asked_at,
            made.is_valid,
            made.reads_as,
            as_json(list(made.assumptions)),
            as_json(list(made.not_understood)),
            as_json([dict(each) for each in made.problems]),
            as_json(made.backtest),
            now,
        ),
    )


def as_json(value: Any) -> str | None:
    """A value for a column of JSON; None is null there too."""
    if value is None:
        return None
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, allow_nan=False)
