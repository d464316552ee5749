"""The statements that :mod:`services.outcome_scorer.store` runs."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.sql_times import micros, moment

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_bars (
    stays boolean, position integer, partition integer, appended_at timestamptz,
    symbol text COLLATE "C", timeframe text COLLATE "C", source text COLLATE "C",
    opened_at timestamptz, closed_at timestamptz, open numeric, high numeric, low numeric,
    close numeric, volume numeric, revision integer
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_signals (
    position integer, appended_at timestamptz, signal_id text COLLATE "C", revision integer,
    strategy text COLLATE "C", symbol text COLLATE "C", timeframe text COLLATE "C",
    side text COLLATE "C", price numeric, target_price numeric, stop_loss numeric,
    horizon_bars integer, entry text COLLATE "C", exits text COLLATE "C",
    confidence double precision, emitted_at timestamptz
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_closes (
    signal_id text COLLATE "C", closed_at timestamptz, reason text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE asked (
    number integer, symbol text COLLATE "C", timeframe text COLLATE "C", since bigint,
    before bigint, most integer
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_sessions (
    timeframe text COLLATE "C", closed_at bigint, partition integer, moved double precision,
    movers bigint, above bigint, compared bigint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_assessments (
    signal_id text COLLATE "C", features double precision[], probability double precision,
    verdict text, quality text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_outcomes (
    round integer, position integer, signal_id text COLLATE "C", outcome text COLLATE "C",
    label smallint,
    "return" double precision, mae double precision, mfe double precision, bars_held integer,
    how text COLLATE "C", ambiguous boolean, delisted boolean, exit_opened_at bigint,
    exit_at bigint, known_at bigint, ends_at bigint, changed boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE touched (
    symbol text COLLATE "C", timeframe text COLLATE "C", last_opened_at bigint,
    last_closed_at bigint
) ON COMMIT DELETE ROWS;
"""
"""Made when a session opens. Times that come from arrays are microseconds since 1970 UTC."""


_NAMED: Final = (
    "SELECT symbol, timeframe FROM new_bars UNION SELECT symbol, timeframe FROM new_signals"
)

CLAIM: Final = f"""
INSERT INTO watched_symbols (symbol, timeframe, version)
SELECT symbol, timeframe, 0 FROM ({_NAMED}) AS named ORDER BY symbol, timeframe
ON CONFLICT DO NOTHING
"""

LOCK: Final = f"""
SELECT w.symbol, w.timeframe, w.version, {micros("w.last_opened_at")}, w.ceased_at IS NOT NULL
FROM watched_symbols AS w JOIN ({_NAMED}) AS named USING (symbol, timeframe)
ORDER BY w.symbol, w.timeframe FOR UPDATE OF w
"""
"""Lock the symbols of the batch, in one order: bars and signals of a symbol meet here,
whichever consumers they came to. The version tells whether what is in memory is still so."""

_BAR_KEY: Final = "symbol, timeframe, opened_at, source"
_BAR_CONTENT: Final = "closed_at, open, high, low, close, volume"
_BAR_CHANGES: Final = ", ".join(
    f"{name} = excluded.{name}" for name in (*_BAR_CONTENT.split(", "), "revision", "appended_at")
)

_NEW_CONTENT: Final = ", ".join(f"n.{name}" for name in _BAR_CONTENT.split(", "))
_OLD_CONTENT: Final = _NEW_CONTENT.replace("n.", "b.")

KNOWN_BARS: Final = f"""
SELECT n.position, n.stays, b.revision IS NOT NULL, coalesce(n.revision > b.revision, false),
       CASE WHEN n.revision = b.revision THEN ({_NEW_CONTENT}) IS DISTINCT FROM ({_OLD_CONTENT})
            WHEN n.revision < b.revision THEN false
            ELSE ROW ({_NEW_CONTENT}) IS DISTINCT FROM first_value(ROW ({_NEW_CONTENT})) OVER (
                PARTITION BY {_BAR_KEY}, n.revision ORDER BY n.position)
       END
FROM new_bars AS n LEFT JOIN bars AS b USING ({_BAR_KEY})
"""
"""Of each new bar: whether it stays, is there already, corrects what is there, or contradicts
what came before under its revision, in the table or in the batch."""

