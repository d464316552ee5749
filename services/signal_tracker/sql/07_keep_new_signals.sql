-- Keep what the batch brings of signals that have several revisions.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH coming AS MATERIALIZED (
    SELECT DISTINCT ON (signal_id, revision) * FROM new_entries
    ORDER BY signal_id, revision, position
)
INSERT INTO signal_revisions (signal_id, revision, strategy, symbol, side, price, quantity,
    currency, emitted_at, timeframe, target_price, stop_loss, horizon_bars, exits, entry, fee,
    fee_rate, leverage, confidence, source, execution_id, model_version, metadata, appended_at)
SELECT n.signal_id, n.revision, n.strategy, n.symbol, n.side, n.price, n.quantity, n.currency,
    n.emitted_at, n.timeframe, n.target_price, n.stop_loss, n.horizon_bars, n.exits, n.entry, n.fee,
    n.fee_rate, n.leverage, n.confidence, n.source, n.execution_id, n.model_version, n.metadata,
    n.appended_at
FROM coming AS n
WHERE EXISTS (SELECT FROM old_signals AS o
              WHERE o.signal_id = n.signal_id AND o.revision >= 0 AND o.revision <> n.revision)
   OR EXISTS (SELECT FROM coming AS m WHERE m.signal_id = n.signal_id AND m.revision <> n.revision)
ON CONFLICT DO NOTHING
