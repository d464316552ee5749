"""Totals of outcomes, of verdicts and of scripts, and indexes of what is read beside them.

The totals begin with what is on record, as if one consumer had added it.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_LANE = "Of the consumer that added them, so that none waits for another"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE outcome_totals (
            policy     text COLLATE "C" NOT NULL,
            strategy   text COLLATE "C" NOT NULL,
            lane       integer NOT NULL,
            target     bigint NOT NULL,
            stop       bigint NOT NULL,
            expired    bigint NOT NULL,
            void       bigint NOT NULL,
            ambiguous  bigint NOT NULL,
            returns    bigint NOT NULL,
            sum_return numeric NOT NULL,
            PRIMARY KEY (policy, strategy, lane)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE outcome_totals IS
            'Outcomes that are known, by policy and strategy; lanes are added up on reading';
        COMMENT ON COLUMN outcome_totals.lane IS '{_LANE}';
        COMMENT ON COLUMN outcome_totals.target IS 'Signals that reached their target first';
        COMMENT ON COLUMN outcome_totals.stop IS 'Signals that reached their stop first';
        COMMENT ON COLUMN outcome_totals.expired IS 'Signals that reached neither in time';
        COMMENT ON COLUMN outcome_totals.void IS 'Signals of which nothing can be said';
        COMMENT ON COLUMN outcome_totals.ambiguous IS 'Target and stop lay inside one bar';
        COMMENT ON COLUMN outcome_totals.returns IS 'Outcomes with a return';
        COMMENT ON COLUMN outcome_totals.sum_return IS
            'Of returns rounded to 12 digits after the point: exact in any order';

        INSERT INTO outcome_totals
        SELECT policy, strategy, 0, count(*) FILTER (WHERE outcome = 'target'),
               count(*) FILTER (WHERE outcome = 'stop'),
               count(*) FILTER (WHERE outcome = 'expired'),
               count(*) FILTER (WHERE outcome = 'void'), count(*) FILTER (WHERE ambiguous),
               count("return"), coalesce(sum(round("return"::numeric, 12)), 0)
        FROM outcomes WHERE outcome <> 'pending' GROUP BY policy, strategy;

        CREATE TABLE verdict_totals (
            model_version text COLLATE "C" NOT NULL,
            strategy      text COLLATE "C" NOT NULL,
            verdict       text COLLATE "C" NOT NULL,
            lane          integer NOT NULL,
            assessed      bigint NOT NULL,
            PRIMARY KEY (model_version, strategy, verdict, lane)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE verdict_totals IS
            'Signals assessed, by version, strategy and verdict; lanes are added up on reading';
        COMMENT ON COLUMN verdict_totals.model_version IS 'Empty where no model was live';
        COMMENT ON COLUMN verdict_totals.verdict IS 'none where no model was live';
        COMMENT ON COLUMN verdict_totals.lane IS '{_LANE}';
        COMMENT ON COLUMN verdict_totals.assessed IS 'Number of signals';

        INSERT INTO verdict_totals
        SELECT coalesce(model_version, ''), strategy, coalesce(verdict, 'none'), 0, count(*)
        FROM assessments GROUP BY 1, 2, 3;

        CREATE TABLE script_totals (
            script         text COLLATE "C" NOT NULL,
            action         text COLLATE "C" NOT NULL,
            lane           integer NOT NULL,
            runs           bigint NOT NULL,
            failures       bigint NOT NULL,
            profits        bigint NOT NULL,
            losses         bigint NOT NULL,
            breakevens     bigint NOT NULL,
            results        bigint NOT NULL,
            sum_return_pct numeric NOT NULL,
            last_run       timestamptz NOT NULL,
            PRIMARY KEY (script, action, lane)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE script_totals IS
            'Runs by script and final action; lanes are added up on reading';
        COMMENT ON COLUMN script_totals.action IS 'NONE where the output has no decision';
        COMMENT ON COLUMN script_totals.lane IS '{_LANE}';
        COMMENT ON COLUMN script_totals.runs IS 'Number of runs';
        COMMENT ON COLUMN script_totals.failures IS 'Runs with an exit code other than 0';
        COMMENT ON COLUMN script_totals.profits IS 'Runs that reported a profit';
        COMMENT ON COLUMN script_totals.losses IS 'Runs that reported a loss';
        COMMENT ON COLUMN script_totals.breakevens IS 'Runs that reported neither';
        COMMENT ON COLUMN script_totals.results IS 'Runs that reported a percentage';
        COMMENT ON COLUMN script_totals.sum_return_pct IS 'Of these percentages';
        COMMENT ON COLUMN script_totals.last_run IS 'End of the latest of these runs';

        INSERT INTO script_totals
        SELECT script, coalesce(final_action, 'NONE'), 0, count(*),
               count(*) FILTER (WHERE exit_code <> 0),
               count(*) FILTER (WHERE outcome = 'profit'), count(*) FILTER (WHERE outcome = 'loss'),
               count(*) FILTER (WHERE outcome = 'breakeven'), count(return_pct),
               coalesce(sum(return_pct), 0), max(finished_at)
        FROM executions GROUP BY 1, 2;

        CREATE INDEX executions_results ON executions (script, finished_at, execution_id)
            INCLUDE (return_pct, outcome) WHERE outcome IS NOT NULL;
        COMMENT ON INDEX executions_results IS 'What a script reported last';

        CREATE INDEX dead_letters_open ON dead_letters (first_seen, id)
            WHERE replayed_at IS NULL AND dismissed_at IS NULL;
        COMMENT ON INDEX dead_letters_open IS 'Those that nobody has replayed or dismissed';
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX dead_letters_open, executions_results;
        DROP TABLE script_totals, verdict_totals, outcome_totals
    """)
