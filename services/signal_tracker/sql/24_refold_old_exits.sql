-- Change what exits from before realise, where the batch changes it.
-- Written by python -m tools.sql from services/signal_tracker/store.

UPDATE exits AS e
SET closed_quantity = f.closed_quantity, realised_pnl = f.realised_pnl, fees = f.fees,
    carry = f.carry, signal_pnl = f.signal_pnl, "return" = f."return", outcome = f.outcome,
    before_entry = f.before_entry
FROM folded AS f
WHERE f.position IS NULL AND e.signal_id = f.signal_id AND e.exit_id = f.exit_id
  AND (e.closed_quantity, e.realised_pnl, e.fees, e.carry, e.signal_pnl, e."return", e.outcome,
      e.before_entry) IS DISTINCT
      FROM (f.closed_quantity, f.realised_pnl, f.fees, f.carry, f.signal_pnl, f."return", f.outcome,
      f.before_entry)
