-- In all other batches: find the signals with exits from before, or with several new ones.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO several
SELECT signal_id
FROM (SELECT signal_id, true AS is_exit FROM new_exits
      UNION ALL SELECT signal_id, false FROM new_entries) AS named
GROUP BY signal_id
HAVING count(*) FILTER (WHERE is_exit) > 1
    OR signal_id IN (SELECT signal_id FROM old_exits)
