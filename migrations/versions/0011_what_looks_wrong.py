"""Indexes of the few rows that look wrong, so that a report can count them on any history."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX signals_awaited ON signals (signal_id) WHERE revision = -1;
        COMMENT ON INDEX signals_awaited IS 'Exits of these came, the entry has not';

        CREATE INDEX signals_ahead ON signals (strategy, emitted_at) WHERE ahead;
        COMMENT ON INDEX signals_ahead IS 'Emitted later than the broker''s time';

        CREATE INDEX signals_wrong_levels ON signals (strategy, emitted_at)
            WHERE (side = 'BUY' AND (target_price <= price OR stop_loss >= price))
               OR (side = 'SELL' AND (target_price >= price OR stop_loss <= price));
        COMMENT ON INDEX signals_wrong_levels IS
            'With a target or a stop on the wrong side of the price';

        CREATE INDEX exits_before_entry ON exits (signal_id) WHERE before_entry;
        COMMENT ON INDEX exits_before_entry IS 'Older than their entry by more than the tolerance';
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX exits_before_entry, signals_wrong_levels, signals_ahead, signals_awaited
    """)
