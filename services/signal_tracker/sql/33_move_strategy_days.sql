-- Add what was noted to strategy_days, in the rows of this consumer's own lane.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO strategy_days AS days (strategy, currency, day, signals, backdated, exits, closed, wins,
    losses, breakevens, without_return, exits_backdated, corrected_late, moved_in_late,
    live_signals, paper_signals, backtest_signals, imported_signals, total_pnl, gross_profit,
    gross_loss, realised_pnl, fees, carry, sum_return, pnl_squares, lane)
SELECT *, %(lane)s::integer
    FROM (SELECT strategy, currency, day, sum(signals) AS signals, sum(backdated) AS backdated,
    sum(exits) AS exits, sum(closed) AS closed, sum(wins) AS wins, sum(losses) AS losses,
    sum(breakevens) AS breakevens, sum(without_return) AS without_return,
    sum(exits_backdated) AS exits_backdated, sum(corrected_late) AS corrected_late,
    sum(moved_in_late) AS moved_in_late, sum(live_signals) AS live_signals,
    sum(paper_signals) AS paper_signals, sum(backtest_signals) AS backtest_signals,
    sum(imported_signals) AS imported_signals, sum(total_pnl) AS total_pnl,
    sum(gross_profit) AS gross_profit, sum(gross_loss) AS gross_loss,
    sum(realised_pnl) AS realised_pnl, sum(fees) AS fees, sum(carry) AS carry,
    sum(sum_return) AS sum_return, sum(pnl_squares) AS pnl_squares FROM deltas GROUP BY strategy,
    currency, day HAVING sum(signals) <> 0 OR sum(backdated) <> 0 OR sum(exits) <> 0
    OR sum(closed) <> 0 OR sum(wins) <> 0 OR sum(losses) <> 0 OR sum(breakevens) <> 0
    OR sum(without_return) <> 0 OR sum(exits_backdated) <> 0 OR sum(corrected_late) <> 0
    OR sum(moved_in_late) <> 0 OR sum(live_signals) <> 0 OR sum(paper_signals) <> 0
    OR sum(backtest_signals) <> 0 OR sum(imported_signals) <> 0 OR sum(total_pnl) <> 0
    OR sum(gross_profit) <> 0 OR sum(gross_loss) <> 0 OR sum(realised_pnl) <> 0 OR sum(fees) <> 0
    OR sum(carry) <> 0 OR sum(sum_return) <> 0 OR sum(pnl_squares) <> 0) AS summed
ORDER BY 1, 2, 3
ON CONFLICT (strategy, currency, day, lane) DO UPDATE SET signals = days.signals + excluded.signals,
    backdated = days.backdated + excluded.backdated, exits = days.exits + excluded.exits,
    closed = days.closed + excluded.closed, wins = days.wins + excluded.wins,
    losses = days.losses + excluded.losses, breakevens = days.breakevens + excluded.breakevens,
    without_return = days.without_return + excluded.without_return,
    exits_backdated = days.exits_backdated + excluded.exits_backdated,
    corrected_late = days.corrected_late + excluded.corrected_late,
    moved_in_late = days.moved_in_late + excluded.moved_in_late,
    live_signals = days.live_signals + excluded.live_signals,
    paper_signals = days.paper_signals + excluded.paper_signals,
    backtest_signals = days.backtest_signals + excluded.backtest_signals,
    imported_signals = days.imported_signals + excluded.imported_signals,
    total_pnl = days.total_pnl + excluded.total_pnl,
    gross_profit = days.gross_profit + excluded.gross_profit,
    gross_loss = days.gross_loss + excluded.gross_loss,
    realised_pnl = days.realised_pnl + excluded.realised_pnl, fees = days.fees + excluded.fees,
    carry = days.carry + excluded.carry, sum_return = days.sum_return + excluded.sum_return,
    pnl_squares = days.pnl_squares + excluded.pnl_squares
