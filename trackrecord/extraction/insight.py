"""The three functions that a script's table of runs is filled with."""

from __future__ import annotations

from trackrecord.extraction.extractor import extract


def extract_recommendation_from_output(output: str) -> str | None:
    """Return the action that a script's output settles on.

    Args:
        output: What the script printed.

    Returns:
        ``BUY``, ``SELL``, ``HOLD``, ``STRONG_BUY``, ``STRONG_SELL`` or ``BTST_BUY``, None where
        the output states no decision or several that differ.
    """
    return extract(output).final_action


def extract_result_from_output(output: str) -> tuple[float | None, str | None]:
    """Return what the output says has happened.

    Args:
        output: What the script printed.

    Returns:
        The realised return in percent and the outcome (``profit``, ``loss``, ``breakeven``),
        each None where it is not printed.
    """
    result = extract(output).result
    return (None if result.return_pct is None else float(result.return_pct)), result.outcome


STRONG = 70.0
MODERATE = 50.0
HIGH_RETURN = 5.0
BUY_HEAVY = 0.6
ACTIVE_RUNS = 20


def generate_ai_insight(
    *,
    runs: int,
    success_rate: float | None,
    average_return: float | None,
    recommendations: dict[str, int],
) -> str:
    """Say in words what a script's record shows; deterministic, no model is asked.

    Args:
        runs: How often the script ran.
        success_rate: Share of its decided outcomes that were a profit, in percent; None
            before the first.
        average_return: Mean realised return in percent, None where none was printed.
        recommendations: How often it recommended each action.

    Returns:
        Sentences on performance, returns, bias and activity, in that order.
    """
    parts = []
    if success_rate is None:
        parts.append("No outcome yet")
    elif success_rate >= STRONG:
        parts.append(f"Strong performance: {success_rate:.1f} % of outcomes were a profit")
    elif success_rate >= MODERATE:
        parts.append(f"Moderate performance: {success_rate:.1f} % of outcomes were a profit")
    else:
        parts.append(f"Needs improvement: {success_rate:.1f} % of outcomes were a profit")
    if average_return is not None:
        if average_return >= HIGH_RETURN:
            word = "high"
        elif average_return > 0:
            word = "positive"
        elif average_return == 0:
            word = "flat"
        else:
            word = "negative"
        parts.append(f"{word} average return of {average_return:+.2f} %")
    total = sum(recommendations.values())
    if total:
        buys = sum(recommendations.get(name, 0) for name in ("BUY", "STRONG_BUY", "BTST_BUY"))
        sells = sum(recommendations.get(name, 0) for name in ("SELL", "STRONG_SELL"))
        if buys / total > BUY_HEAVY:
            parts.append("buy-heavy recommendations")
        elif sells / total > BUY_HEAVY:
            parts.append("sell-heavy recommendations")
        else:
            parts.append("balanced recommendations")
    activity = (
        "highly active" if runs >= ACTIVE_RUNS else "active" if runs > 1 else "few runs so far"
    )
    parts.append(f"{activity} ({runs} {'run' if runs == 1 else 'runs'})")
    return "; ".join(parts) + "."
