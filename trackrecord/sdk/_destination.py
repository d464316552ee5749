"""Whom a spool's events are for, and whether a publisher may send what another left.

Host and port name a broker, and not for long: a local stack may take another port, and a broker
gets another name. So a folder of the spool says besides which stack's home, which cluster (the id
that a cluster gives itself) or, where nobody named a broker, which folder its events come from.
Rules, in this order (``docs/decisions/0026-whose-waiting-events-are.md``):

1. The same home: yes, whatever its broker's port, name or age.
2. Nobody had named a broker: yes, if from their folder one would find this publisher's home, or
   if the same strategy now names one in the same folder.
3. Both clusters are known: yes if they are the same one, else no.
4. A shared address: yes, unless theirs is known and ours is not yet: then ask first.
5. Otherwise no. If their cluster is known and ours is not yet, ask first.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import Final

from trackrecord.kafka import local_stack

_FIELDS: Final = ("home", "folder", "cluster")
_UNNAMED_CLUSTER: Final = "?"
"""Stands for the id of a cluster that has none worth keeping."""


class Verdict(Enum):
    """Whether events may be sent."""

    YES = auto()
    NO = auto()
    ASK = auto()
    """Known once the broker has told which cluster it belongs to."""


def destination_of(bootstrap_servers: str) -> str:
    """The brokers as a spool names them: the same whatever their order and case."""
    names = {name.strip().lower() for name in bootstrap_servers.split(",")}
    return ",".join(sorted(names - {""}))


@dataclass(frozen=True, slots=True)
class Destination:
    """The brokers that events are for, and what else is known of them."""

    brokers: str
    """As :func:`destination_of` gives them."""
    home: str = ""
    """The home of the local stack whose broker it is, or would be if it ran."""
    folder: str = ""
    """The current folder of the publisher, where nobody named a broker and there was no home."""
    cluster: str = ""
    """The cluster's own id; empty until the broker was reached."""

    def to_text(self) -> str:
        """The content of the file ``destination``: the brokers, then a line for each other fact."""
        facts = {"home": self.home, "folder": self.folder, "cluster": self.cluster_id}
        known = [f"{name} {json.dumps(value)}" for name, value in facts.items() if value]
        return "\n".join([self.brokers, *known]) + "\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Destination:
        """Read such a file; one that only names brokers is enough.

        Raises:
            ValueError: It is no text, or names no broker.
        """
        first, *others = data.decode().splitlines() or [""]
        brokers = destination_of(first)
        if not brokers:
            raise ValueError("it names no broker")
        values: dict[str, str] = {}
        for line in others:
            name, _, value = line.partition(" ")
            if name in _FIELDS:
                values[name] = str(json.loads(value))
        return cls(brokers, **values)

    def reached(self, cluster_id: str | None) -> Destination:
        """The same, once the broker has told its cluster's id, or that it has none."""
        # The mock cluster's is an address in its memory, which says nothing.
        known = cluster_id and not cluster_id.startswith("mockCluster")
        return replace(self, cluster=str(cluster_id) if known else _UNNAMED_CLUSTER)

    @property
    def cluster_id(self) -> str:
        """The cluster's id; empty where it is not known, or has none."""
        return "" if self.cluster == _UNNAMED_CLUSTER else self.cluster

    def __str__(self) -> str:
        """For messages."""
        return self.brokers + (f" (cluster {self.cluster_id})" if self.cluster_id else "")


def may_send(
    theirs: Destination,
    ours: Destination,
    *,
    same_strategy: bool,
    here: str,
    environ: Mapping[str, str],
) -> Verdict:
    """Whether a publisher may send the events that another left.

    Args:
        theirs: Whom they are for.
        ours: Where the publisher sends.
        same_strategy: Whether they are of the publisher's own strategy.
        here: The current folder of the publisher.
        environ: Says where the user's own home is.
    """
    if theirs.home and theirs.home == ours.home:
        return Verdict.YES
    if theirs.folder and not theirs.cluster_id:
        if ours.home and _would_find(theirs.folder, environ) == ours.home:
            return Verdict.YES
        if same_strategy and theirs.folder == here:
            return Verdict.YES
    if theirs.cluster_id:
        if not ours.cluster:
            return Verdict.ASK
        if ours.cluster_id:
            return Verdict.YES if theirs.cluster_id == ours.cluster_id else Verdict.NO
    shared = _share_an_address(theirs.brokers, ours.brokers)
    return Verdict.YES if shared else Verdict.NO


def _would_find(folder: str, environ: Mapping[str, str]) -> str:
    return str(local_stack.found_from(Path(folder), environ) or "")


def _share_an_address(some: str, others: str) -> bool:
    """Whether one broker is in both lists, by name or by address."""
    first, second = set(some.split(",")), set(others.split(","))
    if first & second:
        return True
    for name in first:
        for other in second:
            (host, _, port), (other_host, _, other_port) = (
                name.rpartition(":"),
                other.rpartition(":"),
            )
            if port == other_port and _addresses(host) & _addresses(other_host):
                return True
    return False


@lru_cache(maxsize=256)
def _addresses(host: str) -> frozenset[str]:
    """What a name resolves to; asked once, for a name server that is away takes seconds."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)
