"""What exits realise: :func:`trackrecord.tracking.fold.fold` as statements over whole batches.

Both write ``folded``: a row per exit of each signal that changed. Most signals
have one exit, for which the fold is a formula; the others need their exits in
order, and windows over them.
"""

from __future__ import annotations

from typing import Final

from services.signal_tracker.tables import TOLD_LATE

_FEE_PLACES: Final = 12
_RETURN_PLACES: Final = 18


def _half_even(above: str, below: str, quotient: str, places: int) -> str:
    """SQL of above / below (below > 0), rounded half to even.

    Args:
        above: SQL of a number.
        below: SQL of another.
        quotient: SQL of ``div(abs(above) * 10^places, below)``.
        places: Digits after the point.
    """
    twice = f"2 * (abs({above}) * {10**places}::numeric - {quotient} * {below})"
    return (
        f"sign({above}) * ({quotient} + CASE WHEN {twice} > {below}"
        f" OR ({twice} = {below} AND mod({quotient}, 2) = 1) THEN 1 ELSE 0 END)"
        f" * {10**-places:.{places}f}::numeric"
    )


def _quotient(above: str, below: str, places: int) -> str:
    return f"div(abs({above}) * {10**places}::numeric, {below})"


_ENTRY: Final = """
SELECT {0}.signal_id, {0}.strategy, {0}.symbol, {0}.currency, {0}.price,
       {0}.quantity, {0}.leverage, CASE {0}.side WHEN 'BUY' THEN 1 ELSE -1 END AS direction,
       {0}.fee, {0}.fee_rate, {0}.entry, {0}.emitted_at
FROM {0} WHERE {1}
"""
_OLD: Final = _ENTRY.format("old_signals", "old_signals.revision >= 0")
_NEW: Final = _ENTRY.format("new_entries", "true")
_NOT_CORRECTED: Final = (
    " AND NOT EXISTS (SELECT FROM new_entries AS n WHERE n.signal_id = old_signals.signal_id)"
)
_BOTH: Final = f"{_OLD}{_NOT_CORRECTED} UNION ALL {_NEW}"


def _entered(at_open: str) -> str:
    """SQL of the price and the fee of an entry ``e``.

    Args:
        at_open: SQL of the entry price of its first exit that counts.
    """
    price = f"CASE WHEN e.entry = 'next_open' THEN coalesce({at_open}, e.price) ELSE e.price END"
    return (
        f"{price} AS entered, coalesce(e.fee, e.fee_rate * ({price}) * e.quantity, 0) AS entry_fee"
    )


_BEFORE_ENTRY: Final = "e.emitted_at - x.closed_at > make_interval(secs => %(backdated_after)s)"
# What an exit is a little older than its entry, it counts at the entry's moment.
_DAY: Final = "(greatest({0}, emitted_at) AT TIME ZONE %(timezone)s)::date"

# No return is a share of what is not above 0, be it the price or the cost basis.
_BASIS: Final = "CASE WHEN entered > 0 THEN {0} * entered + direction * entry_fee ELSE 0 END"

# Of a signal that is closed: what it gained for its return, and the outcome of that.
_GAINED: Final = "CASE WHEN leverage IS NULL THEN {0} ELSE {0} * leverage END"
_OUTCOME: Final = """
CASE WHEN closes IS NOT TRUE THEN NULL
     WHEN gained > 0.000000005 * greatest(basis, 0) THEN 1
     WHEN gained < -0.000000005 * greatest(basis, 0) THEN -1
     ELSE 0 END
"""
_RETURN: Final = (
    f"CASE WHEN closes AND basis > 0 THEN"
    f" {_half_even('gained', 'basis', 'quotient', _RETURN_PLACES)} END"
)
_RETURN_QUOTIENT: Final = (
    f"CASE WHEN closes AND basis > 0 THEN {_quotient('gained', 'basis', _RETURN_PLACES)} END"
)


def _share(opened: str) -> str:
    """SQL of what an exit bears of the fee of an entry of a quantity."""
    above = "(entry_fee * closed_quantity)"
    return _half_even(above, opened, _quotient(above, opened, _FEE_PLACES), _FEE_PLACES)


FIND_SEVERAL: Final = """
INSERT INTO several
SELECT signal_id
FROM (SELECT signal_id, true AS is_exit FROM new_exits
      UNION ALL SELECT signal_id, false FROM new_entries) AS named
GROUP BY signal_id
HAVING count(*) FILTER (WHERE is_exit) > 1
    OR signal_id IN (SELECT signal_id FROM old_exits)
"""
"""Signals with exits from before, or with several new ones."""


# OFFSET 0 keeps the planner from working out the same expression again at each use.
ONE_EXIT: Final = f"""
SELECT *, CASE WHEN closes THEN realised_pnl END AS signal_pnl, {_RETURN} AS "return",
       {_OUTCOME} AS outcome
FROM (
    SELECT *, {_RETURN_QUOTIENT} AS quotient
    FROM (
        SELECT *, {_GAINED.format("realised_pnl")} AS gained
        FROM (
            SELECT *, gross - fees - carry AS realised_pnl
            FROM (
                SELECT *, closed_quantity = opened AS closes, {_BASIS.format("opened")} AS basis,
                       (price - entered) * closed_quantity * direction AS gross,
                       CASE WHEN before_entry THEN 0
                            ELSE coalesce(interest, 0) + coalesce(funding, 0) END AS carry,
                       CASE WHEN before_entry THEN 0
                            ELSE coalesce(fee, fee_rate * price * closed_quantity, 0)
                                 + CASE WHEN closed_quantity = opened OR entry_fee = 0
                                        THEN entry_fee
                                        ELSE {_share("opened")} END END AS fees
                FROM (
                    SELECT x.*, e.strategy AS owner, e.symbol AS traded, e.currency,
                           {_DAY.format("x.closed_at")} AS day,
                           {_BEFORE_ENTRY} AS before_entry, {TOLD_LATE.format("x")} AS backdated,
                           CASE WHEN {_BEFORE_ENTRY} THEN 0 WHEN x.quantity < e.quantity
                                THEN x.quantity ELSE e.quantity END AS closed_quantity,
                           {_entered("x.entry_price")}, e.quantity AS opened, e.leverage,
                           e.direction
                    FROM new_exits AS x LEFT JOIN ({_BOTH}) AS e USING (signal_id)
                    OFFSET 0) AS matched
                OFFSET 0) AS priced
            OFFSET 0) AS realised
        OFFSET 0) AS closed
    OFFSET 0) AS divided
"""
"""What each new exit realises if it is its signal's only one.

While the entry is unknown, ``closed_quantity`` and what is earned are null."""

