"""Where a publisher sends: to the brokers that are named, or to the local stack that is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trackrecord.kafka import config, local_stack
from trackrecord.sdk._destination import Destination, destination_of


@dataclass(frozen=True)
class Where:
    """Where a publisher sends."""

    environ: Mapping[str, str] = field(repr=False)
    """The environment, completed by the local stack."""
    destination: Destination
    """The brokers, and what is known of them."""
    home: Path | None
    """The home that was looked at for a stack."""
    is_named: bool
    """Whether the program or the environment names brokers."""
    is_up: bool
    """Whether the brokers are those of a local stack that runs."""

    @property
    def advice(self) -> str:
        """What to do where nobody answers; empty where somebody named the brokers."""
        if self.is_named or self.is_up:
            return ""
        if self.home is None:
            return (
                "no broker is named and no local stack was found: start one with `trackrecord up`, "
                f"or name yours in {local_stack.BROKERS_VARIABLE}"
            )
        return (
            f"nothing runs under {self.home}: start it with "
            f"`trackrecord up`, or name another broker in {local_stack.BROKERS_VARIABLE}"
        )


def locate(environ: Mapping[str, str], brokers: str | None) -> Where:
    """Find out where to send.

    Args:
        environ: The environment.
        brokers: What the program names; it goes before the environment.
    """
    given = dict(environ)
    if brokers is not None:
        given[local_stack.BROKERS_VARIABLE] = brokers
    named = given.get(local_stack.BROKERS_VARIABLE, "").strip()
    home = local_stack.home_of(environ)
    stack = local_stack.running(home) if home else None
    found = local_stack.completed(given, home)
    is_up = stack is not None and _same(named or stack.brokers, stack.brokers)
    # Brokers that were named are of the home only if its stack runs there.
    its_home = home if is_up or not named else None
    if its_home is None and not environ.get(local_stack.HOME_VARIABLE, "").strip():
        found.pop(local_stack.HOME_VARIABLE, None)  # events wait where they always did
    nowhere = not named and home is None
    destination = Destination(
        destination_of(config.kafka_settings(found)["bootstrap.servers"]),
        home=str(its_home or ""),
        folder=str(local_stack.current_folder() or "") if nowhere else "",
    )
    return Where(found, destination, home, is_named=bool(named), is_up=is_up)


def _same(some: str, others: str) -> bool:
    def plain(brokers: str) -> str:
        return destination_of(brokers).replace("localhost:", "127.0.0.1:")

    return plain(some) == plain(others)
