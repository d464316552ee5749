"""No secret in what is printed, logged or answered: one function for every text that goes out.

Two things hide a secret: its shape, such as ``password=``, and its value, once a process was
made to :func:`remember` it. A driver may quote a part of a URL that it has understood otherwise
than we do, so the parts of a password are remembered, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

HIDDEN: Final = "***"

SECRET_WORDS: Final = (
    "password", "passwd", "secret", "passphrase", "token", ".pem", "jaas", "oauthbearer.config",
    "api.key",
)  # fmt: skip
"""What the name of a setting holds whose value is a secret."""

_NAME = r"[\w.\-]*(?:password|passwd|passphrase|secret|token|jaas\.config|oauthbearer\.config)"
_QUOTED = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_SHAPES: Final = (
    # A private key, wherever it stands.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|$)", re.DOTALL),
     HIDDEN),
    # A parameter of a URL ends at the next one, which has a name.
    (
        re.compile(
            rf"([?&]{_NAME}=)[^&\s'\"]*(?:&[^=&\s'\"]*(?=&|\s|['\"]|$))*", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    # The name in quotes: JSON, or a mapping of Python's.
    (re.compile(rf"(['\"]{_NAME}['\"]\s*[:=]\s*)(?:{_QUOTED}|[^\s,}}]+)", re.IGNORECASE),
     rf"\1{HIDDEN}"),
    # libpq's keywords, Java's login modules, lines of a configuration.
    (re.compile(rf"(?<![?&\w])({_NAME}\s*=\s*)(?:{_QUOTED}|\S+)", re.IGNORECASE), rf"\1{HIDDEN}"),
    # user:password@host; the password may hold any of / ? # @ : where it is not escaped.
    (re.compile(r"(//[^\s:/?#@]*:)\S*@"), rf"\1{HIDDEN}@"),
)  # fmt: skip

_MAYBE: Final = re.compile(
    r"-----BEGIN|//|password|passwd|passphrase|secret|token|jaas\.config|oauthbearer\.config",
    re.IGNORECASE,
)
"""What every shape holds: most texts have none of it, and are not looked through for each."""

_CREDENTIALS = re.compile(r"^[^/]*//(?P<user>[^:/?#@]*):(?P<password>.*)@", re.DOTALL)
_PARAMETER = re.compile(rf"[?&]{_NAME}=([^&]*(?:&[^=&]*(?=&|$))*)", re.IGNORECASE)
_SHORTEST: Final = 3
"""Characters below which a part of a password would be found in half of all words."""
_NO_WORD: Final = 16
"""Characters from which a secret is hidden inside a word, too: no word holds it by chance."""
_WORDS: Final = frozenset(
    {"postgres", "postgresql", "trackrecord", "password", "database", "none", "empty", "ollama"}
)
"""Passwords of test systems, and keys of servers that want none; hidden, they would only make
messages unreadable."""

_known: set[str] = set()


def remember(*secrets: str) -> None:
    """Hide these texts, and their parts, in whatever this process says from now on."""
    for secret in secrets:
        for text in {secret, unquote(secret)}:
            parts = {text, *re.split(r"[@:/?#&\s]", text)}
            _known.update(
                part for part in parts if len(part) >= _SHORTEST and part.lower() not in _WORDS
            )


def forget() -> None:
    """Know no secret by its value any more."""
    _known.clear()


def remember_url(url: str) -> None:
    """Hide the passwords of a database's URL."""
    found = _CREDENTIALS.match(url)
    if found and found["password"] != found["user"]:
        remember(found["password"])
    remember(*_PARAMETER.findall(url))


def remember_settings(settings: Mapping[str, str]) -> None:
    """Hide the values of settings whose names say that they are secrets."""
    remember(*(value for name, value in settings.items() if is_secret(name)))


def is_secret(name: str) -> bool:
    """Whether the value of a setting or variable of this name is a secret."""
    dotted = name.lower().replace("_", ".")
    return any(word in dotted for word in SECRET_WORDS)


def hide_secrets(text: str) -> str:
    """A text with every secret in it replaced by stars: for a terminal, a log or an answer."""
    if _MAYBE.search(text):
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
    return hide_known(text)


def hide_known(text: str) -> str:
    """A text with the secrets in it replaced that were made known, and nothing else touched.

    For code and answers, in which ``token = ...`` is no secret by its shape.
    """
    for secret in sorted(_known, key=len, reverse=True):
        if secret not in text:
            continue
        if len(secret) >= _NO_WORD:
            text = text.replace(secret, HIDDEN)
        else:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return text
