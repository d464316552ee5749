"""What is drawn of strategies and the calibration of models, kept; signals found by strategy.

Measures that were kept before are dropped: they are worked out anew, now with what is drawn.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        DELETE FROM strategy_measures;
        ALTER TABLE strategy_measures ADD COLUMN months json, ADD COLUMN line json;
        COMMENT ON COLUMN strategy_measures.months IS
            'What it came to month by month, oldest first';
        COMMENT ON COLUMN strategy_measures.line IS
            'Cumulative realised PnL at even steps, as a small picture shows it';

        CREATE TABLE kept_calibration (
            version text COLLATE "C" PRIMARY KEY REFERENCES models,
            moved   text NOT NULL,
            method  text NOT NULL,
            as_of   timestamptz NOT NULL,
            content json NOT NULL
        );
        COMMENT ON TABLE kept_calibration IS
            'What a model said and what happened, as worked out last; kept for readers';
        COMMENT ON COLUMN kept_calibration.moved IS 'How far outcomes were read then';
        COMMENT ON COLUMN kept_calibration.method IS
            'With which formulas, cost, threshold of success and outcome policy';

        CREATE INDEX signals_by_strategy ON signals (strategy, emitted_at);
        COMMENT ON INDEX signals_by_strategy IS 'Pages of one strategy''s signals';
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX signals_by_strategy;
        DROP TABLE kept_calibration;
        ALTER TABLE strategy_measures DROP COLUMN months, DROP COLUMN line
    """)
