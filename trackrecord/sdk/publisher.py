"""Publish events from a strategy without waiting for the broker."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.events import Event, InvalidEventError, codec
from trackrecord.events.types import Identifier, Name
from trackrecord.kafka import config, local_stack
from trackrecord.sdk import _at_exit
from trackrecord.sdk._backlog import Backlog
from trackrecord.sdk._event_methods import EventHelpers
from trackrecord.sdk._journal_record import Record
from trackrecord.sdk._kafka_producer import make_producer, producer_settings
from trackrecord.sdk._sender_thread import Sender, tell
from trackrecord.sdk._spool import Claim, Spool
from trackrecord.sdk._where import Where, locate
from trackrecord.sdk.delivery import Delivery, DeliveryCallback, Stats

CLOSE_SECONDS: Final = 5.0
"""How long :meth:`Publisher.close` waits for the brokers, unless told otherwise."""

_REFUSED_LOG_SECONDS: Final = 10.0
_ASYNC_POLL_SECONDS: Final = 0.005
_JOIN_SECONDS: Final = 10.0
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)

log = logging.getLogger("trackrecord.sdk")


class Publisher(EventHelpers):
    """Publishes a strategy's events; never blocks it and never breaks it.

    Usable from any thread and from asyncio. An event that breaks a rule raises
    at once, in the caller; trouble with brokers or network never does: events
    then wait in memory and on disk, and are sent on in order, by this process or
    by the next one that uses the same spool.

    What is promised and what is not: ``docs/sdk.md``.
    """

    def __init__(
        self,
        strategy: str,
        *,
        bootstrap_servers: str | None = None,
        topic_prefix: str | None = None,
        spool_dir: str | Path | None = None,
        kafka: Mapping[str, str] | None = None,
        on_delivery: DeliveryCallback | None = None,
        max_buffered_messages: int = 10_000,
        max_buffered_bytes: int = 32 * 1024 * 1024,
        max_spool_bytes: int = 256 * 1024 * 1024,
        spool_sync_seconds: float | None = 1.0,
        environ: Mapping[str, str] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Begin to publish. No broker needs to be there.

        Where none is named, that of the local stack is taken that is found from the current folder
        (:mod:`trackrecord.kafka.local_stack`), else ``127.0.0.1:9092``; and a stack that is started
        later, or gets another port, is followed.

        Args:
            strategy: The strategy's name, under which its record is kept.
            bootstrap_servers: The brokers, ``host:port,host:port``; instead of
                ``TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS``.
            topic_prefix: What the topics' names begin with; instead of
                ``TRACKRECORD_TOPIC_PREFIX``.
            spool_dir: Where events wait on disk; instead of ``TRACKRECORD_SPOOL_DIR``.
            kafka: Further settings of librdkafka, by its own names; they go before
                those of the environment.
            on_delivery: Called with the final word on each event, on the publisher's own
                thread (on the caller's for a refused one). Keep it short.
            max_buffered_messages: How many events may be in memory.
            max_buffered_bytes: How many bytes they may take; the Kafka client holds a
                copy of up to half of them.
            max_spool_bytes: How many bytes this publisher's spool files may take;
                0: no spool.
            spool_sync_seconds: For how long events may wait before their spool file is
                forced to the disk; a power cut costs at most these. 0: forced at every
                write. None: never.
            environ: The environment to read; ``os.environ`` by default.
            clock: Says when an event was published, and when something is due.

        Raises:
            ValueError: A name or a setting does not fit.
            OSError: The spool folder that was asked for cannot be used.
        """
        self.clock = clock
        environ = os.environ if environ is None else environ
        try:
            self.strategy = _NAME.validate_python(strategy)
        except ValidationError as error:
            raise ValueError(f"the strategy's name: {codec.explain(error)}") from None
        self._source = f"/sdk/{quote(self.strategy, safe='')}"
        self._on_delivery = on_delivery
        named = bootstrap_servers or (kafka or {}).get("bootstrap.servers")
        # Not kept as a value: the environment holds secrets.
        self._locate: Callable[[], Where] = lambda: locate(environ, named)
        self._where = where = self._locate()
        if topic_prefix is None:
            topic_prefix = config.topic_prefix(where.environ)
        self._topic_prefix = config.checked_topic_prefix(topic_prefix)
        settings = {**config.kafka_settings(where.environ), **(kafka or {})}
        if bootstrap_servers is not None:
            settings["bootstrap.servers"] = bootstrap_servers
        settings = producer_settings(settings, f"trackrecord-sdk-{os.getpid()}")
        self._settings = config.masked(settings)

        spool, claim = self._open_spool(spool_dir, max_spool_bytes)
        self._backlog = Backlog(spool, claim, max_buffered_messages, max_buffered_bytes, clock)
        try:
            self._sender = Sender(
                self._backlog,
                lambda on_error: make_producer(self._current(settings), on_error),
                on_delivery,
                spool_sync_seconds,
                clock,
                self._has_moved,
            )
        except ValueError:
            if claim:
                claim.release(remove=True)
            raise
        self._pid = os.getpid()
        self._closed = False
        self._closing = threading.Lock()
        self._refused_logged = float("-inf")
        _at_exit.opened(self)
        self._sender.start()

    def __repr__(self) -> str:
        """Its name and its brokers; no secrets."""
        return f"Publisher({self.strategy!r}, {self._settings['bootstrap.servers']!r})"

    @property
    def spool_dir(self) -> Path | None:
        """The folder in which events wait on disk; None: they do not."""
        return self._backlog.spool.root if self._backlog.spool else None

    def publish(
        self, event: Event, *, event_id: str | None = None, traceparent: str | None = None
    ) -> bool:
        """Hand an event over, to be sent in the background.

        Args:
            event: The event.
            event_id: Its id; left out: one derived from what it is about and its revision,
                so that saying it twice does no harm.
            traceparent: The W3C trace context that it belongs to.

        Returns:
            Whether it was taken. False: memory and spool are full, and it is lost; this is
            also logged, counted in :attr:`stats` and told to ``on_delivery``.

        Raises:
            InvalidEventError: The event, its id or the trace context breaks a rule.
            RuntimeError: The publisher is closed, or was made before this process was forked.
        """
        self._check_usable()
        if event_id is not None:
            try:
                _IDENTIFIER.validate_python(event_id)
            except ValidationError as error:
                raise InvalidEventError(f"event_id: {codec.explain(error)}") from None
        if traceparent is not None and not _TRACEPARENT.fullmatch(traceparent):
            raise InvalidEventError(
                "traceparent: not a W3C trace context such as "
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            )
        try:
            value = codec.encode(event)
            # model_construct and model_copy make models that nobody has checked.
            codec.decode(type(event), value)
        except (AttributeError, TypeError) as error:
            raise InvalidEventError(f"not a whole {type(event).__name__}: {error}") from None
        record = Record(
            topic=self._topic_prefix + event.event_type,
            key=event.key.encode(),
            value=value,
            headers=tuple(
                codec.headers(
                    event,
                    source=self._source,
                    time=self.clock.now(),
                    event_id=event_id,
                    traceparent=traceparent,
                )
            ),
        )
        taken = self._backlog.offer(record)
        if not taken:
            self._refused(record)
        return taken

    @property
    def stats(self) -> Stats:
        """How the publisher is doing, right now."""
        counts = self._backlog.counts
        return Stats(
            accepted=counts.accepted,
            delivered=counts.delivered,
            rejected=counts.rejected,
            refused=counts.refused,
            waiting=self._backlog.waiting(),
            in_memory=self._backlog.in_memory(),
            unwritten=len(self._backlog.unwritten()),
            adopted=counts.adopted,
            spool_bytes=self._backlog.spool_bytes(),
            last_error=counts.last_error,
        )

    def flush(self, timeout: float | None = None) -> int:
        """Wait until the brokers have what was published so far, and what was left behind.

        Args:
            timeout: How long to wait, in seconds; None: as long as it takes.

        Returns:
            How many events still wait; 0: everything arrived. Called from within
            ``on_delivery`` it does not wait.
        """
        self._check_process()
        backlog = self._backlog
        if threading.current_thread() is self._sender:
            return backlog.waiting()
        deadline = None if timeout is None else self.clock.monotonic() + timeout
        self._sender.adopted.wait(timeout)
        left = None if deadline is None else max(0.0, deadline - self.clock.monotonic())
        with backlog.progress:
            accepted = backlog.counts.accepted
            if backlog.progress.wait_for(lambda: self._is_settled(accepted), left):
                return max(0, backlog.waiting() - (backlog.counts.accepted - accepted))
            return backlog.waiting()

    async def aflush(self, timeout: float | None = None) -> int:  # noqa: ASYNC109 - as flush
        """As :meth:`flush`, for asyncio: other tasks run meanwhile."""
        self._check_process()
        deadline = None if timeout is None else self.clock.monotonic() + timeout
        accepted = self._backlog.counts.accepted
        while not (self._sender.adopted.is_set() and self._is_settled(accepted)):
            if deadline is not None and self.clock.monotonic() >= deadline:
                break
            await asyncio.sleep(_ASYNC_POLL_SECONDS)
        return self._backlog.waiting()

    def close(self, timeout: float | None = CLOSE_SECONDS) -> int:
        """End. What the brokers have not taken by then stays in the spool for the next publisher.

        Args:
            timeout: How long to wait for the brokers, in seconds; None: as long as it takes.

        Returns:
            How many events still wait in the spool, or, without one, are lost.
        """
        if os.getpid() != self._pid:
            return 0  # a forked child: the parent's events are the parent's business
        with self._closing:
            if self._closed:
                return self._backlog.waiting()
            self._closed = True
            waiting = self.flush(timeout)
            self._sender.stop()
            self._sender.join(_JOIN_SECONDS)
            if self._sender.is_alive():
                log.error("the publisher's thread did not end; its spool is left as it is")
                self._backlog.end()
                return waiting
            self._backlog.end()
            waiting = self._backlog.waiting()
            lost = self._backlog.release()
            _at_exit.closed(self)
        if lost:
            log.error("%d events of %s are lost: %s", lost, self, self._backlog.counts.last_error)
        elif waiting:
            advice = self._where.advice
            log.warning(
                "%d events wait in %s: %s did not take them (%s); the next publisher that uses "
                "this spool sends them%s",
                waiting,
                self.spool_dir,
                self._settings["bootstrap.servers"],
                self._backlog.counts.last_error or "no error reported",
                f"; {advice}" if advice else "",
            )
        return waiting

    async def aclose(self, timeout: float | None = CLOSE_SECONDS) -> int:  # noqa: ASYNC109
        """As :meth:`close`, for asyncio: other tasks run meanwhile."""
        await self.aflush(timeout)
        return await asyncio.to_thread(self.close, 0)

    def __enter__(self) -> Self:
        """Begin a ``with`` block that ends with :meth:`close`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    async def __aenter__(self) -> Self:
        """Begin an ``async with`` block that ends with :meth:`aclose`."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self.aclose()

    def leave_to_parent(self) -> None:
        """In a forked child: let go of what belongs to the parent, without touching it."""
        _at_exit.keep_for_ever(self._sender.client)
        for claim in self._backlog.claims():
            claim.forget()

    def _open_spool(
        self, spool_dir: str | Path | None, max_bytes: int
    ) -> tuple[Spool | None, Claim | None]:
        if max_bytes <= 0:
            return None, None
        where = self._where
        asked_for = spool_dir is not None or bool(where.environ.get(config.SPOOL_VARIABLE))
        root = Path(spool_dir) if spool_dir is not None else config.spool_directory(where.environ)
        # What was published before there was a home lies where there is none.
        elsewhere = [] if asked_for else [config.spool_directory(_no_home(where.environ))]
        try:
            spool = Spool(
                root, where.destination, max_bytes, elsewhere=elsewhere, environ=where.environ
            )
            return spool, spool.claim(self.strategy)
        except OSError as error:
            if asked_for:
                raise
            log.warning(
                "no spool: %s. Events wait in memory only, and are lost if this process ends "
                "before the brokers take them; set %s to a folder that can be written to",
                error,
                config.SPOOL_VARIABLE,
            )
            return None, None

    def _has_moved(self) -> bool:
        """Whether the local stack is up now, at another address than the client has."""
        where = self._locate()
        if where.is_named or not where.is_up or where.destination == self._where.destination:
            return False
        self._where = where
        return True

    def _current(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The settings of the client, with the address that the brokers have now."""
        brokers = self._where.destination.brokers
        if self._where.is_named or not self._where.is_up:
            return dict(settings)
        self._settings = {**self._settings, "bootstrap.servers": brokers}
        return {**settings, "bootstrap.servers": brokers}

    def _is_settled(self, accepted: int) -> bool:
        return self._backlog.settled_up_to(accepted) or not self._sender.is_alive()

    def _refused(self, record: Record) -> None:
        counts = self._backlog.counts
        reason = counts.last_error or "memory is full, and there is no spool"
        now = self.clock.monotonic()
        if now - self._refused_logged > _REFUSED_LOG_SECONDS:
            self._refused_logged = now
            log.error(
                "an event was REFUSED and is lost (%d so far): %d events wait already and %s",
                counts.refused,
                self._backlog.waiting(),
                reason,
            )
        if self._on_delivery:
            delivery = Delivery(
                event_id=record.header("ce_id"),
                topic=record.topic,
                key=(record.key or b"").decode(errors="replace"),
                status="refused",
                error=reason,
            )
            tell(self._on_delivery, delivery)

    def _check_usable(self) -> None:
        self._check_process()
        if self._closed:
            raise RuntimeError(f"{self} is closed: make a new Publisher")

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise RuntimeError(
                f"{self} was made before this process was forked, and its thread stayed with the "
                "parent: make a Publisher in each process"
            )


def _no_home(environ: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k != local_stack.HOME_VARIABLE}
