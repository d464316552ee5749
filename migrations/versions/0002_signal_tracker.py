"""Signals, their exits, and the sums of what they earned, by strategy and by symbol."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SUMS = """
    signals      bigint  NOT NULL,
    backdated    bigint  NOT NULL,
    exits        bigint  NOT NULL,
    closed       bigint  NOT NULL,
    wins         bigint  NOT NULL,
    losses       bigint  NOT NULL,
    breakevens   bigint  NOT NULL,
    total_pnl    numeric NOT NULL,
    gross_profit numeric NOT NULL,
    gross_loss   numeric NOT NULL,
    realised_pnl numeric NOT NULL,
    fees         numeric NOT NULL,
    carry        numeric NOT NULL,
    sum_return   numeric NOT NULL,
    pnl_squares  numeric NOT NULL
"""


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE signals (
            signal_id       text COLLATE "C" PRIMARY KEY,
            revision        integer NOT NULL,
            strategy        text COLLATE "C",
            symbol          text COLLATE "C",
            side            text COLLATE "C",
            price           numeric,
            quantity        numeric,
            currency        text COLLATE "C",
            emitted_at      timestamptz,
            timeframe       text COLLATE "C",
            target_price    numeric,
            stop_loss       numeric,
            horizon_bars    integer,
            exits           text COLLATE "C",
            entry           text COLLATE "C",
            fee             numeric,
            fee_rate        numeric,
            leverage        numeric,
            confidence      double precision,
            source          text COLLATE "C",
            execution_id    text COLLATE "C",
            model_version   text COLLATE "C",
            metadata        jsonb,
            appended_at     timestamptz,
            backdated       boolean,
            CONSTRAINT known_or_awaited CHECK (revision = -1 OR (revision >= 0 AND price > 0
                AND quantity > 0 AND strategy IS NOT NULL AND symbol IS NOT NULL
                AND side IN ('BUY', 'SELL') AND currency IS NOT NULL AND emitted_at IS NOT NULL
                AND appended_at IS NOT NULL AND backdated IS NOT NULL))
        );
        COMMENT ON TABLE signals IS
            'Entries; revision -1: exits came, the entry has not yet';

        CREATE TABLE exits (
            signal_id       text COLLATE "C" NOT NULL,
            exit_id         text COLLATE "C" NOT NULL,
            revision        integer NOT NULL,
            symbol          text COLLATE "C" NOT NULL,
            strategy        text COLLATE "C",
            price           numeric NOT NULL CHECK (price >= 0),
            quantity        numeric CHECK (quantity > 0),
            closed_at       timestamptz NOT NULL,
            fee             numeric,
            fee_rate        numeric,
            interest        numeric,
            funding         numeric,
            reason          text COLLATE "C" NOT NULL,
            appended_at     timestamptz NOT NULL,
            closed_quantity numeric NOT NULL DEFAULT 0,
            realised_pnl    numeric NOT NULL DEFAULT 0,
            fees            numeric NOT NULL DEFAULT 0,
            carry           numeric NOT NULL DEFAULT 0,
            signal_pnl      numeric,
            "return"        numeric,
            outcome         smallint,
            PRIMARY KEY (signal_id, exit_id)
        );
        COMMENT ON TABLE exits IS 'Exits and what each realised; closed_quantity 0: excess';
        COMMENT ON COLUMN exits.outcome IS
            'Of the exit that closes the signal: 1 win, -1 loss, 0 breakeven; null for the others';

        -- Nearly free to keep, and enough to find one day in a long history.
        CREATE INDEX signals_by_time ON signals USING brin (emitted_at) WITH (autosummarize = on);
        CREATE INDEX exits_by_time ON exits USING brin (closed_at) WITH (autosummarize = on);

        CREATE VIEW positions AS
        SELECT s.*, e.exit_count, e.closed_quantity, e.excess_quantity, e.realised_pnl,
               e.fees, e.carry, e.closed_at, e."return", e.outcome
        FROM signals AS s CROSS JOIN LATERAL (
            SELECT count(*) AS exit_count, coalesce(sum(closed_quantity), 0) AS closed_quantity,
                   coalesce(sum(quantity - closed_quantity), 0) AS excess_quantity,
                   coalesce(sum(realised_pnl), 0) AS realised_pnl, coalesce(sum(fees), 0) AS fees,
                   coalesce(sum(carry), 0) AS carry,
                   max(closed_at) FILTER (WHERE outcome IS NOT NULL) AS closed_at,
                   max("return") AS "return", max(outcome) AS outcome
            FROM exits WHERE exits.signal_id = s.signal_id) AS e
        WHERE s.revision >= 0;
        COMMENT ON VIEW positions IS 'Signals and what became of them';

        CREATE TABLE strategy_days (
            strategy  text COLLATE "C" NOT NULL,
            currency  text COLLATE "C" NOT NULL,
            day       date NOT NULL,
            partition integer NOT NULL,
            {_SUMS},
            PRIMARY KEY (strategy, currency, day, partition)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE strategy_days IS 'Sums by strategy, summed over partitions on reading';

        CREATE TABLE symbol_days (
            symbol    text COLLATE "C" NOT NULL,
            currency  text COLLATE "C" NOT NULL,
            day       date NOT NULL,
            partition integer NOT NULL,
            {_SUMS},
            PRIMARY KEY (symbol, currency, day, partition)
        ) WITH (fillfactor = 60);
        COMMENT ON TABLE symbol_days IS 'Sums by symbol, summed over partitions on reading';
    """)
