"""Settings from the environment: which broker, which topics, where undelivered events wait.

Pure functions of the environment they are given, so that a service and a
strategy read the same variables in the same way:

* ``TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS``: the brokers, ``host:port,host:port``.
* ``TRACKRECORD_KAFKA_<SETTING>``: any other setting of librdkafka, its dots
  written as underscores (``TRACKRECORD_KAFKA_SASL_MECHANISM`` is ``sasl.mechanism``).
* ``TRACKRECORD_TOPIC_PREFIX``: what every topic's name begins with.
* ``TRACKRECORD_SPOOL_DIR``, ``TRACKRECORD_HOME``: where the SDK keeps its spool.

Settings of librdkafka: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trackrecord.kafka.local_stack import HOME_VARIABLE, TOPIC_PREFIX_VARIABLE, user_home
from trackrecord.redaction import HIDDEN, is_secret

KAFKA_PREFIX: Final = "TRACKRECORD_KAFKA_"
"""What the variables of the Kafka client begin with."""

SPOOL_VARIABLE: Final = "TRACKRECORD_SPOOL_DIR"
EXECUTION_VARIABLE: Final = "TRACKRECORD_EXECUTION_ID"
"""Tells a script that `run-script` runs by which id its output goes on record."""

DEFAULT_BOOTSTRAP_SERVERS: Final = "127.0.0.1:9092"
"""The brokers where nothing else is said."""

_LONGEST_PREFIX: Final = 200
_TOPIC_TEXT = re.compile(rf"[A-Za-z0-9._-]{{0,{_LONGEST_PREFIX}}}")
_LISTENER = re.compile(r"(?i)(?:(?P<protocol>[a-z][a-z0-9_]*)://)?(?P<address>[^/]*)/*")


def kafka_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Read the Kafka client's settings.

    Names of librdkafka hold dots and never underscores, so that each variable
    means one setting. A variable that is empty counts as not set, since compose
    files hand over empty texts for what the operator left out.

    A broker may be given as its listener is, ``SASL_SSL://host:port``: then that is how it is
    reached, and the address is ``host:port``.

    Args:
        environ: The environment, such as ``os.environ``.

    Returns:
        The settings by librdkafka's names; ``bootstrap.servers`` is always among
        them. Whether librdkafka knows a name shows when a client is made.

    Raises:
        ValueError: The brokers are to be reached in two ways.
    """
    settings = {"bootstrap.servers": DEFAULT_BOOTSTRAP_SERVERS}
    for variable, value in environ.items():
        name = variable.removeprefix(KAFKA_PREFIX)
        if variable.startswith(KAFKA_PREFIX) and name and value.strip():
            settings[name.lower().replace("_", ".")] = value.strip()
    settings["bootstrap.servers"], protocol = _brokers(settings["bootstrap.servers"])
    if protocol:
        given = settings.setdefault("security.protocol", protocol)
        if given.upper() != protocol:
            raise ValueError(
                f"{KAFKA_PREFIX}BOOTSTRAP_SERVERS names a listener for {protocol}, and "
                f"{variable_of('security.protocol')} is {given}: say the same in both"
            )
    return settings


def _brokers(servers: str) -> tuple[str, str | None]:
    """The addresses of brokers without their listeners' protocol, and the protocol.

    Raises:
        ValueError: They name more than one.
    """
    addresses, protocols = [], set()
    for each in filter(None, (part.strip() for part in servers.split(","))):
        found = _LISTENER.fullmatch(each)
        if found is None:
            return servers, None  # whatever it is, the client says what is wrong with it
        addresses.append(found["address"])
        if found["protocol"]:
            protocols.add(found["protocol"].upper())
    if len(protocols) > 1:
        named = " and ".join(sorted(protocols))
        raise ValueError(
            f"{KAFKA_PREFIX}BOOTSTRAP_SERVERS names listeners for {named}: a client reaches all "
            "brokers in one way"
        )
    return ",".join(addresses), (protocols.pop() if protocols else None)


def variable_of(setting: str) -> str:
    """The variable that sets a setting of the Kafka client, for messages to its user."""
    return KAFKA_PREFIX + setting.upper().replace(".", "_")


def topic_prefix(environ: Mapping[str, str]) -> str:
    """Read what the name of every topic begins with; empty where nothing is said.

    Raises:
        ValueError: It holds what a topic's name may not hold.
    """
    return checked_topic_prefix(environ.get(TOPIC_PREFIX_VARIABLE, "").strip())


def checked_topic_prefix(prefix: str) -> str:
    """Return a prefix of topics as it is, if Kafka takes it.

    Raises:
        ValueError: It holds what a topic's name may not hold.
    """
    if not _TOPIC_TEXT.fullmatch(prefix):
        raise ValueError(
            f"{TOPIC_PREFIX_VARIABLE}={prefix!r}: use letters, digits, '.', '_' and '-', "
            f"at most {_LONGEST_PREFIX} characters"
        )
    return prefix


def spool_directory(environ: Mapping[str, str]) -> Path:
    """The folder in which events wait that the broker has not taken yet.

    ``TRACKRECORD_SPOOL_DIR``, else ``spool`` under ``TRACKRECORD_HOME``, else
    ``trackrecord/spool`` under ``XDG_STATE_HOME`` (``~/.local/state``).
    """
    if spool := environ.get(SPOOL_VARIABLE):
        return Path(spool).expanduser()
    if home := environ.get(HOME_VARIABLE):
        return Path(home).expanduser() / "spool"
    return user_home(environ) / "spool"


def masked(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with every secret replaced by stars, fit for a log."""
    return {name: HIDDEN if is_secret(name) else value for name, value in settings.items()}
