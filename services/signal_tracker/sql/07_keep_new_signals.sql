-- Keep what the batch brings of signals that have several revisions.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH coming AS MATERIALIZED (
    SELECT DISTINCT ON (signal_id, revision) * FROM new_entries
    ORDER BY signal_id, revision, position
), known AS (
    SELECT signal_id, revision FROM coming
    UNION SELECT signal_id, revision FROM old_signals WHERE revision >= 0
), revised AS (
    SELECT signal_id FROM known GROUP BY signal_id HAVING count(*) > 1
)
INSERT INTO signal_revisions (signal_id, revision, strategy, symbol, side, price, quantity,
    currency, emitted_at, timeframe, target_price, stop_loss, horizon_bars, exits, entry, fee,
    fee_rate, leverage, confidence, source, execution_id, model_version, account, metadata,
    appended_at)
SELECT n.signal_id, n.revision, n.strategy, n.symbol, n.side, n.price, n.quantity, n.currency,
    n.emitted_at, n.timeframe, n.target_price, n.stop_loss, n.horizon_bars, n.exits, n.entry, n.fee,
    n.fee_rate, n.leverage, n.confidence, n.source, n.execution_id, n.model_version, n.account,
    n.metadata, n.appended_at
FROM coming AS n JOIN revised ON n.signal_id = revised.signal_id
ON CONFLICT DO NOTHING
