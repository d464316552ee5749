"""What went wrong with a question, in plain words: the three clients fail in much the same ways."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from trackrecord.providers.provider import Answer

_LONGEST_WORDS: Final = 300
"""Characters of what the other side says of its failure."""
_LONGEST_WAIT: Final = 30 * 86_400
"""Seconds; a provider that wants to be left alone for longer has sent something else."""

_UNAUTHORISED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_OVERLOADED: Final = (503, 529)
_REDIRECTS: Final = range(300, 400)


def too_slow(provider: str) -> Answer:
    """The answer of a provider that has not answered in time."""
    return Answer(
        "timed_out",
        error=f"{provider} has not answered in time (TRACKRECORD_PROVIDER_SECONDS); it may have "
        "been billed",
    )


def not_understood(provider: str, what: str) -> Answer:
    """The answer of a provider that has sent something else than its interface says."""
    return Answer("failed", error=f"{provider} has sent {what}, which is no answer of its API")


def odd_end(reason: object) -> str:
    """What to say of an answer that ended as none should."""
    return f"the model ended with {str(reason)[:80]!r}" if reason else "how it ended is not said"


def explain(error: Exception, provider: str, model: str, variable: str) -> Answer:
    """The answer that stands for what a client has raised.

    Args:
        error: From the client, or from the HTTP client below it.
        provider: Its name.
        model: The model that was asked.
        variable: Where its key is read from.
    """
    status = _status(error)
    if status is not None:
        return _by_status(error, status, provider, model, variable)
    names = [name for each in _chain(error) for name in _names(each)]
    if any("Timeout" in name for name in names):
        return too_slow(provider)
    if any(name in names for name in ("TransportError", "APIConnectionError")):
        cause = _clipped(str(list(_chain(error))[-1])) or type(error).__name__
        return Answer("failed", error=f"{provider} cannot be reached, or broke off: {cause}")
    return not_understood(provider, f"something unreadable ({type(error).__name__})")


def _by_status(error: Exception, status: int, provider: str, model: str, variable: str) -> Answer:
    said = _said(error)
    theirs = f": {said}" if said else ""
    wait = _retry_after(error)
    if status == _TOO_MANY:
        asks = "" if wait is None else f"; it asks to wait {math.ceil(wait)} s"
        return Answer(
            "rate_limited",
            error=f"{provider}'s limit is reached (HTTP 429){asks}{theirs}",
            retry_after=wait,
        )
    if status in {_UNAUTHORISED, _FORBIDDEN}:
        words = f"{provider} refuses the key in {variable} (HTTP {status}){theirs}"
    elif status == _NOT_FOUND:
        words = (
            f"{provider} has no model {model!r} (HTTP 404), see "
            f"TRACKRECORD_{provider.upper()}_MODEL{theirs}"
        )
    elif status in _REDIRECTS:
        words = (
            f"{provider} sends on to another address (HTTP {status}), where the key would go "
            f"along: set {provider.upper()}_BASE_URL to the right one"
        )
    elif status in _OVERLOADED:
        asks = "" if wait is None else f"; it asks to wait {math.ceil(wait)} s"
        words = f"{provider} is overloaded (HTTP {status}){asks}{theirs}"
    elif status >= 500:  # noqa: PLR2004 - HTTP's
        words = f"{provider} has failed (HTTP {status}){theirs}"
    else:
        words = f"{provider} refuses the question (HTTP {status}){theirs}"
    return Answer("failed", error=words, retry_after=wait)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _names(error: BaseException) -> list[str]:
    return [each.__name__ for each in type(error).__mro__]


def _status(error: Exception) -> int | None:
    """The status of an answer that the client has raised as an error."""
    for found in (
        getattr(getattr(error, "response", None), "status_code", None),
        getattr(error, "status_code", None),
        getattr(error, "code", None),
    ):
        if isinstance(found, int) and found >= 300:  # noqa: PLR2004 - below, all went well
            return found
    return None


def _body(error: Exception) -> Any:
    for name in ("body", "details"):
        found = getattr(error, name, None)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        if isinstance(found, Mapping):
            inner = found.get("error")
            return inner if isinstance(inner, Mapping | str) else found
    return None


def _said(error: Exception) -> str:
    """What the other side says of it, clipped: it may be anything, a whole page for one."""
    body = _body(error)
    if isinstance(body, str):
        return _clipped(body)
    said = body.get("message") if isinstance(body, Mapping) else None
    return _clipped(said) if isinstance(said, str) else ""


def _clipped(text: str) -> str:
    line = " ".join(text[: 4 * _LONGEST_WORDS].split())
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}..."


def _retry_after(error: Exception) -> float | None:
    """Seconds to wait: from the header, a number or a date, or from Google's details."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    if isinstance(headers, Mapping):
        told = headers.get("retry-after")
        if isinstance(told, str):
            wait = _seconds(told)
            return _from_date(told) if wait is None else wait
    body = _body(error)
    details = body.get("details") if isinstance(body, Mapping) else None
    for each in details if isinstance(details, list) else []:
        told = each.get("retryDelay") if isinstance(each, Mapping) else None
        if isinstance(told, str):
            return _seconds(told.removesuffix("s"))
    return None


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found <= _LONGEST_WAIT else None


def _from_date(text: str) -> float | None:
    try:
        wait = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, wait) if wait <= _LONGEST_WAIT else None
