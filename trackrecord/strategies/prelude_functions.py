"""The functions that a strategy may call without importing them.

Series are lists of floats, oldest first, the last one of the bar just closed. A function whose
name ends in ``_series`` answers the last ``count`` values of an indicator, oldest first; the one
without it the last value. A value that is not defined, for want of bars or because it would
divide by nothing, is NaN, and no comparison with NaN is true. Sums run from the oldest to the
newest. None of this looks at anything but its arguments.
"""

import math
from typing import Any

NAN = float("nan")


def mean(values: list[float]) -> float:
    """The mean; NaN of nothing."""
    if not values:
        return NAN
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def stdev(values: list[float]) -> float:
    """Root of the mean squared distance from the mean (divisor n); NaN of nothing."""
    middle = mean(values)
    total = 0.0
    for value in values:
        total += (value - middle) * (value - middle)
    return math.sqrt(total / len(values)) if values else NAN


def sample_stdev(values: list[float]) -> float:
    """The deviation with divisor n - 1; NaN of fewer than two."""
    if len(values) < 2:
        return NAN
    middle = mean(values)
    total = 0.0
    for value in values:
        total += (value - middle) * (value - middle)
    return math.sqrt(total / (len(values) - 1))


def largest(values: list[float]) -> float:
    """The largest; NaN of nothing, or where one is NaN."""
    if not values:
        return NAN
    best = values[0]
    for value in values:
        if value > best or value != value:
            best = value
    return best


def smallest(values: list[float]) -> float:
    """The smallest; NaN of nothing, or where one is NaN."""
    if not values:
        return NAN
    best = values[0]
    for value in values:
        if value < best or value != value:
            best = value
    return best


def weighted_mean(values: list[float]) -> float:
    """The mean weighted 1 for the oldest to n for the newest."""
    total = 0.0
    weight = 0
    for value in values:
        weight += 1
        total += weight * value
    return total / (weight * (weight + 1) / 2) if weight else NAN


def quotient(above: float, below: float) -> float:
    """A division; NaN by 0."""
    return above / below if below != 0 else NAN


def windows(values: list[float], days: int, count: int) -> list[list[float]]:
    """The last ``count`` windows of so many values; an empty one where there are too few."""
    found = []
    for ago in range(count - 1, -1, -1):
        end = len(values) - ago
        found.append(values[end - days : end] if end >= days else [])
    return found


def tail(values: list[float], count: int) -> list[float]:
    """The last ``count``, with NaN in front where there are fewer."""
    if len(values) >= count:
        return values[len(values) - count :]
    return [NAN] * (count - len(values)) + values


def sma_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """Mean of the last ``days`` values."""
    return [mean(window) for window in windows(values, days, count)]


def wma_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """Mean of the last ``days`` values weighted 1 for the oldest to ``days`` for the newest."""
    return [weighted_mean(window) for window in windows(values, days, count)]


def highest_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """Largest of the last ``days`` values."""
    return [largest(window) for window in windows(values, days, count)]


def lowest_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """Smallest of the last ``days`` values."""
    return [smallest(window) for window in windows(values, days, count)]


def stdev_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """Deviation of the last ``days`` values (divisor n)."""
    return [stdev(window) for window in windows(values, days, count)]


def zscore_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """(value - mean) / deviation of the last ``days`` values; NaN where all are equal."""
    found = []
    for window in windows(values, days, count):
        middle = mean(window)
        spread = stdev(window)
        even = not spread > abs(middle) * 1e-12
        found.append(NAN if even else (window[-1] - middle) / spread)
    return found


def change_series(values: list[float], days: int = 1, count: int = 1) -> list[float]:
    """(value / value ``days`` before - 1) * 100."""
    found = []
    for window in windows(values, days + 1, count):
        ratio = quotient(window[-1], window[0]) if window else NAN
        found.append((ratio - 1.0) * 100.0)
    return found


