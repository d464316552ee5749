-- Add it to strategy_totals too, and note that something of those strategies has changed.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO strategy_totals AS totals (strategy, currency, signals, backdated, exits, closed, wins,
    losses, breakevens, without_return, exits_backdated, corrected_late, moved_in_late,
    live_signals, paper_signals, backtest_signals, imported_signals, total_pnl, gross_profit,
    gross_loss, realised_pnl, fees, carry, sum_return, pnl_squares, version, lane)
SELECT strategy, currency, sum(signals), sum(backdated), sum(exits), sum(closed), sum(wins),
    sum(losses), sum(breakevens), sum(without_return), sum(exits_backdated), sum(corrected_late),
    sum(moved_in_late), sum(live_signals), sum(paper_signals), sum(backtest_signals),
    sum(imported_signals), sum(total_pnl), sum(gross_profit), sum(gross_loss), sum(realised_pnl),
    sum(fees), sum(carry), sum(sum_return), sum(pnl_squares),
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, %(lane)s::integer
FROM deltas GROUP BY strategy, currency ORDER BY 1, 2
ON CONFLICT (strategy, currency, lane) DO UPDATE
SET version = greatest(totals.version + 1, excluded.version),
    signals = totals.signals + excluded.signals, backdated = totals.backdated + excluded.backdated,
    exits = totals.exits + excluded.exits, closed = totals.closed + excluded.closed,
    wins = totals.wins + excluded.wins, losses = totals.losses + excluded.losses,
    breakevens = totals.breakevens + excluded.breakevens,
    without_return = totals.without_return + excluded.without_return,
    exits_backdated = totals.exits_backdated + excluded.exits_backdated,
    corrected_late = totals.corrected_late + excluded.corrected_late,
    moved_in_late = totals.moved_in_late + excluded.moved_in_late,
    live_signals = totals.live_signals + excluded.live_signals,
    paper_signals = totals.paper_signals + excluded.paper_signals,
    backtest_signals = totals.backtest_signals + excluded.backtest_signals,
    imported_signals = totals.imported_signals + excluded.imported_signals,
    total_pnl = totals.total_pnl + excluded.total_pnl,
    gross_profit = totals.gross_profit + excluded.gross_profit,
    gross_loss = totals.gross_loss + excluded.gross_loss,
    realised_pnl = totals.realised_pnl + excluded.realised_pnl, fees = totals.fees + excluded.fees,
    carry = totals.carry + excluded.carry, sum_return = totals.sum_return + excluded.sum_return,
    pnl_squares = totals.pnl_squares + excluded.pnl_squares
