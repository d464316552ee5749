"""Ways of saying things, each read as another way of saying the same, or left open."""

from __future__ import annotations

import pytest

from tests.unit.strategies.scenes import acts, bar, bars
from trackrecord.strategies.contract import Problem
from trackrecord.strategies.generate import generate
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.sentences import read

RSI = "buy when RSI(14) is below 30"
LOW = "buy when the close is below the 20 day average minus 2 times ATR(14)"


def passed(code: str) -> list[Problem]:
    del code
    return []


def understood(sentence: str) -> Rule:
    """The rule of a sentence of which every word was read."""
    reading = read(sentence)
    assert not reading.not_understood, reading
    assert not reading.problems, reading
    assert reading.rule is not None
    return reading.rule


@pytest.mark.parametrize(
    ("said", "same"),
    [
        # Exits at a number, or at a level that moves.
        (f"{RSI}, get out when RSI recovers to more than 50", f"{RSI}, sell when RSI is above 50"),
        (f"{RSI}, sell when it climbs to 50", f"{RSI}, sell when RSI is at least 50"),
        (f"{RSI}, exit when RSI reaches 50", f"{RSI}, sell when RSI is at least 50"),
        ("short when RSI > 80, buy back when it drops to 50",
         "short when RSI > 80, cover when RSI is at most 50"),
        (f"{LOW}, exit when it gets back to the average",
         f"{LOW}, sell when the close is at least the 20 day average"),
        (("when the price is 5% or more above the 50-day average, go short; get out at the 50-day "
          "average"),
         ("short when the close is at least 5% above the 50 day average, cover when the close is "
           "at "
          "most the 50 day average")),
        ("enter long on a close above the 100-day average; exit on a close beneath it",
         "buy when close > sma(100), sell when close < sma(100)"),
        ("buy when close > sma(200), get out when it drops back to the 200 day average",
         "buy when close > sma(200), sell when close <= sma(200)"),
        ("buy when price closes above its 10 day high", "buy when close > highest(high, 10)[1]"),
        ("buy when a stock has gone up 5% in 3 days", "buy when the 3 day change is at least 5%"),
        # How long it is held, and what ends it.
        ("go short after three consecutive up days and close after two days",
         "short after three consecutive up days, hold for 2 days"),
        (f"{RSI} and close 3 days later", f"{RSI}, hold for 3 days"),
        (f"{RSI}, exit when profit reaches 8% or loss reaches 4%", f"{RSI}, stop 4%, target 8%"),
        (f"exit when loss hits 4% or profit hits 8%. {RSI}", f"{RSI}, stop 4%, target 8%"),
        (("close the position after 10 days or when RSI is above 60, whichever comes first. Open "
          "when RSI is below 35."),
         "buy when RSI is below 35, sell when RSI is above 60, hold for 10 days"),
        (f"exit after 15 bars or on a 6 % stop; {RSI}", f"{RSI}, stop 6%, hold for 15 days"),
        # A sale that is covered is a short one.
        ("sell when the stock gaps up more than 3% and closes below its open, cover after 2 bars",
         "short when the stock gaps up more than 3% and closes below its open, hold for 2 days"),
        ("sell when price up 5% in 3 days, buy back 2 days later",
         "short when price is up 5% in 3 days, hold for 2 days"),
        ("sell when price closes below the 20 day average, cover when it closes above it",
         "short when close < sma(20), cover when close > sma(20)"),
        ("exit when RSI < 50. Go short when RSI > 70.", "short when RSI > 70, cover when RSI < 50"),
        # What adds nothing.
        (f"I'd like to {RSI}", RSI),
        (f"{RSI}, don't use a stop loss", RSI),
        (f"{RSI}. I don't want a stop.", RSI),
        ("buy when the close drops 3% or more in a single day",
         "buy when the close drops 3% or more"),
        # Days.
        ("buy when RSI < 30 and it is a Thursday", "buy when RSI < 30, only on Thursdays"),
        ("buy if it is Thursday and RSI is below 30", "buy when RSI < 30, only on Thursdays"),
        ("buy when it's the first trading day of the month and the close is above the open",
         "buy on the first trading day of the month if the close is above the open"),
        # Volume.
        ("buy when volume is three times the average",
         "buy when volume is at least 3 times its 20 day average"),
        ("buy with volume at least one and a half times normal",
         "buy when volume is at least 1.5 times its 20 day average"),
        ("buy if today's volume exceeds yesterday's by 50%",
         "buy when volume is more than 50% above yesterday's volume"),
        ("buy when volume hits a 20 day high", "buy when volume > highest(volume, 20)[1]"),
        # Distances from highs and lows, and what is broken.
        ("buy when the price drops 10% from its 50 day high",
         "buy when close is 10% below its 50 day high"),
        ("buy when price bounces 5% off its 20 day low",
         "buy when close is 5% above its 20 day low"),
        ("buy if the drawdown from the 1 year high exceeds 20%",
         "buy when close is more than 20% below its 252 day high"),
        (("enter if the close breaks the previous day's low, exit once it breaks the previous "
          "day's high"),
         "buy when close < low of the day before, sell when close > high of the day before"),
        ("buy when the upper Keltner channel is broken",
         "buy when the close is above the upper Keltner channel"),
        ("buy once price breaks out of its 30-day range to the upside", "buy at a new 30 day high"),
        # The bar's range.
        ("buy when today's range is more than twice the average range of the last 10 days",
         "buy when the range is above 2 times the 10 day average of the range"),
        ("buy when it closes in the upper half",
         "buy when it closes in the upper half of the day's range"),
        # Notations.
        ("close > highest(high, 20)[1]; exit: close < lowest(low, 10)[1]",
         "buy when close is above the 20 day high, sell when close is below the 10 day low"),
        ("if rsi(close, 14) < 30 then buy, if rsi(close, 14) > 70 then sell",
         f"{RSI}, sell when RSI > 70"),
        ("buy when ta.crossover(ta.sma(close, 20), ta.sma(close, 50))",
         "buy when the 20 day average crosses above the 50 day average"),
        ("buy when crossunder(rsi(close, 14), 30)", "buy when RSI(14) crosses below 30"),
        # Others.
        ("buy when the 10 day EMA crosses the 30 day from below, sell when RSI > 70",
         "buy when ema(10) crosses above ema(30), sell when RSI > 70"),
        ("buy when the 50 day average is above the 200 day", "buy when sma(50) > sma(200)"),
        ("buy when the 50 day crosses the 200 day from below",
         "buy when the 50 day average crosses above the 200 day average"),
        ("buy when OBV makes a new 50 day high",
         "buy when OBV is above the highest OBV of the 50 bars before this one"),
        ("buy when the 20 day standard deviation of returns is under 1%",
         "buy when the 20 day volatility is below 1"),
        (("buy stocks when they have gone up 3 days in a row and sell when they go down 2 days in "
          "a row"),
         "buy after three consecutive up days, sell after two consecutive down days"),
    ],
)  # fmt: skip
def test_it_is_read_as_other_words_for_it(said: str, same: str) -> None:
    rule = understood(said)
    assert rule == understood(same)
    words = generate(said, passed).reads_as
    assert understood(words) == rule


