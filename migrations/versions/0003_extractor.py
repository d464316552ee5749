"""Runs of scripts, what was read from their output, and the sums by script and day."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE executions (
            execution_id      text COLLATE "C" PRIMARY KEY,
            script            text COLLATE "C" NOT NULL,
            program           text,
            symbol            text COLLATE "C",
            started_at        timestamptz NOT NULL,
            finished_at       timestamptz NOT NULL,
            exit_code         integer NOT NULL,
            output_bytes      integer NOT NULL,
            digest            text COLLATE "C" NOT NULL,
            final_action      text COLLATE "C",
            return_pct        numeric,
            outcome           text COLLATE "C",
            extractor_version text COLLATE "C" NOT NULL,
            appended_at       timestamptz NOT NULL
        );
        CREATE INDEX executions_script ON executions (script, finished_at, execution_id);
        COMMENT ON TABLE executions IS
            'Each run of a script: what it decided and what it earned; null: it did not say';
        COMMENT ON COLUMN executions.digest IS 'Of the event, to tell a repeat from a conflict';

        CREATE TABLE recommendations (
            execution_id text COLLATE "C" NOT NULL,
            number       integer NOT NULL,
            script       text COLLATE "C" NOT NULL,
            action       text COLLATE "C" NOT NULL,
            symbol       text COLLATE "C",
            entry_price  numeric,
            target_price numeric,
            stop_loss    numeric,
            confidence   double precision,
            said_at      timestamptz NOT NULL,
            signal_id    text COLLATE "C",
            no_signal    text COLLATE "C",
            closed_by    text COLLATE "C",
            PRIMARY KEY (execution_id, number)
        );
        CREATE INDEX recommendations_open ON recommendations (script, symbol)
            WHERE signal_id IS NOT NULL AND closed_by IS NULL;
        COMMENT ON TABLE recommendations IS 'What a run recommended, in the order of printing';
        COMMENT ON COLUMN recommendations.no_signal IS 'Why it became no signal of its own';
        COMMENT ON COLUMN recommendations.closed_by IS
            'The execution whose SELL closed it, where sell_means is exit';

        CREATE TABLE script_days (
            script         text COLLATE "C" NOT NULL,
            day            date NOT NULL,
            partition      integer NOT NULL,
            runs           bigint NOT NULL,
            failures       bigint NOT NULL,
            buys           bigint NOT NULL,
            sells          bigint NOT NULL,
            holds          bigint NOT NULL,
            undecided      bigint NOT NULL,
            profits        bigint NOT NULL,
            losses         bigint NOT NULL,
            breakevens     bigint NOT NULL,
            results        bigint NOT NULL,
            sum_return_pct numeric NOT NULL,
            PRIMARY KEY (script, day, partition)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE script_days IS
            'Sums by script and day of finished_at, summed over partitions on reading';
    """)
