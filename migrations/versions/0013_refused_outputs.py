"""What outputs were refused for, by script and reason, each with its latest example."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE refused_outputs (
            script   text COLLATE "C" NOT NULL,
            rule     text COLLATE "C" NOT NULL,
            reason   text COLLATE "C" NOT NULL,
            lane     integer NOT NULL,
            outputs  bigint NOT NULL,
            first_at timestamptz NOT NULL,
            last_at  timestamptz NOT NULL,
            last_run text COLLATE "C" NOT NULL,
            excerpt  text NOT NULL,
            PRIMARY KEY (script, rule, reason, lane)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE refused_outputs IS
            'Outputs that recommend nothing, by script and reason; lanes are added up on reading';
        COMMENT ON COLUMN refused_outputs.rule IS
            'Of the extractor, pack/name; none, no-action and no-output where no rule spoke';
        COMMENT ON COLUMN refused_outputs.lane IS
            'Of the consumer that added them, so that none waits for another';
        COMMENT ON COLUMN refused_outputs.first_at IS 'End of the earliest of these runs';
        COMMENT ON COLUMN refused_outputs.last_at IS 'End of the latest of these runs, last_run';
        COMMENT ON COLUMN refused_outputs.excerpt IS
            'Words of the latest of these runs, without secrets and control characters';
    """)


def downgrade() -> None:
    op.execute("DROP TABLE refused_outputs")
