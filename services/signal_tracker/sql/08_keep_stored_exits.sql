-- Keep the revision on record of each exit of which another one comes.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO exit_revisions (signal_id, exit_id, revision, symbol, strategy, price, quantity,
    closed_at, fee, fee_rate, interest, funding, reason, entry_price, appended_at)
SELECT t.signal_id, t.exit_id, t.revision, t.symbol, t.strategy, t.price, t.quantity, t.closed_at,
    t.fee, t.fee_rate, t.interest, t.funding, t.reason, t.entry_price, t.appended_at
FROM exits AS t
WHERE t.signal_id = ANY (ARRAY(SELECT signal_id FROM new_exits)) AND t.revision >= 0
  AND EXISTS (SELECT FROM new_exits AS n WHERE n.signal_id = t.signal_id AND n.exit_id = t.exit_id
      AND n.revision <> t.revision)
ON CONFLICT DO NOTHING
