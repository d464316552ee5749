-- Keep the revision on record of each signal of which another one comes.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH revised AS MATERIALIZED (
    SELECT DISTINCT o.signal_id
    FROM old_signals AS o JOIN new_entries AS n ON n.signal_id = o.signal_id
    WHERE o.revision >= 0 AND o.revision <> n.revision
)
INSERT INTO signal_revisions (signal_id, revision, strategy, symbol, side, price, quantity,
    currency, emitted_at, timeframe, target_price, stop_loss, horizon_bars, exits, entry, fee,
    fee_rate, leverage, confidence, source, execution_id, model_version, account, metadata,
    appended_at)
SELECT t.signal_id, t.revision, t.strategy, t.symbol, t.side, t.price, t.quantity, t.currency,
    t.emitted_at, t.timeframe, t.target_price, t.stop_loss, t.horizon_bars, t.exits, t.entry, t.fee,
    t.fee_rate, t.leverage, t.confidence, t.source, t.execution_id, t.model_version, t.account,
    t.metadata, t.appended_at
FROM revised JOIN signals AS t ON t.signal_id = revised.signal_id
ON CONFLICT DO NOTHING
