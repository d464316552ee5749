"""What scripts decided and reported, and what could not be read of them."""

from __future__ import annotations

from tools.generate.record_boards.panels import Board, Choice, Panel, by_day

_CHOSEN = "script IN (${script:sqlstring})"

BOARD = Board(
    name="scripts",
    choices=(
        Choice(
            "script",
            "Script",
            """
            SELECT script FROM script_totals GROUP BY script ORDER BY sum(runs) DESC LIMIT 200
            """,
            many=True,
        ),
    ),
    rows={
        "What each came to": (
            Panel(
                "Scripts",
                "Success is what a script reported of itself as realised; averages are of the runs"
                " that reported a percentage.",
                sql=f"""
                SELECT script AS "Script", sum(runs) AS "Runs", sum(failures) AS "Failures",
                       sum(runs) FILTER (WHERE action LIKE '%BUY') AS "Buy",
                       sum(runs) FILTER (WHERE action LIKE '%SELL') AS "Sell",
                       sum(runs) FILTER (WHERE action = 'HOLD') AS "Hold",
                       sum(runs) FILTER (WHERE action = 'NONE') AS "No decision",
                       sum(profits) / nullif(sum(profits + losses + breakevens), 0)
                           AS "Success rate",
                       sum(sum_return_pct) / nullif(sum(results), 0) AS "Average result",
                       max(last_run) AS "Last run"
                FROM script_totals WHERE {_CHOSEN}
                GROUP BY script ORDER BY sum(runs) DESC, script LIMIT 200
                """,
                height=11,
                units={"Success rate": "percentunit", "Average result": "percent"},
            ),
        ),
        "Over time": (
            by_day(
                "Runs by day",
                "Each run counts on the day on which it ended.",
                table="script_days",
                owner="script",
                value="runs",
                chosen=_CHOSEN,
            ),
            by_day(
                "Failures by day",
                "Runs with an exit code other than 0.",
                table="script_days",
                owner="script",
                value="failures",
                chosen=_CHOSEN,
            ),
        ),
        "What recommended nothing": (
            Panel(
                "Refused outputs",
                "Why outputs recommend nothing. If one should have been read, docs/printing.md says"
                " how to print it.",
                sql=f"""
                SELECT script AS "Script", reason AS "Reason", rule AS "Rule",
                       sum(outputs) AS "Outputs", max(last_at) AS "Last",
                       (array_agg(excerpt ORDER BY last_at DESC))[1] AS "Latest"
                FROM refused_outputs WHERE {_CHOSEN}
                GROUP BY script, reason, rule ORDER BY sum(outputs) DESC, script LIMIT 100
                """,
            ),
        ),
    },
)
