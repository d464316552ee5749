"""The events that strategies publish most, made from their parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

from trackrecord.clock import Clock
from trackrecord.events import (
    Event,
    InvalidEventError,
    MarketBar,
    ScriptExecuted,
    SignalClosed,
    SignalEmitted,
    codec,
)
from trackrecord.events.types import Account
from trackrecord.sdk.uuid7 import new_id

Money = str | Decimal | int
"""An exact amount: ``"150.25"``, ``Decimal("150.25")`` or ``150``; never a float."""

SideName = Literal["BUY", "SELL", "LONG", "SHORT"]

_MONEY_FIELDS: Final = frozenset(
    {
        *("price", "quantity", "target_price", "stop_loss", "fee", "fee_rate", "leverage"),
        *("interest", "funding", "entry_price", "open", "high", "low", "close", "volume"),
    }
)

E = TypeVar("E", bound=Event)


class EventHelpers(ABC):
    """Makes events and publishes them; each helper returns the event that it made.

    All raise :class:`~trackrecord.events.InvalidEventError` (a ``ValueError``)
    at once where a value breaks a rule, and nothing is published then.
    """

    strategy: str
    """Whose events these are."""

    clock: Clock
    """Says when, where the caller does not."""

    @abstractmethod
    def publish(
        self, event: Event, *, event_id: str | None = None, traceparent: str | None = None
    ) -> bool:
        """Hand an event over, to be sent in the background."""

    def signal(
        self,
        symbol: str,
        side: SideName,
        *,
        price: Money,
        quantity: Money = 1,
        target_price: Money | None = None,
        stop_loss: Money | None = None,
        horizon_bars: int | None = None,
        currency: str = "USD",
        timeframe: str = "1d",
        exits: Literal["own", "barriers"] = "own",
        entry: Literal["filled", "next_open"] = "filled",
        fee: Money | None = None,
        fee_rate: Money | None = None,
        leverage: Money | None = None,
        confidence: float | None = None,
        source: str | None = None,
        execution_id: str | None = None,
        model_version: str | None = None,
        account: Account | None = None,
        metadata: Mapping[str, Any] | None = None,
        signal_id: str | None = None,
        emitted_at: datetime | None = None,
        traceparent: str | None = None,
    ) -> SignalEmitted:
        """Say: open this position.

        Args:
            symbol: The instrument.
            side: ``BUY`` (or ``LONG``) opens a long position, ``SELL`` (``SHORT``) a short one.
            price: Entry price per unit.
            quantity: Units.
            target_price: Where it takes its profit.
            stop_loss: Where it gives up.
            horizon_bars: How many bars it has, the entry bar included.
            currency: The currency of price and fees.
            timeframe: The bars on which its outcome is judged: ``1m``, ``4h``, ``1d`` …
            exits: ``own``: you send the exits; ``barriers``: target, stop or horizon close it.
            entry: ``filled``: entered at ``price``; ``next_open``: at the next bar's open.
            fee: Money paid on entry.
            fee_rate: Fraction of the notional paid on entry, instead of ``fee``.
            leverage: Multiplies the return, never the PnL.
            confidence: How sure you are, 0 to 1.
            source: What produced it.
            execution_id: The script run that it comes from.
            model_version: The model that it comes from.
            account: Where its trades are made: ``live``, ``paper``, ``backtest``, ``imported``.
            metadata: What you add for yourself: JSON values.
            signal_id: Its id; left out: a new one.
            emitted_at: When it was said, with a time zone; left out: now.
            traceparent: The W3C trace context that it belongs to.

        Raises:
            InvalidEventError: A value breaks a rule.
        """
        event = _make(
            SignalEmitted,
            signal_id=signal_id or new_id(self.clock.now()),
            strategy=self.strategy,
            symbol=symbol,
            side=side,
            price=price,
            quantity=quantity,
            target_price=target_price,
            stop_loss=stop_loss,
            horizon_bars=horizon_bars,
            currency=currency,
            timeframe=timeframe,
            exits=exits,
            entry=entry,
            fee=fee,
            fee_rate=fee_rate,
            leverage=leverage,
            confidence=confidence,
            source=source,
            execution_id=execution_id,
            model_version=model_version,
            account=account,
            metadata=dict(metadata) if metadata is not None else None,
            emitted_at=emitted_at or self.clock.now(),
        )
        self.publish(event, traceparent=traceparent)
        return event

    def exit(
        self,
        signal: SignalEmitted | tuple[str, str],
        *,
        price: Money,
        quantity: Money | None = None,
        reason: str = "manual",
        fee: Money | None = None,
        fee_rate: Money | None = None,
        interest: Money | None = None,
        funding: Money | None = None,
        entry_price: Money | None = None,
        exit_id: str | None = None,
        closed_at: datetime | None = None,
        traceparent: str | None = None,
    ) -> SignalClosed:
        """Say: this position, or a part of it, is closed.

        Args:
            signal: The signal, or its id and symbol.
            price: Exit price per unit.
            quantity: Units closed; left out: all that is still open.
            reason: Why: ``target``, ``stop``, ``expired``, ``manual`` … or any text.
            fee: Money paid on this exit.
            fee_rate: Fraction of the exit notional paid, instead of ``fee``.
            interest: Interest paid for holding what was closed.
            funding: Funding paid for holding what was closed.
            entry_price: The open at which a signal with ``entry="next_open"`` was entered; left
                out, its own price counts.
            exit_id: This exit's id; left out: a new one.
            closed_at: When it was closed, with a time zone; left out: now.
            traceparent: The W3C trace context that it belongs to.

        Raises:
            InvalidEventError: A value breaks a rule.
        """
        if isinstance(signal, SignalEmitted):
            signal_id, symbol, strategy = signal.signal_id, signal.symbol, signal.strategy
        else:
            (signal_id, symbol), strategy = signal, self.strategy
        event = _make(
            SignalClosed,
            signal_id=signal_id,
            exit_id=exit_id or new_id(self.clock.now()),
            symbol=symbol,
            strategy=strategy,
            price=price,
            quantity=quantity,
            closed_at=closed_at or self.clock.now(),
            fee=fee,
            fee_rate=fee_rate,
            interest=interest,
            funding=funding,
            entry_price=entry_price,
            reason=reason,
        )
        self.publish(event, traceparent=traceparent)
        return event

    def correct(self, event: E, *, traceparent: str | None = None, **changes: Any) -> E:
        """Say something again, rightly: the same id with the next revision, which wins.

        Args:
            event: What was said before, or its latest correction.
            traceparent: The W3C trace context that it belongs to.
            **changes: Fields and their new values.

        Raises:
            InvalidEventError: A value breaks a rule; a field does not exist or is part of
                the id; or the event has no revisions.
        """
        model = type(event)
        if "revision" not in model.model_fields:
            raise InvalidEventError(f"{event.event_type} has no revisions: it cannot be corrected")
        for name in changes:
            if name not in model.model_fields:
                raise InvalidEventError(f"{name}: {event.event_type} has no such field")
            if name in {*event.identity, "revision"}:
                raise InvalidEventError(f"{name}: says which event it is, and cannot be corrected")
        fields = {**event.model_dump(by_alias=False), **changes}
        fields["revision"] = event.model_dump()["revision"] + 1
        corrected = _make(model, **fields)
        self.publish(corrected, traceparent=traceparent)
        return corrected

    def script_executed(
        self,
        script: str,
        output: str,
        *,
        exit_code: int = 0,
        started_at: datetime | None = None,
        finished_at: datetime | None = None,
        program: str | None = None,
        symbol: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        execution_id: str | None = None,
        traceparent: str | None = None,
    ) -> ScriptExecuted:
        """Say: a script ran, and this is what it printed.

        Args:
            script: The script's name; its runs make one record.
            output: What it printed. The whole event may take 256 KiB.
            exit_code: What it returned to the system.
            started_at: When it began, with a time zone; left out: when it ended.
            finished_at: When it ended; left out: now.
            program: What was started: a path or a command line.
            symbol: The instrument that it was asked about.
            parameters: What it was given: JSON values.
            execution_id: This run's id; left out: a new one.
            traceparent: The W3C trace context that it belongs to.

        Raises:
            InvalidEventError: A value breaks a rule.
        """
        finished_at = finished_at or self.clock.now()
        event = _make(
            ScriptExecuted,
            execution_id=execution_id or new_id(self.clock.now()),
            script=script,
            program=program,
            symbol=symbol,
            started_at=started_at or finished_at,
            finished_at=finished_at,
            exit_code=exit_code,
            output=output,
            parameters=dict(parameters) if parameters is not None else None,
        )
        self.publish(event, traceparent=traceparent)
        return event

    def bar(
        self,
        symbol: str,
        *,
        open: Money,  # noqa: A002 - the field's name
        high: Money,
        low: Money,
        close: Money,
        volume: Money,
        opened_at: datetime,
        closed_at: datetime,
        timeframe: str = "1d",
        source: str | None = None,
        split_ratio: Money | None = None,
        traceparent: str | None = None,
    ) -> MarketBar:
        """Say: these were the prices.

        Args:
            symbol: The instrument.
            open: First price.
            high: Highest price.
            low: Lowest price.
            close: Last price.
            volume: Units traded.
            opened_at: The bar's first instant, with a time zone.
            closed_at: The instant from which the bar is known, with a time zone.
            timeframe: The bar's length: ``1m``, ``4h``, ``1d`` …
            source: Where the prices come from; left out: this publisher's name.
            split_ratio: New shares for an old one, from this bar on, of prices that are not
                adjusted for it: 2 where each became two.
            traceparent: The W3C trace context that it belongs to.

        Raises:
            InvalidEventError: A value breaks a rule.
        """
        event = _make(
            MarketBar,
            symbol=symbol,
            timeframe=timeframe,
            source=source or self.strategy,
            opened_at=opened_at,
            closed_at=closed_at,
            open=open,
            high=high,
            low=low,
            close=close,
            volume=volume,
            split_ratio=split_ratio,
        )
        self.publish(event, traceparent=traceparent)
        return event


def _make(model: type[E], **fields: Any) -> E:
    for name in _MONEY_FIELDS & fields.keys():
        value = fields[name]
        if isinstance(value, float):
            raise InvalidEventError(
                f"{name}: {value!r} is a float, which does not hold money exactly: give the text "
                f'"{float(value)!r}" or a Decimal, as the broker or exchange wrote it'
            )
    return codec.validate(model, fields)
