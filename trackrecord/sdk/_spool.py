"""The spool: one folder per writer, locked while its process lives, adopted when it died.

``<spool>/<strategy>-<pid>-<random>/`` holds a writer's journal, a file ``lock``
that its process holds an advisory lock on (the system lets go of it however the
process ends), and a file ``destination`` that says whom its events are for
(:mod:`trackrecord.sdk._destination`). Whoever gets the lock of a folder may send
what it holds, so several processes share a spool, and a new one takes over what
a dead one left. A folder that cannot be read is put aside and holds up no other.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from trackrecord.kafka import local_stack
from trackrecord.sdk._destination import Destination, Verdict, destination_of, may_send
from trackrecord.sdk._journal import SEGMENT_BYTES, Journal
from trackrecord.sdk._journal_record import Record

__all__ = ["Claim", "Spool", "destination_of"]

_MAX_REJECTED_BYTES: Final = 64 * 1024 * 1024
_FOLDER_NAME = re.compile(r"(?P<writer>.*)-[0-9]+-[0-9a-f]{8}")
# What a file is not, rather than what this process may or can do just now.
_STRUCTURAL: Final = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO}

log = logging.getLogger("trackrecord.sdk")


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

    def __init__(
        self,
        root: Path,
        destination: Destination | str,
        max_bytes: int,
        *,
        elsewhere: Sequence[Path] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a spool.

        Args:
            root: The folder; made if it does not exist.
            destination: Where this process sends; or only the brokers.
            max_bytes: How many bytes one writer's events may take.
            elsewhere: Other spools, in which events for the same destination may have been left.
            environ: Says where the user's own home is.

        Raises:
            OSError: The folder cannot be made or written to.
        """
        self.root = root
        self.destination = (
            Destination(destination_of(destination))
            if isinstance(destination, str)
            else destination
        )
        self.max_bytes = max_bytes
        self.undecided = False
        """Whether something was left that may be for our cluster: which is ours is not known."""
        self._elsewhere = [folder for folder in elsewhere if folder != root]
        self._environ = os.environ if environ is None else environ
        self._here = str(local_stack.current_folder() or "")
        self._writer = ""
        self._own: Path | None = None
        self._named: set[str] = set()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def claim(self, writer: str) -> Claim:
        """Make a folder of one's own.

        Args:
            writer: Whose it is, for people who look.

        Raises:
            OSError: It cannot be made.
        """
        self._writer = re.sub(r"[^A-Za-z0-9_-]+", "_", writer)[:48]
        name = f"{self._writer}-{os.getpid()}-{token_hex(4)}"
        # Under a hidden name until the lock is held, so that nobody mistakes it
        # for the folder of a dead process.
        making = self.root / f".{name}"
        making.mkdir(mode=0o700)
        try:
            _write_destination(making, self.destination)
            lock = os.open(making / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder = making.rename(self.root / name)
        except OSError:  # a full disk
            shutil.rmtree(making, ignore_errors=True)
            raise
        self._own = folder
        return Claim(Journal(folder, max(4096, min(SEGMENT_BYTES, self.max_bytes // 8))), lock)

    def adopt(self) -> list[Claim]:
        """Take over the folders of processes that are gone, the oldest first."""
        self.undecided = False
        taken: list[Claim] = []
        for folder in sorted(self._left(), key=_age):
            claim = self._take(folder)
            if self.undecided:
                break  # what is younger must not go before it
            if claim:
                taken.append(claim)
        return taken

    def reached(self, cluster_id: str | None) -> None:
        """Learn which cluster the brokers belong to, and keep it with the waiting events."""
        self.destination = self.destination.reached(cluster_id)
        if self._own and self.destination.cluster_id:
            with contextlib.suppress(OSError):  # it only helps a later publisher to decide
                _write_destination(self._own, self.destination)

    def set_aside(self, claim: Claim, why: Exception) -> None:
        """Put a folder that cannot be read where it holds up no other; it is kept."""
        claim.journal.close()
        self._set_aside(claim.journal.folder, why)
        claim.forget()

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

    def _left(self) -> list[Path]:
        """The folders of writers, living or gone."""
        found: list[Path] = []
        for root in (self.root, *self._elsewhere):
            with contextlib.suppress(OSError):
                found += [path for path in root.iterdir() if not path.name.startswith(".")]
        return [path for path in found if os.path.lexists(path / "lock")]

    def _take(self, folder: Path) -> Claim | None:
        lock = None
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking, its adopter may have deleted the folder.
            held, there = os.fstat(lock), (folder / "lock").stat()
            is_the_same = (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)
        except (BlockingIOError, FileNotFoundError):
            is_the_same = False  # its writer lives, or another process has just finished with it
        except OSError as error:
            is_the_same = False
            self._set_aside(folder, error)
        try:
            if lock is not None and is_the_same and self._ours(folder):
                claim = Claim(Journal(folder), lock)
                lock = None
                return claim
        except (OSError, ValueError) as error:
            self._set_aside(folder, error)
        finally:
            if lock is not None:
                os.close(lock)
        return None

    def _ours(self, folder: Path) -> bool:
        theirs = Destination.from_bytes((folder / "destination").read_bytes())
        name = _FOLDER_NAME.fullmatch(folder.name)
        verdict = may_send(
            theirs,
            self.destination,
            same_strategy=name is not None and name["writer"] == self._writer,
            here=self._here,
            environ=self._environ,
        )
        if verdict is Verdict.ASK:
            self.undecided = True
        elif verdict is Verdict.NO and folder.parent == self.root:
            self._name_once(
                folder,
                "%s holds events for %s, and this publisher sends to %s: they stay there until a "
                "publisher for their brokers starts. To have them sent to this one's, since it is "
                "the same under another name for instance: echo %s > %s",
                folder,
                theirs,
                self.destination,
                shlex.quote(self.destination.brokers),
                shlex.quote(str(folder / "destination")),
            )
        elif verdict is Verdict.YES and theirs.brokers != self.destination.brokers:
            ours = self.destination
            known = theirs.home and theirs.home == ours.home
            known = known or (theirs.cluster_id and theirs.cluster_id == ours.cluster_id)
            # Never without a word to other brokers than were named.
            self._name_once(
                folder,
                "%s holds events that waited for %s: they are sent to %s now",
                folder,
                theirs,
                ours,
                level=logging.INFO if known else logging.WARNING,
            )
        return verdict is Verdict.YES

    def _set_aside(self, folder: Path, why: Exception) -> None:
        structural = not isinstance(why, OSError) or why.errno in _STRUCTURAL
        place = folder.parent / "damaged" / folder.name
        if structural:
            try:
                place.parent.mkdir(mode=0o700, exist_ok=True)
                if os.path.lexists(place):
                    place = place.with_name(f"{place.name}-{token_hex(4)}")
                folder.rename(place)
            except OSError:
                structural = False  # it stays where it is
        self._name_once(
            folder,
            "the spool of an ended process, %s, cannot be read (%s): its events are not sent, and "
            "it is kept as %s",
            folder,
            why,
            place if structural else folder,
        )

    def _name_once(
        self, folder: Path, text: str, *values: object, level: int = logging.WARNING
    ) -> None:
        if str(folder) not in self._named:
            self._named.add(str(folder))
            log.log(level, text, *values)


def _write_destination(folder: Path, destination: Destination) -> None:
    """In one step: whoever reads it finds the old one or the new one."""
    new = folder / "destination.new"
    new.write_text(destination.to_text(), encoding="utf-8")
    new.replace(folder / "destination")


def _age(folder: Path) -> tuple[int, str]:
    # By its lock, which is written once: the destination is written again when it is known better.
    for name in ("lock", "destination"):
        with contextlib.suppress(OSError):
            return (folder / name).stat().st_mtime_ns, folder.name
    return 0, folder.name
