"""Totals of strategies, and what is kept of the measures of their daily returns."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COUNTED = (
    "signals", "backdated", "exits", "closed", "wins", "losses", "breakevens", "without_return",
    "exits_backdated", "corrected_late", "moved_in_late",
)  # fmt: skip
_MONEY = (
    "total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return",
    "pnl_squares",
)  # fmt: skip


def upgrade() -> None:
    columns = ", ".join(
        [f"{name} bigint NOT NULL DEFAULT 0" for name in _COUNTED]
        + [f"{name} numeric NOT NULL DEFAULT 0" for name in _MONEY]
    )
    # Each batch writes the same rows again: with room in their pages none of it touches the key.
    op.execute(f"""
        CREATE TABLE strategy_totals (
            strategy text COLLATE "C" NOT NULL,
            currency text COLLATE "C" NOT NULL,
            lane     integer NOT NULL,
            version  bigint NOT NULL,
            {columns},
            PRIMARY KEY (strategy, currency, lane)
        ) WITH (fillfactor = 50);
        COMMENT ON TABLE strategy_totals IS
            'The sums of strategy_days over all days, summed over lanes on reading';
        COMMENT ON COLUMN strategy_totals.lane IS
            'Of the consumer that added them, so that none waits for another';
        COMMENT ON COLUMN strategy_totals.version IS
            'Grows with every batch that changes something of the strategy; another after a replay';

        CREATE TABLE strategy_measures (
            strategy    text COLLATE "C" NOT NULL,
            currency    text COLLATE "C" NOT NULL,
            version     bigint NOT NULL,
            until       date NOT NULL,
            method      text NOT NULL,
            measured_at timestamptz NOT NULL,
            measures    double precision[] NOT NULL,
            PRIMARY KEY (strategy, currency)
        ) WITH (fillfactor = 50);
        COMMENT ON TABLE strategy_measures IS
            'What Sharpe ratios and other numbers of daily returns are made of, kept for readers';
        COMMENT ON COLUMN strategy_measures.version IS
            'The sum of the versions in strategy_totals when it was measured';
        COMMENT ON COLUMN strategy_measures.until IS 'The last day that it counts';
        COMMENT ON COLUMN strategy_measures.method IS
            'With which formulas, capital, sessions and time zone';
        COMMENT ON COLUMN strategy_measures.measures IS
            'In the order of trackrecord.performance.sums.many_series.Measured.flat'
    """)
    sums = ", ".join((*_COUNTED, *_MONEY))
    added = ", ".join(f"sum({name})" for name in (*_COUNTED, *_MONEY))
    op.execute(f"""
        INSERT INTO strategy_totals (strategy, currency, lane, version, {sums})
        SELECT strategy, currency, lane, 1, {added} FROM strategy_days GROUP BY 1, 2, 3
    """)


def downgrade() -> None:
    op.execute("DROP TABLE strategy_measures, strategy_totals")
