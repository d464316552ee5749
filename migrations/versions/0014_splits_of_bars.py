"""Splits that a feed of bars tells, and the product of several."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE bars ADD COLUMN split_ratio numeric;
        COMMENT ON COLUMN bars.split_ratio IS
            'New shares for an old one, from this bar on; null without a split';
        CREATE INDEX bars_with_splits ON bars (symbol, timeframe, opened_at)
            WHERE split_ratio IS NOT NULL;
        CREATE AGGREGATE product (numeric) (SFUNC = numeric_mul, STYPE = numeric);
        COMMENT ON AGGREGATE product (numeric) IS 'All values multiplied, exactly; null of none';
    """)


def downgrade() -> None:
    op.execute("""
        DROP AGGREGATE product (numeric);
        DROP INDEX bars_with_splits;
        ALTER TABLE bars DROP COLUMN split_ratio;
    """)