WRITE_BARS: Final = f"""
INSERT INTO bars ({_BAR_KEY}, {_BAR_CONTENT}, revision, appended_at)
SELECT {_BAR_KEY}, {_BAR_CONTENT}, revision, appended_at FROM new_bars
WHERE stays ORDER BY {_BAR_KEY}
ON CONFLICT ({_BAR_KEY}) DO UPDATE
SET {_BAR_CHANGES}
WHERE bars.revision < excluded.revision
"""

_SIGNAL: Final = (
    "revision", "strategy", "symbol", "timeframe", "direction", "price", "target_price",
    "stop_loss", "horizon_bars", "next_open", "barriers", "confidence", "emitted_at",
    "appended_at", "problem",
)  # fmt: skip

WRITE_SIGNALS: Final = f"""
INSERT INTO watched_signals (signal_id, {", ".join(_SIGNAL)})
SELECT signal_id, revision, strategy, symbol, timeframe, up, price, target_price, stop_loss,
       coalesce(horizon_bars, %(horizon)s), entry = 'next_open', exits = 'barriers', confidence,
       emitted_at, appended_at,
       CASE WHEN (target_price - price) * up <= 0
                THEN 'the target lies on the wrong side of the entry'
            WHEN (price - stop_loss) * up <= 0
                THEN 'the stop lies on the wrong side of the entry'
       END
FROM (SELECT *, CASE side WHEN 'BUY' THEN 1 ELSE -1 END AS up FROM new_signals) AS n
ORDER BY signal_id
ON CONFLICT (signal_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _SIGNAL)}, ends_at = NULL
WHERE watched_signals.revision < excluded.revision
RETURNING signal_id, xmax = 0, problem IS NOT NULL
"""
"""Signals that are new or corrected; says which, and whether nothing can be said of them."""

LEFT: Final = """
WITH moved AS (
    SELECT w.symbol, w.timeframe
    FROM new_signals AS n JOIN watched_signals AS w USING (signal_id)
    WHERE n.revision > w.revision AND (w.symbol, w.timeframe) <> (n.symbol, n.timeframe)
    ORDER BY w.signal_id FOR UPDATE OF w
), left_ AS (
    SELECT symbol, timeframe FROM watched_symbols
    WHERE (symbol, timeframe) IN (SELECT * FROM moved)
    ORDER BY symbol, timeframe FOR UPDATE
)
UPDATE watched_symbols AS w SET version = version + 1
FROM left_ WHERE w.symbol = left_.symbol AND w.timeframe = left_.timeframe
RETURNING w.symbol, w.timeframe
"""
"""Symbols that a correction takes a signal away from: who has them in memory reads them again."""

WRITE_CLOSES: Final = """
INSERT INTO closings (signal_id, closed_at, reason, own)
SELECT DISTINCT ON (signal_id) signal_id, closed_at, reason, false FROM new_closes
ORDER BY signal_id, closed_at
ON CONFLICT DO NOTHING
"""

READ_BARS: Final = f"""
SELECT a.number, {micros("b.opened_at")} AS opened_at, {micros("b.closed_at")} AS closed_at,
       b.open, b.high, b.low, b.close, b.volume
FROM asked AS a CROSS JOIN LATERAL (
    SELECT DISTINCT ON (opened_at) *
    FROM bars
    WHERE symbol = a.symbol AND timeframe = a.timeframe
      AND opened_at >= coalesce({moment("a.since")}, '-infinity')
      AND opened_at < coalesce({moment("a.before")}, 'infinity')
    ORDER BY opened_at DESC, source LIMIT a.most) AS b
ORDER BY a.number, b.opened_at
"""


