-- Keep what the batch brings of exits that have several revisions.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH coming AS MATERIALIZED (
    SELECT DISTINCT ON (signal_id, exit_id, revision) * FROM new_exits
    ORDER BY signal_id, exit_id, revision, position
)
INSERT INTO exit_revisions (signal_id, exit_id, revision, symbol, strategy, price, quantity,
    closed_at, fee, fee_rate, interest, funding, reason, entry_price, appended_at)
SELECT n.signal_id, n.exit_id, n.revision, n.symbol, n.strategy, n.price, n.quantity, n.closed_at,
    n.fee, n.fee_rate, n.interest, n.funding, n.reason, n.entry_price, n.appended_at
FROM coming AS n
WHERE EXISTS (SELECT FROM old_exits AS o
              WHERE o.signal_id = n.signal_id AND o.exit_id = n.exit_id AND o.revision >= 0
                  AND o.revision <> n.revision)
   OR EXISTS (SELECT FROM coming AS m WHERE m.signal_id = n.signal_id AND m.exit_id = n.exit_id
       AND m.revision <> n.revision)
ON CONFLICT DO NOTHING
