"""What came of the bars of a batch, until it is written and published."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from confluent_kafka import Message

from services.strategy_runner.handler.roster import Member
from services.strategy_runner.rows import Corrected, Decided, Key, Stood, VersionKey
from trackrecord.events import Event
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.stage import Outgoing
from trackrecord.strategies.contract import Decision, Fault
from trackrecord.strategies.live.lines import Came
from trackrecord.strategies.live.signals import closed
from trackrecord.strategies.live.standing import Emitted, Left, Standing

_log = get_logger(__name__)

_SOURCE = "/strategy_runner"


@dataclass
class Noted:
    """What is to be written of a batch.

    Attributes:
        messages: Of the batch.
        now: When it is worked on.
        standings: By symbol and version, what is held now.
        counts: By version, what it was asked and answered.
        failures: By version and symbol, how often in a row it has failed now.
        failed: By version, how often in a row it has failed on whatever symbol.
        suspended: Why strategies are asked no more.
        corrected: Bars that were corrected after they had counted.
        missed: How many decisions were not made, by reason.
        answers: How many decisions there were, by answer; ``asked`` is all.
        signals: How many events there are to publish, by kind.
    """

    messages: Sequence[Message]
    now: datetime
    outgoing: list[Outgoing] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    standings: dict[tuple[Key, VersionKey], tuple[str | None, Standing | None]] = field(
        default_factory=dict
    )
    counts: defaultdict[VersionKey, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    failures: dict[tuple[VersionKey, Key], int] = field(default_factory=dict)
    failed: dict[VersionKey, int] = field(default_factory=dict)
    suspended: dict[str, str] = field(default_factory=dict)
    corrected: dict[Corrected, None] = field(default_factory=dict)
    missed: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)

    def take_stood(self) -> list[Stood]:
        """What strategies hold of symbols, as it is written; what was taken is not kept."""
        standings, self.standings = self.standings, {}
        return [
            Stood(
                *key, version[0], version[1], source,
                None if standing is None else standing.to_text(),
            )
            for (key, version), (source, standing) in standings.items()
        ]  # fmt: skip

    def leaves(
        self, member: Member | None, version: VersionKey, symbol: str, bar: Came, left: Left
    ) -> None:
        """Publish the exit of a signal."""
        try:
            event = closed(None if member is None else member.speaker.name, symbol, bar, left)
        except ValueError as error:
            # Splits have led beyond what an event can hold.
            _log.error("an exit cannot be told", signal_id=left.signal, reason=str(error))
            return
        self._publish(event, bar.position)
        self.counts[version]["exits"] += 1
        self.signals["closed"] += 1

    def emits(self, version: VersionKey, event: Event, bar: Came) -> None:
        """Publish a signal."""
        self._publish(event, bar.position)
        self.counts[version]["entries"] += 1
        self.signals["emitted"] += 1

    def _publish(self, event: Event, position: int) -> None:
        self.outgoing.append(
            Outgoing.of(
                event,
                source=_SOURCE,
                position=position,
                cause=self.messages[position],
                now=self.now,
            )
        )

    def decides(
        self,
        member: Member,
        key: Key,
        bar: Came,
        decision: Decision,
        said: Emitted | None,
        *,
        closes: bool,
    ) -> None:
        """Record a decision that is not to hold."""
        self.answers[decision.action] += 1
        self.decided.append(
            Decided(
                member.key[0], member.key[1], *key, bar.opened_at, decision.action,
                None if said is None else said.signal, closes,
                None if said is None else _text(said.stop),
                None if said is None else _text(said.target),
                None if said is None else said.horizon, decision.confidence, decision.reason,
                None, None, bar.source, bar.revision,
            )
        )  # fmt: skip

    def asks(self, member: Member, times: int = 1) -> None:
        """Count that a strategy was asked."""
        self.counts[member.key]["decisions"] += times
        self.answers["asked"] += times

    def fails(self, member: Member, key: Key, bar: Came, fault: Fault) -> None:
        """Record that there was no decision, and why."""
        self.counts[member.key]["faults"] += 1
        self.answers["fault"] += 1
        self.decided.append(
            Decided(
                member.key[0], member.key[1], *key, bar.opened_at, None, None, False, None,
                None, None, None, "", fault.code, fault.message.replace("\0", " "), bar.source,
                bar.revision,
            )
        )  # fmt: skip

    def misses(self, member: Member, why: str) -> None:
        """Count a decision that was not made."""
        self.counts[member.key]["missed"] += 1
        self.missed[why] += 1


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
