-- Insert new exits and correct those that are there.
-- Written by python -m tools.sql from services/signal_tracker/store.

INSERT INTO exits (signal_id, exit_id, revision, symbol, strategy, price, quantity, closed_at, fee,
    fee_rate, interest, funding, reason, entry_price, appended_at, first_appended_at, said_revision,
    corrected_late, backdated, closed_quantity, realised_pnl, fees, carry, signal_pnl, "return",
    outcome, before_entry)
SELECT n.signal_id, n.exit_id, n.revision, n.symbol, n.strategy, n.price, n.quantity, n.closed_at,
    n.fee, n.fee_rate, n.interest, n.funding, n.reason, n.entry_price, n.appended_at,
       n.appended_at, n.revision, false,
           n.appended_at - n.closed_at > make_interval(secs => %(backdated_after)s),
       coalesce(f.closed_quantity, 0), coalesce(f.realised_pnl, 0), coalesce(f.fees, 0),
       coalesce(f.carry, 0), f.signal_pnl, f."return", f.outcome, coalesce(f.before_entry, false)
FROM new_exits AS n LEFT JOIN folded AS f USING (position)
ORDER BY n.signal_id, n.exit_id
ON CONFLICT (signal_id, exit_id) DO UPDATE
SET revision = excluded.revision, appended_at = excluded.appended_at,
    symbol = excluded.symbol, strategy = excluded.strategy, price = excluded.price,
        quantity = excluded.quantity, closed_at = excluded.closed_at, fee = excluded.fee,
        fee_rate = excluded.fee_rate, interest = excluded.interest, funding = excluded.funding,
        reason = excluded.reason, entry_price = excluded.entry_price,
        closed_quantity = excluded.closed_quantity, realised_pnl = excluded.realised_pnl,
        fees = excluded.fees, carry = excluded.carry, signal_pnl = excluded.signal_pnl,
        "return" = excluded."return", outcome = excluded.outcome,
        before_entry = excluded.before_entry
