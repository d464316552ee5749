"""The statements that :mod:`services.signal_tracker.store` runs, in the order of their use.

Each works on all signals of a batch at once. What a statement needs from an
earlier one stands in a temporary table that is emptied at commit.
"""

from __future__ import annotations

from typing import Final

_ENTRY_CONTENT: Final = (
    "strategy", "symbol", "side", "price", "quantity", "currency", "emitted_at", "timeframe",
    "target_price", "stop_loss", "horizon_bars", "exits", "entry", "fee", "fee_rate", "leverage",
    "confidence", "source", "execution_id", "model_version", "metadata",
)  # fmt: skip
_EXIT_CONTENT: Final = (
    "symbol", "strategy", "price", "quantity", "closed_at", "fee", "fee_rate", "interest",
    "funding", "reason",
)  # fmt: skip
_COUNTED: Final = ("signals", "backdated", "exits", "closed", "wins", "losses", "breakevens")
_MONEY: Final = (
    "total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return",
)  # fmt: skip
SUMS: Final = (*_COUNTED, *_MONEY)
"""What ``strategy_days`` and ``symbol_days`` add up."""

SUM_COLUMNS: Final = ", ".join(SUMS)
_FEE_PLACES: Final = 12
_RETURN_PLACES: Final = 18


def _listed(names: tuple[str, ...], table: str = "") -> str:
    return ", ".join(f"{table}.{name}" if table else name for name in names)


def _half_even(above: str, below: str, places: int) -> str:
    """SQL of above / below (below > 0), rounded half to even, without a rounded step between."""
    scaled = f"abs({above}) * {10**places}::numeric"
    quotient, rest = f"div({scaled}, {below})", f"mod({scaled}, {below})"
    return (
        f"sign({above}) * ({quotient} + CASE WHEN 2 * {rest} > {below}"
        f" OR (2 * {rest} = {below} AND mod({quotient}, 2) = 1) THEN 1 ELSE 0 END)"
        f" * {10**-places:.{places}f}::numeric"
    )


