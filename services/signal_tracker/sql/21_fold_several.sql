-- Work out what each exit of those signals realises, in the order of (closed_at, exit_id).
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO folded
WITH exits_known AS (
    SELECT position, signal_id, exit_id, price, quantity, closed_at, fee, fee_rate, interest,
           funding, entry_price
    FROM new_exits
    UNION ALL
    SELECT NULL, o.signal_id, o.exit_id, o.price, o.quantity, o.closed_at, o.fee, o.fee_rate,
           o.interest, o.funding, o.entry_price
    FROM old_exits AS o
    WHERE NOT EXISTS (SELECT FROM new_exits AS n
                      WHERE n.signal_id = o.signal_id AND n.exit_id = o.exit_id)
), opened AS MATERIALIZED (
    SELECT e.* FROM (
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
) AS e JOIN several USING (signal_id)
), met AS MATERIALIZED (
    SELECT x.*,
        e.emitted_at - x.closed_at > make_interval(secs => %(backdated_after)s) AS before_entry
    FROM exits_known AS x JOIN opened AS e USING (signal_id)
), first AS (
    SELECT DISTINCT ON (signal_id) signal_id, entry_price FROM met WHERE NOT before_entry
    ORDER BY signal_id, closed_at, exit_id
), entries AS MATERIALIZED (
    SELECT e.signal_id, e.strategy, e.symbol, e.currency, e.quantity, e.emitted_at,
           e.leverage, e.direction, CASE
               WHEN e.entry = 'next_open' THEN coalesce(first.entry_price, e.price) ELSE e.price
               END AS entered,
               coalesce(e.fee,
               e.fee_rate * (CASE
               WHEN e.entry = 'next_open' THEN coalesce(first.entry_price, e.price)
               ELSE e.price END) * e.quantity, 0) AS entry_fee
    FROM opened AS e LEFT JOIN first USING (signal_id)
), wanted AS (
    SELECT *, sum(wants) OVER in_order AS wanted_so_far
    FROM (SELECT x.position, x.signal_id, x.exit_id, x.closed_at, x.price AS exit_price,
                 x.fee AS exit_fee, x.fee_rate AS exit_fee_rate, x.interest, x.funding,
                 x.before_entry, e.strategy, e.symbol, e.currency, e.entered, e.quantity,
                 e.leverage, e.direction, e.entry_fee, e.emitted_at,
                 CASE WHEN x.before_entry THEN 0
                      ELSE coalesce(x.quantity, e.quantity) END AS wants
          FROM met AS x JOIN entries AS e USING (signal_id)) AS x
    WINDOW in_order AS (PARTITION BY signal_id ORDER BY x.closed_at, x.exit_id)
), closing AS (
    SELECT *,
           least(wanted_so_far, quantity)
               - least(wanted_so_far - wants, quantity) AS closed_quantity,
           wanted_so_far >= quantity AND wanted_so_far - wants < quantity AS closes
    FROM wanted
), shared AS (
    SELECT *,
           CASE WHEN closes OR closed_quantity = 0 OR entry_fee = 0 THEN 0
                ELSE sign((entry_fee * closed_quantity)) *
                    (div(abs((entry_fee * closed_quantity)) * 1000000000000::numeric,
                    quantity) + CASE
                    WHEN 2 *
                    (abs((entry_fee * closed_quantity)) * 1000000000000::numeric -
                    div(abs((entry_fee * closed_quantity)) * 1000000000000::numeric,
                    quantity) * quantity) > quantity
                    OR
                    (2 *
                    (abs((entry_fee * closed_quantity)) * 1000000000000::numeric -
                    div(abs((entry_fee * closed_quantity)) * 1000000000000::numeric,
                    quantity) * quantity) = quantity
                    AND mod(div(abs((entry_fee * closed_quantity)) * 1000000000000::numeric,
                    quantity), 2) = 1) THEN 1 ELSE 0 END) * 0.000000000001::numeric END AS share
    FROM closing
), priced AS (
    SELECT *,
           CASE WHEN closed_quantity = 0 THEN 0
                ELSE coalesce(exit_fee, exit_fee_rate * exit_price * closed_quantity, 0)
                     + CASE WHEN closes THEN entry_fee - coalesce(sum(share) OVER (
                                PARTITION BY signal_id ORDER BY closed_at, exit_id
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                            ELSE share END
           END AS fees,
           CASE WHEN closed_quantity = 0 THEN 0
                ELSE coalesce(interest, 0) + coalesce(funding, 0) END AS carry
    FROM shared
), realised AS (
    SELECT *, (exit_price - entered) * closed_quantity * direction - fees - carry AS realised_pnl,
           CASE WHEN entered > 0 THEN quantity * entered + direction * entry_fee ELSE 0 END AS basis
    FROM priced
), summed AS (
    SELECT *, sum(realised_pnl) OVER (PARTITION BY signal_id) AS signal_pnl FROM realised
), gained AS (
    SELECT *, CASE WHEN leverage IS NULL THEN signal_pnl ELSE signal_pnl * leverage END AS gained
        FROM summed
), divided AS (
    SELECT *, CASE WHEN closes
        AND basis > 0 THEN div(abs(gained) * 1000000000000000000::numeric, basis) END AS quotient
        FROM gained
)
SELECT position, signal_id, exit_id, strategy, symbol, currency,
       (greatest(closed_at, emitted_at) AT TIME ZONE %(timezone)s)::date, closed_quantity,
           realised_pnl, fees, carry,
       CASE WHEN closes THEN signal_pnl END, CASE WHEN closes
           AND basis > 0 THEN sign(gained) * (quotient + CASE
           WHEN 2 * (abs(gained) * 1000000000000000000::numeric - quotient * basis) > basis
           OR (2 * (abs(gained) * 1000000000000000000::numeric - quotient * basis) = basis
           AND mod(quotient, 2) = 1) THEN 1 ELSE 0 END) * 0.000000000000000001::numeric END,
CASE WHEN closes IS NOT TRUE THEN NULL
     WHEN gained > 0.000000005 * greatest(basis, 0) THEN 1
     WHEN gained < -0.000000005 * greatest(basis, 0) THEN -1
     ELSE 0 END
, before_entry
FROM divided
