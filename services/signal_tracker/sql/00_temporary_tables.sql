-- Make the temporary tables of a session. COPY brings a batch into new_entries and new_exits; a
-- commit empties them all.
-- Written by python -m tools.sql from services/signal_tracker/store.

CREATE TEMPORARY TABLE new_entries (
    position integer, appended_at timestamptz,
    signal_id text COLLATE "C", revision integer,
    strategy text COLLATE "C", symbol text COLLATE "C", side text COLLATE "C",
    price numeric, quantity numeric, currency text COLLATE "C", emitted_at timestamptz,
    timeframe text COLLATE "C", target_price numeric, stop_loss numeric, horizon_bars integer,
    exits text COLLATE "C", entry text COLLATE "C", fee numeric, fee_rate numeric,
    leverage numeric, confidence double precision, source text COLLATE "C",
    execution_id text COLLATE "C", model_version text COLLATE "C", account text COLLATE "C",
    metadata jsonb
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_exits (
    position integer, appended_at timestamptz,
    signal_id text STORAGE PLAIN COLLATE "C", exit_id text STORAGE PLAIN COLLATE "C",
        revision integer,
    symbol text STORAGE PLAIN COLLATE "C", strategy text STORAGE PLAIN COLLATE "C",
        price numeric STORAGE PLAIN, quantity numeric STORAGE PLAIN,
    closed_at timestamptz, fee numeric STORAGE PLAIN, fee_rate numeric STORAGE PLAIN,
        interest numeric STORAGE PLAIN, funding numeric STORAGE PLAIN,
    reason text STORAGE PLAIN COLLATE "C", entry_price numeric STORAGE PLAIN
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE old_signals (
    signal_id text STORAGE PLAIN COLLATE "C", revision integer,
        strategy text STORAGE PLAIN COLLATE "C",
    symbol text STORAGE PLAIN COLLATE "C", side text STORAGE PLAIN COLLATE "C",
        price numeric STORAGE PLAIN, quantity numeric STORAGE PLAIN,
    currency text STORAGE PLAIN COLLATE "C", emitted_at timestamptz, fee numeric STORAGE PLAIN,
        fee_rate numeric STORAGE PLAIN,
    leverage numeric STORAGE PLAIN, entry text STORAGE PLAIN COLLATE "C", backdated boolean,
        said_revision integer,
    corrected_late boolean, account text STORAGE PLAIN COLLATE "C"
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE old_exits (
    signal_id text STORAGE PLAIN COLLATE "C", exit_id text STORAGE PLAIN COLLATE "C",
        revision integer,
    symbol text STORAGE PLAIN COLLATE "C", strategy text STORAGE PLAIN COLLATE "C",
        price numeric STORAGE PLAIN, quantity numeric STORAGE PLAIN,
    closed_at timestamptz, fee numeric STORAGE PLAIN, fee_rate numeric STORAGE PLAIN,
        interest numeric STORAGE PLAIN, funding numeric STORAGE PLAIN,
    reason text STORAGE PLAIN COLLATE "C", entry_price numeric STORAGE PLAIN,
        closed_quantity numeric STORAGE PLAIN, realised_pnl numeric STORAGE PLAIN,
    fees numeric STORAGE PLAIN, carry numeric STORAGE PLAIN, signal_pnl numeric STORAGE PLAIN,
        "return" numeric STORAGE PLAIN, outcome smallint,
    before_entry boolean, backdated boolean, corrected_late boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE several (
    signal_id text STORAGE PLAIN COLLATE "C"
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE folded (
    position integer, signal_id text STORAGE PLAIN COLLATE "C",
        exit_id text STORAGE PLAIN COLLATE "C",
    strategy text STORAGE PLAIN COLLATE "C", symbol text STORAGE PLAIN COLLATE "C",
        currency text STORAGE PLAIN COLLATE "C", day date,
    closed_quantity numeric STORAGE PLAIN, realised_pnl numeric STORAGE PLAIN,
        fees numeric STORAGE PLAIN, carry numeric STORAGE PLAIN,
    signal_pnl numeric STORAGE PLAIN, "return" numeric STORAGE PLAIN, outcome smallint,
        before_entry boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE deltas (
    strategy text STORAGE PLAIN COLLATE "C", symbol text STORAGE PLAIN COLLATE "C",
        currency text STORAGE PLAIN COLLATE "C",
    day date,
    signals bigint, backdated bigint, exits bigint, closed bigint, wins bigint, losses bigint,
        breakevens bigint, without_return bigint, exits_backdated bigint, corrected_late bigint,
        moved_in_late bigint, live_signals bigint, paper_signals bigint, backtest_signals bigint,
        imported_signals bigint,
    total_pnl numeric STORAGE PLAIN, gross_profit numeric STORAGE PLAIN,
        gross_loss numeric STORAGE PLAIN, realised_pnl numeric STORAGE PLAIN,
        fees numeric STORAGE PLAIN, carry numeric STORAGE PLAIN, sum_return numeric STORAGE PLAIN,
        pnl_squares numeric STORAGE PLAIN
) ON COMMIT DELETE ROWS;
