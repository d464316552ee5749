"""Variables that look like settings and are none: most often a setting that is misspelt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from trackrecord.kafka.config import EXECUTION_VARIABLE, KAFKA_PREFIX, SPOOL_VARIABLE
from trackrecord.runtime.settings import PREFIX, Settings

_ELSEWHERE: Final = frozenset(
    {
        SPOOL_VARIABLE,
        EXECUTION_VARIABLE,
        # The local stack tells its processes who they are; compose names its image.
        f"{PREFIX}STAGE",
        f"{PREFIX}INSTANCE",
        f"{PREFIX}VERSION",
        # Read by `migrate` where it makes roles, and by no process that serves.
        f"{PREFIX}API_ROLE_PASSWORD",
        f"{PREFIX}READER_ROLE_PASSWORD",
    }
)
# The client itself refuses names of its settings that it does not know.
_READ_ELSEWHERE: Final = (KAFKA_PREFIX, f"{PREFIX}LOCAL_")
_LIKENESS: Final = 0.6


@dataclass(frozen=True)
class Unknown:
    """A variable that nothing reads; ``nearest`` is the setting most like it, if one is."""

    variable: str
    nearest: str | None

    def __str__(self) -> str:
        """In words, without the value, which may be a secret."""
        hint = f"did you mean {self.nearest}?" if self.nearest else "see `trackrecord settings`"
        return f"{self.variable} is no setting, and nothing reads it: {hint}"


def unknown_variables(environ: Mapping[str, str]) -> list[Unknown]:
    """The variables of an environment that begin as settings do and that nothing reads."""
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    return [
        Unknown(name, _nearest(name, known))
        for name in sorted(environ)
        if name.startswith(PREFIX)
        and not name.startswith(_READ_ELSEWHERE)
        and name not in known | _ELSEWHERE
    ]


def _nearest(name: str, known: set[str]) -> str | None:
    # Without the prefix, which would make everything alike.
    endings = {each.removeprefix(PREFIX): each for each in sorted(known)}
    found = get_close_matches(name.removeprefix(PREFIX), endings, 1, _LIKENESS)
    return endings[found[0]] if found else None
