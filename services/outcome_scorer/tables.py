"""What replay of the outcome_scorer rebuilds and compares."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.stage import DerivedTable

OUTCOME_SUMS: Final = {
    **dict.fromkeys(("target", "stop", "expired", "void", "ambiguous", "returns"), "bigint"),
    "sum_return": "numeric",
}
"""What ``outcome_totals`` adds up, and its type."""

TABLES: Final = (
    DerivedTable(
        "bars",
        (
            "SELECT symbol, timeframe, opened_at, source, closed_at, trim_scale(open) AS open,"
            " trim_scale(high) AS high,"
            " trim_scale(low) AS low, trim_scale(close) AS close, trim_scale(volume) AS volume,"
            " trim_scale(split_ratio) AS split_ratio,"
            " revision FROM bars"
        ),
        ("symbol", "timeframe", "opened_at", "source"),
    ),
    DerivedTable(
        "watched_signals",
        (
            "SELECT signal_id, revision, strategy, symbol, timeframe, direction,"
            " trim_scale(price) AS price, trim_scale(target_price) AS target_price,"
            " trim_scale(stop_loss) AS stop_loss, horizon_bars, next_open, barriers, confidence,"
            " emitted_at, appended_at, problem, ends_at FROM watched_signals"
        ),
        ("signal_id",),
    ),
    DerivedTable(
        "outcomes",
        (
            'SELECT signal_id, policy, strategy, symbol, emitted_at, outcome, label, "return", mae,'
            " mfe, bars_held, trim_scale(exit_price) AS exit_price, how, ambiguous, delisted,"
            " exit_opened_at, known_at, ends_at FROM outcomes WHERE outcome <> 'pending'"
        ),
        ("signal_id", "policy"),
        ("policy", "outcome_policy"),
    ),
    # Over lanes, without rows that came to nothing. Totals of verdicts are not rebuilt, like the
    # assessments that they add up: which model was live does not follow from the topics.
    DerivedTable(
        "outcome_totals",
        "SELECT policy, strategy, "
        + ", ".join(f"trim_scale(sum({name})) AS {name}" for name in OUTCOME_SUMS)
        + " FROM outcome_totals GROUP BY policy, strategy HAVING "
        + " OR ".join(f"sum({name}) <> 0" for name in OUTCOME_SUMS),
        ("policy", "strategy"),
        ("policy", "outcome_policy"),
    ),
    # A symbol without bars has a row only to be locked by, which says nothing, and which a signal
    # that was corrected within one batch never made.
    DerivedTable(
        "watched_symbols",
        (
            "SELECT symbol, timeframe, last_opened_at, last_closed_at FROM watched_symbols"
            " WHERE last_opened_at IS NOT NULL"
        ),
        ("symbol", "timeframe"),
    ),
)
"""Tables, their content and key; outcomes are those of the policy that is set."""
