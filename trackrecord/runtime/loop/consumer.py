"""The loop of the data plane: from a poll to a commit, and whatever comes between.

What happens to a batch, in order:

1. poll: up to ``batch_size`` messages of the partitions that are ours (:mod:`.membership`);
2. read: messages to columns; what cannot be read is refused with a reason; the handler
   prepares what needs no database. While much piles up, both happen in a thread beside
   the batch before, which mostly waits for the database (:mod:`.prefetch`);
3. one transaction: the handler's effects, dead letters, outgoing events and the offsets, if
   they are still ours and the topics the same (:mod:`.transaction`, :mod:`.live_commit`);
4. publish what was committed; tell Kafka the offsets, for tools that look there.

After an abort or a lost reply nothing in memory is believed: the positions are
read again from the database, and so are the messages from the broker.

Who takes part is put together in :mod:`trackrecord.runtime.process.run`.
"""

from __future__ import annotations

import threading
from contextlib import suppress

from trackrecord.clock import Clock, backoff
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.errors import FencedError, PassingError
from trackrecord.runtime.health import Health
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.loop.prefetch import Prefetch
from trackrecord.runtime.loop.session import Session
from trackrecord.runtime.loop.transaction import Transactions
from trackrecord.runtime.metrics import (
    ASSIGNED_PARTITIONS,
    FENCED,
    LAG_MESSAGES,
    OUTBOX_PENDING_MESSAGES,
    READY,
    REBALANCES,
    RETRIES,
    Metrics,
)
from trackrecord.runtime.outbox import Outbox
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Handler

_log = get_logger(__name__)

_REPORT_SECONDS = 0.5
_DRAIN_SECONDS = 5.0


class Consumer:
    """One member of a stage's consumer group."""

    def __init__(
        self,
        *,
        settings: Settings,
        handler: Handler,
        member: Membership,
        prefetch: Prefetch,
        transactions: Transactions,
        session: Session,
        outbox: Outbox,
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        """Take the collaborators; nothing is reached before :meth:`run`.

        Args:
            settings: Of the process.
            handler: The stage's; told when what it keeps in memory may be wrong.
            member: Which partitions are ours, and from where.
            prefetch: Brings batches.
            transactions: Gives them their effects.
            session: The database session that this happens in.
            outbox: Publishes what was committed.
            metrics: The runtime's, of the process.
            health: What the process says of itself.
            clock: What tells it the time.
        """
        self._settings = settings
        self._handler = handler
        self._member = member
        self._prefetch = prefetch
        self._transactions = transactions
        self._session = session
        self._outbox = outbox
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._resend = False
        self._stopping = threading.Event()
        self._asked_by: str | None = None
        self._next_report = 0.0

    # -- the loop ---------------------------------------------------------------------------

    def stop(self, signal: str | None = None) -> None:
        """Ask the loop to finish its batch and end; may be called from a signal handler.

        Args:
            signal: What asks for it, for the log.
        """
        self._asked_by = signal
        self._stopping.set()

    def run(self) -> None:
        """Work until told to stop.

        Raises:
            FatalError: The process cannot go on; its message says why.
        """
        self._member.join(self._on_leaving)
        waits = backoff()
        try:
            while not self._stopping.is_set():
                try:
                    if self._turn():
                        waits = backoff()
                except FencedError as error:
                    self._leave_and_rejoin(error)
                except PassingError as error:
                    self._start_over(error)
                    self._idle(next(waits))
            _log.info("stopping", signal=self._asked_by)
        finally:
            self._close()

    def _turn(self) -> bool:
        """One round: settle an assignment, or do a batch. True if something was committed."""
        self._health.turned()
        if self._member.unsettled:
            self._settle()
        self._member.insist()
        self._outbox.serve()
        if self._outbox.backlog > self._settings.outbox_backlog:
            self._idle(0.1)
            return False
        batch = self._prefetch.next()
        if batch is not None:
            try:
                taken = self._transactions.apply(batch)
                self._prefetch.fit(len(batch.messages), taken)
            finally:
                self._prefetch.arrive()
        elif self._session.is_open:
            self._session.run(self._outbox.tidy)
            self._session.run(self._member.pass_marks)
        self._report()
        return batch is not None

    def _settle(self) -> None:
        """Take up partitions from where their effects end, and send what their outbox holds."""
        self._handler.forget()
        if self._session.run(self._member.settle):
            self._metrics.count(REBALANCES)
            self._resend = True
        if self._resend:
            claimed = list(self._member.claims)
            self._session.run(lambda connection: self._outbox.resend(connection, claimed))
            self._resend = False
        self._ready(None)

    def _start_over(self, error: TrackrecordError) -> None:
        """After an abort: believe nothing in memory."""
        _log.warning("will try again", error=str(error))
        self._metrics.count(RETRIES)
        self._undo()
        self._member.distrust()
        # A commit whose reply was lost has left rows that were never sent.
        self._resend = True
        self._ready(str(error))

    def _leave_and_rejoin(self, error: TrackrecordError) -> None:
        _log.warning("fenced: leaving the group and joining again", error=str(error))
        self._metrics.count(FENCED)
        self._undo()
        self._ready(str(error))
        self._member.leave()
        # A client that is closed while it joins ends the process.
        if not self._stopping.is_set():
            self._member.join(self._on_leaving)

    def _undo(self) -> None:
        self._prefetch.forget()
        self._session.rollback()
        self._handler.forget()

    def _on_leaving(self, ours: bool) -> None:
        # No batch is under way here: this is called from within a poll.
        if ours:
            self._outbox.drain(_DRAIN_SECONDS)
        self._handler.forget()
        self._ready("partitions went to another member")

    def _idle(self, seconds: float) -> None:
        """Wait without reading."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0 and not self._stopping.is_set():
            self._health.turned()
            self._member.wait(left)
            self._outbox.serve()

    # -- reporting ----------------------------------------------------------------------------

    def _ready(self, why_not: str | None) -> None:
        self._health.ready, self._health.reason = why_not is None, why_not or ""
        self._metrics.set(READY, why_not is None)
        if why_not is not None:
            self._metrics.set(ASSIGNED_PARTITIONS, 0)

    def _report(self) -> None:
        now = self._clock.monotonic()
        if now < self._next_report:
            return
        self._next_report = now + _REPORT_SECONDS
        # A topic made anew may look quiet for ever: ask between batches too.
        self._member.identity.look()
        claims, lag = self._member.claims, self._member.lag()
        self._metrics.set(LAG_MESSAGES, lag)
        self._metrics.set(ASSIGNED_PARTITIONS, len(claims))
        self._metrics.set(OUTBOX_PENDING_MESSAGES, self._outbox.backlog)
        self._health.status = {
            "lag": lag,
            "outbox_pending": self._outbox.backlog,
            "assigned": [
                {"topic": t, "partition": p, "next_offset": c.next_offset, "epoch": c.epoch}
                for (t, p), c in sorted(claims.items())
            ],
        }
        self._member.tell_kafka()

    def _close(self) -> None:
        """Leave in good order: wait for acknowledgements, and undo what an error left half done."""
        self._prefetch.close()
        self._session.rollback()
        self._outbox.drain(_DRAIN_SECONDS)
        if self._session.is_open:
            with suppress(TrackrecordError):
                self._session.run(self._outbox.tidy)
        self._member.tell_kafka()
        self._member.close()
        self._session.close()
        _log.info("stopped")
