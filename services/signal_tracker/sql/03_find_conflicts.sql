-- Find events whose id and revision are on record with other content; they are refused.
-- Written by python -m tools.sql from services/signal_tracker/store.

SELECT n.position
FROM new_entries AS n
    JOIN (SELECT * FROM signals
    WHERE signal_id = ANY (ARRAY(SELECT signal_id
    FROM old_signals))) AS o ON o.signal_id = n.signal_id AND o.revision = n.revision
WHERE (n.strategy, n.symbol, n.side, n.price, n.quantity, n.currency, n.emitted_at, n.timeframe,
    n.target_price, n.stop_loss, n.horizon_bars, n.exits, n.entry, n.fee, n.fee_rate, n.leverage,
    n.confidence, n.source, n.execution_id, n.model_version, n.account, n.metadata) IS DISTINCT
    FROM (o.strategy, o.symbol, o.side, o.price, o.quantity, o.currency, o.emitted_at, o.timeframe,
    o.target_price, o.stop_loss, o.horizon_bars, o.exits, o.entry, o.fee, o.fee_rate, o.leverage,
    o.confidence, o.source, o.execution_id, o.model_version, o.account, o.metadata)
AND NOT EXISTS (SELECT FROM new_entries AS h WHERE h.signal_id = n.signal_id
                AND h.revision > n.revision AND h.position < n.position)
 UNION
SELECT n.position
FROM new_exits AS n JOIN old_exits AS o ON o.signal_id = n.signal_id AND o.exit_id = n.exit_id
    AND o.revision = n.revision
WHERE (n.symbol, n.strategy, n.price, n.quantity, n.closed_at, n.fee, n.fee_rate, n.interest,
    n.funding, n.reason, n.entry_price) IS DISTINCT
    FROM (o.symbol, o.strategy, o.price, o.quantity, o.closed_at, o.fee, o.fee_rate, o.interest,
    o.funding, o.reason, o.entry_price)
AND NOT EXISTS (SELECT FROM new_exits AS h WHERE h.signal_id = n.signal_id AND h.exit_id = n.exit_id
                AND h.revision > n.revision AND h.position < n.position)
