"""What the processes of a stack see of the user's environment.

A stack is a world of its own: its database and its broker listen on loopback, without TLS. What the
user has set for other databases, brokers, proxies and Java programs would be taken up by the
libraries that the stack is made of, and break it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

_PREFIXES: Final = (
    "PG",  # libpq's: PGSSLMODE, PGSERVICE, PGOPTIONS, PGPASSFILE and so on, and the server's PGDATA
    "KAFKA_",
    "LOG4J_",
    "TRACKRECORD_KAFKA_SASL_",
    "TRACKRECORD_KAFKA_SECURITY_",
    "TRACKRECORD_KAFKA_SSL_",
    "TRACKRECORD_KAFKA_ENABLE_SSL_",
)
_NAMES: Final = frozenset({"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"})
_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"})


def for_the_stack(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without what is meant for other servers.

    Args:
        environ: The user's; ``os.environ`` by default.
    """
    given = os.environ if environ is None else environ
    return {name: value for name, value in given.items() if not _is_for_others(name)}


def _is_for_others(name: str) -> bool:
    return name.startswith(_PREFIXES) or name in _NAMES or name.lower() in _PROXIES
