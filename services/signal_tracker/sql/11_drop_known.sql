-- Drop what is on record already, in this revision or a higher one.
-- Written by python -m tools.sql from services/signal_tracker/store.

DELETE FROM new_entries AS n USING old_signals AS o
WHERE o.signal_id = n.signal_id AND o.revision >= n.revision;
DELETE FROM new_exits AS n USING old_exits AS o
WHERE o.signal_id = n.signal_id AND o.exit_id = n.exit_id AND o.revision >= n.revision;
