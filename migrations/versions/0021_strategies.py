"""Strategies that were asked for, their versions, and what generators answered.

Rows of a user are seen and changed by that user alone, by admins, and, where a strategy is public,
read by all. Rows of nobody are those of an API that asks nobody who they are: its sessions are
nobody's too. Stages connect as the tables' owner, for whom no policy holds.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = (
    "generation_log",
    "strategy_requests",
    "strategy_tries",
    "strategy_versions",
    "strategies",
)


def upgrade() -> None:
    op.execute(_TABLES)
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_FUNCTION.replace("THIS_SCHEMA", schema))
    op.execute(_POLICIES)


def downgrade() -> None:
    # The function goes with the table that it changes.
    op.execute(f"DROP TABLE {', '.join(TABLES)} CASCADE")


_TABLES = """
    CREATE TABLE strategies (
        strategy_id   uuid PRIMARY KEY,
        owner         text COLLATE "C" NOT NULL CHECK (length(owner) BETWEEN 1 AND 128),
        user_id       uuid REFERENCES users,
        name          text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
        record_name   text COLLATE "C" UNIQUE,
        description   text NOT NULL DEFAULT '',
        kind          text NOT NULL CHECK (kind IN ('rule', 'code')),
        status        text NOT NULL CHECK (status IN ('draft', 'validated', 'active', 'archived')),
        public        boolean NOT NULL DEFAULT false,
        version       integer NOT NULL DEFAULT 1 CHECK (version >= 1),
        parameters    jsonb NOT NULL DEFAULT '{}',
        symbols       text[] NOT NULL DEFAULT '{}',
        timeframe     text NOT NULL DEFAULT '1d',
        source        text,
        quantity      numeric NOT NULL DEFAULT 1 CHECK (quantity > 0),
        currency      text NOT NULL DEFAULT 'USD',
        takes_over    boolean NOT NULL DEFAULT false,
        copied_from   uuid,
        copies        bigint NOT NULL DEFAULT 0,
        created_at    timestamptz NOT NULL,
        changed_at    timestamptz NOT NULL,
        activated_at  timestamptz,
        suspended_at  timestamptz,
        suspended_why text,
        deleted_at    timestamptz,
        CHECK (status <> 'active' OR (record_name IS NOT NULL AND activated_at IS NOT NULL)),
        CHECK ((suspended_at IS NULL) = (suspended_why IS NULL))
    );
    CREATE UNIQUE INDEX strategies_of_owner ON strategies (owner, name) WHERE deleted_at IS NULL;
    CREATE INDEX strategies_active ON strategies (timeframe) WHERE status = 'active';
    CREATE INDEX strategies_of_user ON strategies (user_id);
    CREATE INDEX strategies_by_age ON strategies (created_at, strategy_id);
    COMMENT ON TABLE strategies IS 'Every strategy that was made here, deleted ones included';
    COMMENT ON COLUMN strategies.owner IS 'Who asked for it, in the words of the request';
    COMMENT ON COLUMN strategies.user_id IS 'The user of the HTTP API whose it is; null: nobody''s';
    COMMENT ON COLUMN strategies.record_name IS
        'The name that its signals bear, from the first activation on; never another''s again';
    COMMENT ON COLUMN strategies.kind IS 'rule: from words at hand; code: written out';
    COMMENT ON COLUMN strategies.parameters IS 'Values that differ from the code''s defaults';
    COMMENT ON COLUMN strategies.source IS 'Of the bars it decides on; null: the first by name';
    COMMENT ON COLUMN strategies.takes_over IS
        'Whether a new version takes over positions of the old one; else these run to their end';
    COMMENT ON COLUMN strategies.copied_from IS 'The strategy that it was copied from';
    COMMENT ON COLUMN strategies.copies IS 'How often others have copied it';
    COMMENT ON COLUMN strategies.suspended_why IS
        'Why it is not asked for decisions though it is active; null: it is asked';

    CREATE TABLE strategy_versions (
        strategy_id    uuid NOT NULL REFERENCES strategies,
        version        integer NOT NULL CHECK (version >= 1),
        code           text,
        code_digest    text COLLATE "C",
        rule           jsonb,
        declared       jsonb NOT NULL DEFAULT '{}',
        prompt         text NOT NULL DEFAULT '',
        provider       text NOT NULL DEFAULT '',
        model          text NOT NULL DEFAULT '',
        asked_at       timestamptz,
        is_valid       boolean NOT NULL,
        reads_as       text NOT NULL DEFAULT '',
        assumptions    jsonb NOT NULL DEFAULT '[]',
        not_understood jsonb NOT NULL DEFAULT '[]',
        problems       jsonb NOT NULL DEFAULT '[]',
        backtest       jsonb,
        created_at     timestamptz NOT NULL,
        PRIMARY KEY (strategy_id, version),
        CHECK ((code IS NULL) = (code_digest IS NULL)),
        CHECK (code IS NOT NULL OR NOT is_valid)
    );
    COMMENT ON TABLE strategy_versions IS 'What a strategy was; a version never changes';
    COMMENT ON COLUMN strategy_versions.code_digest IS 'SHA-256 of the code, UTF-8';
    COMMENT ON COLUMN strategy_versions.rule IS 'The rule that the code was made from, if one was';
    COMMENT ON COLUMN strategy_versions.model IS
        'The language model that wrote the code; empty: none did';
    COMMENT ON COLUMN strategy_versions.asked_at IS 'When that model was asked';
    COMMENT ON COLUMN strategy_versions.backtest IS 'The last backtest''s verdict and numbers';

    CREATE TABLE strategy_tries (
        run_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at          timestamptz NOT NULL,
        owner       text COLLATE "C" NOT NULL,
        code        text COLLATE "C" NOT NULL,
        copied_from text[] NOT NULL DEFAULT '{}',
        parameters  text[] NOT NULL
    );
    COMMENT ON TABLE strategy_tries IS
        'What was ever backtested, by identities; never deleted, so that luck can be counted';

    CREATE TABLE strategy_requests (
        request_id   text COLLATE "C" PRIMARY KEY,
        owner        text COLLATE "C" NOT NULL,
        user_id      uuid REFERENCES users,
        content      jsonb NOT NULL,
        status       text NOT NULL CHECK (status IN ('waiting', 'working', 'done', 'failed')),
        error        text,
        strategy_id  uuid REFERENCES strategies,
        answer       jsonb,
        requested_at timestamptz NOT NULL,
        worker       text,
        epoch        bigint NOT NULL DEFAULT 0,
        beat_at      timestamptz,
        ended_at     timestamptz
    );
    CREATE INDEX strategy_requests_open ON strategy_requests (requested_at)
        WHERE status IN ('waiting', 'working');
    CREATE INDEX strategy_requests_of_user ON strategy_requests (user_id);
    COMMENT ON TABLE strategy_requests IS 'What was asked for, as a state machine';
    COMMENT ON COLUMN strategy_requests.content IS 'The request, as its event holds it';
    COMMENT ON COLUMN strategy_requests.answer IS 'What strategy_generated told, but for the ids';
    COMMENT ON COLUMN strategy_requests.epoch IS
        'Raised by whoever takes it up; what an earlier worker brings is dropped';

    CREATE TABLE generation_log (
        attempt_id    text COLLATE "C" PRIMARY KEY,
        request_id    text COLLATE "C" NOT NULL,
        number        integer NOT NULL CHECK (number >= 1),
        owner         text COLLATE "C" NOT NULL,
        user_id       uuid REFERENCES users,
        prompt        text NOT NULL,
        instructions  text NOT NULL DEFAULT '',
        request       text NOT NULL DEFAULT '',
        provider      text NOT NULL,
        model         text NOT NULL DEFAULT '',
        most_tokens   integer,
        most_seconds  double precision,
        status        text NOT NULL CHECK (status IN ('asking', 'success', 'failure', 'partial')),
        ending        text,
        error         text,
        raw_answer    text NOT NULL DEFAULT '',
        code          text,
        problems      jsonb NOT NULL DEFAULT '[]',
        answered_by   text,
        input_tokens  bigint,
        output_tokens bigint,
        seconds       double precision,
        asked_at      timestamptz NOT NULL,
        ended_at      timestamptz
    );
    CREATE INDEX generation_log_by_age ON generation_log (asked_at, attempt_id);
    CREATE INDEX generation_log_of_request ON generation_log (request_id);
    CREATE INDEX generation_log_of_user ON generation_log (user_id);
    COMMENT ON TABLE generation_log IS
        'Every attempt at a strategy; a row is committed before a provider is asked';
    COMMENT ON COLUMN generation_log.status IS
        'asking; success: code that is valid; partial: code that is not; failure: none';
