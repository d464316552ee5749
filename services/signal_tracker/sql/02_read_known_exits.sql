-- Read all exits of the locked signals into old_exits.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO old_exits
SELECT e.signal_id, e.exit_id, e.revision, e.symbol, e.strategy, e.price, e.quantity, e.closed_at,
    e.fee, e.fee_rate, e.interest, e.funding, e.reason, e.entry_price, e.closed_quantity,
    e.realised_pnl, e.fees, e.carry, e.signal_pnl, e."return", e.outcome, e.before_entry,
       e.backdated, e.corrected_late
FROM exits AS e WHERE signal_id = ANY (ARRAY(SELECT signal_id FROM old_signals))