def volatility_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """Deviation (divisor n - 1) of the last ``days`` changes of one bar, in percent."""
    changes = change_series(values, 1, days + count - 1)
    return [sample_stdev(window) for window in windows(changes, days, count)]


def bollinger_upper_series(
    values: list[float], days: int, width: float, count: int = 1
) -> list[float]:
    """Mean + ``width`` * deviation of the last ``days`` values."""
    return [mean(window) + width * stdev(window) for window in windows(values, days, count)]


def bollinger_lower_series(
    values: list[float], days: int, width: float, count: int = 1
) -> list[float]:
    """Mean - ``width`` * deviation of the last ``days`` values."""
    return [mean(window) - width * stdev(window) for window in windows(values, days, count)]


def bollinger_bandwidth_series(
    values: list[float], days: int, width: float, count: int = 1
) -> list[float]:
    """(upper - lower) / middle * 100."""
    found = []
    for window in windows(values, days, count):
        middle = mean(window)
        reach = width * stdev(window)
        found.append(quotient((middle + reach) - (middle - reach), middle) * 100.0)
    return found


def bollinger_percent_series(
    values: list[float], days: int, width: float, count: int = 1
) -> list[float]:
    """(value - lower) / (upper - lower); NaN where the bands meet."""
    found = []
    for window in windows(values, days, count):
        middle = mean(window)
        reach = width * stdev(window)
        even = not reach > abs(middle) * 1e-12
        lower = middle - reach
        found.append(NAN if even else (window[-1] - lower) / ((middle + reach) - lower))
    return found


def range_series(high: list[float], low: list[float], count: int = 1) -> list[float]:
    """High - low of the bar."""
    tops = tail(high, count)
    bottoms = tail(low, count)
    return [tops[i] - bottoms[i] for i in range(count)]


def range_position_series(
    high: list[float], low: list[float], close: list[float], count: int = 1
) -> list[float]:
    """(close - low) / (high - low) * 100 of the bar; NaN where high is low."""
    tops = tail(high, count)
    bottoms = tail(low, count)
    lasts = tail(close, count)
    return [quotient(lasts[i] - bottoms[i], tops[i] - bottoms[i]) * 100.0 for i in range(count)]


def gap_series(opens: list[float], close: list[float], count: int = 1) -> list[float]:
    """(open / close of the bar before - 1) * 100."""
    firsts = tail(opens, count)
    lasts = tail(close, count + 1)
    return [(quotient(firsts[i], lasts[i]) - 1.0) * 100.0 for i in range(count)]


def stochastic_k_series(
    high: list[float],
    low: list[float],
    close: list[float],
    days: int = 14,
    smooth: int = 1,
    count: int = 1,
) -> list[float]:
    """(close - lowest low) / (highest high - lowest low) * 100, its mean over ``smooth``."""
    needed = count + smooth - 1
    tops = highest_series(high, days, needed)
    bottoms = lowest_series(low, days, needed)
    lasts = tail(close, needed)
    raw = [quotient(lasts[i] - bottoms[i], tops[i] - bottoms[i]) * 100.0 for i in range(needed)]
    return raw if smooth == 1 else sma_series(raw, smooth, count)


def stochastic_d_series(
    high: list[float],
    low: list[float],
    close: list[float],
    days: int = 14,
    smooth: int = 1,
    signal: int = 3,
    count: int = 1,
) -> list[float]:
    """Mean of %K over ``signal`` bars."""
    quick = stochastic_k_series(high, low, close, days, smooth, count + signal - 1)
    return sma_series(quick, signal, count)


def williams_series(
    high: list[float], low: list[float], close: list[float], days: int = 14, count: int = 1
) -> list[float]:
    """(close - highest high) / (highest high - lowest low) * 100."""
    tops = highest_series(high, days, count)
    bottoms = lowest_series(low, days, count)
    lasts = tail(close, count)
    return [quotient(lasts[i] - tops[i], tops[i] - bottoms[i]) * 100.0 for i in range(count)]


