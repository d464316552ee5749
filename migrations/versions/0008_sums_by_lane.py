"""Sums by the consumer that adds them, where they were by input partition."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SUMS = {
    "strategy_days": "Sums by strategy",
    "symbol_days": "Sums by symbol",
    "script_days": "Sums by script and day of finished_at",
}


def upgrade() -> None:
    for table, what in _SUMS.items():
        # What was added by partition stays: readers add up all rows of a day.
        op.execute(f"ALTER TABLE {table} RENAME COLUMN partition TO lane")
        op.execute(f"COMMENT ON TABLE {table} IS '{what}, summed over lanes on reading'")
        op.execute(f"""
            COMMENT ON COLUMN {table}.lane IS
                'Of the consumer that added them, so that none waits for another'
        """)


def downgrade() -> None:
    for table, what in _SUMS.items():
        op.execute(f"ALTER TABLE {table} RENAME COLUMN lane TO partition")
        op.execute(f"COMMENT ON TABLE {table} IS '{what}, summed over partitions on reading'")
        op.execute(f"COMMENT ON COLUMN {table}.partition IS NULL")
