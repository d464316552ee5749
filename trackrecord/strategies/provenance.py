"""Who wrote a strategy, where a language model did: a comment at the end of its code.

What a model learnt before it was asked may hold the very bars that its strategy is tested on, so
a backtest must know. The mark stands at the end, where it moves no line; whoever takes it away
can as well say nothing, and has only deceived themselves.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

_MARK: Final = re.compile(
    r"^# trackrecord: written by (?P<provider>[a-z]+) \((?P<model>[^()\n]*)\), "
    r"asked at (?P<asked>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$",
    re.MULTILINE,
)
_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._:/@+ -]")
"""What a model's name may not bring into the code: it comes from outside."""
_LONGEST_MODEL: Final = 100


class Provenance(NamedTuple):
    """The model that wrote a strategy, and when it was asked."""

    provider: str
    model: str
    asked_at: datetime


def marked(code: str, by: Provenance) -> str:
    """The code with the mark of who wrote it, and with no other such mark."""
    model = _UNFIT.sub("_", by.model)[:_LONGEST_MODEL]
    asked = by.asked_at.astimezone(UTC).strftime(_FORMAT)
    plain = _MARK.sub("", code).rstrip()
    return f"{plain}\n\n# trackrecord: written by {by.provider} ({model}), asked at {asked}\n"


def provenance(source: str) -> Provenance | None:
    """The mark of a source; None where it has none. Of several the latest counts."""
    found = []
    for match in _MARK.finditer(source):
        try:
            asked = datetime.strptime(match["asked"], _FORMAT).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append(Provenance(match["provider"], match["model"], asked))
    return max(found, key=lambda each: each.asked_at, default=None)
