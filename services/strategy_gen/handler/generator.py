"""What strategy_gen does when it looks: publish, take requests up, ask language models beside."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

import psycopg2

from services.strategy_gen import store
from services.strategy_gen.handler.in_hand import InHand
from services.strategy_gen.handler.sessions import Sessions
from services.strategy_gen.handler.work import Work
from services.strategy_gen.metrics import ASKING, METRICS, OPEN
from trackrecord.catalogue.laboratory import Bars, Laboratory
from trackrecord.catalogue.store import requests
from trackrecord.catalogue.store.requests import Kind, Request
from trackrecord.catalogue.trial_bars import trial_bars
from trackrecord.errors import TrackrecordError
from trackrecord.runtime import kafka
from trackrecord.runtime.jobs import Jobs, describe
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import OUTBOX_PENDING_MESSAGES, Metrics
from trackrecord.runtime.outbox import Outbox
from trackrecord.runtime.stage import Context
from trackrecord.sandbox.isolation import SandboxError

_log = get_logger(__name__)

_LAST_WORDS_SECONDS: Final = 5.0
"""How long the process waits for language models when it is to end."""
_WARMING: Final = """
def execute_strategy(market_data, strategy_params):
    return {"action": "hold"}
"""


class Generator(Jobs):
    """Makes by the rules at hand in its turns, and asks language models in threads beside them.

    So a provider that hangs keeps no sentence waiting that needs none.
    """

    def __init__(self, context: Context, metrics: Metrics) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._clock = context.clock
        self._runtime = metrics
        self._metrics = Metrics(context.registry, store.STAGE, METRICS)
        self._stopping = threading.Event()
        self._sessions = Sessions(self._settings)
        self._work = Work(
            self._settings, self._sessions, self._clock, self._metrics, self._stopping
        )
        self._in_hand = InHand(self._settings, self._clock)
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._laboratory = Laboratory(self._settings, self._trial_bars)
        self._is_warm = False
        self._is_working = False
        self._asking: dict[str, threading.Thread] = {}
        self._wake: Callable[[], None] = lambda: None
        self._outbox = Outbox(store.STAGE, kafka.client_config(self._settings, store.STAGE))

    def woken_by(self, wake: Callable[[], None]) -> None:
        """See :class:`Jobs`."""
        self._wake = wake

    def stop(self) -> None:
        """Take nothing up any more."""
        self._stopping.set()

    @property
    def busy(self) -> bool:
        """Whether a turn is at work on a request."""
        return self._is_working

    @property
    def status(self) -> dict[str, Any]:
        """How many requests it has in hand, and for how many of them it asks a language model."""
        return {"requests": len(self._in_hand.all()), "asking": len(self._still_asking())}

    def turn(self) -> bool:
        """See :class:`Jobs`."""
        self._warm()
        self._publish()
        if self._stopping.is_set():
            return False
        if self._settings.strategy_proposals:
            self._propose()
        request = self._claim("offline")
        if request is None:
            self._ask_beside()
            return False
        self._is_working = True
        try:
            with self._in_hand.holding(request):
                self._work.do(request, self._laboratory)
        finally:
            self._is_working = False
        return True

    def close(self) -> None:
        """Wait a little for language models; what they were asked is failed, and may be billed."""
        deadline = self._clock.monotonic() + _LAST_WORDS_SECONDS
        for thread in self._still_asking().values():
            thread.join(max(0.0, deadline - self._clock.monotonic()))
        try:
            for request in self._in_hand.all():
                _log.warning("ended while a language model was asked", id=request.request_id)
                self._work.interrupted(request)
            store.OUTBOX.publish(self._outbox, self._sessions.connection(), within=2.0)
        except TrackrecordError as error:
            # Whoever takes them up when they are stale will find the same.
            _log.warning("what was asked is left to others", reason=str(error))
        self._in_hand.close()
        self._laboratory.close()

    # -- what is due --------------------------------------------------------------------------

    def _claim(self, kind: Kind) -> Request | None:
        with self._sessions.transaction() as cursor:
            self._metrics.set(OPEN, requests.open_count(cursor))
            return requests.claim(
                cursor,
                self._worker,
                stale_seconds=self._settings.strategy_stale_seconds,
                now=self._clock.now(),
                kind=kind,
                standard=self._settings.strategy_provider,
            )

    def _propose(self) -> None:
        with self._sessions.transaction() as cursor:
            new = store.propose(cursor, self._settings.model, self._clock.now())
        if new:
            _log.info("strategies are proposed", model=self._settings.model, requests=new)

    def _ask_beside(self) -> None:
        """Begin to ask language models, as many at once as the settings allow."""
        while len(self._still_asking()) < self._settings.strategy_asking:
            request = self._claim("asking")
            if request is None:
                break
            thread = threading.Thread(
                # It may not keep the process from ending.
                target=self._ask,
                args=(request,),
                name=f"asking {request.request_id}",
                daemon=True,
            )
            self._asking[request.request_id] = thread
            thread.start()
        self._metrics.set(ASKING, len(self._still_asking()))

    def _still_asking(self) -> dict[str, threading.Thread]:
        alive = {name: each for name, each in list(self._asking.items()) if each.is_alive()}
        self._asking = alive
        return alive

    def _ask(self, request: Request) -> None:
        try:
            # A sandbox of its own: validating a stranger's code takes long, and may end it.
            with (
                self._in_hand.holding(request),
                Laboratory(self._settings, self._trial_bars) as laboratory,
            ):
                self._work.do(request, laboratory)
        except TrackrecordError as error:
            _log.warning("a request is left to a later turn", reason=str(error))
        except Exception as error:  # noqa: BLE001 - the next one may do better
            _log.exception("a request is left to a later turn", reason=describe(error))
        finally:
            self._sessions.close()
            self._wake()

    # -- what it works with -------------------------------------------------------------------

    def _warm(self) -> None:
        """Start the sandbox before somebody waits for it."""
        if self._is_warm:
            return
        self._is_warm = True
        try:
            self._laboratory.of_rule(_WARMING)
        except SandboxError as error:
            _log.error("strategies cannot be validated here", reason=str(error))

    def _trial_bars(self) -> Bars:
        with self._sessions.transaction() as cursor:
            return trial_bars(cursor)

    def _publish(self) -> None:
        try:
            store.OUTBOX.publish(self._outbox, self._sessions.connection())
        except psycopg2.Error:
            # The turn is tried again, and not over what is left of this connection.
            self._sessions.close()
            raise
        with self._sessions.transaction() as cursor:
            self._runtime.set(OUTBOX_PENDING_MESSAGES, store.OUTBOX.pending(cursor))
