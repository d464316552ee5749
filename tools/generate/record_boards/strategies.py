"""What strategies came to: the money exact, from the totals that the tracker keeps."""

from __future__ import annotations

from tools.generate.record_boards.panels import Board, Choice, Panel, by_day
from trackrecord.performance.sums.sums import ACCOUNTS, MIXED, UNKNOWN

_CHOSEN = "currency = ${currency:sqlstring} AND strategy IN (${strategy:sqlstring})"

_NAMED = " + ".join(f"sum({name})" for name in ACCOUNTS.values())
_KINDS = " ".join(
    f"WHEN sum({name}) = sum(signals) THEN '{kind}'" for kind, name in ACCOUNTS.items()
)
_ACCOUNT = f"CASE WHEN {_NAMED} = 0 THEN '{UNKNOWN}' {_KINDS} ELSE '{MIXED}' END"

BOARD = Board(
    name="strategies",
    choices=(
        Choice(
            "currency",
            "Currency",
            """
            SELECT currency FROM strategy_totals GROUP BY currency ORDER BY sum(signals) DESC
            """,
        ),
        Choice(
            "strategy",
            "Strategy",
            """
            SELECT strategy FROM strategy_totals WHERE currency = ${currency:sqlstring}
            GROUP BY strategy HAVING sum(signals) > 0 ORDER BY sum(signals) DESC LIMIT 200
            """,
            many=True,
        ),
    ),
    rows={
        "What each came to": (
            Panel(
                "Strategies",
                "All on record, over all time, each kind of account by itself. Whether it is"
                " skill or luck, `trackrecord report` and the API say; a total alone does not.",
                sql=f"""
                SELECT strategy AS "Strategy", {_ACCOUNT} AS "Account",
                       sum(signals) AS "Signals", sum(closed) AS "Closed",
                       sum(signals) - sum(closed) AS "Open",
                       sum(wins) / nullif(sum(closed), 0) AS "Win rate",
                       sum(total_pnl) AS "Net PnL", sum(fees) AS "Fees",
                       sum(gross_profit) / nullif(-sum(gross_loss), 0) AS "Profit factor",
                       sum(sum_return) / nullif(sum(closed) - sum(without_return), 0)
                           AS "Average return",
                       sum(backdated) AS "Said late",
                       sum(exits_backdated) AS "Exits told late",
                       sum(corrected_late) AS "Corrected late"
                FROM strategy_totals WHERE {_CHOSEN}
                GROUP BY strategy HAVING sum(signals) > 0 OR sum(exits) > 0
                ORDER BY {_ACCOUNT}, sum(total_pnl) DESC LIMIT 200
                """,
                height=11,
                units={"Win rate": "percentunit", "Average return": "percentunit"},
            ),
        ),
        "Over time": (
            Panel(
                "Cumulative realised PnL",
                "Net of fees, from the first day on record. Days are those of"
                " TRACKRECORD_DAY_TIMEZONE.",
                kind="timeseries",
                sql=f"""
                SELECT day::timestamp AS time, strategy AS metric, total AS value
                FROM (
                    SELECT strategy, day,
                           sum(sum(realised_pnl)) OVER (PARTITION BY strategy ORDER BY day) AS total
                    FROM strategy_days WHERE {_CHOSEN} GROUP BY strategy, day
                ) AS running
                WHERE $__timeFilter(day::timestamp) ORDER BY day, strategy
                """,
                stepped=True,
            ),
            by_day(
                "Realised PnL by day",
                "Net of fees, of all exits of the day.",
                table="strategy_days",
                owner="strategy",
                value="realised_pnl",
                chosen=_CHOSEN,
            ),
            by_day(
                "Signals by day",
                "Entries on the day of their emission.",
                table="strategy_days",
                owner="strategy",
                value="signals",
                chosen=_CHOSEN,
                more=" HAVING sum(signals) <> 0",
            ),
        ),
        "Now": (
            Panel(
                "Below its highest",
                "How far cumulative realised PnL is below its highest, of the strategies that the"
                " API tells of (TRACKRECORD_API_METRICS_STRATEGIES, else the 50 most active).",
                kind="timeseries",
                expr="max by (strategy) (trackrecord_strategy_below_peak"
                '{currency="$currency", strategy=~"${strategy:regex}"})',
                legend="{{strategy}}",
                width=12,
            ),
            Panel(
                "Open signals",
                "Signals that are not closed in full.",
                kind="timeseries",
                expr="max by (strategy) (trackrecord_strategy_open_signals"
                '{currency="$currency", strategy=~"${strategy:regex}"})',
                legend="{{strategy}}",
                width=12,
            ),
            Panel(
                "Newest signals",
                "Marked where they were said, closed or corrected later than the tolerance.",
                sql="""
                SELECT emitted_at AS "Emitted", strategy AS "Strategy", symbol AS "Symbol",
                       side AS "Side", price AS "Price", quantity AS "Quantity",
                       closed_at AS "Closed", realised_pnl AS "Realised PnL", "return" AS "Return",
                       backdated OR exits_backdated > 0 AS "Late", corrected_late AS "Corrected"
                FROM positions WHERE currency = ${currency:sqlstring} AND signal_id IN (
                    SELECT newest.signal_id
                    FROM unnest(ARRAY[${strategy:sqlstring}]) AS chosen (strategy)
                    CROSS JOIN LATERAL (
                        SELECT signal_id FROM signals
                        WHERE strategy = chosen.strategy AND revision >= 0
                        ORDER BY emitted_at DESC LIMIT 30
                    ) AS newest
                )
                ORDER BY emitted_at DESC, signal_id LIMIT 100
                """,
                height=11,
                units={"Return": "percentunit"},
            ),
        ),
    },
)
