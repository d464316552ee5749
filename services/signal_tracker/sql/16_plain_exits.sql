-- The one statement of most batches, in which no signal has more than one exit and none was there
-- before: fold exits, write them, and add to the sums of strategies and symbols.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH
realised AS MATERIALIZED (
SELECT *, CASE WHEN closes THEN realised_pnl END AS signal_pnl, CASE WHEN closes
    AND basis > 0 THEN sign(gained) * (quotient + CASE
    WHEN 2 * (abs(gained) * 1000000000000000000::numeric - quotient * basis) > basis
    OR (2 * (abs(gained) * 1000000000000000000::numeric - quotient * basis) = basis
    AND mod(quotient, 2) = 1) THEN 1 ELSE 0 END) * 0.000000000000000001::numeric END AS "return",
CASE WHEN closes IS NOT TRUE THEN NULL
     WHEN gained > 0.000000005 * greatest(basis, 0) THEN 1
     WHEN gained < -0.000000005 * greatest(basis, 0) THEN -1
     ELSE 0 END
 AS outcome
FROM (
    SELECT *, CASE WHEN closes
        AND basis > 0 THEN div(abs(gained) * 1000000000000000000::numeric, basis) END AS quotient
    FROM (
        SELECT *, CASE WHEN leverage IS NULL THEN realised_pnl ELSE realised_pnl * leverage
            END AS gained
        FROM (
            SELECT *, gross - fees - carry AS realised_pnl
            FROM (
                SELECT *, closed_quantity = opened AS closes, CASE
                    WHEN entered > 0 THEN opened * entered + direction * entry_fee ELSE 0
                    END AS basis,
                       (price - entered) * closed_quantity * direction AS gross,
                       CASE WHEN before_entry THEN 0
                            ELSE coalesce(interest, 0) + coalesce(funding, 0) END AS carry,
                       CASE WHEN before_entry THEN 0
                            ELSE coalesce(fee, fee_rate * price * closed_quantity, 0)
                                 + CASE WHEN closed_quantity = opened OR entry_fee = 0
                                        THEN entry_fee
                                        ELSE sign((entry_fee * closed_quantity)) *
                                            (div(abs((entry_fee * closed_quantity)) *
                                            1000000000000::numeric, opened) + CASE
                                            WHEN 2 *
                                            (abs((entry_fee * closed_quantity)) *
                                            1000000000000::numeric -
                                            div(abs((entry_fee * closed_quantity)) *
                                            1000000000000::numeric, opened) * opened) > opened
                                            OR
                                            (2 *
                                            (abs((entry_fee * closed_quantity)) *
                                            1000000000000::numeric -
                                            div(abs((entry_fee * closed_quantity)) *
                                            1000000000000::numeric, opened) * opened) = opened
                                            AND
                                            mod(div(abs((entry_fee * closed_quantity)) *
                                            1000000000000::numeric, opened), 2) = 1) THEN 1
                                            ELSE 0 END) * 0.000000000001::numeric END END AS fees
                FROM (
                    SELECT x.*, e.strategy AS owner, e.symbol AS traded, e.currency,
                           (greatest(x.closed_at,
                               emitted_at) AT TIME ZONE %(timezone)s)::date AS day,
                           e.emitted_at - x.closed_at > make_interval(secs => %(backdated_after)s)
                               AS before_entry,
                               x.appended_at - x.closed_at >
                               make_interval(secs => %(backdated_after)s) AS backdated,
                           CASE
                               WHEN e.emitted_at - x.closed_at >
                               make_interval(secs => %(backdated_after)s) THEN 0
                               WHEN x.quantity < e.quantity
                                THEN x.quantity ELSE e.quantity END AS closed_quantity,
                           CASE WHEN e.entry = 'next_open' THEN coalesce(x.entry_price, e.price)
                               ELSE e.price END AS entered,
                               coalesce(e.fee,
                               e.fee_rate * (CASE
                               WHEN e.entry = 'next_open' THEN coalesce(x.entry_price, e.price)
                               ELSE e.price END) * e.quantity, 0) AS entry_fee,
                               e.quantity AS opened, e.leverage,
                           e.direction
                    FROM new_exits AS x LEFT JOIN (
SELECT old_signals.signal_id, old_signals.strategy, old_signals.symbol, old_signals.currency,
    old_signals.price,
       old_signals.quantity, old_signals.leverage, CASE old_signals.side WHEN 'BUY' THEN 1 ELSE -1
           END AS direction,
       old_signals.fee, old_signals.fee_rate, old_signals.entry, old_signals.emitted_at
FROM old_signals WHERE old_signals.revision >= 0
 AND NOT EXISTS (SELECT FROM new_entries AS n WHERE n.signal_id = old_signals.signal_id) UNION ALL
SELECT new_entries.signal_id, new_entries.strategy, new_entries.symbol, new_entries.currency,
    new_entries.price,
       new_entries.quantity, new_entries.leverage, CASE new_entries.side WHEN 'BUY' THEN 1 ELSE -1
           END AS direction,
       new_entries.fee, new_entries.fee_rate, new_entries.entry, new_entries.emitted_at
FROM new_entries WHERE true
) AS e USING (signal_id)
                    OFFSET 0) AS matched
                OFFSET 0) AS priced
            OFFSET 0) AS realised
        OFFSET 0) AS closed
    OFFSET 0) AS divided
),
written AS (
    INSERT INTO exits (signal_id, exit_id, revision, symbol, strategy, price, quantity, closed_at,
        fee, fee_rate, interest, funding, reason, entry_price, appended_at, first_appended_at,
        said_revision, corrected_late, backdated, closed_quantity, realised_pnl, fees, carry,
        signal_pnl, "return", outcome, before_entry)
    SELECT signal_id, exit_id, revision, symbol, strategy, price, quantity, closed_at, fee,
        fee_rate, interest, funding, reason, entry_price, appended_at,
           appended_at, revision, false, backdated,
           coalesce(closed_quantity, 0), coalesce(realised_pnl, 0),
           CASE WHEN closed_quantity IS NULL THEN 0 ELSE fees END,
           CASE WHEN closed_quantity IS NULL THEN 0 ELSE carry END, signal_pnl, "return", outcome,
           coalesce(before_entry, false)
    FROM realised
),
 strategy_sums AS MATERIALIZED (SELECT x.owner AS strategy, x.currency, x.day AS day, 0 AS signals,
     0 AS backdated, count(*) AS exits, count(x.outcome) AS closed, count(*)
     FILTER (WHERE x.outcome = 1) AS wins, count(*) FILTER (WHERE x.outcome = -1) AS losses,
     count(*) FILTER (WHERE x.outcome = 0) AS breakevens, count(*)
     FILTER (WHERE x.outcome IS NOT NULL AND x."return" IS NULL) AS without_return, count(*)
     FILTER (WHERE x.backdated) AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late,
     0 AS live_signals, 0 AS paper_signals, 0 AS backtest_signals, 0 AS imported_signals,
     coalesce(sum(x.signal_pnl), 0) AS total_pnl,
     coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = 1), 0) AS gross_profit,
     coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = -1), 0) AS gross_loss,
     sum(x.realised_pnl) AS realised_pnl, sum(x.fees) AS fees, sum(x.carry) AS carry,
     coalesce(sum(x."return"), 0) AS sum_return,
     coalesce(sum(x.signal_pnl * x.signal_pnl), 0) AS pnl_squares FROM realised AS x
     WHERE x.closed_quantity > 0 GROUP BY 1, 2, 3),
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
symbol_sums AS MATERIALIZED (SELECT x.traded AS symbol, x.currency, x.day AS day, 0 AS signals,
    0 AS backdated, count(*) AS exits, count(x.outcome) AS closed, count(*)
    FILTER (WHERE x.outcome = 1) AS wins, count(*) FILTER (WHERE x.outcome = -1) AS losses,
    count(*) FILTER (WHERE x.outcome = 0) AS breakevens, count(*)
    FILTER (WHERE x.outcome IS NOT NULL AND x."return" IS NULL) AS without_return, count(*)
    FILTER (WHERE x.backdated) AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late,
    0 AS live_signals, 0 AS paper_signals, 0 AS backtest_signals, 0 AS imported_signals,
    coalesce(sum(x.signal_pnl), 0) AS total_pnl,
    coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = 1), 0) AS gross_profit,
    coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = -1), 0) AS gross_loss,
    sum(x.realised_pnl) AS realised_pnl, sum(x.fees) AS fees, sum(x.carry) AS carry,
    coalesce(sum(x."return"), 0) AS sum_return,
    coalesce(sum(x.signal_pnl * x.signal_pnl), 0) AS pnl_squares FROM realised AS x
    WHERE x.closed_quantity > 0 GROUP BY 1, 2, 3),
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
       (SELECT count(*) FROM new_exits), (SELECT count(*) FROM realised WHERE closed_quantity = 0),
           (SELECT count(*) FROM realised WHERE before_entry)
