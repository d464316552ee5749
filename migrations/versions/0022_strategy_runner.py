"""What the strategies that run have decided, hold, and decided on.

Rows about a strategy are seen by those who see the strategy; stages connect as the tables' owner,
for whom no policy holds.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OF_STRATEGIES = (
    "strategy_positions", "strategy_decisions", "strategy_counts", "strategy_failures",
)  # fmt: skip
TABLES = (*OF_STRATEGIES, "strategy_sessions", "strategy_symbols", "strategy_bars")


def upgrade() -> None:
    op.execute("""
        CREATE TABLE strategy_bars (
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
            split_ratio numeric,
            revision    integer NOT NULL,
            appended_at timestamptz NOT NULL,
            PRIMARY KEY (symbol, timeframe, opened_at, source)
        );
        COMMENT ON TABLE strategy_bars IS
            'The last 1,000 bars of each symbol and timeframe, which strategies look back on';
        COMMENT ON COLUMN strategy_bars.appended_at IS 'When the broker got it';

        CREATE TABLE strategy_symbols (
            symbol    text COLLATE "C" NOT NULL,
            timeframe text COLLATE "C" NOT NULL,
            version   bigint NOT NULL,
            folded_at timestamptz,
            last_day  date,
            PRIMARY KEY (symbol, timeframe)
        );
        COMMENT ON TABLE strategy_symbols IS
            'Symbols that bars came of: their lock, and how far strategies have decided on them';
        COMMENT ON COLUMN strategy_symbols.version IS
            'Raised by each batch that has bars of it: what others have in memory is then old';
        COMMENT ON COLUMN strategy_symbols.folded_at IS
            'When the last bar opened that strategies without a source of their own decided on';
        COMMENT ON COLUMN strategy_symbols.last_day IS 'The UTC date on which its last bar opened';

        CREATE TABLE strategy_sessions (
            timeframe text COLLATE "C" NOT NULL,
            day       date NOT NULL,
            partition integer NOT NULL,
            PRIMARY KEY (timeframe, day, partition)
        );
        COMMENT ON TABLE strategy_sessions IS
            'The UTC dates on which bars of any symbol opened, by partition of the topic';

        CREATE TABLE strategy_positions (
            symbol      text COLLATE "C" NOT NULL,
            timeframe   text COLLATE "C" NOT NULL,
            strategy_id uuid NOT NULL,
            version     integer NOT NULL,
            source      text COLLATE "C",
            standing    json NOT NULL,
            PRIMARY KEY (symbol, timeframe, strategy_id, version)
        );
        CREATE INDEX strategy_positions_of ON strategy_positions (strategy_id, version);
        COMMENT ON TABLE strategy_positions IS
            'What strategies hold, and what waits for the next open; without a row it is nothing';
        COMMENT ON COLUMN strategy_positions.source IS
            'Of the bars it is followed on; null: of each bar the first source by name';
        COMMENT ON COLUMN strategy_positions.standing IS
            'The state after the last bar, decimals as texts, and the ids of its signals';

        CREATE TABLE strategy_decisions (
            strategy_id  uuid NOT NULL,
            version      integer NOT NULL,
            symbol       text COLLATE "C" NOT NULL,
            timeframe    text COLLATE "C" NOT NULL,
            opened_at    timestamptz NOT NULL,
            action       text CHECK (action IN ('buy', 'sell')),
            signal_id    text COLLATE "C",
            closes       boolean NOT NULL DEFAULT false,
            stop_loss    numeric,
            target_price numeric,
            horizon_bars integer,
            confidence   double precision,
            reason       text NOT NULL DEFAULT '',
            fault_code   text,
            fault        text,
            bar_source   text COLLATE "C" NOT NULL,
            bar_revision integer NOT NULL,
            corrected    boolean NOT NULL DEFAULT false,
            decided_at   timestamptz NOT NULL,
            PRIMARY KEY (strategy_id, version, symbol, timeframe, opened_at),
            CHECK ((action IS NULL) = (fault IS NOT NULL)),
            CHECK ((fault IS NULL) = (fault_code IS NULL))
        );
        CREATE INDEX strategy_decisions_on_bar
            ON strategy_decisions (symbol, timeframe, opened_at);
        COMMENT ON TABLE strategy_decisions IS
            'What strategies decided on bars, but for holds, and why they did not; never changed';
        COMMENT ON COLUMN strategy_decisions.opened_at IS 'When the bar opened; it had just closed';
        COMMENT ON COLUMN strategy_decisions.signal_id IS
            'The signal that was emitted; null: it only leaves what it held';
        COMMENT ON COLUMN strategy_decisions.closes IS 'Whether it leaves what it held';
        COMMENT ON COLUMN strategy_decisions.fault IS 'Why it gave no decision; null: it gave one';
        COMMENT ON COLUMN strategy_decisions.bar_revision IS 'Of the bar as it was then';
        COMMENT ON COLUMN strategy_decisions.corrected IS
            'Whether the bar was corrected afterwards; it is not decided upon again';

        CREATE TABLE strategy_counts (
            strategy_id     uuid NOT NULL,
            version         integer NOT NULL,
            lane            integer NOT NULL,
            decisions       bigint NOT NULL DEFAULT 0,
            entries         bigint NOT NULL DEFAULT 0,
            exits           bigint NOT NULL DEFAULT 0,
            faults          bigint NOT NULL DEFAULT 0,
            missed          bigint NOT NULL DEFAULT 0,
            corrected       bigint NOT NULL DEFAULT 0,
            failed_in_a_row integer NOT NULL DEFAULT 0,
            PRIMARY KEY (strategy_id, version, lane)
        );
        COMMENT ON TABLE strategy_counts IS
            'What each version of a strategy was asked and answered; add up the lanes';
        COMMENT ON COLUMN strategy_counts.missed IS
            'Bars on which it was not asked: they came late, or there was no time or no sandbox';
        COMMENT ON COLUMN strategy_counts.failed_in_a_row IS
            'Of the last times it was asked, how many in a row failed';

        CREATE TABLE strategy_failures (
            strategy_id uuid NOT NULL,
            version     integer NOT NULL,
            symbol      text COLLATE "C" NOT NULL,
            timeframe   text COLLATE "C" NOT NULL,
            in_a_row    integer NOT NULL,
            PRIMARY KEY (strategy_id, version, symbol, timeframe)
        );
        COMMENT ON TABLE strategy_failures IS
            'How often in a row a strategy has failed on a symbol; without a row it has not';
    """)
    for table in OF_STRATEGIES:
        op.execute(f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY seen ON {table} FOR SELECT
                USING (strategy_id IN (SELECT s.strategy_id FROM strategies AS s))
        """)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