def aroon_up_series(high: list[float], days: int = 25, count: int = 1) -> list[float]:
    """(n - bars since the highest high of n + 1 bars) / n * 100; of equal highs the last."""
    found = []
    for window in windows(high, days + 1, count):
        since = 0
        for ago in range(1, len(window)):
            if window[days - ago] > window[days - since]:
                since = ago
        found.append((days - since) / days * 100.0 if window else NAN)
    return found


def aroon_down_series(low: list[float], days: int = 25, count: int = 1) -> list[float]:
    """(n - bars since the lowest low of n + 1 bars) / n * 100; of equal lows the last."""
    return aroon_up_series([-value for value in low], days, count)


def typical_prices(high: list[float], low: list[float], close: list[float]) -> list[float]:
    """(high + low + close) / 3 of each bar."""
    return [(high[i] + low[i] + close[i]) / 3.0 for i in range(len(close))]


def cci_series(
    high: list[float], low: list[float], close: list[float], days: int = 20, count: int = 1
) -> list[float]:
    """(t - mean of t) / (0.015 * mean distance from it), t the typical price."""
    needed = days + count - 1
    typical = typical_prices(tail(high, needed), tail(low, needed), tail(close, needed))
    found = []
    for window in windows(typical, days, count):
        middle = mean(window)
        distance = mean([abs(value - middle) for value in window])
        even = not distance > abs(middle) * 1e-12
        found.append(NAN if even else (window[-1] - middle) / (0.015 * distance))
    return found


def mfi_series(
    high: list[float],
    low: list[float],
    close: list[float],
    volume: list[float],
    days: int = 14,
    count: int = 1,
) -> list[float]:
    """Flow into rising typical prices / all flow * 100, flow = typical price * volume."""
    needed = days + count
    typical = typical_prices(tail(high, needed), tail(low, needed), tail(close, needed))
    sizes = tail(volume, needed)
    found = []
    for last in range(days, needed):
        rising = 0.0
        falling = 0.0
        for i in range(last - days + 1, last + 1):
            flow = typical[i] * sizes[i]
            if typical[i] > typical[i - 1]:
                rising += flow
            elif typical[i] < typical[i - 1]:
                falling += flow
        found.append(quotient(rising, rising + falling) * 100.0)
    if len(close) < needed:
        found = tail(found[needed - len(close) :], count)
    return found


def ema_all(values: list[float], days: int, first: int = 0) -> list[float]:
    """EMA of ``values`` from the one at ``first`` on; NaN before its seed."""
    seed = first + days - 1
    if seed >= len(values):
        return [NAN] * len(values)
    found = [NAN] * seed
    step = 2.0 / (days + 1)
    average = mean(values[first : seed + 1])
    found.append(average)
    for value in values[seed + 1 :]:
        average = average + (value - average) * step
        found.append(average)
    return found


def wilder_all(values: list[float], days: int, first: int = 0) -> list[float]:
    """Wilder's average of ``values`` from the one at ``first`` on; NaN before its seed."""
    seed = first + days - 1
    if seed >= len(values):
        return [NAN] * len(values)
    found = [NAN] * seed
    before = days - 1
    average = mean(values[first : seed + 1])
    found.append(average)
    for value in values[seed + 1 :]:
        average = (average * before + value) / days
        found.append(average)
    return found


def ema_series(values: list[float], days: int, count: int = 1) -> list[float]:
    """Exponential average; the seed is the mean of the first ``days`` values."""
    cut = len(values) - count + 1
    if cut < days:
        return tail(ema_all(values, days), count)
    step = 2.0 / (days + 1)
    average = mean(values[:days])
    for value in values[days:cut]:
        average = average + (value - average) * step
    found = [average]
    for value in values[cut:]:
        average = average + (value - average) * step
        found.append(average)
    return found