FOLD_ONE: Final = f"""
INSERT INTO folded
SELECT position, signal_id, exit_id, owner, traded, currency, day, closed_quantity,
       realised_pnl, fees, carry, signal_pnl, "return", outcome, before_entry
FROM ({ONE_EXIT}) AS realised
WHERE closed_quantity IS NOT NULL AND signal_id NOT IN (SELECT signal_id FROM several)
"""
"""The fold of signals that have one exit."""

FOLD_SEVERAL: Final = f"""
INSERT INTO folded
WITH exits_known AS (
    SELECT position, signal_id, exit_id, price, quantity, closed_at, fee, fee_rate, interest,
           funding, entry_price
    FROM new_exits
    UNION ALL
    SELECT NULL, o.signal_id, o.exit_id, o.price, o.quantity, o.closed_at, o.fee, o.fee_rate,
           o.interest, o.funding, o.entry_price
    FROM old_exits AS o
    WHERE NOT EXISTS (SELECT FROM new_exits AS n
                      WHERE n.signal_id = o.signal_id AND n.exit_id = o.exit_id)
), opened AS MATERIALIZED (
    SELECT e.* FROM ({_BOTH}) AS e JOIN several USING (signal_id)
), met AS MATERIALIZED (
    SELECT x.*, {_BEFORE_ENTRY} AS before_entry
    FROM exits_known AS x JOIN opened AS e USING (signal_id)
), first AS (
    SELECT DISTINCT ON (signal_id) signal_id, entry_price FROM met WHERE NOT before_entry
    ORDER BY signal_id, closed_at, exit_id
), entries AS MATERIALIZED (
    SELECT e.signal_id, e.strategy, e.symbol, e.currency, e.quantity, e.emitted_at,
           e.leverage, e.direction, {_entered("first.entry_price")}
    FROM opened AS e LEFT JOIN first USING (signal_id)
), wanted AS (
    SELECT *, sum(wants) OVER in_order AS wanted_so_far
    FROM (SELECT x.position, x.signal_id, x.exit_id, x.closed_at, x.price AS exit_price,
                 x.fee AS exit_fee, x.fee_rate AS exit_fee_rate, x.interest, x.funding,
                 x.before_entry, e.strategy, e.symbol, e.currency, e.entered, e.quantity,
                 e.leverage, e.direction, e.entry_fee, e.emitted_at,
                 CASE WHEN x.before_entry THEN 0
                      ELSE coalesce(x.quantity, e.quantity) END AS wants
          FROM met AS x JOIN entries AS e USING (signal_id)) AS x
    WINDOW in_order AS (PARTITION BY signal_id ORDER BY x.closed_at, x.exit_id)
), closing AS (
    SELECT *,
           least(wanted_so_far, quantity)
               - least(wanted_so_far - wants, quantity) AS closed_quantity,
           wanted_so_far >= quantity AND wanted_so_far - wants < quantity AS closes
    FROM wanted
), shared AS (
    SELECT *,
           CASE WHEN closes OR closed_quantity = 0 OR entry_fee = 0 THEN 0
                ELSE {_share("quantity")} END AS share
    FROM closing
), priced AS (
    SELECT *,
           CASE WHEN closed_quantity = 0 THEN 0
                ELSE coalesce(exit_fee, exit_fee_rate * exit_price * closed_quantity, 0)
                     + CASE WHEN closes THEN entry_fee - coalesce(sum(share) OVER (
                                PARTITION BY signal_id ORDER BY closed_at, exit_id
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                            ELSE share END
           END AS fees,
           CASE WHEN closed_quantity = 0 THEN 0
                ELSE coalesce(interest, 0) + coalesce(funding, 0) END AS carry
    FROM shared
), realised AS (
    SELECT *, (exit_price - entered) * closed_quantity * direction - fees - carry AS realised_pnl,
           {_BASIS.format("quantity")} AS basis
    FROM priced
), summed AS (
    SELECT *, sum(realised_pnl) OVER (PARTITION BY signal_id) AS signal_pnl FROM realised
), gained AS (
    SELECT *, {_GAINED.format("signal_pnl")} AS gained FROM summed
), divided AS (
    SELECT *, {_RETURN_QUOTIENT} AS quotient FROM gained
)
SELECT position, signal_id, exit_id, strategy, symbol, currency,
       {_DAY.format("closed_at")}, closed_quantity, realised_pnl, fees, carry,
       CASE WHEN closes THEN signal_pnl END, {_RETURN}, {_OUTCOME}, before_entry
FROM divided
"""
"""The fold over every signal of ``several``, its exits in the order of (closed_at, exit_id).

An exit from before the entry wants nothing, so it takes nothing from the others."""
