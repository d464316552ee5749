"""What users, keys, strategies and scripts may be called."""

from __future__ import annotations

import re
from typing import Final

from pydantic import TypeAdapter, ValidationError

from trackrecord.errors import TrackrecordError
from trackrecord.events.types import Name

USER_NAME: Final = r"[a-z0-9][a-z0-9._@-]{0,63}"
"""Regular expression of a user's name."""

_record_name: Final = TypeAdapter(Name)
_USER_NAME: Final = re.compile(USER_NAME)
_LABEL: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,64}")


class NameRefusedError(TrackrecordError, ValueError):
    """Nobody and nothing may be called so."""


def user_name(text: str) -> str:
    """A user's name as it is kept: in small letters, without spaces around it.

    Raises:
        NameRefusedError: It holds what no name may.
    """
    name = text.strip().lower()
    if not _USER_NAME.fullmatch(name):
        raise NameRefusedError(
            "a user's name has 1 to 64 of a-z, 0-9 and . _ @ -, and begins with a letter or digit"
        )
    return name


def record_name(text: str) -> str:
    """A name that strategies and scripts may have, as it is.

    Raises:
        NameRefusedError: None may be called so.
    """
    try:
        return _record_name.validate_python(text)
    except ValidationError as error:
        words = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise NameRefusedError(f"the name of a strategy or script: {words}") from None


def label(text: str) -> str:
    """What a key is called by its user.

    Raises:
        NameRefusedError: It is empty, too long, or holds control characters.
    """
    name = text.strip()
    if not _LABEL.fullmatch(name):
        raise NameRefusedError("a key's name has 1 to 64 characters, and none of control")
    return name
