-- Work out what the exit of each other signal realises; one exit needs no order.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO folded
SELECT position, signal_id, exit_id, owner, traded, currency, day, closed_quantity,
       realised_pnl, fees, carry, signal_pnl, "return", outcome, before_entry
FROM (
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
) AS realised
WHERE closed_quantity IS NOT NULL AND signal_id NOT IN (SELECT signal_id FROM several)
