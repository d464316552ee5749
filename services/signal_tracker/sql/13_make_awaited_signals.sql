-- Insert a row that waits for its entry for each signal of which only exits came.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO signals (signal_id, revision)
SELECT DISTINCT signal_id, -1
FROM new_exits AS x
WHERE NOT EXISTS (SELECT FROM old_signals AS o WHERE o.signal_id = x.signal_id)
  AND NOT EXISTS (SELECT FROM new_entries AS n WHERE n.signal_id = x.signal_id)
ORDER BY signal_id
