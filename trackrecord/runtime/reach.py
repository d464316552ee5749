"""Whether the brokers of a command are there, asked before it does anything.

A client that cannot connect goes on trying for ten seconds and then says that it timed out. A
person wants to know at once what is wrong: a name that nobody knows, an address where nobody
listens, a password, the wrong protocol.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from trackrecord.kafka.config import variable_of
from trackrecord.runtime import kafka
from trackrecord.runtime.errors import UnreachableError
from trackrecord.runtime.settings import Settings

_CONNECT_SECONDS: Final = 1.5
_ANSWER_SECONDS: Final = 5.0
_GLANCE_SECONDS: Final = 0.5
_DEFAULT_PORT: Final = "9092"
_LAST_PORT: Final = 65_535

# librdkafka's own codes have no other name.
_CREDENTIALS: Final = {
    KafkaError._AUTHENTICATION,  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.UNSUPPORTED_SASL_MECHANISM,
    KafkaError.ILLEGAL_SASL_STATE,
}
_TLS: Final = {KafkaError._SSL}  # noqa: SLF001


def require_brokers(settings: Settings, advice: str) -> None:
    """Return if a broker answers.

    Args:
        settings: Where the brokers are.
        advice: What to do if none is there; put behind the reason.

    Raises:
        UnreachableError: None does, in one line with the reason, as far as it shows.
        KafkaException: The client does not take its settings.
    """
    heard: list[KafkaError] = []
    client = AdminClient(
        {**kafka.client_config(settings, "reach"), "error_cb": heard.append}  # type: ignore[dict-item]
    )
    where = settings.kafka_bootstrap_servers
    if reasons := _not_there(where):
        raise UnreachableError(f"no broker at {where}: {reasons}; {advice}")
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            client.list_topics(timeout=_GLANCE_SECONDS)
        except KafkaException as error:
            last = error.args[0]
        else:
            return
        client.poll(0)
        if words := _refusal(where, heard):
            raise UnreachableError(words)
        if time.monotonic() > deadline:
            break
    said = heard[-1].str() if heard else last.str()
    raise UnreachableError(
        f"no broker at {where}: it does not answer as one ({said}); if it wants TLS or a password, "
        f"set {variable_of('security.protocol')}; {advice}"
    )


def _refusal(where: str, heard: list[KafkaError]) -> str | None:
    for error in heard:
        if error.code() in _CREDENTIALS:
            return (
                f"the broker at {where} refuses the credentials: {error.str()}; see "
                f"{variable_of('sasl.username')}, {variable_of('sasl.password')} and "
                f"{variable_of('sasl.mechanism')}"
            )
        if error.code() in _TLS:
            return (
                f"no TLS with the broker at {where}: {error.str()}; see "
                f"{variable_of('security.protocol')} and {variable_of('ssl.ca.location')}"
            )
    return None


@dataclass
class _Probe:
    """One broker's address, and why nobody is there: None while that is not known."""

    host: str
    port: str
    reason: str | None = None
    is_there: bool = False
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        # A daemon: a name server that does not answer must not hold up the end of the process.
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        if not (self.port.isdecimal() and 0 < int(self.port) <= _LAST_PORT):
            self.reason = f"{self.port} is no port"
            return
        try:
            found = socket.getaddrinfo(self.host, int(self.port), type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            self.reason = f"the name {self.host} is unknown"
            return
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as connection:
                connection.settimeout(_CONNECT_SECONDS)
                try:
                    connection.connect(address)
                except TimeoutError:
                    return  # slow, perhaps: the client shall try
                except OSError as error:
                    reason = error.strerror or str(error)
                else:
                    self.is_there = True
                    return
        nobody = f"nobody listens at {self.host}:{self.port}"
        self.reason = nobody if reason == "Connection refused" else f"{nobody} ({reason})"


def _not_there(servers: str) -> str | None:
    """Why nobody is at any of some addresses; None if somebody is, or may be."""
    probes = []
    for each in servers.split(","):
        address = each.strip().rpartition("://")[2]
        host, colon, port = address.rpartition(":")
        if not colon or "]" in port:
            host, port = address, _DEFAULT_PORT
        if host:
            probes.append(_Probe(host.strip("[]"), port))
    deadline = time.monotonic() + _CONNECT_SECONDS
    for probe in probes:
        probe.thread.join(max(0.0, deadline - time.monotonic()))
    reasons: list[Any] = [probe.reason for probe in probes]
    if not reasons or None in reasons:
        return None
    return ", ".join(dict.fromkeys(reasons))
