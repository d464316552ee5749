"""Whether somebody may publish events: names are theirs or nobody's yet, and so are signals.

A name that is nobody's becomes theirs. The id of a signal or of a run that is on record belongs to
whom its name does: otherwise anybody could close a signal, correct it, or take it over. What is not
on record yet cannot be looked up; see docs/access.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from trackrecord.access.store.claims import claim_published
from trackrecord.access.store.session import act_for
from trackrecord.api.pool import Pool
from trackrecord.api.problems import ProblemError
from trackrecord.api.who import Reader
from trackrecord.clock import Clock
from trackrecord.events.base import EventType
from trackrecord.publishing.lines import Message
from trackrecord.runtime.database import Cursor, rows

_NAMED: Final = 50
"""Refused events of a request that are told one by one."""


class _Subject(msgspec.Struct, gc=False):
    """What an event is about, of whichever type."""

    strategy: str | None = None
    script: str | None = None
    owner: str | None = None
    signal_id: str | None = None
    execution_id: str | None = None


_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NULL: Final = msgspec.Raw(b"null")

_subject: Final = msgspec.json.Decoder(_Subject).decode

_OWN: Final[Mapping[EventType, tuple[str, str, str]]] = {
    "signal_emitted": ("strategy", "signal_id", "signals"),
    "signal_closed": ("strategy", "signal_id", "signals"),
    "script_executed": ("script", "execution_id", "executions"),
}
"""By type: the field that names whose it is, the id, and the table of those on record."""


def require_publishable(
    writes: Pool, who: Reader, messages: Sequence[Message], clock: Clock
) -> None:
    """See that somebody may publish all of some events of one type, and claim their names.

    Args:
        writes: Sessions that write.
        who: Who publishes; it takes the permission `publish`.
        messages: Checked, one at least.
        clock: What tells the time.

    Raises:
        ProblemError: One of them is not theirs to publish (403).
        PassingError: The database does not answer.
    """
    event_type: Any = messages[0][0]
    about = [_subject(value) for *_, value in messages]
    if event_type == "strategy_requested":
        _require(
            [
                (number, "owner", f"is another than {who.known.name!r}, who asks")
                for number, each in enumerate(about, 1)
                if each.owner != who.known.name
            ]
        )
        return
    if event_type not in _OWN:
        if "publish_shared" not in who.permissions:
            raise ProblemError(
                403,
                f"{event_type} is about what is nobody's: operators publish it, and the stages do",
            )
        return
    field, id_field, table = _OWN[event_type]
    names = [getattr(each, field) for each in about]
    ids = [getattr(each, id_field) for each in about]
    with writes.writing() as cursor:
        act_for(cursor, who.known.user_id)
        recorded = _names_of(cursor, table, field, id_field, ids)
        # An event is about the name that it says, and about that of what is on record.
        touched = [
            {name for name in (said, recorded.get(its_id)) if name}
            for said, its_id in zip(names, ids, strict=True)
        ]
        every = set().union(*touched)
        key = who.known.key
        if key is not None and key.names is not None:
            _require(_refusals(touched, every - key.names, names, field, "this key is not for"))
        foreign = set(claim_published(cursor, who.actor, every, clock.now()))
        _require(_refusals(touched, foreign, names, field, "belongs to somebody else:"))


def with_account(messages: list[Message], who: Reader) -> list[Message]:
    """Signals that do not say where their trades are made, with what the key says of them."""
    account = None if who.known.key is None else who.known.key.account
    if account is None or messages[0][0] != "signal_emitted":
        return messages
    said = msgspec.json.encode(account)
    return [
        (kind, key, event_id, _with_account(value, said)) for kind, key, event_id, value in messages
    ]


def _with_account(value: bytes, said: bytes) -> bytes:
    if b'"account"' not in value:
        return b'%s,"account":%s}' % (value.rstrip()[:-1], said)
    # It says so, says null, or has the word in what its publisher adds for itself.
    fields = _fields(value)
    if fields.get("account", _NULL) != _NULL:
        return value
    fields["account"] = msgspec.Raw(said)
    return msgspec.json.encode(fields)


def _names_of(
    cursor: Cursor, table: str, field: str, id_field: str, ids: list[str]
) -> dict[str, str]:
    found = rows(
        cursor, f"SELECT {id_field}, {field} FROM {table} WHERE {id_field} = ANY(%s)", (ids,)
    )
    return dict(found)


def _refusals(
    touched: list[set[str]], refused: set[str], said: list[str | None], field: str, words: str
) -> list[tuple[int, str, str]]:
    if not refused:
        return []
    return [
        # What an event does not say itself is not told of what is on record.
        (number, field, f"{words} {name!r}")
        if name in refused
        else (number, "signal_id" if field == "strategy" else "execution_id", "is somebody else's")
        for number, (names, name) in enumerate(zip(touched, said, strict=True), 1)
        if names & refused
    ]


def _require(refusals: list[tuple[int, str, str]]) -> None:
    """Refuse the whole request where an event of it is refused; the transaction is undone."""
    if not refusals:
        return
    number, field, words = refusals[0]
    raise ProblemError(
        403,
        f"{len(refusals):,} event(s) are not yours to publish, and nothing was sent; the first, "
        f"{number}: {field}: {words}",
        errors=[
            {"event": event, "field": name, "reason": why} for event, name, why in refusals[:_NAMED]
        ],
    )