def macd_all(values: list[float], fast: int, slow: int) -> list[float]:
    """EMA of ``fast`` - EMA of ``slow``."""
    quick = ema_all(values, fast)
    lazy = ema_all(values, slow)
    return [quick[i] - lazy[i] for i in range(len(values))]


def macd_series(values: list[float], fast: int = 12, slow: int = 26, count: int = 1) -> list[float]:
    """EMA of ``fast`` - EMA of ``slow``."""
    return tail(macd_all(values, fast, slow), count)


def macd_signal_series(
    values: list[float], fast: int = 12, slow: int = 26, signal: int = 9, count: int = 1
) -> list[float]:
    """EMA of MACD over ``signal`` bars."""
    longest = max(fast, slow)
    return tail(ema_all(macd_all(values, fast, slow), signal, longest - 1), count)


def macd_histogram_series(
    values: list[float], fast: int = 12, slow: int = 26, signal: int = 9, count: int = 1
) -> list[float]:
    """MACD - its signal."""
    line = macd_all(values, fast, slow)
    smooth = ema_all(line, signal, max(fast, slow) - 1)
    return tail([line[i] - smooth[i] for i in range(len(values))], count)


def rsi_series(values: list[float], days: int = 14, count: int = 1) -> list[float]:
    """Wilder's relative strength index: mean gain / (mean gain + mean loss) * 100."""
    if len(values) <= days:
        return [NAN] * count
    gain = 0.0
    loss = 0.0
    last = values[0]
    for value in values[1 : days + 1]:
        if value > last:
            gain += value - last
        elif value < last:
            loss += last - value
        last = value
    gain = gain / days
    loss = loss / days
    before = days - 1
    found = [quotient(gain, gain + loss) * 100.0]
    wanted = len(values) - count
    place = days
    for value in values[days + 1 :]:
        place += 1
        if value > last:
            gain = (gain * before + (value - last)) / days
            loss = (loss * before) / days
        else:
            gain = (gain * before) / days
            loss = (loss * before + (last - value)) / days
        last = value
        if place >= wanted:
            found.append(quotient(gain, gain + loss) * 100.0)
    return tail(found, count)


def true_ranges(high: list[float], low: list[float], close: list[float]) -> list[float]:
    """max(high, close before) - min(low, close before) of each bar; NaN of the first."""
    found = [NAN]
    last = close[0]
    for i in range(1, len(close)):
        top = high[i]
        bottom = low[i]
        found.append((top if top > last else last) - (bottom if bottom < last else last))
        last = close[i]
    return found


def atr_series(
    high: list[float], low: list[float], close: list[float], days: int = 14, count: int = 1
) -> list[float]:
    """Wilder's average true range."""
    cut = len(close) - count
    if cut < days:
        return tail(wilder_all(true_ranges(high, low, close), days, 1), count)
    ranges = true_ranges(high, low, close)
    before = days - 1
    average = mean(ranges[1 : days + 1])
    for value in ranges[days + 1 : cut + 1]:
        average = (average * before + value) / days
    found = [average]
    for value in ranges[cut + 1 :]:
        average = (average * before + value) / days
        found.append(average)
    return found


def upward_moves(high: list[float], low: list[float]) -> list[float]:
    """By how much each high is above the one before, where that is more than the low fell."""
    found = [NAN]
    for i in range(1, len(high)):
        up = high[i] - high[i - 1]
        down = low[i - 1] - low[i]
        found.append(up if up > down and up > 0 else 0.0)
    return found


def downward_moves(high: list[float], low: list[float]) -> list[float]:
    """By how much each low is below the one before, where that is more than the high rose."""
    found = [NAN]
    for i in range(1, len(high)):
        up = high[i] - high[i - 1]
        down = low[i - 1] - low[i]
        found.append(down if down > up and down > 0 else 0.0)
    return found


