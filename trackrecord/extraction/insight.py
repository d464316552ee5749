"""Success rate, trend and the sentence of a script's record."""

from __future__ import annotations

from typing import Final

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


STRONG: Final = 70.0
"""Success rate in percent from which a script is called strong."""
MODERATE: Final = 50.0
"""Success rate in percent from which a script is called moderate."""
HIGH_RETURN: Final = 5.0
"""Average return in percent from which it is called high."""
HEAVY: Final = 0.6
"""Share of one side above which recommendations are called heavy on it."""
ACTIVE_RUNS: Final = 20
"""Runs from which a script is called highly active."""


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
    parts = [_performance(success_rate)]
    if average_return is not None:
        parts.append(f"{_return_class(average_return)} average return of {average_return:+.2f} %")
    if sum(recommendations.values()):
        parts.append(f"{_bias(recommendations)} recommendations")
    activity = (
        "highly active" if runs >= ACTIVE_RUNS else "active" if runs > 1 else "little activity"
    )
    parts.append(f"{activity} ({runs} {'run' if runs == 1 else 'runs'})")
    return "; ".join(parts) + "."


def _performance(success_rate: float | None) -> str:
    if success_rate is None:
        return "No outcome yet"
    if success_rate >= STRONG:
        word = "Strong performance"
    elif success_rate >= MODERATE:
        word = "Moderate performance"
    else:
        word = "Needs improvement"
    return f"{word}: {success_rate:.1f} % of outcomes were a profit"


def _return_class(average_return: float) -> str:
    if average_return >= HIGH_RETURN:
        return "high"
    if average_return > 0:
        return "positive"
    return "negative" if average_return < 0 else "flat"


def _bias(recommendations: dict[str, int]) -> str:
    total = sum(recommendations.values())
    buys = sum(recommendations.get(name, 0) for name in ("BUY", "STRONG_BUY", "BTST_BUY"))
    sells = sum(recommendations.get(name, 0) for name in ("SELL", "STRONG_SELL"))
    if buys / total > HEAVY:
        return "buy-heavy"
    return "sell-heavy" if sells / total > HEAVY else "balanced"
