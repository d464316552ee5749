-- Lock the batch's signals that are there, in one order, and read them into old_signals. Both sides
-- of a signal meet at this lock, whichever consumers they came to.
-- Written by python -m tools.sql from services/signal_tracker/store.

WITH locked AS (
    INSERT INTO old_signals
    SELECT signal_id, revision, strategy, symbol, side, price, quantity, currency, emitted_at,
           fee, fee_rate, leverage, entry, backdated, said_revision, corrected_late,
           account
    FROM signals
    WHERE signal_id = ANY (ARRAY(SELECT signal_id FROM new_entries
                                 UNION ALL SELECT signal_id FROM new_exits))
    ORDER BY signal_id
    FOR UPDATE
    RETURNING signal_id
)
SELECT count(*), count(*) FILTER (WHERE signal_id IN (SELECT signal_id FROM new_entries))
FROM locked
