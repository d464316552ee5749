"""One question to a maker's client: bounded in time, and whatever happens becomes an answer."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from trackrecord.providers.failures import explain, too_slow
from trackrecord.providers.provider import LONGEST_ANSWER, Answer, Budget
from trackrecord.providers.transport import http_client
from trackrecord.redaction import hide_known, hide_secrets, remember, remember_url
from trackrecord.runtime.errors import ConfigurationError

_GRACE: Final = 0.5
"""Seconds by which our own time-out comes after the client's, which knows better what was slow."""


@dataclass(frozen=True)
class Access:
    """How a provider is reached.

    Attributes:
        provider: What it is called in settings; also the extra of the package that it needs.
        model: The model that is asked.
        key: The secret.
        base_url: Where it listens; None for the client's own default.
    """

    provider: str
    model: str
    key: str
    base_url: str | None = None

    def __repr__(self) -> str:
        """Without the key, wherever it may be shown."""
        url = None if self.base_url is None else hide_secrets(self.base_url)
        return f"Access({self.provider!r}, {self.model!r}, base_url={url!r})"

    @property
    def variable(self) -> str:
        """The variable that the key is read from."""
        return f"{self.provider.upper()}_API_KEY"


def accepted(access: Access) -> Access:
    """An access that can be used, its secrets known to :mod:`trackrecord.redaction`.

    Raises:
        ConfigurationError: A key or an address that no header or request could carry.
    """
    if not access.key:
        raise ConfigurationError(f"{access.provider} needs a key: set {access.variable}")
    remember(access.key)
    if not (access.key.isascii() and access.key.isprintable()) or " " in access.key:
        raise ConfigurationError(
            f"the key in {access.variable} cannot be one: it holds a space, a line break or a "
            "character beyond ASCII"
        )
    if access.base_url is not None:
        remember_url(access.base_url)
        if not _is_url(access.base_url):
            raise ConfigurationError(
                f"{access.provider.upper()}_BASE_URL is no address such as https://host/path"
            )
    if not access.model.strip() or not access.model.isprintable():
        raise ConfigurationError(
            f"TRACKRECORD_{access.provider.upper()}_MODEL names no model that could be asked"
        )
    return access


def _is_url(text: str) -> bool:
    if not (text.isascii() and text.isprintable()) or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, half a bracket
        return False


def maker(module: str, extra: str) -> Any:
    """The package of a maker's client.

    Raises:
        ConfigurationError: It is not installed; says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f'{extra} needs the package {error.name}: pip install "trackrecord[{extra}]"'
        ) from None


def ask_within(access: Access, budget: Budget, send: Callable[[Any], Answer]) -> Answer:
    """Send one question, and have an answer when its time is over, whatever the other side does.

    The makers' time-outs do not cover looking up a name, and begin anew with every byte that
    comes; so the question is asked in a thread of its own, which is left behind where it hangs.

    Args:
        access: Who is asked.
        budget: What it may take.
        send: Asks through the HTTP client that it is given, and reads the answer.
    """
    began = time.monotonic()
    client = http_client(budget.seconds)
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(_within_length(send(client)))
        except Exception as error:  # noqa: BLE001 - a client raises what it likes
            answers.put(explain(error, access.provider, access.model, access.variable))

    threading.Thread(target=work, name=f"ask {access.provider}", daemon=True).start()
    try:
        answer = answers.get(timeout=budget.seconds + _GRACE)
    except queue.Empty:
        answer = too_slow(access.provider)
    finally:
        with suppress(Exception):  # it may be in the middle of the answer
            client.close()
    error = None if answer.error is None else hide_secrets(answer.error)
    return replace(
        answer,
        # Who echoes what it was sent must not have the key kept in a log.
        text=hide_known(answer.text),
        model=hide_known(answer.model) or access.model,
        seconds=time.monotonic() - began,
        error=error,
    )


def _within_length(answer: Answer) -> Answer:
    if len(answer.text) <= LONGEST_ANSWER:
        return answer
    return replace(
        answer,
        ending="failed",
        text=answer.text[:LONGEST_ANSWER],
        error=f"the answer has {len(answer.text):,} characters, more than the "
        f"{LONGEST_ANSWER:,} that are read",
    )


def text_of(value: object) -> str:
    """A text, empty where it is none: what a client hands on need not be what it promises."""
    return value if isinstance(value, str) else ""


def count(*values: object) -> int | None:
    """The sum of those that are counts, None where none is."""
    counts = [
        each
        for each in values
        if isinstance(each, int) and not isinstance(each, bool) and each >= 0
    ]
    return sum(counts) if counts else None