def plus_di_series(
    high: list[float], low: list[float], close: list[float], days: int = 14, count: int = 1
) -> list[float]:
    """Mean upward move / ATR * 100."""
    moves = tail(wilder_all(upward_moves(high, low), days, 1), count)
    ranges = atr_series(high, low, close, days, count)
    return [quotient(moves[i], ranges[i]) * 100.0 for i in range(count)]


def minus_di_series(
    high: list[float], low: list[float], close: list[float], days: int = 14, count: int = 1
) -> list[float]:
    """Mean downward move / ATR * 100."""
    moves = tail(wilder_all(downward_moves(high, low), days, 1), count)
    ranges = atr_series(high, low, close, days, count)
    return [quotient(moves[i], ranges[i]) * 100.0 for i in range(count)]


def adx_series(
    high: list[float], low: list[float], close: list[float], days: int = 14, count: int = 1
) -> list[float]:
    """Wilder's average directional index."""
    size = len(close)
    ups = wilder_all(upward_moves(high, low), days, 1)
    downs = wilder_all(downward_moves(high, low), days, 1)
    strengths = []
    for i in range(size):
        both = ups[i] + downs[i]
        strengths.append(abs(ups[i] - downs[i]) / both * 100.0 if both != 0 else 0.0)
    return tail(wilder_all(strengths, days, days), count)


def supertrend_all(
    high: list[float], low: list[float], close: list[float], days: int, width: float
) -> list[tuple[float, float]]:
    """(line, direction) of each bar; NaN before the average true range is there."""
    size = len(close)
    ranges = wilder_all(true_ranges(high, low, close), days, 1)
    found = []
    upper = NAN
    lower = NAN
    direction = 1.0
    for i in range(size):
        if i < days:
            found.append((NAN, NAN))
            continue
        middle = (high[i] + low[i]) / 2.0
        top = middle + width * ranges[i]
        bottom = middle - width * ranges[i]
        if i == days:
            upper = top
            lower = bottom
        else:
            last = close[i - 1]
            upper = top if top < upper or last > upper else upper
            lower = bottom if bottom > lower or last < lower else lower
        if direction > 0:
            direction = -1.0 if close[i] < lower else 1.0
        else:
            direction = 1.0 if close[i] > upper else -1.0
        found.append((lower if direction > 0 else upper, direction))
    return found


def supertrend_series(
    high: list[float],
    low: list[float],
    close: list[float],
    days: int = 10,
    width: float = 3.0,
    count: int = 1,
) -> list[float]:
    """Supertrend's line."""
    return tail([pair[0] for pair in supertrend_all(high, low, close, days, width)], count)


def supertrend_direction_series(
    high: list[float],
    low: list[float],
    close: list[float],
    days: int = 10,
    width: float = 3.0,
    count: int = 1,
) -> list[float]:
    """1 while Supertrend is up, -1 while it is down."""
    return tail([pair[1] for pair in supertrend_all(high, low, close, days, width)], count)


def keltner_upper_series(
    high: list[float],
    low: list[float],
    close: list[float],
    days: int = 20,
    width: float = 2.0,
    range_days: int = 10,
    count: int = 1,
) -> list[float]:
    """EMA of the close + ``width`` * ATR of ``range_days``."""
    middles = ema_series(close, days, count)
    ranges = atr_series(high, low, close, range_days, count)
    return [middles[i] + width * ranges[i] for i in range(count)]


def keltner_lower_series(
    high: list[float],
    low: list[float],
    close: list[float],
    days: int = 20,
    width: float = 2.0,
    range_days: int = 10,
    count: int = 1,
) -> list[float]:
    """EMA of the close - ``width`` * ATR of ``range_days``."""
    middles = ema_series(close, days, count)
    ranges = atr_series(high, low, close, range_days, count)
    return [middles[i] - width * ranges[i] for i in range(count)]


def obv_series(close: list[float], volume: list[float], count: int = 1) -> list[float]:
    """Volume of bars that close higher minus that of bars that close lower, from 0."""
    balance = 0.0
    found = [balance] if close else []
    for i in range(1, len(close)):
        if close[i] > close[i - 1]:
            balance += volume[i]
        elif close[i] < close[i - 1]:
            balance -= volume[i]
        found.append(balance)
    return tail(found, count)


