-- Note what the sums lose by what they realised before.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO deltas SELECT o.strategy, o.symbol, o.currency,
    (greatest(x.closed_at, o.emitted_at) AT TIME ZONE %(timezone)s)::date AS day, -0 AS signals,
    -0 AS backdated, -count(*) AS exits, -count(x.outcome) AS closed, -count(*)
    FILTER (WHERE x.outcome = 1) AS wins, -count(*) FILTER (WHERE x.outcome = -1) AS losses,
    -count(*) FILTER (WHERE x.outcome = 0) AS breakevens, -count(*)
    FILTER (WHERE x.outcome IS NOT NULL AND x."return" IS NULL) AS without_return,
    -0 AS exits_backdated, -0 AS corrected_late, -0 AS moved_in_late, -0 AS live_signals,
    -0 AS paper_signals, -0 AS backtest_signals, -0 AS imported_signals,
    -coalesce(sum(x.signal_pnl), 0) AS total_pnl,
    -coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = 1), 0) AS gross_profit,
    -coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = -1), 0) AS gross_loss,
    -sum(x.realised_pnl) AS realised_pnl, -sum(x.fees) AS fees, -sum(x.carry) AS carry,
    -coalesce(sum(x."return"), 0) AS sum_return,
    -coalesce(sum(x.signal_pnl * x.signal_pnl), 0) AS pnl_squares FROM old_exits AS x
    JOIN several AS v USING (signal_id) JOIN old_signals AS o USING (signal_id)
    WHERE x.closed_quantity > 0 GROUP BY 1, 2, 3, 4