def read_signals(*, ended: bool) -> str:
    """Signals of the symbols asked for: those that wait, or those whose horizon had elapsed."""
    which = f"w.ends_at >= {moment('a.since')}" if ended else "w.ends_at IS NULL"
    return f"""
SELECT w.signal_id, a.number, w.direction, w.price, w.target_price, w.stop_loss,
       w.horizon_bars, w.next_open, {micros("w.emitted_at")} AS emitted_at,
       o.outcome, o.how, o.ambiguous, {micros("o.exit_opened_at")} AS exit_opened_at,
       o."return", o.mae, o.mfe, o.delisted, o.bars_held,
       {micros("o.known_at")} AS known_at
FROM asked AS a JOIN watched_signals AS w USING (symbol, timeframe)
LEFT JOIN outcomes AS o ON o.signal_id = w.signal_id AND o.policy = %(policy)s
WHERE {which} AND w.problem IS NULL
ORDER BY w.signal_id
"""


WRITE_SESSIONS: Final = f"""
INSERT INTO sessions AS s (timeframe, closed_at, partition, moved, movers, above, compared)
SELECT timeframe, {moment("closed_at")}, partition, moved, movers, above, compared
FROM new_sessions ORDER BY 1, 2, 3
ON CONFLICT (timeframe, closed_at, partition) DO UPDATE
SET moved = s.moved + excluded.moved, movers = s.movers + excluded.movers,
    above = s.above + excluded.above, compared = s.compared + excluded.compared
"""

_WAITS: Final = """EXISTS (
    SELECT FROM watched_signals AS s
    WHERE s.symbol = w.symbol AND s.timeframe = w.timeframe
      AND s.ends_at IS NULL AND s.problem IS NULL AND s.emitted_at <= w.last_opened_at)"""

_CEASED: Final = f"""
    SELECT w.symbol, w.timeframe, w.ceased_at, told.closed_at
    FROM watched_symbols AS w CROSS JOIN LATERAL (
        SELECT DISTINCT closed_at FROM sessions AS s
        WHERE s.timeframe = w.timeframe AND s.closed_at > w.last_closed_at
        ORDER BY closed_at OFFSET %(sessions)s - 1 LIMIT 1) AS told
    WHERE w.timeframe = %(timeframe)s AND w.last_closed_at < (
        SELECT DISTINCT closed_at FROM sessions WHERE timeframe = %(timeframe)s
        ORDER BY closed_at DESC OFFSET %(sessions)s - 1 LIMIT 1)
      AND (w.ceased_at IS NOT NULL OR {_WAITS})
      AND (w.ceased_at <> told.closed_at OR {_WAITS})"""

HAVE_CEASED: Final = f"SELECT EXISTS ({_CEASED})"
"""Whether :data:`CEASED` has anything to find; locks nothing."""

LOCK_CEASED: Final = f"""
SELECT found.symbol FROM ({_CEASED} ORDER BY w.symbol LIMIT %(most)s
    FOR UPDATE OF w SKIP LOCKED) AS found
"""
"""Lock some. What it says of them may be of before the lock, so that is asked again."""

CEASED: Final = f"""
UPDATE watched_symbols AS w SET version = w.version + 1, ceased_at = ceased.closed_at
FROM ({_CEASED} AND w.symbol = ANY (%(symbols)s)) AS ceased
WHERE w.symbol = ceased.symbol AND w.timeframe = ceased.timeframe
RETURNING w.symbol, w.timeframe, w.version, {micros("ceased.closed_at")},
          {micros("ceased.ceased_at")}
"""
"""Symbols that have had no bar for so many sessions: where signals wait, and where a session that
came late shows that this could be told sooner; when it could be, and what was said before."""

TAKE_TURNS: Final = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))"
"""Wait until no other member is between its question and its commit."""

