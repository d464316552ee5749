"""Exits from before their entry, entries ahead of the broker's time, and prices of any sign.

What the stage has read before is judged anew by `trackrecord replay`.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_POSITIONS = """
    CREATE VIEW positions AS
    SELECT s.*, e.exit_count, e.closed_quantity, e.excess_quantity, e.realised_pnl,
           e.fees, e.carry, {closed_at} AS closed_at, e."return", e.outcome,
           CASE WHEN s.entry <> 'next_open' THEN s.price
                WHEN {known} > 0 THEN coalesce(e.told, s.price) END AS entry_price{more}
    FROM signals AS s CROSS JOIN LATERAL (
        SELECT count(*) AS exit_count, coalesce(sum(closed_quantity), 0) AS closed_quantity,
               coalesce(sum(quantity - closed_quantity), 0) AS excess_quantity,
               coalesce(sum(realised_pnl), 0) AS realised_pnl, coalesce(sum(fees), 0) AS fees,
               coalesce(sum(carry), 0) AS carry,
               max(closed_at) FILTER (WHERE outcome IS NOT NULL) AS closed_at,
               max("return") AS "return", max(outcome) AS outcome,
               (array_agg(entry_price ORDER BY closed_at, exit_id){counting})[1] AS told{before}
        FROM exits WHERE exits.signal_id = s.signal_id) AS e
    WHERE s.revision >= 0;
    COMMENT ON VIEW positions IS 'Signals and what became of them'
"""

# Not valid: rows from before are not read through, and a downgrade keeps those of any sign.
_KNOWN = """
    ALTER TABLE signals DROP CONSTRAINT known_or_awaited;
    ALTER TABLE signals ADD CONSTRAINT known_or_awaited
        CHECK (revision = -1 OR (revision >= 0 AND {price}
            AND quantity > 0 AND strategy IS NOT NULL AND symbol IS NOT NULL
            AND side IN ('BUY', 'SELL') AND currency IS NOT NULL AND emitted_at IS NOT NULL
            AND appended_at IS NOT NULL AND backdated IS NOT NULL)) NOT VALID
"""


def upgrade() -> None:
    op.execute("DROP VIEW positions")
    op.execute("""
        ALTER TABLE exits ADD COLUMN before_entry boolean NOT NULL DEFAULT false;
        ALTER TABLE exits ALTER COLUMN before_entry SET STATISTICS 0;
        COMMENT ON COLUMN exits.before_entry IS
            'Older than its entry by more than the tolerance: it closed nothing';
        ALTER TABLE signals ADD COLUMN ahead boolean NOT NULL DEFAULT false;
        ALTER TABLE signals ALTER COLUMN ahead SET STATISTICS 0;
        COMMENT ON COLUMN signals.ahead IS
            'Whether it claimed to be later than the broker''s time by more than the tolerance';
        ALTER TABLE exits DROP CONSTRAINT exits_price_check;
        ALTER TABLE exits DROP CONSTRAINT exits_entry_price_check;
    """)
    op.execute(_KNOWN.format(price="price IS NOT NULL"))
    for table in ("strategy_days", "symbol_days"):
        op.execute(f"""
            ALTER TABLE {table} ADD COLUMN without_return bigint NOT NULL DEFAULT 0;
            COMMENT ON COLUMN {table}.without_return IS
                'Of the closed: without a return, as entry price or cost basis is not above 0'
        """)
    op.execute(
        _POSITIONS.format(
            closed_at="CASE WHEN e.closed_at IS NOT NULL THEN greatest(e.closed_at, s.emitted_at)"
            " END",
            known="e.exit_count - e.exits_before_entry",
            more=",\n           e.exits_before_entry",
            counting=" FILTER (WHERE NOT before_entry)",
            before=",\n               count(*) FILTER (WHERE before_entry) AS exits_before_entry",
        )
    )


def downgrade() -> None:
    op.execute("DROP VIEW positions")
    for table in ("strategy_days", "symbol_days"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN without_return")
    op.execute(_KNOWN.format(price="price > 0"))
    op.execute("""
        ALTER TABLE exits ADD CONSTRAINT exits_entry_price_check CHECK (entry_price > 0) NOT VALID;
        ALTER TABLE exits ADD CONSTRAINT exits_price_check CHECK (price >= 0) NOT VALID;
        ALTER TABLE signals DROP COLUMN ahead;
        ALTER TABLE exits DROP COLUMN before_entry
    """)
    op.execute(
        _POSITIONS.format(
            closed_at="e.closed_at", known="e.exit_count", more="", counting="", before=""
        )
    )
