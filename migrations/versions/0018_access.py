"""Users, their logins and keys, whose names are, who did what; and account kinds of signals.

Each session of the HTTP API says for whom it reads, by ``trackrecord.user_id``, and policies show
it that user's rows alone. They do not hold for the tables' owner, who runs `trackrecord users`.
Functions that look at all rows are for what must be known before it is known who asks.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = (
    "audit_log", "login_attempts", "claims", "api_keys", "refresh_tokens", "logins", "users"
)  # fmt: skip
FUNCTIONS = (
    "access_find_user(text)", "access_find_key(bytea)", "access_find_refresh(bytea)",
    "access_find_session(bytea)", "access_reader(uuid, uuid)", "access_hidden(uuid)",
    "access_role()",
)  # fmt: skip


def upgrade() -> None:
    op.execute(_TABLES)
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_FUNCTIONS.replace("THIS_SCHEMA", schema))
    op.execute(_POLICIES)
    op.execute("DROP VIEW positions")
    for table in ("signals", "signal_revisions"):
        op.execute(f"""
            ALTER TABLE {table} ADD COLUMN account text COLLATE "C";
            COMMENT ON COLUMN {table}.account IS
                'live, paper, backtest or imported; null: not said'
        """)
    op.execute("ALTER TABLE signals ALTER COLUMN account SET STATISTICS 0")
    op.execute(_POSITIONS)
    # What is read through a view is read with the rights of whoever reads.
    op.execute("ALTER VIEW positions SET (security_invoker = true)")


def downgrade() -> None:
    op.execute("DROP VIEW positions")
    for table in ("signals", "signal_revisions"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN account")
    op.execute(_POSITIONS)
    # The functions that read the tables go with them.
    op.execute(f"DROP TABLE {', '.join(TABLES)} CASCADE")
    op.execute("DROP FUNCTION access_user()")


_POSITIONS = """
    CREATE VIEW positions AS
    SELECT s.*, e.exit_count, e.closed_quantity, e.excess_quantity, e.realised_pnl,
           e.fees, e.carry,
           CASE WHEN e.closed_at IS NOT NULL THEN greatest(e.closed_at, s.emitted_at)
           END AS closed_at, e."return", e.outcome,
           CASE WHEN s.entry <> 'next_open' THEN s.price
                WHEN e.exit_count - e.exits_before_entry > 0 THEN coalesce(e.told, s.price)
           END AS entry_price,
           e.exits_before_entry, e.exits_backdated, e.exits_corrected_late
    FROM signals AS s CROSS JOIN LATERAL (
        SELECT count(*) AS exit_count, coalesce(sum(closed_quantity), 0) AS closed_quantity,
               coalesce(sum(quantity - closed_quantity), 0) AS excess_quantity,
               coalesce(sum(realised_pnl), 0) AS realised_pnl, coalesce(sum(fees), 0) AS fees,
               coalesce(sum(carry), 0) AS carry,
               max(closed_at) FILTER (WHERE outcome IS NOT NULL) AS closed_at,
               max("return") AS "return", max(outcome) AS outcome,
               (array_agg(entry_price ORDER BY closed_at, exit_id)
                   FILTER (WHERE NOT before_entry))[1] AS told,
               count(*) FILTER (WHERE before_entry) AS exits_before_entry,
               count(*) FILTER (WHERE backdated) AS exits_backdated,
               count(*) FILTER (WHERE corrected_late) AS exits_corrected_late
        FROM exits WHERE exits.signal_id = s.signal_id) AS e
    WHERE s.revision >= 0;
    COMMENT ON VIEW positions IS 'Signals and what became of them'
