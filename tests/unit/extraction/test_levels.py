"""Which numbers are levels: guards, units and currencies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.extraction import Recommendation, extract, guards, units

# ruff: noqa: RUF001 - what is read is of many scripts
PRICES = (
    st.decimals(min_value=Decimal(-1000), max_value=Decimal(1000), places=2, allow_nan=False)
    | st.none()
)
ACTIONS = ("BUY", "SELL", "STRONG_BUY", "STRONG_SELL", "BTST_BUY")


def read(text: str) -> Recommendation:
    (found,) = extract(text).recommendations
    return found


@given(st.sampled_from(ACTIONS), PRICES, PRICES, PRICES)
def test_no_level_is_left_on_the_wrong_side_of_the_entry(
    action: str, entry: Decimal | None, target: Decimal | None, stop: Decimal | None
) -> None:
    prices = {"entry_price": entry, "target_price": target, "stop_loss": stop}
    lost = guards.dropped(action, prices)
    kept = {name: value for name, value in prices.items() if name not in lost}
    entry, target, stop = (kept.get(name) for name in ("entry_price", "target_price", "stop_loss"))
    if entry is None:
        return
    sign = -1 if "SELL" in action else 1
    assert target is None or (target - entry) * sign > 0
    assert stop is None or (entry - stop) * sign > 0


@given(
    st.sampled_from(ACTIONS),
    st.decimals("0.01", 1000, places=2),
    st.decimals(1, 99, places=2),
)
def test_levels_on_the_right_side_stay_however_far_they_are(
    action: str, entry: Decimal, percent: Decimal
) -> None:
    away = entry * percent / 100
    sign = -1 if "SELL" in action else 1
    prices: dict[str, Decimal | None] = {
        "entry_price": entry,
        "target_price": entry + sign * away,
        "stop_loss": entry - sign * away,
    }
    assert guards.dropped(action, prices) == {}


def test_without_an_entry_nothing_says_which_level_is_wrong() -> None:
    found = read("Signal: SELL HUBS\nTarget: 480\nStop: 470")
    assert (found.target_price, found.stop_loss) == (480, 470)


def test_a_dropped_level_is_among_the_rejected_with_its_reason() -> None:
    said = extract("BUY HUBS @ 500 target 510 stop 530")
    (lost,) = [item for item in said.rejected if item.rule == guards.RULE]
    assert lost.candidate == "stop_loss 530"
    assert lost.reason == "the stop of a BUY lies below its entry of 500"


@pytest.mark.parametrize(
    "unit",
    ["pips", " pips", " points", " pts.", " ticks", " ATR", "x ATR", " * ATR", "R", " R", " pct",
     " percent", " %", " bps", " days", " bars", " lots", " contracts", " shares", "点", "个点",
     "手", "股", "天", " 倍ATR", "/80 pips", " to 80 pips", " пунктов", " Punkte", " puntos"],
)  # fmt: skip
def test_a_number_with_a_unit_is_no_price(unit: str) -> None:
    found = read(f"Signal: BUY HUBS\nEntry: 10\nTarget: 40{unit}")
    assert (found.entry_price, found.target_price) == (10, None)


@pytest.mark.parametrize(
    "money",
    ["40", "$40", "40 USD", "40 $", "40 (pips: 300)", "40 | R:R 2", "₹40/-", "40元", "40円"],
)
def test_a_number_with_a_currency_is_one(money: str) -> None:
    assert read(f"Signal: BUY HUBS\nEntry: 10\nTarget: {money}").target_price == 40


def test_a_unit_behind_a_number_of_its_own_says_nothing_of_the_next() -> None:
    assert units.heads(" (pips): ")
    assert units.heads(" in points = ")
    assert not units.heads(" (2 ATR): ")
    assert not units.heads(" (12 months): ")


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("Signal: BUY TCS\nEntry: ₹3,512.40", "INR"),
        ("Signal: BUY TCS\nEntry: Rs. 3512", "INR"),
        ("Signal: BUY TCS\nEntry: Rs 3512/-", "INR"),
        ("Signal: BUY TCS\nEntry: INR 3512", "INR"),
        ("Signal: BUY TCS\nEntry: 3512 rupees", "INR"),
        ("Signal: BUY TCS\nEntry (₹): 3512", "INR"),
        ("Signal: BUY TCS\nEntry (in INR): 3512", "INR"),
        ("Signal: BUY TCS\nEntry: â‚¹3,512.40", "INR"),
        ("Signal: BUY TCS\nCurrency: INR\nEntry: 3512", "INR"),
        ('{"symbol": "TCS", "signal": "BUY", "entry": 3512, "currency": "INR"}', "INR"),
        ("Signal: BUY TCS\nEntry: 3512\nTarget: ₹3,700", "INR"),
        ("BUY TCS @ ₹3512 SL ₹3450", "INR"),
        ("Signal: BUY HUBS\nEntry: $500", "USD"),
        ("Signal: BUY HUBS\nEntry: 500 USD", "USD"),
        ("Signal: BUY HUBS\nEntry: US$500", "USD"),
        ("Signal: BUY BTCUSDT\nEntry: 61250 USDT", "USDT"),
        ("BUY BTCUSDT @ 61250 USDC", "USDC"),
        ("Signal: BUY SAP.DE\nEntry: 184,50 €", "EUR"),
        ("Signal: BUY SAP.DE\nEntry: €184.50", "EUR"),
        ("Signal: BUY SAP.DE\nEntry: EUR 184.50", "EUR"),
        ("Signal: BUY BP.L\nEntry: £4.80", "GBP"),
        ("Signal: BUY BP.L\nEntry: GBP 4.80", "GBP"),
        ("Signal: BUY NESN.SW\nEntry: CHF 98.20", "CHF"),
        ("Signal: BUY 0700.HK\nEntry: HK$320.4", "HKD"),
        ("Signal: BUY SHOP.TO\nEntry: C$90.10", "CAD"),
        ("Signal: BUY BHP.AX\nEntry: A$44", "AUD"),
        ("Signal: BUY PETR4.SA\nEntry: R$38,20", "BRL"),
        ("Signal: BUY 2330.TW\nEntry: NT$580", "TWD"),
        ("Signal: BUY 005930.KS\nEntry: ₩71,000", "KRW"),
        ("Signal: BUY 005930.KS\nEntry: 71,000원", "KRW"),
        ("Signal: BUY LKOH\nEntry: 7250 ₽", "RUB"),
        ("Signal: BUY THYAO\nEntry: 290,50 TL", "TRY"),
        ("信号：买入 600519\n买入价：1700元", "CNY"),
        ("信号：买入 600519\n买入价：¥1700", "CNY"),
        ("信号：买入 0700.HK\n买入价：320港元", "HKD"),
        ("Signal: BUY 600519.SH\nEntry: ¥1700", "CNY"),
        ("Signal: BUY 7203.T\nEntry: ¥2500", "JPY"),
        ("シグナル: 買い\n銘柄: 7203.T\nエントリー: 2500円", "JPY"),
        ("Signal: BUY USDJPY\nEntry: ¥157.2", "JPY"),
        ("Signal: BUY ACME\nEntry: ¥157.2", None),
        ("Signal: BUY TCS\nEntry: 3512", None),
        ("Signal: BUY ETH/BTC\nEntry: 0.0345", None),
        ("BUY BTC/USDT @ 61250", None),
        ("Signal: BUY TCS", None),
        ("Balance: $500\nSignal: BUY TCS\nEntry: 3512", None),
    ],
)
def test_a_recommendation_bears_the_currency_of_its_prices(text: str, currency: str | None) -> None:
    assert read(text).currency == currency


def test_the_currency_is_explained() -> None:
    (why,) = [
        item
        for item in extract("Signal: BUY TCS\nEntry: ₹3,512.40").evidence
        if item.field.endswith("currency")
    ]
    assert (why.field, why.value) == ("recommendations[0].currency", "INR")
