"""What can go wrong with the broker, the database and its disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from tests.support.outages import Server
from tests.torture.faults import FAULTS, Fault
from tests.torture.plan import Order
from tests.torture.scene import Place, Record, Scene
from trackrecord.local.postgres_binaries import unprivileged_user
from trackrecord.local.stack import Stack

_SPACE_BYTES = 12 * 1024 * 1024
_BALLAST = "ballast"
_NO_STACK = "the servers are not ours to break"
_FULL = "No space left on device"


def _server(scene: Scene, name: str, record: Record) -> Server | None:
    if scene.place.home is None:
        record.note = _NO_STACK
        return None
    return Server(scene.place.home, name)


def _kill(scene: Scene, record: Record, name: str, number: signal.Signals) -> None:
    server = _server(scene, name, record)
    if server is None:
        return
    record.hit = any(map(scene.crew.is_in_transaction, scene.crew.members))
    record.evidence.append(lambda: scene.crew.told("will try again", "kafka client"))
    pid = server.pid
    server.signal(number)
    scene.mended.append(lambda: server.await_health(pid))


def broker_killed(scene: Scene, _order: Order, record: Record) -> None:
    """SIGKILL to the broker, which is started again."""
    _kill(scene, record, "kafka", signal.SIGKILL)


def broker_paused(scene: Scene, order: Order, record: Record) -> None:
    """SIGSTOP to the broker, for longer than members may be silent."""
    server = _server(scene, "kafka", record)
    if server is None:
        return
    pid = server.pid
    record.hit = any(map(scene.crew.is_in_transaction, scene.crew.members))
    record.evidence.append(lambda: scene.crew.told("will try again", "kafka client"))
    os.kill(pid, signal.SIGSTOP)
    # By a thread of its own: whoever asks the broker for something waits for it.
    timer = threading.Timer(order.seconds * 2, os.kill, (pid, signal.SIGCONT))
    timer.start()
    scene.mended += [timer.join, server.await_health]


def database_killed(scene: Scene, _order: Order, record: Record) -> None:
    """SIGKILL to the database, which recovers from its log."""
    _kill(scene, record, "postgres", signal.SIGKILL)


def database_immediate(scene: Scene, _order: Order, record: Record) -> None:
    """An immediate shutdown: every session ends where it is, and nothing is written."""
    _kill(scene, record, "postgres", signal.SIGQUIT)


def database_restarted(scene: Scene, _order: Order, record: Record) -> None:
    """A restart in good order, which ends every session."""
    server = _server(scene, "postgres", record)
    home = scene.place.home
    if server is None or home is None:
        return
    record.hit = any(map(scene.crew.is_in_transaction, scene.crew.members))
    record.evidence.append(lambda: scene.crew.told("will try again"))
    thread = threading.Thread(target=Stack.restart, args=(home, "postgres"))
    thread.start()
    scene.mended += [thread.join, server.await_health]


# -- the disk -----------------------------------------------------------------------------------


class Space:
    """A small disk for the tables of one episode."""

    def __init__(self, place: Place, schema: str) -> None:
        """Mount it, and tell the database of it.

        Raises:
            OSError: Only root may mount, and not everywhere.
        """
        if place.home is None:
            raise OSError(_NO_STACK)
        self.name = f"small_{schema}"
        self._folder = place.home / self.name
        self._url = place.database_url
        self._folder.mkdir()
        try:
            _run("mount", "-t", "tmpfs", "-o", f"size={_SPACE_BYTES}", "tmpfs", self._folder)
            owner = unprivileged_user()
            if owner is not None:
                os.chown(self._folder, owner.uid, owner.gid)
            self._execute(f"CREATE TABLESPACE {self.name} LOCATION '{self._folder}'")
        except (OSError, psycopg2.Error) as error:
            self._unmount()
            raise OSError(" ".join(str(error).split())) from None

    @property
    def url(self) -> str:
        """The database, for whoever makes tables on the small disk."""
        return f"{self._url}?options=-c%20default_tablespace%3D{self.name}"

    def fill(self) -> None:
        """Leave no room on it."""
        with (
            (self._folder / _BALLAST).open("wb", buffering=0) as file,
            contextlib.suppress(OSError),
        ):
            while True:
                file.write(bytes(4096))

    def empty(self) -> None:
        """Make room again."""
        (self._folder / _BALLAST).unlink(missing_ok=True)

    def close(self) -> None:
        """Take it away, once its tables are gone."""
        with contextlib.suppress(psycopg2.Error):
            self._execute(f"DROP TABLESPACE {self.name}")
        self._unmount()

    def _execute(self, statement: str) -> None:
        connection = psycopg2.connect(self._url)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def _unmount(self) -> None:
        with contextlib.suppress(OSError):
            _run("umount", "--lazy", self._folder)
        shutil.rmtree(self._folder, ignore_errors=True)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip() or f"{command[0]} fails")


def unmount_left(folder: Path) -> None:
    """Unmount what a campaign that was killed has left in its folder."""
    for line in Path("/proc/mounts").read_text().splitlines():
        mounted = Path(line.split()[1])
        if mounted.is_relative_to(folder):
            with contextlib.suppress(OSError):
                _run("umount", "--lazy", mounted)


@contextmanager
def space_for(scene_needs_it: bool, place: Place, schema: str) -> Iterator[Space | str]:
    """A small disk where an episode is to fill one, else the reason why there is none."""
    if not scene_needs_it:
        yield "the disk is not to be filled"
        return
    try:
        space = Space(place, schema)
    except OSError as error:
        yield f"no small disk can be had: {error}"
        return
    try:
        yield space
    finally:
        space.close()


def disk_full(scene: Scene, order: Order, record: Record) -> None:
    """Fill the disk that the tables lie on, and make room again."""
    space = scene.space
    if not isinstance(space, Space):
        record.note = str(space)
        return
    space.fill()
    record.evidence.append(lambda: _FULL in scene.crew.text())
    scene.mended.append(space.empty)
    scene.later(order.seconds, space.empty)


ALL_FAULTS: dict[str, Fault] = {
    **FAULTS,
    "broker_killed": broker_killed,
    "broker_paused": broker_paused,
    "database_killed": database_killed,
    "database_immediate": database_immediate,
    "database_restarted": database_restarted,
    "disk_full": disk_full,
}
"""Every fault by its kind."""
