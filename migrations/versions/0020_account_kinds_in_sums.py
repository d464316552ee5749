"""How many signals of a strategy are of which kind of account, in its sums."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TABLES = ("strategy_days", "symbol_days", "strategy_totals")
_KINDS = ("live", "paper", "backtest", "imported")


def upgrade() -> None:
    for table in _TABLES:
        for kind in _KINDS:
            op.execute(f"""
                ALTER TABLE {table} ADD COLUMN {kind}_signals bigint NOT NULL DEFAULT 0;
                COMMENT ON COLUMN {table}.{kind}_signals IS
                    'Signals that name an account of kind {kind}; the rest name none'
            """)


def downgrade() -> None:
    for table in _TABLES:
        for kind in _KINDS:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {kind}_signals")
