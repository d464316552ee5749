"""Dead letters that somebody has put aside, and why: no longer open, and never deleted."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE dead_letters ADD COLUMN dismissed_at timestamptz, ADD COLUMN dismissed_why text;
        COMMENT ON COLUMN dead_letters.dismissed_at IS
            'When somebody put it aside, with the reason beside; null while it is open or replayed';
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE dead_letters DROP COLUMN dismissed_at, DROP COLUMN dismissed_why")
