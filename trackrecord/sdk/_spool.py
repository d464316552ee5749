"""The spool: one folder per writer, locked while its process lives, adopted when it died.

``<spool>/<strategy>-<pid>-<random>/`` holds a writer's journal, a file ``lock``
that its process holds an advisory lock on (the system lets go of it however the
process ends), and a file ``destination`` that names the brokers its events are
for. Whoever gets the lock of a folder may send what it holds, so several
processes share a spool, and a new one takes over what a dead one left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from trackrecord.sdk._journal import SEGMENT_BYTES, Journal
from trackrecord.sdk._journal_record import Record

_MAX_REJECTED_BYTES: Final = 64 * 1024 * 1024

log = logging.getLogger("trackrecord.sdk")


def destination_of(bootstrap_servers: str) -> str:
    """The brokers as a spool names them: the same whatever their order and case."""
    names = {name.strip().lower() for name in bootstrap_servers.split(",")}
    return ",".join(sorted(names - {""}))


@dataclass(slots=True)
class Claim:
    """A writer's folder that this process holds the lock of."""

    journal: Journal
    lock: int

    def release(self, *, remove: bool) -> None:
        """Let go of the folder.

        Args:
            remove: Everything in it was sent: delete it.
        """
        self.journal.close()
        if remove:
            # The lock goes last: while it is held nobody else takes the folder up.
            shutil.rmtree(self.journal.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self.lock)

    def forget(self) -> None:
        """Close what a forked child inherited, without touching the parent's lock or files."""
        with contextlib.suppress(OSError):
            os.close(self.lock)


class Spool:
    """The writers' folders under one folder, for one destination."""

    def __init__(self, root: Path, destination: str, max_bytes: int) -> None:
        """Prepare a spool.

        Args:
            root: The folder; made if it does not exist.
            destination: The brokers, as :func:`destination_of` gives them.
            max_bytes: How many bytes one writer's events may take.

        Raises:
            OSError: The folder cannot be made or written to.
        """
        self.root = root
        self.destination = destination
        self.max_bytes = max_bytes
        self._strangers: set[str] = set()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def claim(self, writer: str) -> Claim:
        """Make a folder of one's own.

        Args:
            writer: Whose it is, for people who look.

        Raises:
            OSError: It cannot be made.
        """
        slug = re.sub(r"[^A-Za-z0-9_-]+", "_", writer)[:48]
        name = f"{slug}-{os.getpid()}-{token_hex(4)}"
        # Under a hidden name until the lock is held, so that nobody mistakes it
        # for the folder of a dead process.
        making = self.root / f".{name}"
        making.mkdir(mode=0o700)
        (making / "destination").write_text(self.destination + "\n", encoding="utf-8")
        lock = os.open(making / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = making.rename(self.root / name)
        return Claim(Journal(folder, max(4096, min(SEGMENT_BYTES, self.max_bytes // 8))), lock)

    def adopt(self) -> list[Claim]:
        """Take over the folders of processes that are gone, the oldest first."""
        claims: list[Claim] = []
        with contextlib.suppress(OSError):
            folders = [path for path in self.root.iterdir() if (path / "lock").exists()]
            named = [folder for folder in folders if not folder.name.startswith(".")]
            taken = (self._take(folder) for folder in sorted(named, key=_age))
            claims.extend(claim for claim in taken if claim)
        return claims

    def reject(self, record: Record, reason: str) -> None:
        """Keep a message that the brokers refuse for good, readable for people."""
        path = self.root / "rejected.jsonl"
        line = json.dumps(
            {
                "reason": reason,
                "topic": record.topic,
                "key": record.key.decode(errors="replace") if record.key else None,
                "headers": {name: value.decode(errors="replace") for name, value in record.headers},
                "value": record.value.decode(errors="replace"),
            }
        )
        with contextlib.suppress(OSError):
            if path.exists() and path.stat().st_size > _MAX_REJECTED_BYTES:
                path.replace(path.with_suffix(".1.jsonl"))
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, line.encode() + b"\n")
            finally:
                os.close(file)

    def _take(self, folder: Path) -> Claim | None:
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None  # another process has just finished with it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking, its adopter may have deleted the folder.
            held, there = os.fstat(lock), (folder / "lock").stat()
            if (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino) and self._ours(folder):
                return Claim(Journal(folder), lock)
        except (BlockingIOError, FileNotFoundError):
            pass  # its writer lives, or another process has just finished with it
        except OSError as error:
            log.warning("the spool of an ended process, %s, cannot be read: %s", folder, error)
        os.close(lock)
        return None

    def _ours(self, folder: Path) -> bool:
        destination = destination_of((folder / "destination").read_text(encoding="utf-8"))
        if destination == self.destination:
            return True
        if folder.name not in self._strangers:
            self._strangers.add(folder.name)
            log.warning(
                "%s holds events for the brokers %s, and this publisher sends to %s; they stay "
                "there until a publisher for their brokers starts. If these are the same brokers "
                "under another name, write the new one into its file 'destination'",
                folder,
                destination,
                self.destination,
            )
        return False


def _age(folder: Path) -> tuple[int, str]:
    try:
        return (folder / "destination").stat().st_mtime_ns, folder.name
    except OSError:
        return 0, folder.name
