"""Settings by strategy: capital and sessions, and words for what cannot be read."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import load_settings
from trackrecord.runtime.settings.per_strategy import (
    capital_by_strategy,
    of_strategy,
    sessions_by_strategy,
)


def test_capital_is_by_strategy_and_a_star_is_all_others() -> None:
    found = capital_by_strategy(" momentum=10000, trend=5000.50 ,a=b=1,*=100")
    assert found == {"momentum": D(10000), "trend": D("5000.50"), "a=b": D(1), "*": D(100)}
    assert of_strategy(found, "trend") == D("5000.50")
    assert of_strategy(found, "nobody") == D(100)
    assert of_strategy(capital_by_strategy(""), "nobody") is None


def test_sessions_have_a_default_and_exceptions() -> None:
    assert sessions_by_strategy("weekdays") == {"*": "weekdays"}
    assert sessions_by_strategy("") == {"*": "weekdays"}
    assert sessions_by_strategy("btc=every_day") == {"btc": "every_day", "*": "weekdays"}
    found = sessions_by_strategy("every_day,shares=weekdays")
    assert (of_strategy(found, "btc"), of_strategy(found, "shares")) == ("every_day", "weekdays")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TRACKRECORD_CAPITAL", "10000", "'10000' is not NAME=VALUE, such as momentum=10000"),
        ("TRACKRECORD_CAPITAL", "momentum=", "is not NAME=VALUE"),
        ("TRACKRECORD_CAPITAL", "=5", "is not NAME=VALUE"),
        ("TRACKRECORD_CAPITAL", "a=0", "'a' needs an amount above 0 such as 10000, not '0'"),
        ("TRACKRECORD_CAPITAL", "a=NaN", "needs an amount above 0"),
        ("TRACKRECORD_CAPITAL", "a=lots", "not 'lots'"),
        ("TRACKRECORD_CAPITAL", "a=1,a=2", "'a' comes twice"),
        ("TRACKRECORD_SESSIONS", "workdays", "weekdays or every_day, not 'workdays'"),
        ("TRACKRECORD_SESSIONS", "a=nightly", "not 'nightly'"),
        ("TRACKRECORD_SESSIONS", "weekdays,every_day", "'*' comes twice"),
        ("TRACKRECORD_TRIALS", "0", "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_variable(
    variable: str, value: str, words: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({variable: value})
    assert variable in str(caught.value)
    assert words in str(caught.value)