def sma(values: list[float], days: int) -> float:
    """Mean of the last ``days`` values."""
    return sma_series(values, days)[-1]


def wma(values: list[float], days: int) -> float:
    """Linearly weighted mean of the last ``days`` values."""
    return wma_series(values, days)[-1]


def ema(values: list[float], days: int) -> float:
    """Exponential average, from the first value on."""
    return ema_series(values, days)[-1]


def rsi(values: list[float], days: int = 14) -> float:
    """Wilder's relative strength index, from the first value on; 0 to 100."""
    return rsi_series(values, days)[-1]


def atr(high: list[float], low: list[float], close: list[float], days: int = 14) -> float:
    """Wilder's average true range, from the first bar on."""
    return atr_series(high, low, close, days)[-1]


def adx(high: list[float], low: list[float], close: list[float], days: int = 14) -> float:
    """Wilder's average directional index, from the first bar on; 0 to 100."""
    return adx_series(high, low, close, days)[-1]


def highest(values: list[float], days: int) -> float:
    """Largest of the last ``days`` values."""
    return highest_series(values, days)[-1]


def lowest(values: list[float], days: int) -> float:
    """Smallest of the last ``days`` values."""
    return lowest_series(values, days)[-1]


def change(values: list[float], days: int = 1) -> float:
    """(value / value ``days`` before - 1) * 100."""
    return change_series(values, days)[-1]


def zscore(values: list[float], days: int) -> float:
    """(value - mean) / deviation of the last ``days`` values."""
    return zscore_series(values, days)[-1]


def volatility(values: list[float], days: int) -> float:
    """Deviation of the last ``days`` changes of one bar, in percent."""
    return volatility_series(values, days)[-1]


def crossed_above(first: list[float], second: list[float]) -> bool:
    """Whether ``first`` is above ``second`` now and was not one bar before."""
    return first[-1] > second[-1] and first[-2] <= second[-2]


def crossed_below(first: list[float], second: list[float]) -> bool:
    """Whether ``first`` is below ``second`` now and was not one bar before."""
    return first[-1] < second[-1] and first[-2] >= second[-2]


def day_number(time: str) -> int:
    """Days since 1 January 1970 of a bar's time, UTC (Hinnant's days_from_civil)."""
    year = int(time[0:4])
    month_number = int(time[5:7])
    day = int(time[8:10])
    if month_number <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month_number + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def weekday(time: str) -> int:
    """0 Monday to 6 Sunday of a bar's time, UTC."""
    return (day_number(time) + 3) % 7


def month(time: str) -> int:
    """1 to 12 of a bar's time, UTC."""
    return int(time[5:7])


def first_of_month(bars: list[dict[str, Any]]) -> bool:
    """Whether the last bar is the first of its month."""
    return bool(bars[-1]["time"][0:7] != bars[-2]["time"][0:7])


def first_of_week(bars: list[dict[str, Any]]) -> bool:
    """Whether the last bar is the first of its week, which begins on Monday."""
    return (day_number(bars[-1]["time"]) + 3) // 7 != (day_number(bars[-2]["time"]) + 3) // 7


def closes_since_entry(bars: list[dict[str, Any]], position: dict[str, Any]) -> list[float]:
    """The closes from the bar of the entry on, as far as the window holds them.

    The entry bar is the one that opened at the position's ``entry_time``; where the position does
    not say it, the last one that opened at its ``entry_price``.
    """
    since = position.get("entry_time")
    if since is not None:
        found = [bar["close"] for bar in bars if bar["time"] >= since]
        return found if found else [bars[-1]["close"]]
    start = 0
    for i in range(len(bars)):
        if bars[i]["open"] == position["entry_price"]:
            start = i
    return [bar["close"] for bar in bars[start:]]
