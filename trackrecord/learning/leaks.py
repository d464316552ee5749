"""Features that know what they could not have known.

Two guards. The first is exact, where features can be worked out anew: cut the future off after an
emission, and no feature of that signal may change. The second looks at rows alone: a feature that
by itself tells outcomes apart far better than anything in a market does is named, for a person to
look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.features import Emitted, History, Market, Resolved, features_at_emission
from trackrecord.learning.probabilities import Floats, area_under_curve

Rows = NDArray[np.int64]
WorkOut = Callable[[History, Emitted, Resolved], Mapping[str, Floats]]
"""Works out features: of bars, (n,) signals and earlier outcomes, to (n,) arrays by name."""

TOO_GOOD: Final = 0.95
"""Area under the ROC curve above which a single feature is not believed."""
FAR_ABOVE: Final = 3.0
"""How many times as far from one half as the next best feature one may be."""
NOTABLE: Final = 0.60
"""Area below which being far above the others is no news."""


def catalogue(bars: History, signals: Emitted, resolved: Resolved) -> Mapping[str, Floats]:
    """Work out the features of the catalogue."""
    return features_at_emission(Market(bars), signals, resolved)


def peeking(
    bars: History,
    signals: Emitted,
    resolved: Resolved,
    work_out: WorkOut = catalogue,
    *,
    sample: int = 20,
    seed: int = 0,
) -> tuple[str, ...]:
    """Find the features that change when all that came after the emission is cut off.

    For each of some signals, features are worked out from what there was by then: bars that had
    closed, outcomes whose exit bar had closed before. What comes out must be the same to the last
    bit as with the whole history. A feature that needs a later bar changes, or is not known.

    Args:
        bars: Of all symbols.
        signals: (n,) arrays.
        resolved: Outcomes of earlier signals.
        work_out: How features are worked out; by default those of the catalogue.
        sample: Signals that are tried, drawn without replacement.
        seed: Of the draw.

    Returns:
        Names, in the order in which ``work_out`` gives them; empty if none peeks.
    """
    count = len(signals.symbol)
    whole = work_out(bars, signals, resolved)
    drawn = np.random.default_rng(seed).permutation(count)[:sample]
    found: set[str] = set()
    for place in np.sort(drawn):
        moment = int(signals.emitted_at[place])
        then, number = _until(bars, moment)
        own: list[Any] = [column[place : place + 1] for column in signals]
        one = Emitted(*own)
        known = resolved.known_at < moment
        asked = one._replace(
            symbol=np.where(one.symbol >= 0, number[one.symbol], -1) if len(number) else one.symbol
        )
        earlier: list[Any] = [column[known] for column in resolved]
        alone = work_out(then, asked, Resolved(*earlier))
        for name, values in whole.items():
            mine = alone.get(name)
            if mine is None or not np.array_equal(values[place : place + 1], mine, equal_nan=True):
                found.add(name)
    return tuple(name for name in whole if name in found)


def _until(bars: History, moment: int) -> tuple[History, Rows]:
    """The bars that had closed by a moment, and the new number of each symbol; -1 without bars."""
    kept = bars.closed_at <= moment
    counts = np.add.reduceat(kept, bars.starts) if len(bars.starts) else np.zeros(0, np.int64)
    there = counts > 0
    starts = (np.cumsum(counts) - counts)[there].astype(np.int64)
    number = np.where(there, np.cumsum(there) - 1, -1).astype(np.int64)
    columns: list[Any] = [*(column[kept] for column in bars[:-1]), starts]
    return History(*columns), number


def suspicious(features: Floats, names: tuple[str, ...], success: Floats) -> dict[str, float]:
    """Find single features that tell successes from failures implausibly well.

    Either better than :data:`TOO_GOOD`, or notable and so far above every other feature that
    nothing else in the market seems to know of it: what one bar of the future looks like. A
    feature that is named may be honest; it is for a person to look at.

    Args:
        features: (n, k); NaN where unknown.
        names: Of the columns.
        success: 1 or 0, (n,).

    Returns:
        The area under the ROC curve by name, at least 0.5 whichever way the feature points;
        the best first.
    """
    areas = np.array([_area(column, success) for column in features.T])
    order = np.argsort(-areas, kind="stable")
    if not len(order):
        return {}
    found = [place for place in order if areas[place] > TOO_GOOD]
    rest = [place for place in order if areas[place] <= TOO_GOOD]
    if len(rest) > 1 and not found:
        best, next_ = areas[rest[0]], areas[rest[1]]
        if best > NOTABLE and best - 0.5 > FAR_ABOVE * (next_ - 0.5):
            found.append(rest[0])
    return {names[place]: float(areas[place]) for place in found}


def _area(values: Floats, success: Floats) -> float:
    """The area under the ROC curve of one feature, turned to 0.5 or more.

    Rows in which the feature is unknown are left out; 0.5 where nothing can be compared.
    """
    known = ~np.isnan(values)
    area = area_under_curve(success[known], values[known])
    return 0.5 if area is None else max(area, 1 - area)
