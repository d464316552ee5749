"""The numbers that are judged from daily returns: worked out beside the requests.

They need all strategies, as what luck gives depends on how many there are, so no request works
them out. A process of its own does (:mod:`trackrecord.api.working_out`), since work in this one
would hold up requests, and is started anew should it end. Measures are kept in the database for
all who read them, records in memory for requests.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final

import orjson

from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings

_log = get_logger(__name__)

_FIRST_SECONDS: Final = 10.0
"""How long a request waits for the first numbers after the start."""

_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""How many threads numpy's libraries take, by whichever it was built with: by default all
processors, which requests wait for."""

_AGAIN_SECONDS: Final = 1.0
_END_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Judged:
    """Records with the numbers of daily returns.

    Attributes:
        as_of: When they were worked out.
        version: Of the record that they are of.
        records: By strategy, as ``trackrecord report`` gives them.
    """

    as_of: datetime
    version: str
    records: dict[str, Any]


class JudgedNumbers:
    """Has them worked out, and holds the latest."""

    def __init__(self, settings: Settings) -> None:
        """Know nothing yet.

        Args:
            settings: What is known of the strategies, and where they are.
        """
        self._settings = settings
        self._stop = threading.Event()
        self._known = threading.Event()
        self._judged: Judged | None = None
        self._thread = threading.Thread(target=self._run, name="judged numbers", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to have them worked out."""
        self._thread.start()

    def stop(self) -> None:
        """End the process that works them out."""
        self._stop.set()
        if self._process is not None:
            _end(self._process)
        self._thread.join(_END_SECONDS)

    def current(self) -> Judged:
        """The latest, with the time that they are of.

        Raises:
            PassingError: There are none yet.
        """
        if not self._known.wait(_FIRST_SECONDS) or self._judged is None:
            raise PassingError("the numbers are being worked out: ask again in a moment")
        return self._judged

    def _run(self) -> None:
        while not self._stop.is_set():
            process = subprocess.Popen(
                [sys.executable, "-m", "trackrecord.api.working_out"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | dict.fromkeys(_THREADS, "1"),
            )
            self._process = process
            # Settings hold passwords: they are handed over where no list of processes shows them.
            settings = self._settings.model_dump_json().encode() + b"\n"
            with process:
                try:
                    if process.stdin is not None and process.stdout is not None:
                        process.stdin.write(settings)
                        process.stdin.flush()
                        while not self._stop.is_set() and self._take(process.stdout):
                            pass
                except OSError as error:
                    _log.warning("the process that works numbers out is gone", reason=str(error))
                _end(process)
            if not self._stop.is_set():
                _log.warning("numbers are not worked out for now", exit_code=process.returncode)
                self._stop.wait(_AGAIN_SECONDS)

    def _take(self, output: IO[bytes]) -> bool:
        """Take one set of records; whether there was one."""
        line = output.readline()
        if not line.endswith(b"\n"):
            return False
        head = orjson.loads(line)
        content = output.read(head["bytes"])
        if len(content) < head["bytes"]:
            return False
        as_of = datetime.fromisoformat(head["as_of"])
        self._judged = Judged(as_of, head["version"], orjson.loads(content))
        self._known.set()
        return True


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it: what it reads is closed, and if that is not enough it is told so."""
    if process.stdin is not None and not process.stdin.closed:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
