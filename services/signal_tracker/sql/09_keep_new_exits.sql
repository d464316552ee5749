-- Keep what the batch brings of exits that have several revisions.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH coming AS MATERIALIZED (
    SELECT DISTINCT ON (signal_id, exit_id, revision) * FROM new_exits
    ORDER BY signal_id, exit_id, revision, position
), known AS (
    SELECT signal_id, exit_id, revision FROM coming
    UNION SELECT signal_id, exit_id, revision FROM old_exits WHERE revision >= 0
), revised AS (
    SELECT signal_id, exit_id FROM known GROUP BY signal_id, exit_id HAVING count(*) > 1
)
INSERT INTO exit_revisions (signal_id, exit_id, revision, symbol, strategy, price, quantity,
    closed_at, fee, fee_rate, interest, funding, reason, entry_price, appended_at)
SELECT n.signal_id, n.exit_id, n.revision, n.symbol, n.strategy, n.price, n.quantity, n.closed_at,
    n.fee, n.fee_rate, n.interest, n.funding, n.reason, n.entry_price, n.appended_at
FROM coming AS n JOIN revised ON n.signal_id = revised.signal_id AND n.exit_id = revised.exit_id
ON CONFLICT DO NOTHING