"""

_FUNCTION = """
    CREATE FUNCTION strategy_copied(original uuid) RETURNS void LANGUAGE sql VOLATILE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        UPDATE strategies SET copies = copies + 1 WHERE strategy_id = original;
    END;
    COMMENT ON FUNCTION strategy_copied(uuid) IS
        'Counts a copy of a strategy, which whoever copies may read and not change';
    REVOKE ALL ON FUNCTION strategy_copied(uuid) FROM PUBLIC;
"""

_MINE = "user_id IS NOT DISTINCT FROM access_user()"
_ADMIN = "access_role() = 'admin'"

_POLICIES = (
    "".join(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;\n" for name in TABLES)
    + f"""
    CREATE POLICY seen ON strategies FOR SELECT
        USING ({_MINE} OR {_ADMIN} OR (public AND deleted_at IS NULL));
    CREATE POLICY made ON strategies FOR INSERT WITH CHECK ({_MINE});
    CREATE POLICY changed ON strategies FOR UPDATE USING ({_MINE} OR {_ADMIN});

    CREATE POLICY seen ON strategy_versions FOR SELECT
        USING (strategy_id IN (SELECT s.strategy_id FROM strategies AS s));
    CREATE POLICY made ON strategy_versions FOR INSERT WITH CHECK (strategy_id IN (
        SELECT s.strategy_id FROM strategies AS s WHERE {_MINE}));
    CREATE POLICY changed ON strategy_versions FOR UPDATE USING (strategy_id IN (
        SELECT s.strategy_id FROM strategies AS s
        WHERE {_MINE} OR {_ADMIN}));

    -- Identities only: they tell what was tried, not what it is.
    CREATE POLICY seen ON strategy_tries FOR SELECT USING (true);
    CREATE POLICY made ON strategy_tries FOR INSERT WITH CHECK (true);

    CREATE POLICY seen ON strategy_requests FOR SELECT USING ({_MINE} OR {_ADMIN});
    CREATE POLICY made ON strategy_requests FOR INSERT WITH CHECK ({_MINE});
    CREATE POLICY changed ON strategy_requests FOR UPDATE USING ({_MINE} OR {_ADMIN});

    CREATE POLICY seen ON generation_log FOR SELECT USING ({_MINE} OR {_ADMIN});
    CREATE POLICY made ON generation_log FOR INSERT WITH CHECK ({_MINE});
    CREATE POLICY changed ON generation_log FOR UPDATE USING ({_MINE});
"""
)
