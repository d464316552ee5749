"""Every metric of the signal_tracker, with what to do about it."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.metrics import Counter, Metric

SIGNALS: Final = Counter(
    "trackrecord_signals_total",
    "Entries applied: new ones and corrections.",
    "None while signal_emitted grows: see trackrecord_dead_letters_total.",
    ("kind",),
)

EXITS: Final = Counter(
    "trackrecord_exits_total",
    "Exits applied: new ones and corrections.",
    "None while signal_closed grows: see trackrecord_dead_letters_total.",
    ("kind",),
)

REPEATS: Final = Counter(
    "trackrecord_repeats_total",
    "Events without effect because the same or a higher revision was stored before, by topic.",
    "Many: a publisher sends everything twice; harmless, but it costs.",
    ("event_type",),
)

BACKDATED_SIGNALS: Final = Counter(
    "trackrecord_backdated_signals_total",
    "New signals whose own time is older than the tolerance when the broker gets them.",
    "Expected while history is imported; otherwise ask the publisher why.",
)

EXCESS_EXITS: Final = Counter(
    "trackrecord_excess_exits_total",
    "New exits that found nothing left to close.",
    "A strategy closes twice: look for its signals in table exits with closed_quantity 0.",
)

EXITS_BEFORE_ENTRY: Final = Counter(
    "trackrecord_exits_before_entry_total",
    "New exits that are older than their entry by more than the tolerance and closed nothing.",
    "The publisher's times are wrong: look in table exits where before_entry is true.",
)

METRICS: Final[tuple[Metric, ...]] = (
    SIGNALS,
    EXITS,
    REPEATS,
    BACKDATED_SIGNALS,
    EXCESS_EXITS,
    EXITS_BEFORE_ENTRY,
)
