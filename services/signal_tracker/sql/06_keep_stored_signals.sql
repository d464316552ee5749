-- Keep the revision on record of each signal of which another one comes.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO signal_revisions (signal_id, revision, strategy, symbol, side, price, quantity,
    currency, emitted_at, timeframe, target_price, stop_loss, horizon_bars, exits, entry, fee,
    fee_rate, leverage, confidence, source, execution_id, model_version, metadata, appended_at)
SELECT t.signal_id, t.revision, t.strategy, t.symbol, t.side, t.price, t.quantity, t.currency,
    t.emitted_at, t.timeframe, t.target_price, t.stop_loss, t.horizon_bars, t.exits, t.entry, t.fee,
    t.fee_rate, t.leverage, t.confidence, t.source, t.execution_id, t.model_version, t.metadata,
    t.appended_at
FROM signals AS t
WHERE t.signal_id = ANY (ARRAY(SELECT signal_id FROM new_entries)) AND t.revision >= 0
  AND EXISTS (SELECT FROM new_entries AS n WHERE n.signal_id = t.signal_id
      AND n.revision <> t.revision)
ON CONFLICT DO NOTHING
