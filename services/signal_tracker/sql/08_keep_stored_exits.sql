-- Keep the revision on record of each exit of which another one comes.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH revised AS MATERIALIZED (
    SELECT DISTINCT o.signal_id, o.exit_id
    FROM old_exits AS o JOIN new_exits AS n ON n.signal_id = o.signal_id AND n.exit_id = o.exit_id
    WHERE o.revision >= 0 AND o.revision <> n.revision
)
INSERT INTO exit_revisions (signal_id, exit_id, revision, symbol, strategy, price, quantity,
    closed_at, fee, fee_rate, interest, funding, reason, entry_price, appended_at)
SELECT t.signal_id, t.exit_id, t.revision, t.symbol, t.strategy, t.price, t.quantity, t.closed_at,
    t.fee, t.fee_rate, t.interest, t.funding, t.reason, t.entry_price, t.appended_at
FROM revised JOIN exits AS t ON t.signal_id = revised.signal_id AND t.exit_id = revised.exit_id
ON CONFLICT DO NOTHING
