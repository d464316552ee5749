"""Every metric of the signal_tracker, with what to do about it."""

from __future__ import annotations

from trackrecord.runtime.metrics import Metric

METRICS = (
    Metric(
        "trackrecord_signals_total",
        "counter",
        "Entries applied: new ones and corrections.",
        "None while signal_emitted grows: see trackrecord_dead_letters_total.",
        ("kind",),
    ),
    Metric(
        "trackrecord_exits_total",
        "counter",
        "Exits applied: new ones and corrections.",
        "None while signal_closed grows: see trackrecord_dead_letters_total.",
        ("kind",),
    ),
    Metric(
        "trackrecord_repeats_total",
        "counter",
        "Events without effect because the same or a higher revision was there, by topic.",
        "Many: a publisher sends everything twice; harmless, but it costs.",
        ("event_type",),
    ),
    Metric(
        "trackrecord_backdated_signals_total",
        "counter",
        "New signals that claim to be older than the tolerance when the broker got them.",
        "Expected while history is imported; otherwise ask the publisher why.",
    ),
    Metric(
        "trackrecord_excess_exits_total",
        "counter",
        "New exits that found nothing left to close.",
        "A strategy closes twice: look for its signals in table exits with closed_quantity 0.",
    ),
)
