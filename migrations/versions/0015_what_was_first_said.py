"""When each signal and exit was first said, all revisions of those that were corrected, and marks.

Rows that were read before have no first time, and bear no mark; `trackrecord replay` works out
both from the topics.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_POSITIONS = """
    CREATE VIEW positions AS
    SELECT s.*, e.exit_count, e.closed_quantity, e.excess_quantity, e.realised_pnl,
           e.fees, e.carry,
           CASE WHEN e.closed_at IS NOT NULL THEN greatest(e.closed_at, s.emitted_at)
           END AS closed_at, e."return", e.outcome,
           CASE WHEN s.entry <> 'next_open' THEN s.price
                WHEN e.exit_count - e.exits_before_entry > 0 THEN coalesce(e.told, s.price)
           END AS entry_price,
           e.exits_before_entry{more}
    FROM signals AS s CROSS JOIN LATERAL (
        SELECT count(*) AS exit_count, coalesce(sum(closed_quantity), 0) AS closed_quantity,
               coalesce(sum(quantity - closed_quantity), 0) AS excess_quantity,
               coalesce(sum(realised_pnl), 0) AS realised_pnl, coalesce(sum(fees), 0) AS fees,
               coalesce(sum(carry), 0) AS carry,
               max(closed_at) FILTER (WHERE outcome IS NOT NULL) AS closed_at,
               max("return") AS "return", max(outcome) AS outcome,
               (array_agg(entry_price ORDER BY closed_at, exit_id)
                   FILTER (WHERE NOT before_entry))[1] AS told,
               count(*) FILTER (WHERE before_entry) AS exits_before_entry{inner}
        FROM exits WHERE exits.signal_id = s.signal_id) AS e
    WHERE s.revision >= 0;
    COMMENT ON VIEW positions IS 'Signals and what became of them'
"""

_SUMS = ("exits_backdated", "corrected_late", "moved_in_late")
_COMMENTS = {
    "exits_backdated": "Exits first told later than their time by more than the tolerance",
    "corrected_late": "Signals and exits whose content was changed after the tolerance, counted"
    " where they were first said",
    "moved_in_late": "Signals that a late correction brought here from another strategy",
}


def upgrade() -> None:
    op.execute("DROP VIEW positions")
    op.execute("""
        ALTER TABLE signals ADD COLUMN first_appended_at timestamptz,
            ADD COLUMN said_revision integer,
            ADD COLUMN corrected_late boolean NOT NULL DEFAULT false;
        COMMENT ON COLUMN signals.first_appended_at IS
            'When the broker got the first of its revisions; null: read before this was kept';
        COMMENT ON COLUMN signals.said_revision IS
            'The last revision that the broker got within the tolerance of the first';
        COMMENT ON COLUMN signals.corrected_late IS
            'Whether it says something else than that revision';

        ALTER TABLE exits ADD COLUMN first_appended_at timestamptz,
            ADD COLUMN said_revision integer,
            ADD COLUMN corrected_late boolean NOT NULL DEFAULT false,
            ADD COLUMN backdated boolean NOT NULL DEFAULT false;
        COMMENT ON COLUMN exits.first_appended_at IS
            'When the broker got the first of its revisions; null: read before this was kept';
        COMMENT ON COLUMN exits.said_revision IS
            'The last revision that the broker got within the tolerance of the first';
        COMMENT ON COLUMN exits.corrected_late IS
            'Whether it says something else than that revision';
        COMMENT ON COLUMN exits.backdated IS
            'Whether it was first told later than its time by more than the tolerance';
    """)
    for table, names in (
        ("signals", ("first_appended_at", "said_revision", "corrected_late")),
        ("exits", ("first_appended_at", "said_revision", "corrected_late", "backdated")),
    ):
        changes = ", ".join(f"ALTER COLUMN {name} SET STATISTICS 0" for name in names)
        op.execute(f"ALTER TABLE {table} {changes}")
    op.execute("""
        CREATE TABLE signal_revisions (
            signal_id       text COLLATE "C" NOT NULL,
            revision        integer NOT NULL,
            strategy        text COLLATE "C" NOT NULL,
            symbol          text COLLATE "C" NOT NULL,
            side            text COLLATE "C" NOT NULL,
            price           numeric NOT NULL,
            quantity        numeric NOT NULL,
            currency        text COLLATE "C" NOT NULL,
            emitted_at      timestamptz NOT NULL,
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
            appended_at     timestamptz NOT NULL,
            PRIMARY KEY (signal_id, revision)
        );
        COMMENT ON TABLE signal_revisions IS
            'Every revision of the signals that have more than one';

        CREATE TABLE exit_revisions (
            signal_id       text COLLATE "C" NOT NULL,
            exit_id         text COLLATE "C" NOT NULL,
            revision        integer NOT NULL,
            symbol          text COLLATE "C" NOT NULL,
            strategy        text COLLATE "C",
            price           numeric NOT NULL,
            quantity        numeric,
            closed_at       timestamptz NOT NULL,
            fee             numeric,
            fee_rate        numeric,
            interest        numeric,
            funding         numeric,
            reason          text COLLATE "C" NOT NULL,
            entry_price     numeric,
            appended_at     timestamptz NOT NULL,
            PRIMARY KEY (signal_id, exit_id, revision)
        );
        COMMENT ON TABLE exit_revisions IS
            'Every revision of the exits that have more than one';

        -- None for backdated: history that is imported is so throughout, and would fill it.
        CREATE INDEX signals_corrected_late ON signals (signal_id) WHERE corrected_late;
        CREATE INDEX exits_corrected_late ON exits (signal_id) WHERE corrected_late;
        COMMENT ON INDEX signals_corrected_late IS 'Corrected after the fact';
        COMMENT ON INDEX exits_corrected_late IS 'Corrected after the fact';
    """)
    for table in ("strategy_days", "symbol_days"):
        for name in _SUMS:
            op.execute(f"""
                ALTER TABLE {table} ADD COLUMN {name} bigint NOT NULL DEFAULT 0;
                COMMENT ON COLUMN {table}.{name} IS '{_COMMENTS[name]}'
            """)
    op.execute(
        _POSITIONS.format(
            more=", e.exits_backdated, e.exits_corrected_late",
            inner=""",
               count(*) FILTER (WHERE backdated) AS exits_backdated,
               count(*) FILTER (WHERE corrected_late) AS exits_corrected_late""",
        )
    )


def downgrade() -> None:
    op.execute("DROP VIEW positions")
    for table in ("strategy_days", "symbol_days"):
        for name in _SUMS:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    op.execute("""
        DROP TABLE signal_revisions, exit_revisions;
        DROP INDEX signals_corrected_late, exits_corrected_late;
        ALTER TABLE signals DROP COLUMN first_appended_at, DROP COLUMN said_revision,
            DROP COLUMN corrected_late;
        ALTER TABLE exits DROP COLUMN first_appended_at, DROP COLUMN said_revision,
            DROP COLUMN corrected_late, DROP COLUMN backdated
    """)
    op.execute(_POSITIONS.format(more="", inner=""))
