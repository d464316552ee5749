-- Insert the entries of signals that are not there.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO signals (signal_id, revision, strategy, symbol, side, price, quantity, currency,
    emitted_at, timeframe, target_price, stop_loss, horizon_bars, exits, entry, fee, fee_rate,
    leverage, confidence, source, execution_id, model_version, account, metadata, appended_at,
                     first_appended_at, said_revision, corrected_late, backdated, ahead)
SELECT signal_id, revision, strategy, symbol, side, price, quantity, currency, emitted_at,
    timeframe, target_price, stop_loss, horizon_bars, exits, entry, fee, fee_rate, leverage,
    confidence, source, execution_id, model_version, account, metadata, appended_at,
       appended_at, revision, false,
           n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s),
           n.emitted_at - n.appended_at > make_interval(secs => %(backdated_after)s)
FROM new_entries AS n
WHERE NOT EXISTS (SELECT FROM old_signals AS o WHERE o.signal_id = n.signal_id)
ORDER BY signal_id