"""

_TABLES = """
    CREATE TABLE users (
        user_id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name            text COLLATE "C" NOT NULL UNIQUE
                        CHECK (name ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
        role            text NOT NULL CHECK (role IN ('viewer', 'trader', 'operator', 'admin')),
        password_hash   text,
        password_set_at timestamptz,
        created_at      timestamptz NOT NULL DEFAULT now(),
        disabled_at     timestamptz
    );
    COMMENT ON TABLE users IS 'Who may use the HTTP API';
    COMMENT ON COLUMN users.role IS 'viewer, trader, operator or admin';
    COMMENT ON COLUMN users.password_hash IS 'argon2id; null: no login with a password';
    COMMENT ON COLUMN users.disabled_at IS 'Since when the user may do nothing; null: may';

    CREATE TABLE logins (
        login_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        kind         text NOT NULL CHECK (kind IN ('tokens', 'session')),
        session_hash bytea UNIQUE CHECK ((session_hash IS NULL) = (kind = 'tokens')),
        began_at     timestamptz NOT NULL,
        expires_at   timestamptz NOT NULL,
        ended_at     timestamptz,
        ended_why    text
    );
    CREATE INDEX logins_of_user ON logins (user_id) WHERE ended_at IS NULL;
    COMMENT ON TABLE logins IS 'One for each time that a user gave a password; ends all its tokens';
    COMMENT ON COLUMN logins.kind IS 'tokens for programs, session for a browser';
    COMMENT ON COLUMN logins.session_hash IS 'SHA-256 of the cookie of a session';
    COMMENT ON COLUMN logins.ended_why IS 'logout, reuse, password, disabled';

    CREATE TABLE refresh_tokens (
        token_hash bytea PRIMARY KEY,
        login_id   uuid NOT NULL REFERENCES logins ON DELETE CASCADE,
        user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        issued_at  timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at    timestamptz
    );
    CREATE INDEX refresh_tokens_of_login ON refresh_tokens (login_id);
    COMMENT ON TABLE refresh_tokens IS 'Each is good once; a second use ends its login';
    COMMENT ON COLUMN refresh_tokens.token_hash IS 'SHA-256 of the token, which is kept nowhere';

    CREATE TABLE api_keys (
        key_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
        prefix       text NOT NULL,
        key_hash     bytea NOT NULL UNIQUE,
        scopes       text[] NOT NULL CHECK (
                         cardinality(scopes) > 0 AND scopes <@ '{publish,read,manage}'::text[]),
        names        text[] CHECK (cardinality(names) > 0),
        account      text CHECK (account IN ('live', 'paper', 'backtest', 'imported')),
        created_at   timestamptz NOT NULL,
        expires_at   timestamptz,
        last_used_at timestamptz,
        revoked_at   timestamptz
    );
    CREATE INDEX api_keys_of_user ON api_keys (user_id);
    COMMENT ON TABLE api_keys IS 'Keys of programs; each acts for its user';
    COMMENT ON COLUMN api_keys.prefix IS 'First characters, by which a person tells keys apart';
    COMMENT ON COLUMN api_keys.key_hash IS 'SHA-256 of the key, which is kept nowhere';
    COMMENT ON COLUMN api_keys.names IS 'What it may publish; null: whatever is its user''s';
    COMMENT ON COLUMN api_keys.account IS 'Account kind of its signals where they do not say';
    COMMENT ON COLUMN api_keys.last_used_at IS 'To the minute';

    CREATE TABLE claims (
        name       text COLLATE "C" PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 128),
        -- A user who has names cannot be deleted: they would be nobody's, and for all to see.
        user_id    uuid NOT NULL REFERENCES users,
        public     boolean NOT NULL,
        how        text NOT NULL CHECK (how IN ('published', 'given')),
        claimed_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX claims_of_user ON claims (user_id);
    CREATE INDEX claims_by_change ON claims (changed_at);
    CREATE INDEX claims_private ON claims (name) INCLUDE (user_id) WHERE NOT public;
    COMMENT ON TABLE claims IS 'Whose a name of strategies and scripts is; others are nobody''s';
    COMMENT ON COLUMN claims.public IS 'Whether all may see what is published under it';
    COMMENT ON COLUMN claims.changed_at IS 'When it was made, given or shown last';
    COMMENT ON COLUMN claims.how IS 'published: by its first publisher; given: by an admin';

    CREATE TABLE login_attempts (
        subject text COLLATE "C" NOT NULL,
        at      timestamptz NOT NULL
    );
    CREATE INDEX login_attempts_of_subject ON login_attempts (subject, at);
    CREATE INDEX login_attempts_by_age ON login_attempts (at);
    COMMENT ON TABLE login_attempts IS 'Logins that failed lately, or are being tried';
    COMMENT ON COLUMN login_attempts.subject IS 'user:NAME or address:ADDRESS';

    CREATE TABLE audit_log (
        audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at       timestamptz NOT NULL DEFAULT now(),
        user_id  uuid,
        actor    text COLLATE "C" NOT NULL,
        action   text COLLATE "C" NOT NULL,
        subject  text NOT NULL,
        details  jsonb NOT NULL DEFAULT '{}',
        address  text
    );
    COMMENT ON TABLE audit_log IS 'What was changed of users, keys, claims, and by whom';
    COMMENT ON COLUMN audit_log.user_id IS 'Who did it; null: the command line, or nobody yet';
    COMMENT ON COLUMN audit_log.actor IS 'The name of the user at that time';
"""

_FUNCTIONS = """
    CREATE FUNCTION access_user() RETURNS uuid LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT nullif(current_setting('trackrecord.user_id', true), '')::uuid;
    END;
    COMMENT ON FUNCTION access_user() IS 'For whom this transaction reads';

    CREATE FUNCTION access_role() RETURNS text LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        SELECT role FROM users WHERE user_id = access_user() AND disabled_at IS NULL;
    END;
    COMMENT ON FUNCTION access_role() IS 'The role of that user';

    CREATE FUNCTION access_find_user(
        wanted text, OUT user_id uuid, OUT role text, OUT password_hash text
    ) RETURNS SETOF record LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        SELECT u.user_id, u.role, u.password_hash FROM users AS u
        WHERE u.name = wanted AND u.disabled_at IS NULL;
    END;
    COMMENT ON FUNCTION access_find_user(text) IS 'Who logs in';

    CREATE FUNCTION access_find_key(
        wanted bytea, OUT key_id uuid, OUT user_id uuid, OUT user_name text, OUT role text,
        OUT scopes text[], OUT names text[], OUT account text, OUT expires_at timestamptz,
        OUT last_used_at timestamptz
    ) RETURNS SETOF record LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        SELECT k.key_id, k.user_id, u.name, u.role, k.scopes, k.names, k.account, k.expires_at,
               k.last_used_at
        FROM api_keys AS k JOIN users AS u USING (user_id)
        WHERE k.key_hash = wanted AND k.revoked_at IS NULL AND u.disabled_at IS NULL;
    END;
    COMMENT ON FUNCTION access_find_key(bytea) IS 'Whose a key is';

    CREATE FUNCTION access_find_refresh(
        wanted bytea, OUT login_id uuid, OUT user_id uuid, OUT token_expires_at timestamptz,
        OUT login_expires_at timestamptz, OUT used boolean, OUT ended boolean
    ) RETURNS SETOF record LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        SELECT t.login_id, t.user_id, t.expires_at, l.expires_at, t.used_at IS NOT NULL,
               l.ended_at IS NOT NULL OR u.disabled_at IS NOT NULL
        FROM refresh_tokens AS t JOIN logins AS l USING (login_id)
        JOIN users AS u ON u.user_id = t.user_id
        WHERE t.token_hash = wanted;
    END;
    COMMENT ON FUNCTION access_find_refresh(bytea) IS 'Which login a refresh token belongs to';

    CREATE FUNCTION access_find_session(
        wanted bytea, OUT login_id uuid, OUT user_id uuid, OUT expires_at timestamptz
    ) RETURNS SETOF record LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        SELECT l.login_id, l.user_id, l.expires_at FROM logins AS l
        WHERE l.session_hash = wanted AND l.ended_at IS NULL;
    END;
    COMMENT ON FUNCTION access_find_session(bytea) IS 'Whose a cookie is';

    CREATE FUNCTION access_reader(
        who uuid, login uuid, OUT name text, OUT role text, OUT expires_at timestamptz
    ) RETURNS SETOF record LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        SELECT u.name, u.role, l.expires_at FROM users AS u JOIN logins AS l USING (user_id)
        WHERE u.user_id = who AND l.login_id = login AND u.disabled_at IS NULL
          AND l.ended_at IS NULL;
    END;
    COMMENT ON FUNCTION access_reader(uuid, uuid) IS 'The user of a login that has not ended';

    CREATE FUNCTION access_hidden(
        who uuid, OUT names text[], OUT changed_at timestamptz, OUT claims bigint
    ) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, THIS_SCHEMA, pg_temp
    BEGIN ATOMIC
        SELECT (SELECT coalesce(array_agg(c.name ORDER BY c.name), '{}') FROM claims AS c
                WHERE NOT c.public AND c.user_id IS DISTINCT FROM who),
               (SELECT max(c.changed_at) FROM claims AS c), (SELECT count(*) FROM claims AS c);
    END;
    COMMENT ON FUNCTION access_hidden(uuid) IS
        'Names that a user (null: anybody) must not see, and what is another value once a claim is';
""" + "".join(f"    REVOKE ALL ON FUNCTION {each} FROM PUBLIC;\n" for each in FUNCTIONS)

_MINE = "user_id = access_user()"
_ADMIN = "access_role() = 'admin'"
_SEES_ALL = "access_role() IN ('operator', 'admin')"

_POLICIES = (
    "".join(
        f"    ALTER TABLE {each} ENABLE ROW LEVEL SECURITY;\n"
        for each in TABLES
        # Failed logins are of nobody yet.
        if each != "login_attempts"
    )
    + f"""
    CREATE POLICY seen ON users FOR SELECT USING ({_MINE} OR {_ADMIN});
    CREATE POLICY made ON users FOR INSERT WITH CHECK ({_ADMIN});
    CREATE POLICY changed ON users FOR UPDATE USING ({_MINE} OR {_ADMIN})
        WITH CHECK ({_ADMIN} OR ({_MINE} AND role = access_role() AND disabled_at IS NULL));

    CREATE POLICY seen ON logins FOR SELECT USING ({_MINE} OR {_ADMIN});
    CREATE POLICY made ON logins FOR INSERT WITH CHECK ({_MINE});
    CREATE POLICY changed ON logins FOR UPDATE USING ({_MINE} OR {_ADMIN});

    CREATE POLICY seen ON refresh_tokens FOR SELECT USING ({_MINE});
    CREATE POLICY made ON refresh_tokens FOR INSERT WITH CHECK ({_MINE});
    CREATE POLICY changed ON refresh_tokens FOR UPDATE USING ({_MINE});
    CREATE POLICY removed ON refresh_tokens FOR DELETE USING ({_MINE});

    CREATE POLICY seen ON api_keys FOR SELECT USING ({_MINE} OR {_ADMIN});
    CREATE POLICY made ON api_keys FOR INSERT WITH CHECK ({_MINE});
    CREATE POLICY changed ON api_keys FOR UPDATE USING ({_MINE} OR {_ADMIN});

    CREATE POLICY seen ON claims FOR SELECT USING (public OR {_MINE} OR {_SEES_ALL});
    CREATE POLICY made ON claims FOR INSERT WITH CHECK ({_MINE} OR {_ADMIN});
    CREATE POLICY changed ON claims FOR UPDATE USING ({_MINE} OR {_ADMIN});
    CREATE POLICY removed ON claims FOR DELETE USING ({_ADMIN});

    CREATE POLICY seen ON audit_log FOR SELECT USING ({_ADMIN});
    CREATE POLICY made ON audit_log FOR INSERT
        WITH CHECK (user_id IS NOT DISTINCT FROM access_user());
"""
)
