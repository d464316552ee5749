-- Drop what is refused.
-- Written by python -m tools.sql from services/signal_tracker/store.

DELETE FROM new_entries WHERE position = ANY (%(conflicts)s::integer[]);
DELETE FROM new_exits WHERE position = ANY (%(conflicts)s::integer[]);
