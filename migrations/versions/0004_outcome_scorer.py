"""Bars, the signals that wait for them, what was thought of them, and what became of them."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE bars (
            symbol      text COLLATE "C" NOT NULL,
            timeframe   text COLLATE "C" NOT NULL,
            opened_at   timestamptz NOT NULL,
            source      text COLLATE "C" NOT NULL,
            closed_at   timestamptz NOT NULL,
            open        numeric NOT NULL,
            high        numeric NOT NULL,
            low         numeric NOT NULL,
            close       numeric NOT NULL,
            volume      numeric NOT NULL,
            revision    integer NOT NULL,
            appended_at timestamptz NOT NULL,
            PRIMARY KEY (symbol, timeframe, opened_at, source)
        );
        COMMENT ON TABLE bars IS 'Of several sources of one bar the first by name counts';

        CREATE TABLE watched_symbols (
            symbol         text COLLATE "C" NOT NULL,
            timeframe      text COLLATE "C" NOT NULL,
            version        bigint NOT NULL,
            last_opened_at timestamptz,
            last_closed_at timestamptz,
            ceased         boolean NOT NULL DEFAULT false,
            PRIMARY KEY (symbol, timeframe)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE watched_symbols IS 'Symbols with bars or signals, and where they stand';
        COMMENT ON COLUMN watched_symbols.version IS
            'Raised by every batch that changes a bar or a signal of the symbol';
        COMMENT ON COLUMN watched_symbols.ceased IS
            'Whether its signals were ended as it had no bar for ten sessions';
        CREATE INDEX watched_symbols_by_last ON watched_symbols (timeframe, last_closed_at);

        CREATE TABLE sessions (
            timeframe text COLLATE "C" NOT NULL,
            closed_at timestamptz NOT NULL,
            partition integer NOT NULL,
            moved     double precision NOT NULL,
            movers    bigint NOT NULL,
            above     bigint NOT NULL,
            compared  bigint NOT NULL,
            PRIMARY KEY (timeframe, closed_at, partition)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE sessions IS
            'The market as a whole at each close: sums over symbols, by input partition';

        CREATE TABLE watched_signals (
            signal_id    text COLLATE "C" PRIMARY KEY,
            revision     integer NOT NULL,
            strategy     text COLLATE "C" NOT NULL,
            symbol       text COLLATE "C" NOT NULL,
            timeframe    text COLLATE "C" NOT NULL,
            direction    smallint NOT NULL,
            price        numeric NOT NULL,
            target_price numeric,
            stop_loss    numeric,
            horizon_bars integer NOT NULL,
            next_open    boolean NOT NULL,
            barriers     boolean NOT NULL,
            confidence   double precision,
            emitted_at   timestamptz NOT NULL,
            appended_at  timestamptz NOT NULL,
            problem      text,
            ends_at      timestamptz
        );
        COMMENT ON TABLE watched_signals IS 'Signals, as far as their outcome depends on them';
        COMMENT ON COLUMN watched_signals.problem IS
            'Why nothing can be said of it: a level on the wrong side of its entry';
        COMMENT ON COLUMN watched_signals.ends_at IS 'When its whole horizon had elapsed';
        CREATE INDEX watched_signals_waiting ON watched_signals (symbol, timeframe)
            WHERE ends_at IS NULL AND problem IS NULL;
        CREATE INDEX watched_signals_by_symbol ON watched_signals (symbol, timeframe, emitted_at);

        CREATE TABLE outcomes (
            signal_id   text COLLATE "C" NOT NULL,
            policy      text COLLATE "C" NOT NULL,
            revision    integer NOT NULL,
            strategy    text COLLATE "C" NOT NULL,
            symbol      text COLLATE "C" NOT NULL,
            emitted_at  timestamptz NOT NULL,
            outcome     text COLLATE "C" NOT NULL,
            label       smallint,
            "return"    double precision,
            mae         double precision,
            mfe         double precision,
            bars_held   integer,
            exit_price  numeric,
            how         text COLLATE "C",
            ambiguous   boolean NOT NULL,
            delisted    boolean NOT NULL,
            exit_opened_at timestamptz,
            known_at    timestamptz,
            ends_at     timestamptz,
            scored_at   timestamptz NOT NULL,
            PRIMARY KEY (signal_id, policy)
        );
        COMMENT ON TABLE outcomes IS 'What happened on the bars; a signal without a row is pending';
        COMMENT ON COLUMN outcomes.known_at IS 'When the exit bar had closed';
        COMMENT ON COLUMN outcomes.ends_at IS
            'When the whole horizon had elapsed; only then is it learnt from';
        CREATE INDEX outcomes_by_strategy ON outcomes (strategy, known_at);
        CREATE INDEX outcomes_by_emission ON outcomes (emitted_at);

        CREATE TABLE closings (
            signal_id  text COLLATE "C" PRIMARY KEY,
            exit_price numeric,
            closed_at  timestamptz NOT NULL,
            reason     text COLLATE "C" NOT NULL,
            own        boolean NOT NULL
        );
        COMMENT ON TABLE closings IS
            'Exits of signals that nobody manages, as published (own), and exits of others';

        CREATE TABLE feature_sets (
            feature_set text COLLATE "C" PRIMARY KEY,
            names       text[] NOT NULL
        );
        COMMENT ON TABLE feature_sets IS 'Names of the columns of assessments.features';

        CREATE TABLE assessments (
            signal_id     text COLLATE "C" PRIMARY KEY,
            strategy      text COLLATE "C" NOT NULL,
            symbol        text COLLATE "C" NOT NULL,
            timeframe     text COLLATE "C" NOT NULL,
            emitted_at    timestamptz NOT NULL,
            feature_set   text COLLATE "C" NOT NULL,
            features      double precision[] NOT NULL,
            probability   double precision,
            verdict       text COLLATE "C",
            quality       text COLLATE "C",
            model_version text COLLATE "C",
            assessed_at   timestamptz NOT NULL
        );
        COMMENT ON TABLE assessments IS
            'What was known and thought of a signal when it was emitted; a fact, never recomputed';
        CREATE INDEX assessments_by_emission ON assessments (emitted_at);
    """)


def downgrade() -> None:
    op.execute(
        "DROP TABLE assessments, feature_sets, closings, outcomes, watched_signals, sessions,"
        " watched_symbols, bars"
    )
