-- Note what the sums lose by entries that are corrected.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO deltas SELECT o.strategy, o.symbol, o.currency,
    (o.emitted_at AT TIME ZONE %(timezone)s)::date AS day, -count(o.signal_id) AS signals,
    -sum((o.backdated)::int) AS backdated, -0 AS exits, -0 AS closed, -0 AS wins, -0 AS losses,
    -0 AS breakevens, -0 AS without_return, -0 AS exits_backdated, -0 AS corrected_late,
    -0 AS moved_in_late, -count(*) FILTER (WHERE o.account = 'live') AS live_signals, -count(*)
    FILTER (WHERE o.account = 'paper') AS paper_signals, -count(*)
    FILTER (WHERE o.account = 'backtest') AS backtest_signals, -count(*)
    FILTER (WHERE o.account = 'imported') AS imported_signals, -0 AS total_pnl, -0 AS gross_profit,
    -0 AS gross_loss, -0 AS realised_pnl, -0 AS fees, -0 AS carry, -0 AS sum_return,
    -0 AS pnl_squares FROM old_signals AS o JOIN new_entries AS n USING (signal_id)
    WHERE o.revision >= 0 GROUP BY 1, 2, 3, 4
