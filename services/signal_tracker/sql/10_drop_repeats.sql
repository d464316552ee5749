-- Of what the batch names twice, keep the highest revision, and of that the first.
-- Written by python -m tools.sql from services/signal_tracker/store.

DELETE FROM new_entries USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id ORDER BY revision DESC, position) AS place
    FROM new_entries) AS ranked
WHERE new_entries.position = ranked.position AND place > 1;
DELETE FROM new_exits USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id, exit_id ORDER BY revision DESC, position) AS place
    FROM new_exits) AS ranked
WHERE new_exits.position = ranked.position AND place > 1;