@pytest.mark.parametrize(
    "sentence",
    [
        # A price of 200, or the average of 200 days?
        "buy when SMA 50 is above 200",
        "buy when the 20 day average crosses above 50",
        # On the way down, or below?
        "buy when RSI drops to 25",
        # It is there already.
        f"{RSI}, sell when RSI reaches 20",
        f"{RSI}, exit when price falls to the lower Bollinger band",
        # Which high?
        "buy when the price is 15% off its 6 month high; leave when it is within 5% of that high",
        # The low of RSI, not of the price.
        "buy when RSI is above 50 and its 10 day low is above 30",
        # Which of the two?
        ("buy when price is 5% below the 20 day EMA and above the 200 day SMA; exit when it "
         "returns to "
         "the average"),
        "buy when price is below the 20 day average, exit at the 50 day average",
        # Sold short, or bought again?
        "sell when RSI > 70, buy back when RSI < 30",
        "sell when RSI < 50. Go short when RSI > 70.",
        # Nothing is short.
        "buy when RSI > 50 and sell when RSI < 50, cover when RSI > 60",
        "sell when RSI > 70, buy when RSI < 30, buy back after 3 days",
        "exit when RSI < 50. Cover after 3 days.",
        # A rule does not count.
        "buy after 3 up days in the last 5 days",
        "buy when there are at least 3 up days in the last 5 days",
        # Days are those of entries.
        f"{RSI}, sell when RSI > 70 and it is a Friday",
        f"{RSI}, sell when RSI > 70 on Fridays",
        # Up or down?
        "buy when the 50 day crosses the 200 day",
        "buy when price falls 5% from 100",
        "buy when price rises 5% from its 20 day high",
    ],
)  # fmt: skip
def test_what_may_mean_two_things_is_not_taken_for_one(sentence: str) -> None:
    assert generate(sentence, passed).status != "validated"


def test_a_price_beside_an_average_may_be_said_when_it_is_no_usual_period() -> None:
    assert generate("buy when the 50 day average is above 123.5", passed).status == "validated"


def test_the_first_time_is_now_and_not_before() -> None:
    sentence = "buy when close is above 100 for the first time in 5 days"
    understood(sentence)
    before = [90.0] * 20
    assert acts(sentence, bars(101.0, before=before)) == "buy"
    assert acts(sentence, bars(101.0, 99.0, 99.0, 102.0, before=before)) == "hold"
    assert acts(sentence, bars(101.0, 99, 99, 99, 99, 102.0, before=before)) == "hold"
    assert acts(sentence, bars(101.0, 99, 99, 99, 99, 99, 102.0, before=before)) == "buy"


def test_a_fall_from_a_high_counts_this_bars_high() -> None:
    sentence = "buy when the price drops 10% from its 5 day high"
    calm = [100.0] * 10
    assert acts(sentence, bars(*calm, bar(108, 100, 120, 100))) == "buy"
    assert acts(sentence, bars(*calm, bar(109, 100, 120, 100))) == "hold"