REGIME: Final = f"""
SELECT {micros("closed_at")} AS closed_at, sum(moved) / nullif(sum(movers), 0) AS moved,
       sum(above)::double precision / nullif(sum(compared), 0) AS breadth
FROM sessions
WHERE timeframe = %(timeframe)s AND closed_at <= {moment("%(until)s")}
  AND closed_at >= coalesce((
      SELECT DISTINCT closed_at FROM sessions
      WHERE timeframe = %(timeframe)s AND closed_at <= {moment("%(since)s")}
      ORDER BY closed_at DESC OFFSET %(moments)s - 1 LIMIT 1), '-infinity')
GROUP BY closed_at ORDER BY closed_at
"""

RECORD: Final = f"""
SELECT strategy, {micros("known_at")} AS known_at, "return" FROM outcomes
WHERE policy = %(policy)s AND strategy = ANY (%(strategies)s)
  AND known_at < {moment("%(until)s")} AND "return" IS NOT NULL
"""

WRITE_FEATURE_SET: Final = """
INSERT INTO feature_sets VALUES (%(feature_set)s, %(names)s) ON CONFLICT DO NOTHING
"""

WRITE_ASSESSMENTS: Final = """
INSERT INTO assessments (signal_id, strategy, symbol, timeframe, emitted_at, feature_set, features,
                         probability, verdict, quality, model_version, assessed_at)
SELECT n.signal_id, w.strategy, w.symbol, w.timeframe, w.emitted_at, %(feature_set)s, n.features,
       n.probability, n.verdict, n.quality, %(version)s, %(now)s
FROM new_assessments AS n JOIN watched_signals AS w USING (signal_id)
ORDER BY n.signal_id
ON CONFLICT DO NOTHING
"""

WRITE_ENDS: Final = f"""
UPDATE watched_signals AS w SET ends_at = {moment("n.ends_at")}
FROM new_outcomes AS n
WHERE n.round = %(round)s AND w.signal_id = n.signal_id
  AND w.ends_at IS DISTINCT FROM {moment("n.ends_at")}
"""

_OUTCOME: Final = (
    "outcome", "label", '"return"', "mae", "mfe", "bars_held", "exit_price", "how", "ambiguous",
    "delisted", "exit_opened_at", "known_at", "ends_at", "scored_at",
)  # fmt: skip

WRITE_OUTCOMES: Final = f"""
INSERT INTO outcomes AS o (signal_id, policy, revision, strategy, symbol, emitted_at,
                           {", ".join(_OUTCOME)})
SELECT n.signal_id, %(policy)s, 0, w.strategy, w.symbol, w.emitted_at, n.outcome, n.label,
       n."return", n.mae, n.mfe, nullif(n.bars_held, 0),
       CASE n.how WHEN 'gap' THEN b.open WHEN 'expiry' THEN b.close
                  WHEN 'intrabar' THEN CASE n.outcome WHEN 'target' THEN w.target_price
                                                      ELSE w.stop_loss END END,
       n.how, n.ambiguous, n.delisted, {moment("n.exit_opened_at")}, {moment("n.known_at")},
       {moment("n.ends_at")}, %(now)s
FROM new_outcomes AS n JOIN watched_signals AS w USING (signal_id)
LEFT JOIN LATERAL (
    SELECT open, close FROM bars
    WHERE symbol = w.symbol AND timeframe = w.timeframe
      AND opened_at = {moment("n.exit_opened_at")}
    ORDER BY source LIMIT 1) AS b ON true
WHERE n.round = %(round)s AND n.changed
ORDER BY n.signal_id
ON CONFLICT (signal_id, policy) DO UPDATE
SET revision = o.revision + CASE WHEN o.signal_id IN (
        SELECT signal_id FROM new_outcomes WHERE round < %(round)s AND changed) THEN 0 ELSE 1 END,
    strategy = excluded.strategy, symbol = excluded.symbol,
    emitted_at = excluded.emitted_at,
    {", ".join(f"{name} = excluded.{name}" for name in _OUTCOME)}
"""
"""The price is the level's or the bar's own, to the last digit; the arrays hold floats. What
changes twice in a batch is told once, and so has one revision."""

WRITE_OUTCOME_ENDS: Final = f"""
UPDATE outcomes AS o SET ends_at = {moment("n.ends_at")}
FROM new_outcomes AS n
WHERE n.round = %(round)s AND o.signal_id = n.signal_id AND o.policy = %(policy)s
  AND NOT n.changed
"""

