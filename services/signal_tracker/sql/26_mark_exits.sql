-- The same of exits, and whether they were first told late.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH named AS MATERIALIZED (
    SELECT signal_id FROM old_signals UNION SELECT signal_id FROM new_entries
    UNION SELECT signal_id FROM new_exits
), kept AS (
    SELECT r.*, min(r.appended_at) OVER (PARTITION BY r.signal_id, r.exit_id) AS first
    FROM named JOIN exit_revisions AS r USING (signal_id)
), said AS (
    SELECT DISTINCT ON (signal_id, exit_id) * FROM kept
    WHERE appended_at - first <= make_interval(secs => %(backdated_after)s)
    ORDER BY signal_id, exit_id, revision DESC
), m AS (
    SELECT said.signal_id, said.exit_id, said.first, said.revision,
           (t.symbol, t.strategy, t.price, t.quantity, t.closed_at, t.fee, t.fee_rate, t.interest,
               t.funding, t.reason, t.entry_price) IS DISTINCT
               FROM (said.symbol, said.strategy, said.price, said.quantity, said.closed_at,
               said.fee, said.fee_rate, said.interest, said.funding, said.reason,
               said.entry_price) AS late
    FROM said JOIN exits AS t ON t.signal_id = said.signal_id AND t.exit_id = said.exit_id
)
UPDATE exits AS t
SET first_appended_at = m.first, said_revision = m.revision, corrected_late = m.late,
    backdated = m.first - t.closed_at > make_interval(secs => %(backdated_after)s)
FROM m WHERE t.signal_id = m.signal_id AND t.exit_id = m.exit_id
