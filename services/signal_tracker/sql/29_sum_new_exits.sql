-- Note what the sums gain by what exits realise now.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO deltas SELECT x.strategy, x.symbol, x.currency, x.day AS day, 0 AS signals,
    0 AS backdated, count(*) AS exits, count(x.outcome) AS closed, count(*)
    FILTER (WHERE x.outcome = 1) AS wins, count(*) FILTER (WHERE x.outcome = -1) AS losses,
    count(*) FILTER (WHERE x.outcome = 0) AS breakevens, count(*)
    FILTER (WHERE x.outcome IS NOT NULL AND x."return" IS NULL) AS without_return,
    0 AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late, 0 AS live_signals,
    0 AS paper_signals, 0 AS backtest_signals, 0 AS imported_signals,
    coalesce(sum(x.signal_pnl), 0) AS total_pnl,
    coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = 1), 0) AS gross_profit,
    coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = -1), 0) AS gross_loss,
    sum(x.realised_pnl) AS realised_pnl, sum(x.fees) AS fees, sum(x.carry) AS carry,
    coalesce(sum(x."return"), 0) AS sum_return,
    coalesce(sum(x.signal_pnl * x.signal_pnl), 0) AS pnl_squares FROM folded AS x
    WHERE x.closed_quantity > 0 GROUP BY 1, 2, 3, 4
