"""What the strategies of sentences do on bars made by hand, not what their code looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.strategies.scenes import Bar, acts, bar, bars, does
from trackrecord.strategies.sentences import read

WORDINGS = yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text("utf-8"))
FIRST = {entry["n"]: entry["wordings"][0] for entry in WORDINGS}
RISE = [100 + 0.5 * i for i in range(60)]
FALL = [130 - 0.5 * i for i in range(60)]


@pytest.mark.parametrize("entry", WORDINGS, ids=[entry["n"] for entry in WORDINGS])
def test_each_wording_gives_the_same_rule(entry: dict[str, object]) -> None:
    wordings = entry["wordings"]
    assert isinstance(wordings, list)
    first = read(wordings[0])
    assert len(wordings) >= 5
    for wording in wordings:
        reading = read(wording)
        assert reading.rule == first.rule, wording
        draft = bool(reading.not_understood or reading.problems)
        assert draft is (entry["status"] == "draft"), (wording, reading)


def when(sentence: int, holds: list[Bar], fails: list[Bar], action: str = "buy") -> None:
    """The strategy acts on one series and not on the other."""
    assert acts(FIRST[sentence], holds) == action
    assert acts(FIRST[sentence], fails) == "hold"


def test_1_buys_only_on_the_bar_of_the_cross_with_a_stop_below_its_close() -> None:
    days = [acts(FIRST[1], bars(*RISE[:n], before=FALL)) for n in range(1, 60)]
    assert days.count("buy") == 1
    crossing = bars(*RISE[: days.index("buy") + 1], before=FALL)
    answer = does(FIRST[1], crossing)
    assert answer["metadata"]["stop_loss"] == pytest.approx(0.95 * crossing[-1]["close"])


def test_1_sells_on_the_cross_back() -> None:
    days = [acts(FIRST[1], bars(*FALL[:n], before=[130.0] * 60), "LONG") for n in range(1, 40)]
    assert days.count("sell") == 1


def test_2_leaves_on_the_death_cross() -> None:
    days = [
        acts(FIRST[2], bars(*([90.0] * n), before=[130.0] * 250), "LONG") for n in range(1, 90, 1)
    ]
    assert days.count("sell") == 1


def test_3_waits_for_rsi_to_drop_and_its_filter_gates_entries_alone() -> None:
    drop = bars(97.5, 95, 92.5, before=[80 + 0.1 * i for i in range(250)] + [104.0])
    assert "buy" in {acts(FIRST[3], drop[:n] if n else drop) for n in (-2, -1, None)}
    below_average = bars(90, 85, 82, before=[100.0] * 50)
    assert acts(FIRST[3], below_average) == "hold"
    high_rsi_below_average = bars(60, 63, 66, 70, 75, 78, before=[100.0] * 150 + [50.0] * 60)
    assert acts(FIRST[3], high_rsi_below_average, "LONG") == "sell"


def test_4_is_a_long_entry_without_a_verb() -> None:
    up = [80 + 0.1 * i for i in range(260)]
    when(4, bars(103, 101, before=up), bars(103, 108, before=up))
    assert acts(FIRST[4], bars(108, 112, before=up), "LONG") == "sell"


def test_6_buys_below_the_band_and_sells_at_the_middle() -> None:
    when(6, bars(95), bars(99.9))
    assert acts(FIRST[6], bars(95, 101), "LONG") == "sell"
    assert acts(FIRST[6], bars(95, 99), "LONG") == "hold"


def test_7_is_a_short_with_its_stop_above() -> None:
    answer = does(FIRST[7], bars(105))
    assert answer["action"] == "sell"
    assert answer["metadata"]["stop_loss"] == pytest.approx(1.03 * 105)
    assert acts(FIRST[7], bars(105, 99), "SHORT") == "buy"
    assert acts(FIRST[7], bars(105, 104), "SHORT") == "hold"


def test_8_compares_with_the_bars_before_this_one() -> None:
    when(8, bars(101.5), bars(bar(100.5, high=110)))
    assert acts(FIRST[8], bars(99), "LONG") == "sell"
    assert acts(FIRST[8], bars(99.5), "LONG") == "hold"


def test_9_needs_a_new_high_on_volume_and_trails_from_the_best_close() -> None:
    when(9, bars(bar(102, volume=1500)), bars(bar(102, volume=1400)))
    assert acts(FIRST[9], bars(bar(100, volume=9000))) == "hold"
    best_then_down = bars(100, 110, 120, 119, 118.5)
    assert acts(FIRST[9], best_then_down, "LONG") == "hold"
    assert acts(FIRST[9], bars(100, 120, 140, 120, 101), "LONG") == "sell"


def test_10_needs_the_close_near_the_high_on_its_own_volume() -> None:
    near = bar(109.2, open=101, high=110, low=100, volume=2001)
    middle = bar(105, open=101, high=110, low=100, volume=2001)
    quiet = bar(109.2, open=101, high=110, low=100, volume=1999)
    when(10, bars(near), bars(middle))
    assert acts(FIRST[10], bars(quiet)) == "hold"
    assert acts(FIRST[10], bars(bar(100, high=100, low=100, volume=9000))) == "hold"
    assert does(FIRST[10], bars(near))["metadata"]["horizon_bars"] == 1


def test_11_is_a_short_for_a_day() -> None:
    answer = does(FIRST[11], bars(bar(96.5, volume=1001)))
    assert (answer["action"], answer["metadata"]["horizon_bars"]) == ("sell", 1)
    assert acts(FIRST[11], bars(bar(98, volume=5000))) == "hold"
    assert acts(FIRST[11], bars(bar(96.5, volume=1000))) == "hold"


def test_12_counts_three_red_days() -> None:
    red = [bar(99, open=100), bar(98, open=99), bar(97, open=98)]
    assert does(FIRST[12], bars(*red))["metadata"]["horizon_bars"] == 5
    when(12, bars(*red), bars(*red[:2]))


def test_13_is_five_percent_below_the_high_with_target_and_stop() -> None:
    answer = does(FIRST[13], bars(95))
    assert answer["action"] == "buy"
    assert answer["metadata"]["target_price"] == pytest.approx(95 * 1.08)
    assert answer["metadata"]["stop_loss"] == pytest.approx(95 * 0.96)
    assert acts(FIRST[13], bars(96)) == "hold"


def test_15_holds_where_nothing_deviates() -> None:
    when(15, bars(95), bars(99.9))
    flat = bars(*([100.0] * 40))
    assert acts(FIRST[15], flat) == "hold"
    assert acts(FIRST[15], flat, "LONG") == "hold"
    assert acts(FIRST[15], bars(105), "LONG") == "sell"


def test_16_leaves_without_asking_adx() -> None:
    exits = [acts(FIRST[16], bars(*FALL[:n], before=[130.0] * 60), "LONG") for n in range(1, 30)]
    assert exits.count("sell") == 1


def test_17_keeps_the_subject_of_its_exit() -> None:
    top = bars(*[90 + i for i in range(16)])
    assert acts(FIRST[17], top, "LONG") == "sell"
    low = bars(*[120 - i for i in range(18)], 102.3)
    assert acts(FIRST[17], low, "LONG") == "hold"


def test_18_acts_on_flips_alone() -> None:
    series = [100 - 3 * i for i in range(10)] + [73 + 4 * i for i in range(14)]
    days = [acts(FIRST[18], bars(*series[:n])) for n in range(1, 25)]
    assert days.count("buy") == 1
    held = [acts(FIRST[18], bars(*series[:n]), "LONG", 1) for n in range(1, 25)]
    assert held.count("sell") == 1


def test_20_needs_rsi_between_50_and_70() -> None:
    assert acts(FIRST[20], bars(99.8, 100.2)) == "buy"
    assert acts(FIRST[20], bars(99.8, 120)) == "hold"
    assert acts(FIRST[20], bars(100.2, 100.3)) == "hold"


def test_21_groups_the_alternatives() -> None:
    up = [50 + 0.2 * i for i in range(250)]
    assert acts(FIRST[21], bars(90, before=up)) == "buy"
    assert acts(FIRST[21], bars(90, before=[130 - 0.1 * i for i in range(250)])) == "hold"


def test_22_is_decided_after_the_gap_and_lasts_a_bar() -> None:
    answer = does(FIRST[22], bars(bar(99, open=97.5)))
    assert (answer["action"], answer["metadata"]["horizon_bars"]) == ("buy", 1)
    assert acts(FIRST[22], bars(bar(97.5, open=99))) == "hold"


def test_24_is_the_narrowest_of_seven() -> None:
    when(24, bars(bar(101, high=101.2, low=100.9)), bars(bar(101, high=103, low=99)))


def test_25_turns_around() -> None:
    up, down = bars(105), bars(95)
    assert acts(FIRST[25], up) == "buy"
    assert acts(FIRST[25], down) == "sell"
    assert acts(FIRST[25], up, "SHORT") == "buy"
    assert acts(FIRST[25], down, "LONG") == "sell"
    assert acts(FIRST[25], up, "LONG") == "hold"
    assert does(FIRST[25], up)["metadata"]["stop_loss"] < 105
    assert does(FIRST[25], down)["metadata"]["stop_loss"] > 95


def test_26_is_a_state_and_trails_seven_percent() -> None:
    rising = bars(*RISE)
    assert acts(FIRST[26], rising) == "buy"
    assert acts(FIRST[26], bars(100, 110, 108, 106, 102.4), "LONG") == "hold"
    assert acts(FIRST[26], bars(100, 110, 108, 106, 102.3), "LONG") == "sell"


def test_29_acts_on_tuesdays_alone() -> None:
    falling = (98.0, 96.0, 94.0)
    assert acts(FIRST[29], bars(*falling, last="2024-03-05")) == "buy"
    assert acts(FIRST[29], bars(*falling, last="2024-03-06")) == "hold"


def test_30_needs_both_on_one_bar() -> None:
    quiet = [100.0 + (0.01 if i % 2 else -0.01) for i in range(40)]
    assert acts(FIRST[30], bars(101, before=quiet)) == "hold"
    narrowing = [100 + (5 - 0.02 * i) * (1 if i % 2 else -1) for i in range(240)]
    assert acts(FIRST[30], bars(101.5, before=narrowing)) == "hold"


def test_31_compares_volatilities() -> None:
    calm_after_storm = [100 + (4 if i % 2 else -4) for i in range(40)] + [104.5] * 10
    assert acts(FIRST[31], bars(before=calm_after_storm)) == "buy"
    assert acts(FIRST[31], bars(before=[100 + (4 if i % 2 else -4) for i in range(50)])) == "hold"


def test_32_needs_two_days_below_to_leave() -> None:
    assert acts(FIRST[32], bars(105)) == "buy"
    assert acts(FIRST[32], bars(101, 95), "LONG") == "hold"
    assert acts(FIRST[32], bars(95, 95), "LONG") == "sell"


def test_40_reads_symbols() -> None:
    up = [60 + 0.2 * i for i in range(300)]
    dip = bars(115, 112, 110, 108, before=up)
    answer = does(FIRST[40], dip)
    assert answer["action"] == "buy"
    assert answer["metadata"]["stop_loss"] < 108
    assert acts(FIRST[40], bars(before=up), "LONG") == "sell"


def test_a_trail_knows_the_entry_by_its_time_or_by_its_price() -> None:
    made = bars(150, 100, 110, 108, 106, 102.3)
    assert acts(FIRST[26], made, "LONG", 5) == "sell"
    assert acts(FIRST[26], made, "LONG", 3) == "hold"
