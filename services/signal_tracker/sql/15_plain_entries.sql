-- The one statement of most batches of entries alone: add to the sums of strategies and symbols.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH  strategy_sums AS MATERIALIZED (SELECT n.strategy AS strategy, n.currency,
    (n.emitted_at AT TIME ZONE %(timezone)s)::date AS day, count(n.signal_id) AS signals,
    sum((n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s))::int) AS
    backdated, 0 AS exits, 0 AS closed, 0 AS wins, 0 AS losses, 0 AS breakevens,
    0 AS without_return, 0 AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late, count(*)
    FILTER (WHERE n.account = 'live') AS live_signals, count(*)
    FILTER (WHERE n.account = 'paper') AS paper_signals, count(*)
    FILTER (WHERE n.account = 'backtest') AS backtest_signals, count(*)
    FILTER (WHERE n.account = 'imported') AS imported_signals, 0 AS total_pnl, 0 AS gross_profit,
    0 AS gross_loss, 0 AS realised_pnl, 0 AS fees, 0 AS carry, 0 AS sum_return, 0 AS pnl_squares
    FROM new_entries AS n GROUP BY 1, 2, 3),
strategy_days AS (
INSERT INTO strategy_days AS days (strategy, currency, day, signals, backdated, exits, closed, wins,
    losses, breakevens, without_return, exits_backdated, corrected_late, moved_in_late,
    live_signals, paper_signals, backtest_signals, imported_signals, total_pnl, gross_profit,
    gross_loss, realised_pnl, fees, carry, sum_return, pnl_squares, lane)
SELECT *, %(lane)s::integer FROM (SELECT * FROM strategy_sums) AS summed
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
),
symbol_sums AS MATERIALIZED (SELECT n.symbol AS symbol, n.currency,
    (n.emitted_at AT TIME ZONE %(timezone)s)::date AS day, count(n.signal_id) AS signals,
    sum((n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s))::int) AS
    backdated, 0 AS exits, 0 AS closed, 0 AS wins, 0 AS losses, 0 AS breakevens,
    0 AS without_return, 0 AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late, count(*)
    FILTER (WHERE n.account = 'live') AS live_signals, count(*)
    FILTER (WHERE n.account = 'paper') AS paper_signals, count(*)
    FILTER (WHERE n.account = 'backtest') AS backtest_signals, count(*)
    FILTER (WHERE n.account = 'imported') AS imported_signals, 0 AS total_pnl, 0 AS gross_profit,
    0 AS gross_loss, 0 AS realised_pnl, 0 AS fees, 0 AS carry, 0 AS sum_return, 0 AS pnl_squares
    FROM new_entries AS n GROUP BY 1, 2, 3),
symbol_days AS (
INSERT INTO symbol_days AS days (symbol, currency, day, signals, backdated, exits, closed, wins,
    losses, breakevens, without_return, exits_backdated, corrected_late, moved_in_late,
    live_signals, paper_signals, backtest_signals, imported_signals, total_pnl, gross_profit,
    gross_loss, realised_pnl, fees, carry, sum_return, pnl_squares, lane)
SELECT *, %(lane)s::integer FROM (SELECT * FROM symbol_sums) AS summed
ORDER BY 1, 2, 3
ON CONFLICT (symbol, currency, day, lane) DO UPDATE SET signals = days.signals + excluded.signals,
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
),
strategy_totals AS (
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
FROM strategy_sums GROUP BY strategy, currency ORDER BY 1, 2
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
)
SELECT (SELECT count(*) FROM new_entries),
       (SELECT count(*) FROM new_entries AS n
           WHERE n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s)),
       (SELECT count(*) FROM new_exits), 0, 0
