"""The price at which a signal was entered that is entered at the next bar's open."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_POSITIONS = """
    CREATE VIEW positions AS
    SELECT s.*, e.exit_count, e.closed_quantity, e.excess_quantity, e.realised_pnl,
           e.fees, e.carry, e.closed_at, e."return", e.outcome{entry_price}
    FROM signals AS s CROSS JOIN LATERAL (
        SELECT count(*) AS exit_count, coalesce(sum(closed_quantity), 0) AS closed_quantity,
               coalesce(sum(quantity - closed_quantity), 0) AS excess_quantity,
               coalesce(sum(realised_pnl), 0) AS realised_pnl, coalesce(sum(fees), 0) AS fees,
               coalesce(sum(carry), 0) AS carry,
               max(closed_at) FILTER (WHERE outcome IS NOT NULL) AS closed_at,
               max("return") AS "return", max(outcome) AS outcome{told}
        FROM exits WHERE exits.signal_id = s.signal_id) AS e
    WHERE s.revision >= 0;
    COMMENT ON VIEW positions IS 'Signals and what became of them'
"""


def upgrade() -> None:
    op.execute("ALTER TABLE exits ADD COLUMN entry_price numeric CHECK (entry_price > 0)")
    op.execute("""
        COMMENT ON COLUMN exits.entry_price IS
            'At which a signal with entry next_open was entered; others have it in signals.price'
    """)
    op.execute("ALTER TABLE closings ADD COLUMN entry_price numeric")
    op.execute("""
        COMMENT ON COLUMN closings.entry_price IS
            'As published: the open at which the signal was entered, if not at its own price'
    """)
    op.execute("DROP VIEW positions")
    op.execute(
        _POSITIONS.format(
            entry_price=""",
           CASE WHEN s.entry <> 'next_open' THEN s.price
                WHEN e.exit_count > 0 THEN coalesce(e.told, s.price) END AS entry_price""",
            told=""",
               (array_agg(entry_price ORDER BY closed_at, exit_id))[1] AS told""",
        )
    )


def downgrade() -> None:
    op.execute("DROP VIEW positions")
    op.execute(_POSITIONS.format(entry_price="", told=""))
    op.execute("ALTER TABLE closings DROP COLUMN entry_price")
    op.execute("ALTER TABLE exits DROP COLUMN entry_price")
