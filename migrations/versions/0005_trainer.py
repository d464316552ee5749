"""Models, which of them was live when, and the training runs that made them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE models (
            version      text COLLATE "C" PRIMARY KEY,
            model        text COLLATE "C" NOT NULL,
            training_id  text COLLATE "C" NOT NULL,
            created_at   timestamptz NOT NULL,
            learnt_until timestamptz NOT NULL,
            manifest     jsonb NOT NULL,
            metrics      jsonb NOT NULL,
            report       jsonb NOT NULL
        );
        COMMENT ON TABLE models IS
            'Every model that was trained, promoted or not; never changed afterwards';
        COMMENT ON COLUMN models.learnt_until IS
            'The last moment that any label it learnt from looked at';
        CREATE INDEX models_by_age ON models (model, created_at);

        CREATE TABLE model_files (
            version text COLLATE "C" NOT NULL REFERENCES models,
            name    text COLLATE "C" NOT NULL,
            content bytea NOT NULL,
            PRIMARY KEY (version, name)
        );
        COMMENT ON TABLE model_files IS
            'The files of each model, the manifest with their SHA-256 digests among them';

        CREATE TABLE champions (
            model       text COLLATE "C" NOT NULL,
            live_from   timestamptz NOT NULL,
            version     text COLLATE "C" REFERENCES models,
            live_until  timestamptz,
            reason      text NOT NULL,
            training_id text COLLATE "C",
            PRIMARY KEY (model, live_from),
            CHECK (live_until > live_from)
        );
        COMMENT ON TABLE champions IS
            'Which version served when; where live_until is null, it serves now';
        COMMENT ON COLUMN champions.version IS 'Null: none served';
        CREATE UNIQUE INDEX champions_live ON champions (model) WHERE live_until IS NULL;

        CREATE TABLE training_jobs (
            training_id   text COLLATE "C" PRIMARY KEY,
            model         text COLLATE "C" NOT NULL,
            status        text COLLATE "C" NOT NULL
                CHECK (status IN ('queued', 'running', 'completed', 'refused', 'failed')),
            trigger       text COLLATE "C" NOT NULL,
            reason        text NOT NULL,
            options       jsonb NOT NULL,
            requested_at  timestamptz NOT NULL,
            cut_off       timestamptz,
            outcomes      bigint,
            owner         text,
            epoch         bigint NOT NULL DEFAULT 0,
            attempts      integer NOT NULL DEFAULT 0,
            started_at    timestamptz,
            heartbeat_at  timestamptz,
            finished_at   timestamptz,
            judged_against text COLLATE "C",
            unseen_from   timestamptz,
            decided_until timestamptz,
            version       text COLLATE "C",
            promoted      boolean,
            error         text
        );
        COMMENT ON TABLE training_jobs IS
            'Training runs as a state machine; every change names the epoch that it follows';
        COMMENT ON COLUMN training_jobs.cut_off IS
            'Only outcomes whose whole horizon had elapsed by then are used';
        COMMENT ON COLUMN training_jobs.epoch IS
            'Raised by whoever takes the run up; what an earlier owner brings is dropped';
        COMMENT ON COLUMN training_jobs.decided_until IS
            'The last emission that its decision looked at; no later decision looks before it';
        CREATE UNIQUE INDEX training_jobs_one_at_a_time ON training_jobs (model)
            WHERE status IN ('queued', 'running');
        CREATE INDEX training_jobs_by_age ON training_jobs (model, requested_at);

        CREATE TABLE ml_training_log (
            training_id      text COLLATE "C" PRIMARY KEY,
            model            text COLLATE "C" NOT NULL,
            outcome          text COLLATE "C" NOT NULL,
            trigger          text COLLATE "C" NOT NULL,
            version          text COLLATE "C",
            promoted         boolean NOT NULL,
            champion_version text COLLATE "C",
            started_at       timestamptz NOT NULL,
            finished_at      timestamptz NOT NULL,
            duration_seconds double precision NOT NULL,
            data_points      bigint NOT NULL,
            metrics          jsonb NOT NULL,
            reason           text,
            error            text
        );
        COMMENT ON TABLE ml_training_log IS
            'One row per training run that ended, in success or in failure';
        CREATE INDEX ml_training_log_by_age ON ml_training_log (model, finished_at);
        CREATE INDEX assessments_by_model ON assessments (model_version, emitted_at);
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX assessments_by_model;
        DROP TABLE ml_training_log, training_jobs, champions, model_files, models
    """)
