"""When signals of a symbol were ended as it had ceased to trade, not only that they were."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE watched_symbols ADD COLUMN ceased_at timestamptz;
        COMMENT ON COLUMN watched_symbols.ceased_at IS
            'When its signals were ended, as it had had no bar for ten sessions';
        UPDATE watched_symbols AS w SET ceased_at = (
            SELECT DISTINCT closed_at FROM sessions AS s
            WHERE s.timeframe = w.timeframe AND s.closed_at > w.last_closed_at
            ORDER BY closed_at OFFSET 9 LIMIT 1)
        WHERE w.ceased;
        ALTER TABLE watched_symbols DROP COLUMN ceased;
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE watched_symbols ADD COLUMN ceased boolean NOT NULL DEFAULT false;
        COMMENT ON COLUMN watched_symbols.ceased IS
            'Whether its signals were ended as it had no bar for ten sessions';
        UPDATE watched_symbols SET ceased = ceased_at IS NOT NULL;
        ALTER TABLE watched_symbols DROP COLUMN ceased_at;
    """)
