-- Where another revision came: note when each signal was first said, which revision was said in
-- time, and whether another one holds now.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH named AS MATERIALIZED (
    SELECT signal_id FROM old_signals UNION SELECT signal_id FROM new_entries
    UNION SELECT signal_id FROM new_exits
), kept AS (
    SELECT r.*, min(r.appended_at) OVER (PARTITION BY r.signal_id) AS first
    FROM named JOIN signal_revisions AS r USING (signal_id)
), said AS (
    SELECT DISTINCT ON (signal_id) * FROM kept
    WHERE appended_at - first <= make_interval(secs => %(backdated_after)s)
    ORDER BY signal_id, revision DESC
), m AS (
    SELECT said.signal_id, said.first, said.revision,
           (t.strategy, t.symbol, t.side, t.price, t.quantity, t.currency, t.emitted_at,
               t.timeframe, t.target_price, t.stop_loss, t.horizon_bars, t.exits, t.entry, t.fee,
               t.fee_rate, t.leverage, t.confidence, t.source, t.execution_id, t.model_version,
               t.account, t.metadata) IS DISTINCT
               FROM (said.strategy, said.symbol, said.side, said.price, said.quantity,
               said.currency, said.emitted_at, said.timeframe, said.target_price, said.stop_loss,
               said.horizon_bars, said.exits, said.entry, said.fee, said.fee_rate, said.leverage,
               said.confidence, said.source, said.execution_id, said.model_version, said.account,
               said.metadata) AS late
    FROM said JOIN signals AS t ON t.signal_id = said.signal_id
)
UPDATE signals AS t
SET first_appended_at = m.first, said_revision = m.revision, corrected_late = m.late
FROM m WHERE t.signal_id = m.signal_id
