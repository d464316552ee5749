-- Note what the sums gain by new entries.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO deltas SELECT n.strategy, n.symbol, n.currency,
    (n.emitted_at AT TIME ZONE %(timezone)s)::date AS day, count(n.signal_id) AS signals,
    sum((n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s))::int) AS
    backdated, 0 AS exits, 0 AS closed, 0 AS wins, 0 AS losses, 0 AS breakevens,
    0 AS without_return, 0 AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late, count(*)
    FILTER (WHERE n.account = 'live') AS live_signals, count(*)
    FILTER (WHERE n.account = 'paper') AS paper_signals, count(*)
    FILTER (WHERE n.account = 'backtest') AS backtest_signals, count(*)
    FILTER (WHERE n.account = 'imported') AS imported_signals, 0 AS total_pnl, 0 AS gross_profit,
    0 AS gross_loss, 0 AS realised_pnl, 0 AS fees, 0 AS carry, 0 AS sum_return, 0 AS pnl_squares
    FROM new_entries AS n GROUP BY 1, 2, 3, 4
