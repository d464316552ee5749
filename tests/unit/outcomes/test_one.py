"""The outcome of a signal, case by case."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from trackrecord.outcomes import Bar, Judged, RuleError, Signal, label

LONG = Signal(1, Decimal(100), Decimal(110), Decimal(95), 3)
SHORT = Signal(-1, Decimal(100), Decimal(90), Decimal(105), 3)


def bar(*prices: float | str) -> Bar:
    return Bar(*(Decimal(str(price)) for price in prices))


QUIET = bar(100, 101, 99, 100)


def told(judged: Judged) -> tuple[object, ...]:
    return judged.outcome, judged.how, judged.exit_index, judged.exit_price, judged.ambiguous


@pytest.mark.parametrize(
    ("signal", "bars", "expected"),
    [
        (LONG, [QUIET, bar(105, 110, 104, 105)], ("target", "intrabar", 1, 110, False)),
        (LONG, [QUIET, bar(105, "109.99", 104, 105)], ("pending", None, None, None, False)),
        (LONG, [QUIET, bar(110, 111, 94, 105)], ("target", "gap", 1, 110, False)),
        (LONG, [QUIET, bar(94, 111, 93, 105)], ("stop", "gap", 1, 94, False)),
        (LONG, [bar(100, 110, 95, 100)], ("stop", "intrabar", 0, 95, True)),
        (LONG, [QUIET, QUIET, bar(100, 101, 99, 98)], ("expired", "expiry", 2, 98, False)),
        (LONG, [QUIET, QUIET, bar(100, 101, 95, 98)], ("stop", "intrabar", 2, 95, False)),
        (LONG, [bar(111, 112, 100, 105)], ("void", None, None, None, False)),
        (LONG, [bar(110, 112, 100, 105)], ("target", "intrabar", 0, 110, False)),
        (LONG, [bar(94, 112, 90, 105)], ("void", None, None, None, False)),
        (LONG, [QUIET, bar(50, 51, 49, 50)], ("void", None, None, None, False)),
        (LONG, [], ("pending", None, None, None, False)),
        (SHORT, [QUIET, bar(95, 96, 90, 95)], ("target", "intrabar", 1, 90, False)),
        (SHORT, [QUIET, bar(106, 107, 89, 95)], ("stop", "gap", 1, 106, False)),
        (SHORT, [QUIET, bar(89, 107, 88, 95)], ("target", "gap", 1, 89, False)),
        (SHORT, [bar(100, 105, 90, 95)], ("stop", "intrabar", 0, 105, True)),
    ],
)
def test_a_signal_meets_what_it_meets_first(
    signal: Signal, bars: list[Bar], expected: tuple[object, ...]
) -> None:
    assert told(label(signal, bars)) == expected


@pytest.mark.parametrize(
    ("policy", "opened", "outcome"),
    [
        ("stop_first", 109, "stop"),
        ("target_first", 96, "target"),
        ("open_proximity", 109, "target"),
        ("open_proximity", 96, "stop"),
        ("open_proximity", "102.5", "stop"),
    ],
)
def test_the_policy_decides_a_bar_that_holds_both_and_the_flag_stays(
    policy: str, opened: float | str, outcome: str
) -> None:
    judged = label(LONG, [QUIET, bar(opened, 110, 95, 100)], policy)  # type: ignore[arg-type]
    assert (judged.outcome, judged.ambiguous) == (outcome, True)


def test_a_return_is_gross_on_the_entry_price_and_mirrored_for_a_short() -> None:
    assert label(LONG, [QUIET, bar(120, 121, 119, 120)]).returned == Decimal("0.2")
    assert label(SHORT, [QUIET, bar(80, 81, 79, 80)]).returned == Decimal("0.2")
    assert label(SHORT, [QUIET, bar(106, 107, 105, 106)]).returned == Decimal("-0.06")


def test_the_entry_bar_counts_whole_for_excursions_and_the_exit_bar_up_to_the_exit() -> None:
    judged = label(LONG, [bar(100, 108, 97, 100), bar(101, 120, 100, 119)])
    assert (judged.mae, judged.mfe) == (Decimal("-0.03"), Decimal("0.1"))
    gapped = label(LONG, [bar(100, 108, 97, 100), bar(90, 120, 80, 119)])
    assert (gapped.mae, gapped.mfe) == (Decimal("-0.1"), Decimal("0.08"))
    short = label(SHORT, [bar(100, 103, 92, 100), bar(101, 106, 80, 90)])
    assert (short.mae, short.mfe) == (Decimal("-0.05"), Decimal("0.08"))


def test_an_expiry_counts_its_bar_whole_for_excursions() -> None:
    one = replace(LONG, horizon=1)
    judged = label(one, [bar(100, "101.5", 99, 101)])
    assert (judged.mae, judged.mfe) == (Decimal("-0.01"), Decimal("0.015"))
    short = Signal(-1, Decimal(50), Decimal(40), Decimal(55), 2)
    judged = label(short, [bar(50, "50.5", 49, 50), bar(50, 51, 48, "48.5")])
    assert (judged.mae, judged.mfe) == (Decimal("-0.02"), Decimal("0.04"))


def test_without_levels_only_the_horizon_ends_a_signal() -> None:
    judged = label(replace(LONG, target=None, stop=None), [QUIET, bar(100, 500, 1, 100), QUIET])
    assert told(judged) == ("expired", "expiry", 2, 100, False)


def test_a_win_is_a_return_above_cost_and_threshold() -> None:
    judged = label(LONG, [QUIET, QUIET, bar(100, 106, 100, 105)])
    assert (judged.outcome, judged.label, judged.won()) == ("expired", 0, True)
    assert judged.won(threshold=Decimal("0.05")) is False
    assert judged.won(cost=Decimal("0.01"), threshold=Decimal("0.039")) is True
    assert label(LONG, [QUIET]).won() is None


def test_a_jump_behind_the_exit_changes_nothing() -> None:
    bars = [QUIET, bar(105, 110, 104, 105), bar(20, 21, 19, 20)]
    assert label(LONG, bars).outcome == "target"
    assert label(LONG, [QUIET, bar(50, 51, 49, 50)], jump_limits=None).outcome == "stop"


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        (replace(LONG, target=Decimal(99)), "target of a long lies above its entry"),
        (replace(LONG, stop=Decimal(100)), "stop of a long lies below its entry"),
        (replace(SHORT, target=Decimal(101)), "target of a short lies below its entry"),
        (replace(SHORT, stop=Decimal(99)), "stop of a short lies above its entry"),
        (replace(LONG, price=Decimal("NaN")), "entry price must be a number"),
        (replace(LONG, stop=Decimal("-Infinity")), "stop must be a number"),
        (replace(LONG, horizon=0), "at least one bar"),
    ],
)
def test_a_signal_that_breaks_a_rule_is_refused_in_words(signal: Signal, words: str) -> None:
    with pytest.raises(RuleError, match=words):
        signal.check()


@pytest.mark.parametrize("price", ["0", "-37.63"])
def test_a_signal_that_is_entered_at_or_below_zero_is_void_and_says_why(price: str) -> None:
    judged = label(Signal(1, Decimal(price), horizon=1), [bar(1, 2, -40, 1)])
    assert (judged.outcome, judged.returned, judged.reason) == ("void", None, "entry_not_positive")


def test_bars_may_fall_below_zero_and_stop_a_long_there() -> None:
    future = Signal(1, Decimal("10.01"), None, Decimal(-30), 2)
    future.check()
    fell = bar("10.01", "10.01", "-40.32", "-37.63")
    found = label(future, [fell])
    assert told(found) == ("stop", "intrabar", 0, -30, False)
    assert found.returned == (Decimal(-40_010) / Decimal(10_010)).quantize(Decimal(1).scaleb(-18))
    expired = label(replace(future, stop=None, horizon=1), [fell])
    assert expired.exit_price == Decimal("-37.63")
    # The bar at whose close one leaves counts whole: its low is the worst.
    assert expired.mae == (Decimal("-50.33") / Decimal("10.01")).quantize(Decimal(1).scaleb(-18))


def test_a_jump_from_or_to_zero_and_below_is_a_price() -> None:
    quiet = Signal(1, Decimal(1), horizon=3)
    bars = [bar(1, 1, 1, 1), bar(-2, -1, -2, -1), bar("0.5", 1, 0, "0.5")]
    assert told(label(quiet, bars)) == ("expired", "expiry", 2, Decimal("0.5"), False)
