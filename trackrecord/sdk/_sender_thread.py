"""The thread that brings events from the backlog to the brokers, whatever happens to them.

The Kafka client keeps trying for ever and in order; so all that is left to do
here is to keep a bounded window of events with it, and to start that window
over, from the first event without an acknowledgement, where the client reports
an error that it cannot get over by itself, or an acknowledgement that cannot be
true (:mod:`trackrecord.kafka.acknowledgements`).
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.kafka.acknowledgements import Acknowledged
from trackrecord.sdk._backlog import Backlog, Entry
from trackrecord.sdk._kafka_producer import REJECTED
from trackrecord.sdk.delivery import Delivery, DeliveryCallback

_IDLE_SECONDS: Final = 0.5
_POLL_SECONDS: Final = 0.01
_SAVE_SECONDS: Final = 0.2
_ADOPT_SECONDS: Final = 15.0
_LATE_SECONDS: Final = 5.0
_REPEAT_SECONDS: Final = 60.0
_FIRST_RETRY_SECONDS: Final = 0.1
_LAST_RETRY_SECONDS: Final = 5.0
_SEND_AT_ONCE: Final = 500
_CLUSTER_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 2.0
_PURGED: Final = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)  # noqa: SLF001 - its names
_FATAL: Final = (KafkaError._FATAL, KafkaError._GAPLESS_GUARANTEE)  # noqa: SLF001 - its names

log = logging.getLogger("trackrecord.sdk")


class Sender(threading.Thread):
    """Owns the Kafka client."""

    def __init__(
        self,
        backlog: Backlog,
        make_client: Callable[[Callable[[KafkaError], None]], Any],
        on_delivery: DeliveryCallback | None,
        sync_seconds: float | None,
        clock: Clock = SYSTEM_CLOCK,
        has_moved: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make the client; start the thread with :meth:`start`.

        Args:
            backlog: Where events wait.
            make_client: Makes a producer that reports connection errors to its argument.
            on_delivery: Told what became of each event.
            sync_seconds: For how long events may lie in the journal without being synced
                to the disk; None: never synced.
            clock: Says when something is due.
            has_moved: Whether the brokers have another address than before, so that a new
                client finds them; asked while nothing is acknowledged.

        Raises:
            ValueError: The client does not take its settings.
        """
        super().__init__(name="trackrecord-sender", daemon=True)
        self._backlog = backlog
        self._clock = clock
        self._make_client = make_client
        self._on_delivery = on_delivery
        self._sync_seconds = sync_seconds
        self._has_moved = has_moved
        self.client = make_client(self._connection_error)
        self.adopted = threading.Event()
        """Set once the spools of ended processes have been looked for."""
        self._stopping = threading.Event()
        self._outstanding = 0
        self._recovering = False
        self._fatal = False
        self._told = Acknowledged()
        self._suspect_out = False
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._retry_at: float | None = None
        self._first: Entry | None = None
        self._first_since = 0.0
        self._warned = 0.0
        self._away = False
        self._synced = self._saved = self._adopted = self._looked = 0.0
        self._cluster: list[str | None] = []
        self._asking: threading.Thread | None = None

    def stop(self) -> None:
        """Ask the thread to end; it puts everything away first."""
        self._stopping.set()
        with self._backlog.progress:
            self._backlog.progress.notify_all()

    def run(self) -> None:
        """Work until :meth:`stop`."""
        while not self._stopping.is_set():
            try:
                self._step()
            except Exception:  # the strategy's events must not stop for a mistake of ours
                log.exception("the publisher's thread met an unexpected error and goes on")
                self._stopping.wait(1.0)
        try:
            self._purge()
        except Exception:
            log.exception("the Kafka client did not end in good order")
        self.client = None

    def _step(self) -> None:
        now = self._clock.monotonic()
        if self._undecided:
            self._ask_again(now)
        elif not self.adopted.is_set() or now - self._adopted > _ADOPT_SECONDS:
            self._adopt(now)
        self._backlog.absorb()
        self._backlog.refill()
        more = False
        if self._recovering:
            self._recover()
        else:
            more = self._send()
        self._wait(more=more)
        self._backlog.settle()
        self._keep_house(self._clock.monotonic())

    def _adopt(self, now: float) -> None:
        self._adopted = now
        if found := self._backlog.adopt():
            log.info("%d events of ended processes were found in the spool and are sent on", found)
        # What was left may have to go before what is new: nothing is sent until that is known.
        self._backlog.hold(held=self._undecided)
        if not self._undecided:
            self.adopted.set()

    @property
    def _undecided(self) -> bool:
        spool = self._backlog.spool
        return spool is not None and spool.undecided

    def _ask_again(self, now: float) -> None:
        """Have the brokers say which cluster they are, and look again once they have."""
        if self._learn_cluster():
            self._adopt(now)

    def _learn_cluster(self) -> bool:
        """Ask the brokers for their cluster's id, in a thread of its own: it may take seconds.

        Returns:
            Whether it is known.
        """
        spool = self._backlog.spool
        if spool is None or spool.destination.cluster:
            return True
        if self._cluster:
            spool.reached(self._cluster[0])
            return True
        if self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(
                target=_ask_cluster,
                args=(self.client, self._cluster),
                name="trackrecord-cluster",
                daemon=True,
            )
            self._asking.start()
        return False

    def _send(self) -> bool:
        """Give the client what it has room for; returns whether there is more at once."""
        for _ in range(_SEND_AT_ONCE):
            if self._suspect_out or self._recovering:
                return False
            entry = self._backlog.next_to_send(alone=self._outstanding == 0)
            if entry is None:
                return False
            record = entry.record
            self._outstanding += 1
            self._suspect_out = entry.suspect
            try:
                self.client.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    on_delivery=partial(self._report, entry),
                )
            except BufferError:
                self._outstanding -= 1
                self._suspect_out = False
                self._backlog.give_back(entry)
                return False
            except KafkaException as error:
                self._report(entry, error.args[0], None)
        return True

    def _wait(self, *, more: bool) -> None:
        """Hear the client's reports; sleep where there is nothing to do."""
        if self._outstanding or more:
            self._poll(0 if more else _POLL_SECONDS)
            return
        self._poll(0)
        with self._backlog.progress:
            if not self._stopping.is_set() and not self._backlog.has_handover():
                idle = _POLL_SECONDS if self._backlog.has_window() else _IDLE_SECONDS
                self._backlog.progress.wait(idle)

    def _poll(self, seconds: float) -> None:
        try:
            self.client.poll(seconds)
        except KafkaException as error:
            # The Python client raises fatal errors here instead of reporting them.
            self._connection_error(error.args[0])

    def _report(self, entry: Entry, error: KafkaError | None, message: Any) -> None:
        """Hear from the client what became of an event."""
        self._outstanding -= 1
        self._suspect_out = False
        if error is None:
            if not self._told.is_true(message):
                self._backlog.trouble("an acknowledgement cannot be true: sending again")
                self._fatal = self._recovering = True
                return
            entry.settled = True
            self._retry_seconds = _FIRST_RETRY_SECONDS
            self._count_and_tell(entry, None, message)
            self._learn_cluster()
            return
        if error.code() in REJECTED and entry.suspect:
            entry.settled = True
            self._reject(entry, error.str())
        else:
            # A whole batch comes back for the fault of one event in it: send
            # each of them alone, to find out which.
            entry.suspect = entry.suspect or error.code() in REJECTED
            self._recovering = True
            if error.code() not in _PURGED:
                self._backlog.trouble(error.str())
        self._note_fatal(error)

    def _reject(self, entry: Entry, reason: str) -> None:
        if self._backlog.spool:
            self._backlog.spool.reject(entry.record, reason)
        self._backlog.trouble(reason)
        log.error(
            "the brokers refuse an event of topic %s for good (%s)%s",
            entry.record.topic,
            reason,
            f"; it is kept in {self._backlog.spool.root}/rejected.jsonl"
            if self._backlog.spool
            else "",
        )
        self._count_and_tell(entry, reason, None)

    def _note_fatal(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in _FATAL:
            self._fatal = self._recovering = True

    def _count_and_tell(self, entry: Entry, error: str | None, message: Any) -> None:
        if entry.source is not None and not entry.source.own:
            return
        counts = self._backlog.counts
        with self._backlog.progress:
            if error is None:
                counts.delivered += 1
            else:
                counts.rejected += 1
        if self._on_delivery is None:
            return
        record = entry.record
        tell(
            self._on_delivery,
            Delivery(
                event_id=record.header("ce_id"),
                topic=record.topic,
                key=(record.key or b"").decode(errors="replace"),
                status="delivered" if error is None else "rejected",
                partition=message.partition() if message is not None else None,
                offset=message.offset() if message is not None else None,
                error=error,
            ),
        )

    def _recover(self) -> None:
        """Start the window over, once the client has nothing left in hand."""
        if self._fatal:
            self._purge()
        if self._outstanding:
            return
        # Without a pause an error that comes back at once would be met in a tight loop.
        now = self._clock.monotonic()
        if self._retry_at is None:
            self._retry_at = now + self._retry_seconds
            self._retry_seconds = min(self._retry_seconds * 2, _LAST_RETRY_SECONDS)
        if now < self._retry_at:
            return
        self._retry_at = None
        if self._fatal:
            self.client = self._make_client(self._connection_error)
            self._told = Acknowledged()
            self._fatal = False
        self._backlog.settle()
        self._backlog.restart()
        self._recovering = False

    def _purge(self) -> None:
        """Take everything back from the client; what it had sent may arrive all the same."""
        self.client.purge()
        deadline = self._clock.monotonic() + 2
        while self._outstanding and self._clock.monotonic() < deadline:
            self._poll(_POLL_SECONDS)
        self._backlog.settle()

    def _keep_house(self, now: float) -> None:
        if now - self._saved > _SAVE_SECONDS:
            self._saved = now
            self._backlog.save()
        if self._cluster:
            self._learn_cluster()
        first = self._backlog.first()
        if first is not self._first:
            self._first, self._first_since = first, now
            if self._away:
                self._away = False
                self._warned = 0.0
                log.info("the brokers take events again")
        waited = now - self._first_since if first else 0.0
        stuck = waited > _LOOK_SECONDS or self._undecided
        if stuck and now - self._looked > _LOOK_SECONDS:
            self._looked = now
            if self._has_moved():
                log.info("the brokers have another address: going on there")
                self._fatal = self._recovering = True
        wait = self._sync_seconds
        if first and wait is not None and waited >= wait and now - self._synced >= wait:
            self._synced = now
            self._backlog.sync()
        if waited > _LATE_SECONDS and now - self._warned > _REPEAT_SECONDS:
            self._warned = now
            self._away = True
            spool = self._backlog.spool
            log.warning(
                "no event was acknowledged for %.0f s: %d events wait %s and will be sent in order "
                "(%s). Check that the brokers run, that the topics exist and the settings fit",
                waited,
                self._backlog.waiting(),
                f"in {spool.root}" if spool else "in memory",
                self._backlog.counts.last_error or "no error reported",
            )

    def _connection_error(self, error: KafkaError) -> None:
        self._backlog.trouble(error.str())
        self._note_fatal(error)
        log.debug("Kafka client: %s", error.str())


def _ask_cluster(client: Any, answer: list[str | None]) -> None:
    with contextlib.suppress(KafkaException):
        answer.append(client.list_topics(timeout=_CLUSTER_SECONDS).cluster_id)


def tell(callback: DeliveryCallback, delivery: Delivery) -> None:
    """Call the user's callback; its mistakes are logged, not raised."""
    try:
        callback(delivery)
    except Exception:
        log.exception("the on_delivery callback failed for event %s", delivery.event_id)