CLOSE: Final = f"""
INSERT INTO closings (signal_id, exit_price, closed_at, reason, own, entry_price)
SELECT o.signal_id, o.exit_price, {moment("n.exit_at")}, o.outcome, true,
       CASE WHEN w.next_open THEN (
           SELECT open FROM bars
           WHERE symbol = w.symbol AND timeframe = w.timeframe AND opened_at >= w.emitted_at
           ORDER BY opened_at, source LIMIT 1) END
FROM new_outcomes AS n JOIN outcomes AS o ON o.signal_id = n.signal_id AND o.policy = %(policy)s
JOIN watched_signals AS w ON w.signal_id = n.signal_id
WHERE n.round = %(round)s AND n.changed AND w.barriers AND o.exit_price IS NOT NULL
ORDER BY o.signal_id
ON CONFLICT DO NOTHING
RETURNING signal_id, exit_price::text, closed_at, reason, entry_price::text
"""
"""Exits of signals that nobody manages, once: what was published is not changed by late bars."""

SCORED: Final = """
SELECT DISTINCT ON (n.position, n.signal_id)
       n.position, o.signal_id, o.strategy, o.symbol, o.revision, o.outcome, o.label, o."return",
       o.mae, o.mfe, o.bars_held, o.exit_price::text, o.ambiguous, a.feature_set, a.features
FROM new_outcomes AS n JOIN outcomes AS o ON o.signal_id = n.signal_id AND o.policy = %(policy)s
LEFT JOIN assessments AS a ON a.signal_id = n.signal_id
WHERE n.changed
ORDER BY n.position, n.signal_id
"""

TOUCH: Final = f"""
UPDATE watched_symbols AS w
SET version = w.version + 1,
    ceased_at = CASE WHEN w.last_opened_at IS NOT DISTINCT FROM {moment("t.last_opened_at")}
                     THEN w.ceased_at END,
    last_opened_at = coalesce({moment("t.last_opened_at")}, w.last_opened_at),
    last_closed_at = coalesce({moment("t.last_closed_at")}, w.last_closed_at)
FROM touched AS t WHERE w.symbol = t.symbol AND w.timeframe = t.timeframe
"""

TABLES: Final = (
    (
        "bars",
        (
            f"SELECT {_BAR_KEY}, closed_at, trim_scale(open) AS open, trim_scale(high) AS high,"
            " trim_scale(low) AS low, trim_scale(close) AS close, trim_scale(volume) AS volume,"
            " revision FROM bars"
        ),
        ("symbol", "timeframe", "opened_at", "source"),
    ),
    (
        "watched_signals",
        (
            "SELECT signal_id, revision, strategy, symbol, timeframe, direction,"
            " trim_scale(price) AS price, trim_scale(target_price) AS target_price,"
            " trim_scale(stop_loss) AS stop_loss, horizon_bars, next_open, barriers, confidence,"
            " emitted_at, appended_at, problem, ends_at FROM watched_signals"
        ),
        ("signal_id",),
    ),
    (
        "outcomes",
        (
            'SELECT signal_id, policy, strategy, symbol, emitted_at, outcome, label, "return", mae,'
            " mfe, bars_held, trim_scale(exit_price) AS exit_price, how, ambiguous, delisted,"
            " exit_opened_at, known_at, ends_at FROM outcomes WHERE outcome <> 'pending'"
        ),
        ("signal_id", "policy"),
        ("policy", "outcome_policy"),
    ),
    (
        "watched_symbols",
        (
            "SELECT symbol, timeframe, last_opened_at, last_closed_at FROM watched_symbols"
            " WHERE last_opened_at IS NOT NULL"
        ),
        ("symbol", "timeframe"),
    ),
)
"""What replay rebuilds and compares: tables, their content and key.

A symbol without bars has a row only to be locked by, which says nothing, and which a signal that
was corrected within one batch never made."""
