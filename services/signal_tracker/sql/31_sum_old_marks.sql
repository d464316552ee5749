-- Note what the sums lose by what was marked as late before.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO deltas SELECT m.strategy, m.symbol, m.currency,
    (m.at AT TIME ZONE %(timezone)s)::date AS day, -0 AS signals, -0 AS backdated, -0 AS exits,
    -0 AS closed, -0 AS wins, -0 AS losses, -0 AS breakevens, -0 AS without_return,
    -sum(m.exits_backdated) AS exits_backdated, -sum(m.corrected_late) AS corrected_late,
    -sum(m.moved_in_late) AS moved_in_late, -0 AS live_signals, -0 AS paper_signals,
    -0 AS backtest_signals, -0 AS imported_signals, -0 AS total_pnl, -0 AS gross_profit,
    -0 AS gross_loss, -0 AS realised_pnl, -0 AS fees, -0 AS carry, -0 AS sum_return,
    -0 AS pnl_squares FROM (
SELECT s.strategy, s.symbol, s.currency, greatest(x.closed_at, s.emitted_at) AS at,
       1 AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late
FROM old_exits AS x JOIN old_signals AS s USING (signal_id)
WHERE x.backdated AND x.closed_quantity > 0
UNION ALL
SELECT coalesce(r.strategy, s.strategy), coalesce(r.symbol, s.symbol),
       coalesce(r.currency, s.currency), greatest(x.closed_at, s.emitted_at), 0, 1, 0
FROM old_exits AS x JOIN old_signals AS s USING (signal_id) LEFT
    JOIN signal_revisions AS r ON r.signal_id = s.signal_id AND r.revision = s.said_revision
WHERE x.corrected_late AND s.revision >= 0
UNION ALL
SELECT r.strategy, r.symbol, r.currency, r.emitted_at, 0, 1, 0
FROM old_signals AS s JOIN signal_revisions AS r ON r.signal_id = s.signal_id
    AND r.revision = s.said_revision WHERE s.corrected_late
UNION ALL
SELECT s.strategy, s.symbol, s.currency, s.emitted_at, 0, 0, 1
FROM old_signals AS s JOIN signal_revisions AS r ON r.signal_id = s.signal_id
    AND r.revision = s.said_revision WHERE s.corrected_late AND s.strategy <> r.strategy
) AS m GROUP BY 1, 2, 3, 4