MAKE_TEMPORARY: Final = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS new_entries (
    position integer, partition integer, appended_at timestamptz,
    signal_id text COLLATE "C", revision integer,
    strategy text COLLATE "C", symbol text COLLATE "C", side text COLLATE "C",
    price numeric, quantity numeric, currency text COLLATE "C", emitted_at timestamptz,
    timeframe text COLLATE "C", target_price numeric, stop_loss numeric, horizon_bars integer,
    exits text COLLATE "C", entry text COLLATE "C", fee numeric, fee_rate numeric,
    leverage numeric, confidence double precision, source text COLLATE "C",
    execution_id text COLLATE "C", model_version text COLLATE "C", metadata jsonb
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS new_exits (
    position integer, partition integer, appended_at timestamptz,
    signal_id text COLLATE "C", exit_id text COLLATE "C", revision integer,
    symbol text COLLATE "C", strategy text COLLATE "C", price numeric, quantity numeric,
    closed_at timestamptz, fee numeric, fee_rate numeric, interest numeric, funding numeric,
    reason text COLLATE "C"
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS touched (
    signal_id text COLLATE "C", partition integer
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS old_signals (
    signal_id text COLLATE "C", revision integer, strategy text COLLATE "C",
    symbol text COLLATE "C", side text COLLATE "C", price numeric, quantity numeric,
    currency text COLLATE "C", emitted_at timestamptz, fee numeric, fee_rate numeric,
    leverage numeric, backdated boolean, realised_pnl numeric, closed_at timestamptz,
    "return" numeric, outcome smallint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS old_exits (
    signal_id text COLLATE "C", exit_id text COLLATE "C", revision integer,
    {
    " , ".join(
        f"{name} {kind}"
        for name, kind in (
            ("symbol", "text"),
            ("strategy", "text"),
            ("price", "numeric"),
            ("quantity", "numeric"),
            ("closed_at", "timestamptz"),
            ("fee", "numeric"),
            ("fee_rate", "numeric"),
            ("interest", "numeric"),
            ("funding", "numeric"),
            ("reason", "text"),
            ("closed_quantity", "numeric"),
            ("realised_pnl", "numeric"),
            ("fees", "numeric"),
            ("carry", "numeric"),
        )
    )
}
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS folded (
    signal_id text COLLATE "C", exit_id text COLLATE "C", fresh boolean, partition integer,
    strategy text COLLATE "C", symbol text COLLATE "C", currency text COLLATE "C",
    day date, closed_at timestamptz, closes boolean, closed_quantity numeric, excess numeric,
    realised_pnl numeric, fees numeric, carry numeric, basis numeric, leverage numeric
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS positions (
    signal_id text COLLATE "C", partition integer, strategy text COLLATE "C",
    symbol text COLLATE "C", currency text COLLATE "C", exit_count integer,
    closed_quantity numeric, excess_quantity numeric, realised_pnl numeric, fees numeric,
    carry numeric, closed_at timestamptz, "return" numeric, outcome smallint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS deltas (
    strategy text COLLATE "C", symbol text COLLATE "C", currency text COLLATE "C",
    day date, partition integer,
    {", ".join(f"{name} bigint" for name in _COUNTED)},
    {", ".join(f"{name} numeric" for name in _MONEY)}
) ON COMMIT DELETE ROWS;
"""

TOUCH: Final = """
INSERT INTO touched
SELECT signal_id, min(partition)
FROM (SELECT signal_id, partition FROM new_entries
      UNION ALL SELECT signal_id, partition FROM new_exits) AS named
GROUP BY signal_id
"""

LOCK_KNOWN: Final = """
INSERT INTO old_signals
SELECT s.signal_id, s.revision, s.strategy, s.symbol, s.side, s.price, s.quantity, s.currency,
       s.emitted_at, s.fee, s.fee_rate, s.leverage, s.backdated, s.realised_pnl, s.closed_at,
       s."return", s.outcome
FROM signals AS s JOIN touched USING (signal_id)
ORDER BY s.signal_id
FOR UPDATE OF s
"""
"""Both sides of a signal meet at its row: locked in one order, before the other side is read."""

READ_EXITS: Final = f"""
INSERT INTO old_exits
SELECT e.signal_id, e.exit_id, e.revision, {_listed(_EXIT_CONTENT, "e")},
       e.closed_quantity, e.realised_pnl, e.fees, e.carry
FROM old_signals JOIN exits AS e USING (signal_id)
"""


def _conflicts(new: str, old: str, key: tuple[str, ...], content: tuple[str, ...]) -> str:
    same = " AND ".join(f"o.{name} = n.{name}" for name in key)
    later = " AND ".join(f"h.{name} = n.{name}" for name in key)
    return f"""
SELECT n.position
FROM {new} AS n JOIN {old} AS o ON {same} AND o.revision = n.revision
WHERE ({_listed(content, "n")}) IS DISTINCT FROM ({_listed(content, "o")})
AND NOT EXISTS (SELECT FROM {new} AS h WHERE {later}
                AND h.revision > n.revision AND h.position < n.position)
"""


def _conflicts_within(new: str, known: str, key: tuple[str, ...], content: tuple[str, ...]) -> str:
    first = (
        f"(SELECT DISTINCT ON ({_listed(key)}, revision) * FROM {new}"
        f" ORDER BY {_listed(key)}, revision, position)"
    )
    same = " AND ".join(f"k.{name} = n.{name}" for name in key)
    return (
        _conflicts(new, first, key, content)
        + f"AND NOT EXISTS (SELECT FROM {known} AS k WHERE {same} AND k.revision >= n.revision)"
    )


CONFLICTS: Final = " UNION ".join(
    (
        _conflicts(
            "new_entries",
            "(SELECT s.* FROM signals AS s JOIN old_signals USING (signal_id))",
            ("signal_id",),
            _ENTRY_CONTENT,
        ),
        _conflicts("new_exits", "old_exits", ("signal_id", "exit_id"), _EXIT_CONTENT),
    )
)
"""Positions of events whose id and revision are there with other content."""

CONFLICTS_WITHIN: Final = " UNION ".join(
    (
        _conflicts_within("new_entries", "old_signals", ("signal_id",), _ENTRY_CONTENT),
        _conflicts_within("new_exits", "old_exits", ("signal_id", "exit_id"), _EXIT_CONTENT),
    )
)
"""The same, among the events of the batch."""

DROP_REPEATS: Final = """
DELETE FROM new_entries USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id ORDER BY revision DESC, position) AS place
    FROM new_entries) AS ranked
WHERE new_entries.position = ranked.position AND place > 1;
DELETE FROM new_exits USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id, exit_id ORDER BY revision DESC, position) AS place
    FROM new_exits) AS ranked
WHERE new_exits.position = ranked.position AND place > 1;
"""
"""Of what the batch names twice, the highest revision stays, and of that the first."""

DROP_KNOWN: Final = """
DELETE FROM new_entries AS n USING old_signals AS o
WHERE o.signal_id = n.signal_id AND o.revision >= n.revision;
DELETE FROM new_exits AS n USING old_exits AS o
WHERE o.signal_id = n.signal_id AND o.exit_id = n.exit_id AND o.revision >= n.revision;
"""

_BACKDATED: Final = "appended_at - emitted_at > make_interval(secs => %(backdated_after)s)"

MAKE_SIGNALS: Final = f"""
INSERT INTO signals (signal_id, revision, {_listed(_ENTRY_CONTENT)}, appended_at, backdated)
SELECT signal_id, coalesce(n.revision, -1), {_listed(_ENTRY_CONTENT, "n")}, n.appended_at,
       {_BACKDATED}
FROM touched LEFT JOIN new_entries AS n USING (signal_id)
WHERE NOT EXISTS (SELECT FROM old_signals AS o WHERE o.signal_id = touched.signal_id)
ORDER BY signal_id
ON CONFLICT DO NOTHING
"""
"""New signals; one of which only exits are known gets a row that waits for its entry."""

CORRECT_SIGNALS: Final = f"""
UPDATE signals AS s
SET revision = n.revision, {", ".join(f"{name} = n.{name}" for name in _ENTRY_CONTENT)},
    appended_at = n.appended_at,
    backdated = n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s)
FROM new_entries AS n JOIN old_signals AS o USING (signal_id)
WHERE s.signal_id = n.signal_id
"""

_ENTRY_FEE: Final = "coalesce({0}.fee, {0}.fee_rate * {0}.price * {0}.quantity, 0)"

FOLD: Final = f"""
INSERT INTO folded
WITH entries AS MATERIALIZED (
    SELECT n.signal_id, n.strategy, n.symbol, n.currency, n.price, n.quantity, n.leverage,
           CASE n.side WHEN 'BUY' THEN 1 ELSE -1 END AS direction,
           {_ENTRY_FEE.format("n")} AS entry_fee
    FROM new_entries AS n
    WHERE EXISTS (SELECT FROM new_exits AS x WHERE x.signal_id = n.signal_id)
       OR EXISTS (SELECT FROM old_exits AS x WHERE x.signal_id = n.signal_id)
    UNION ALL
    SELECT o.signal_id, o.strategy, o.symbol, o.currency, o.price, o.quantity, o.leverage,
           CASE o.side WHEN 'BUY' THEN 1 ELSE -1 END,
           {_ENTRY_FEE.format("o")}
    FROM old_signals AS o
    WHERE o.revision >= 0
      AND EXISTS (SELECT FROM new_exits AS x WHERE x.signal_id = o.signal_id)
      AND NOT EXISTS (SELECT FROM new_entries AS n WHERE n.signal_id = o.signal_id)
), exits_known AS (
    SELECT signal_id, exit_id, true AS fresh, price, quantity, closed_at, fee, fee_rate,
           interest, funding
    FROM new_exits
    UNION ALL
    SELECT o.signal_id, o.exit_id, false, o.price, o.quantity, o.closed_at, o.fee, o.fee_rate,
           o.interest, o.funding
    FROM old_exits AS o
    WHERE NOT EXISTS (SELECT FROM new_exits AS n
                      WHERE n.signal_id = o.signal_id AND n.exit_id = o.exit_id)
), wanted AS (
    SELECT x.*, e.strategy, e.symbol, e.currency, e.price AS entry_price,
           e.quantity AS entry_quantity, e.leverage, e.direction, e.entry_fee,
           coalesce(x.quantity, e.quantity) AS wants,
           sum(coalesce(x.quantity, e.quantity)) OVER in_order AS wanted_so_far
    FROM exits_known AS x JOIN entries AS e USING (signal_id)
    WINDOW in_order AS (PARTITION BY signal_id ORDER BY x.closed_at, x.exit_id)
), closing AS (
    SELECT *,
           least(wanted_so_far, entry_quantity)
               - least(wanted_so_far - wants, entry_quantity) AS closed_quantity,
           wanted_so_far >= entry_quantity AND wanted_so_far - wants < entry_quantity AS closes
    FROM wanted
), shared AS (
    SELECT *,
           CASE WHEN closes OR closed_quantity = 0 OR entry_fee = 0 THEN 0
                ELSE {_half_even("(entry_fee * closed_quantity)", "entry_quantity", _FEE_PLACES)}
           END AS share
    FROM closing
), priced AS (
    SELECT *,
           CASE WHEN closed_quantity = 0 THEN 0
                ELSE coalesce(fee, fee_rate * price * closed_quantity, 0)
                     + CASE WHEN closes THEN entry_fee - coalesce(sum(share) OVER (
                                PARTITION BY signal_id ORDER BY closed_at, exit_id
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                            ELSE share END
           END AS fees,
           CASE WHEN closed_quantity = 0 THEN 0
                ELSE coalesce(interest, 0) + coalesce(funding, 0) END AS carry
    FROM shared
)
SELECT p.signal_id, p.exit_id, p.fresh, t.partition, p.strategy, p.symbol, p.currency,
       (p.closed_at AT TIME ZONE %(timezone)s)::date, p.closed_at, p.closes, p.closed_quantity,
       CASE WHEN p.quantity IS NULL THEN 0 ELSE p.quantity - p.closed_quantity END,
       (p.price - p.entry_price) * p.closed_quantity * p.direction - p.fees - p.carry,
       p.fees, p.carry, p.entry_quantity * p.entry_price + p.direction * p.entry_fee, p.leverage
FROM priced AS p JOIN touched AS t USING (signal_id)
"""
"""The fold of :func:`trackrecord.tracking.fold.fold` over every signal that changed."""

WRITE_NEW_EXITS: Final = f"""
INSERT INTO exits (signal_id, exit_id, revision, {_listed(_EXIT_CONTENT)}, appended_at,
                   closed_quantity, realised_pnl, fees, carry)
SELECT n.signal_id, n.exit_id, n.revision, {_listed(_EXIT_CONTENT, "n")}, n.appended_at,
       coalesce(f.closed_quantity, 0), coalesce(f.realised_pnl, 0), coalesce(f.fees, 0),
       coalesce(f.carry, 0)
FROM new_exits AS n LEFT JOIN folded AS f USING (signal_id, exit_id)
ORDER BY n.signal_id, n.exit_id
ON CONFLICT (signal_id, exit_id) DO UPDATE
SET revision = excluded.revision,
    {", ".join(f"{name} = excluded.{name}" for name in _EXIT_CONTENT)},
    appended_at = excluded.appended_at, closed_quantity = excluded.closed_quantity,
    realised_pnl = excluded.realised_pnl, fees = excluded.fees, carry = excluded.carry
"""

WRITE_OLD_EXITS: Final = """
UPDATE exits AS e
SET closed_quantity = f.closed_quantity, realised_pnl = f.realised_pnl, fees = f.fees,
    carry = f.carry
FROM folded AS f
WHERE NOT f.fresh AND e.signal_id = f.signal_id AND e.exit_id = f.exit_id
  AND (e.closed_quantity, e.realised_pnl, e.fees, e.carry)
      IS DISTINCT FROM (f.closed_quantity, f.realised_pnl, f.fees, f.carry)
"""
"""An exit that came late changes what the exits after it realised."""

POSITIONS: Final = f"""
INSERT INTO positions
SELECT signal_id, partition, strategy, symbol, currency, exit_count, closed_quantity, excess,
       realised_pnl, fees, carry, closed_at,
       CASE WHEN closed_at IS NOT NULL AND basis > 0
            THEN {_half_even("gained", "basis", _RETURN_PLACES)} END,
       CASE WHEN closed_at IS NULL THEN NULL
            WHEN gained > 0.000000005 * greatest(basis, 0) THEN 1
            WHEN gained < -0.000000005 * greatest(basis, 0) THEN -1
            ELSE 0 END
FROM (
    SELECT signal_id, min(partition) AS partition, min(strategy) AS strategy,
           min(symbol) AS symbol, min(currency) AS currency, count(*) AS exit_count,
           sum(closed_quantity) AS closed_quantity, sum(excess) AS excess,
           sum(realised_pnl) AS realised_pnl, sum(fees) AS fees, sum(carry) AS carry,
           max(closed_at) FILTER (WHERE closes) AS closed_at, min(basis) AS basis,
           sum(realised_pnl) * coalesce(min(leverage), 1) AS gained
    FROM folded GROUP BY signal_id) AS summed
"""

WRITE_POSITIONS: Final = """
UPDATE signals AS s
SET exit_count = p.exit_count, closed_quantity = p.closed_quantity,
    excess_quantity = p.excess_quantity, realised_pnl = p.realised_pnl, fees = p.fees,
    carry = p.carry, closed_at = p.closed_at, "return" = p."return", outcome = p.outcome
FROM positions AS p
WHERE s.signal_id = p.signal_id
"""

_ZEROS: Final = dict.fromkeys(SUMS, "0")


def _delta(of: dict[str, str]) -> str:
    return ", ".join({**_ZEROS, **of}.values())


def _closed(sign: str) -> str:
    return _delta(
        {
            "closed": f"{sign}1",
            "wins": f"{sign}(outcome = 1)::int",
            "losses": f"{sign}(outcome = -1)::int",
            "breakevens": f"{sign}(outcome = 0)::int",
            "total_pnl": f"{sign}realised_pnl",
            "gross_profit": f"{sign}CASE outcome WHEN 1 THEN realised_pnl ELSE 0 END",
            "gross_loss": f"{sign}CASE outcome WHEN -1 THEN realised_pnl ELSE 0 END",
            "sum_return": f'{sign}coalesce("return", 0)',
        }
    )


def _realised(sign: str, table: str) -> str:
    money = {name: f"{sign}{table}.{name}" for name in ("realised_pnl", "fees", "carry")}
    return _delta({"exits": f"{sign}1", **money})


MAKE_DELTAS: Final = f"""
INSERT INTO deltas
SELECT n.strategy, n.symbol, n.currency, (n.emitted_at AT TIME ZONE %(timezone)s)::date,
       t.partition, {_delta({"signals": "1", "backdated": f"({_BACKDATED})::int"})}
FROM new_entries AS n JOIN touched AS t USING (signal_id)
UNION ALL
SELECT o.strategy, o.symbol, o.currency, (o.emitted_at AT TIME ZONE %(timezone)s)::date,
       t.partition, {_delta({"signals": "-1", "backdated": "-o.backdated::int"})}
FROM old_signals AS o JOIN new_entries USING (signal_id) JOIN touched AS t USING (signal_id)
WHERE o.revision >= 0
UNION ALL
SELECT strategy, symbol, currency, day, partition, {_realised("", "folded")}
FROM folded WHERE closed_quantity > 0
UNION ALL
SELECT o.strategy, o.symbol, o.currency, (x.closed_at AT TIME ZONE %(timezone)s)::date,
       p.partition, {_realised("-", "x")}
FROM positions AS p JOIN old_exits AS x USING (signal_id) JOIN old_signals AS o USING (signal_id)
WHERE x.closed_quantity > 0
UNION ALL
SELECT strategy, symbol, currency, (closed_at AT TIME ZONE %(timezone)s)::date, partition,
       {_closed("")}
FROM positions WHERE closed_at IS NOT NULL
UNION ALL
SELECT strategy, symbol, currency, (closed_at AT TIME ZONE %(timezone)s)::date, partition,
       {_closed("-")}
FROM (SELECT o.*, p.partition FROM old_signals AS o JOIN positions AS p USING (signal_id)
      WHERE o.closed_at IS NOT NULL) AS before
"""
"""What the sums gain and lose: each signal's new contributions less its old ones."""


def move_days(table: str, owner: str) -> str:
    """Add the deltas to a table of sums; a row that would not change is left alone."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    changes = " OR ".join(f"sum({name}) <> 0" for name in SUMS)
    added = ", ".join(f"{name} = days.{name} + excluded.{name}" for name in SUMS)
    return f"""
INSERT INTO {table} AS days ({owner}, currency, day, partition, {SUM_COLUMNS})
SELECT {owner}, currency, day, partition, {sums}
FROM deltas
GROUP BY {owner}, currency, day, partition
HAVING {changes}
ORDER BY {owner}, currency, day, partition
ON CONFLICT ({owner}, currency, day, partition) DO UPDATE SET {added}
"""


COUNTS: Final = f"""
SELECT (SELECT count(*) FROM new_entries AS n LEFT JOIN old_signals AS o USING (signal_id)
        WHERE coalesce(o.revision, -1) < 0),
       (SELECT count(*) FROM new_entries JOIN old_signals AS o USING (signal_id)
        WHERE o.revision >= 0),
       (SELECT count(*) FROM new_entries WHERE {_BACKDATED}),
       (SELECT count(*) FROM new_exits AS n LEFT JOIN old_exits AS o USING (signal_id, exit_id)
        WHERE o.exit_id IS NULL),
       (SELECT count(*) FROM new_exits JOIN old_exits USING (signal_id, exit_id)),
       (SELECT count(*) FROM folded WHERE fresh AND closed_quantity = 0)
"""

_NUMERIC: Final = frozenset(
    {"price", "quantity", "target_price", "stop_loss", "fee", "fee_rate", "leverage", "interest",
     "funding", "closed_quantity", "excess_quantity", "realised_pnl", "fees", "carry",
     '"return"', *_MONEY}
)  # fmt: skip


def _content(names: tuple[str, ...]) -> str:
    return ", ".join(
        f"trim_scale({name}) AS {name}" if name in _NUMERIC else name for name in names
    )


SIGNALS_CONTENT: Final = "SELECT {} FROM signals".format(
    _content(
        ("signal_id", "revision", *_ENTRY_CONTENT, "appended_at", "backdated", "exit_count",
         "closed_quantity", "excess_quantity", "realised_pnl", "fees", "carry", "closed_at",
         '"return"', "outcome")
    )
)  # fmt: skip

EXITS_CONTENT: Final = "SELECT {} FROM exits".format(
    _content(
        ("signal_id", "exit_id", "revision", *_EXIT_CONTENT, "appended_at", "closed_quantity",
         "realised_pnl", "fees", "carry")
    )
)  # fmt: skip


def days_content(table: str, owner: str) -> str:
    """The content of a table of sums: over partitions, without rows that came to nothing."""
    sums = ", ".join(
        f"trim_scale(sum({name})) AS {name}" if name in _MONEY else f"sum({name}) AS {name}"
        for name in SUMS
    )
    changes = " OR ".join(f"sum({name}) <> 0" for name in SUMS)
    return (
        f"SELECT {owner}, currency, day, {sums} FROM {table}"
        f" GROUP BY {owner}, currency, day HAVING {changes}"
    )
