-- Write entries into rows that are there: those that waited, and those that are corrected.
-- Written by python -m tools.sql from services/signal_tracker/store.

UPDATE signals AS s
SET revision = n.revision, strategy = n.strategy, symbol = n.symbol, side = n.side, price = n.price,
    quantity = n.quantity, currency = n.currency, emitted_at = n.emitted_at,
    timeframe = n.timeframe, target_price = n.target_price, stop_loss = n.stop_loss,
    horizon_bars = n.horizon_bars, exits = n.exits, entry = n.entry, fee = n.fee,
    fee_rate = n.fee_rate, leverage = n.leverage, confidence = n.confidence, source = n.source,
    execution_id = n.execution_id, model_version = n.model_version, account = n.account,
    metadata = n.metadata,
    appended_at = n.appended_at,
        backdated = n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s),
        ahead = n.emitted_at - n.appended_at > make_interval(secs => %(backdated_after)s),
    first_appended_at = CASE WHEN o.revision < 0 THEN n.appended_at ELSE s.first_appended_at END,
    said_revision = CASE WHEN o.revision < 0 THEN n.revision ELSE s.said_revision END
FROM new_entries AS n JOIN old_signals AS o USING (signal_id)
WHERE s.signal_id = n.signal_id
