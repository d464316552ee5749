"""Where a stack keeps what belongs to it, and which ports it listens on.

::

    HOME/state.json            what runs (atomic writes, mode 600: it holds the database's URL)
    HOME/ports.json            ports chosen once and kept
    HOME/postgres.password     mode 600
    HOME/api.json              mode 600: the API's secret and its password for the database
    HOME/credentials.json      mode 600: name and password of the first admin
    HOME/supervisor.lock       held by the supervisor for as long as it lives
    HOME/control/              requests to the supervisor (restart this, stop that)
    HOME/logs/NAME.log         one per process, older ones as .1 ... .5
    HOME/data/postgres         the database cluster
    HOME/data/kafka            the broker's logs
    HOME/kafka/                the broker's generated configuration
    HOME/mock-broker.address   where the mock broker listens, if it runs instead of Kafka
"""

from __future__ import annotations

import json
import os
import random
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackrecord.kafka.local_stack import LOCK_FILE, PORTS_FILE, STATE_FILE
from trackrecord.local.errors import StackFailed

HOST = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections, so that
# a port kept for a broker that is being restarted is not taken in between.
_LOWEST_PORT, _HIGHEST_PORT = 20_000, 32_000
# Enough to say what runs and why it does not, also where the disk is about to be full.
_NEEDED_BYTES = 256 * 1024


@dataclass(frozen=True)
class Home:
    """The folder of one stack.

    Attributes:
        path: Its absolute path.
    """

    path: Path

    @classmethod
    def at(cls, path: Path | str) -> Home:
        """Name the folder, without touching it.

        Args:
            path: Absolute or relative to the working directory.
        """
        return cls(Path(path).absolute())

    def make(self) -> None:
        """Create the folders that are missing, and see whether files can be written.

        Raises:
            StackFailed: Nothing can be kept there.
        """
        try:
            for folder in (self.path, self.logs, self.data, self.control):
                folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path) as file:
                file.write(b"\0" * _NEEDED_BYTES)
                file.flush()
        except OSError as error:
            raise cannot_keep(self.path, error) from None

    @property
    def state(self) -> Path:
        """What runs."""
        return self.path / STATE_FILE

    @property
    def ports(self) -> Path:
        """Ports chosen earlier."""
        return self.path / PORTS_FILE

    @property
    def lock(self) -> Path:
        """Held by the supervisor."""
        return self.path / LOCK_FILE

    @property
    def password(self) -> Path:
        """The database's password."""
        return self.path / "postgres.password"

    @property
    def api(self) -> Path:
        """The API's secret, and its password for the database."""
        return self.path / "api.json"

    @property
    def credentials(self) -> Path:
        """Name and password of the first admin."""
        return self.path / "credentials.json"

    @property
    def control(self) -> Path:
        """Requests to the supervisor."""
        return self.path / "control"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.path / "logs"

    @property
    def data(self) -> Path:
        """What Kafka and Postgres store."""
        return self.path / "data"


def cannot_keep(home: Path, error: OSError) -> StackFailed:
    """What to say where a home cannot be written to: a file, read-only, a full disk."""
    return StackFailed(
        f"the stack's state cannot be kept in {home}: {error.strerror or error}; name a folder on "
        "a disk that can be written to with --home"
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, replacing an older one in one step.

    Args:
        path: The file.
        text: Its content.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object.

    Args:
        path: The file.

    Returns:
        The object, or None where there is no such file, or no such object in it.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def choose_ports(home: Home, names: list[str], wanted: Mapping[str, int | None]) -> dict[str, int]:
    """Give each name a free loopback port, the same as last time where that is free.

    Args:
        home: Where the choice is kept.
        names: What needs a port.
        wanted: Ports that the user asks for.

    Returns:
        A port for each name.

    Raises:
        StackFailed: A port asked for is taken, or none.
    """
    kept = read_json(home.ports) or {}
    chosen: dict[str, int] = {}
    for name in names:
        port = wanted.get(name)
        if port is not None:
            if not 0 < port < 65_536:  # noqa: PLR2004 - as many as there are
                raise StackFailed(f"port {port}, asked for {name}, is none: 1 to 65535 are")
            if port in chosen.values() or not is_free(port):
                raise StackFailed(
                    f"port {port}, asked for {name}, is taken on {HOST}; "
                    "end what listens there, or ask for another or for none"
                )
        else:
            port = kept.get(name)
            if port in wanted.values():
                port = None
            while not isinstance(port, int) or port in chosen.values() or not is_free(port):
                port = random.randint(_LOWEST_PORT, _HIGHEST_PORT)  # noqa: S311 - no secret
        chosen[name] = port
    write_private(home.ports, json.dumps({**kept, **chosen}, indent=1))
    return chosen


def is_free(port: int) -> bool:
    """Tell whether one could listen on this loopback port now.

    Args:
        port: 1 to 65535.

    Returns:
        True if nothing listens there.
    """
    with socket.socket() as probe:
        # As servers do it: a connection of the last run in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
