"""One process under supervision: started, checked, started again when it dies."""

from __future__ import annotations

import http.client
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from trackrecord.local.child import Child, Program, start
from trackrecord.local.layout import HOST
from trackrecord.local.state import (
    DOWN,
    HALTED,
    HEALTHY,
    RESTARTING,
    STARTING,
    UNHEALTHY,
    ProcessState,
)

# A stage ends itself with this code when a restart would not cure what stopped it.
HALTED_EXIT_CODE = 3

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
# How often a server is started that has not been healthy yet, even where restarting is
# off: what ran before it may take a moment to let go (of a port, of shared memory).
_FIRST_ATTEMPTS = 3
# What is healthy is asked this often; what is not yet, ten times a second.
_CHECK_EVERY_S = 1.0
# Who has been up this long is not in a crash loop: the next delay is the first again.
_SETTLED_S = 60.0


class Managed:
    """A process of the stack. Everything but the health check runs in the main thread."""

    def __init__(
        self,
        stage: str,
        instance: int,
        program: Program,
        check: Callable[[], bool],
        *,
        restart: bool,
        grace: float,
        metrics_port: int | None = None,
    ) -> None:
        self.stage = stage
        self.instance = instance
        self.program = program
        self.grace = grace
        self._check = check
        self._restart = restart
        self._metrics_port = metrics_port
        self._child: Child | None = None
        self._healthy: Child | None = None
        self._was_healthy = False  # since it was last started
        self._ever_healthy = False
        self._restarts = 0
        self._in_a_row = 0
        self._started = 0.0
        self._start_at: float | None = None
        self._kill_at: float | None = None
        self._exit_code: int | None = None
        self._idle_state = DOWN
        self._why: str | None = None
        self._retired = False
        threading.Thread(target=self._watch, name=f"health of {program.name}", daemon=True).start()

    @property
    def restart(self) -> bool:
        """Whether it is started again when it dies; may be changed while it runs."""
        return self._restart

    @restart.setter
    def restart(self, wanted: bool) -> None:
        self._restart = wanted

    @property
    def gone(self) -> bool:
        """Whether it was to leave, and has ended."""
        return self._retired and not self.running

    @property
    def running(self) -> bool:
        """Whether the process is there, healthy or not."""
        return self._child is not None and self._child.exit_code() is None

    def start(self) -> None:
        """Start it now."""
        self._start_at = None
        self._kill_at = None
        self._was_healthy = False
        self._why = None
        self._started = time.monotonic()
        self._child = start(self.program)

    def request_stop(self) -> None:
        """Ask it to end and to stay down; `tick` sees to it that it does."""
        self._start_at = None
        self._idle_state = DOWN
        self._why = "stopped on request"
        if self._child is not None:
            self._child.ask_to_stop()
            self._kill_at = time.monotonic() + self.grace

    def request_restart(self) -> None:
        """Start it, after ending it in good order if it runs."""
        self.request_stop()
        self._in_a_row = 0
        self._start_at = time.monotonic()

    def request_start(self) -> None:
        """Start it, unless it runs."""
        if not self.running:
            self.request_restart()

    def retire(self) -> None:
        """Ask it to end and to be looked after no more; `gone` tells when it has."""
        self._retired = True
        self.request_stop()

    def tick(self) -> None:
        """Take notice of its end, and do what is due."""
        now = time.monotonic()
        if self._child is not None:
            code = self._child.exit_code()
            if code is not None:
                self._ended(self._child, code, now)
            elif self._kill_at is not None and now >= self._kill_at:
                self._child.kill()
        if self._child is None and self._start_at is not None and now >= self._start_at:
            self.start()

    def _ended(self, child: Child, code: int, now: float) -> None:
        # A process that forked, and was killed, may have left others in its session.
        child.kill_session()
        asked = self._kill_at is not None
        self._child = None
        self._kill_at = None
        self._exit_code = code
        if asked:
            return
        how = _ended_how(code)
        self._why = f"{how}; it is not started again"
        if code == HALTED_EXIT_CODE and self._metrics_port is not None:
            self._idle_state = HALTED
            self._why = "halted itself: a restart would not cure what stopped it; read its log"
        elif self._will_start_again():
            self._in_a_row = 1 if now - self._started > _SETTLED_S else self._in_a_row + 1
            delay = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** (self._in_a_row - 1))
            self._restarts += 1
            self._start_at = now + delay
            due = datetime.now(UTC) + timedelta(seconds=delay)
            self._why = f"{how}; started again at {due:%H:%M:%S} UTC"
        else:
            self._idle_state = DOWN

    def _will_start_again(self) -> bool:
        is_stage = self._metrics_port is not None
        if self._restart and (is_stage or self._ever_healthy):
            return True
        return not is_stage and not self._was_healthy and self._in_a_row + 1 < _FIRST_ATTEMPTS

    @property
    def state(self) -> ProcessState:
        """How it stands."""
        child = self._child
        if child is None:
            state = self._idle_state if self._start_at is None else RESTARTING
        elif self._healthy is child:
            state = HEALTHY
        else:
            state = UNHEALTHY if self._was_healthy else STARTING
        url = f"http://{HOST}:{self._metrics_port}/metrics" if self._metrics_port else None
        return ProcessState(
            stage=self.stage,
            instance=self.instance,
            pid=child.pid if child else None,
            created=child.created if child else None,
            state=state,
            restarts=self._restarts,
            exit_code=self._exit_code,
            metrics_url=url,
            log=str(self.program.log),
            why=None if state == HEALTHY else self._why,
        )

    def _watch(self) -> None:
        """Check its health until it is gone, in a thread: an answer may take seconds."""
        while not self.gone:
            child = self._child
            try:
                healthy = child is not None and self._check()
            except Exception:  # noqa: BLE001 - whatever it was, the answer was not "healthy"
                healthy = False
            # Credited to the very process that was there when the question was asked.
            self._healthy = child if healthy else None
            if healthy and child is self._child:
                self._was_healthy = self._ever_healthy = True
            asked = time.monotonic()
            while healthy and child is self._child and time.monotonic() < asked + _CHECK_EVERY_S:
                time.sleep(0.1)
            time.sleep(0.1)


def _ended_how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def stage_ready(port: int) -> bool:
    """Ask a stage whether it is ready; gives up after two seconds.

    Args:
        port: Where it serves ``/readyz`` on loopback.

    Returns:
        True if it answered 200.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
