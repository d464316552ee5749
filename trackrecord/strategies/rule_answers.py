"""A rule as a strategy that a backtest leads through bars in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from trackrecord.outcomes import Policy
from trackrecord.strategies.answers import Columnar
from trackrecord.strategies.history import Series
from trackrecord.strategies.rules.evaluate import Signals, evaluate
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.rules.series import Columns as RuleColumns
from trackrecord.strategies.rules.series import Series as RuleSeries

RuleOf = Callable[[Mapping[str, Any]], Rule]
"""The rule that some values of its parameters make."""

_KEPT_FOR: Final = 256
"""Evaluations of a symbol, after which its indicators are worked out anew: they take memory."""


class RuleAnswers:
    """What rules answer on bars; indicators that several share are worked out once."""

    def __init__(self, rule_of: RuleOf) -> None:
        self._rule_of = rule_of
        self._kept: WeakKeyDictionary[Series, RuleSeries] = WeakKeyDictionary()
        self._asked: WeakKeyDictionary[Series, int] = WeakKeyDictionary()
        self._made: tuple[dict[str, Any], Rule] | None = None

    def __call__(self, series: Series, parameters: Mapping[str, Any]) -> Signals:
        """The answers on each of the bars."""
        asked = self._asked.get(series, 0)
        if asked % _KEPT_FOR == 0:
            times = series.opened_at.view("datetime64[us]")
            self._kept[series] = RuleSeries(
                RuleColumns.of(
                    times, series.open, series.high, series.low, series.close, series.volume
                )
            )
        self._asked[series] = asked + 1
        return evaluate(self._rule(parameters), self._kept[series])

    def _rule(self, parameters: Mapping[str, Any]) -> Rule:
        """Made once for all symbols."""
        if self._made is None or self._made[0] != parameters:
            self._made = dict(parameters), self._rule_of(parameters)
        return self._made[1]


def columnar(
    rule_of: RuleOf, parameters: Mapping[str, Any], policy: Policy = "stop_first"
) -> Columnar:
    """A strategy of rules, which all take the sides that the one of ``parameters`` takes."""
    return Columnar(RuleAnswers(rule_of), rule_of(parameters).sides, policy)
