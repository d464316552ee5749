"""Charts of a backtest as SVG inside its page: no script, no style of its own."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date
from itertools import accumulate
from typing import Any, Final

_POINTS: Final = 900
"""Of a line; between two of them the lowest and the highest are kept."""
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


def equity_chart(answer: dict[str, Any], *, wide: bool) -> str:
    """The equity net and gross, and holding; one drawing for desks, one for phones."""
    equity = answer["equity"]
    start = float(answer["capital"])
    lines = {name: [start, *equity[name]] for name in ("holding", "gross", "net")}
    chart = _Chart(equity["sessions"], lines.values(), wide=wide, height=320 if wide else 300)
    parts = [chart.grid(lambda value: _money(value, chart.step)), chart.years()]
    parts += [
        f'<line class="edge" x1="{x:.1f}" x2="{x:.1f}" y1="{chart.top}" y2="{chart.bottom}"/>'
        for x in (
            chart.at(_place(equity["sessions"], each["first"])) for each in answer["windows"][1:]
        )
    ]
    parts += [f'<path class="{name}" d="{chart.path(values)}"/>' for name, values in lines.items()]
    return chart.svg("equity over time", parts)


def fall_chart(answer: dict[str, Any], *, wide: bool) -> str:
    """How far the equity stands below its best so far."""
    levels = [float(answer["capital"]), *answer["equity"]["net"]]
    falls = [
        level / peak - 1 if peak > 0 else -1.0
        for level, peak in zip(levels, accumulate(levels, max), strict=True)
    ]
    chart = _Chart(answer["equity"]["sessions"], [[*falls, 0.0]], wide=wide, height=150, wanted=3)
    zero = chart.height_of(0.0)
    path = chart.path(falls)
    area = f"{path}L{chart.at(len(falls) - 1):.1f},{zero:.1f}L{chart.at(0):.1f},{zero:.1f}Z"
    return chart.svg(
        "falls below the best so far",
        [
            chart.grid(lambda value: f"{value:.0%}"),
            chart.years(),
            f'<path class="fall" d="{area}"/>',
        ],
    )


def _place(sessions: Sequence[str], day: str) -> int:
    return bisect_left(sessions, day)


def _money(value: float, step: float) -> str:
    if abs(value) >= 1e6:  # noqa: PLR2004 - a million
        return f"{value / 1e6:.{2 if step < 1e5 else 1}f}m"  # noqa: PLR2004
    if abs(value) >= 1e4 and step >= 1e3:  # noqa: PLR2004 - ten thousand, by thousands
        return f"{value / 1e3:.0f}k"
    return f"{value:,.0f}"


class _Chart:
    """Where points of a session and a value are drawn."""

    def __init__(
        self,
        sessions: Sequence[str],
        lines: Any,
        *,
        wide: bool,
        height: int,
        wanted: int = 5,
    ) -> None:
        self._sessions = sessions
        self._wide = wide
        self.width = 1080 if wide else 360
        self._height = height
        self.left, self.right, self.top, self.bottom = 52, self.width - 8, 10, height - 24
        values: list[float] = [value for line in lines for value in line]
        low, high = min(values), max(values)
        if high - low < 1e-9 * max(1.0, abs(high)):
            low, high = low - 1, high + 1
        self.step = _round_step((high - low) / wanted)
        self.low = math.floor(low / self.step + 1e-9) * self.step
        self.high = math.ceil(high / self.step - 1e-9) * self.step

    def at(self, place: float) -> float:
        """Of the point after so many sessions."""
        share = place / max(1, len(self._sessions))
        return self.left + share * (self.right - self.left)

    def height_of(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def grid(self, words: Callable[[float], str]) -> str:
        parts = []
        for number in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + number * self.step
            y = self.height_of(value)
            parts.append(
                f'<line class="grid" x1="{self.left}" x2="{self.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end">{words(value)}</text>'
            )
        return "".join(parts)

    def years(self) -> str:
        """Ticks at the beginning of years, or of months where there are few years."""
        days = [date.fromisoformat(each) for each in self._sessions]
        by_month = days[-1].year - days[0].year < 2  # noqa: PLR2004 - years
        parts, last, edge = [], None, -math.inf
        room = 60 if by_month else 40
        for place, day in enumerate(days):
            named = (day.year, day.month) if by_month else (day.year, 0)
            if last is not None and named != last:
                x = self.at(place)
                text = f"{day:%b %Y}" if by_month else str(day.year)
                if x - edge >= room and x < self.right - room / 3:
                    at = f'x="{x:.1f}" y="{self._height - 6}"'
                    parts.append(f'<text {at} text-anchor="middle">{text}</text>')
                    edge = x
            last = named
        return "".join(parts)

    def path(self, values: Sequence[float]) -> str:
        points = [(self.at(place), self.height_of(value)) for place, value in _thinned(values)]
        return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)

    def svg(self, title: str, parts: Sequence[str]) -> str:
        kind = "desk" if self._wide else "phone"
        return (
            f'<svg class="{kind}" viewBox="0 0 {self.width} {self._height}" role="img" '
            f'aria-label="{title}">{"".join(parts)}</svg>'
        )


def _thinned(values: Sequence[float]) -> list[tuple[int, float]]:
    """A line's points, few enough to draw; no peak and no trough is lost."""
    count = len(values)
    if count <= _POINTS:
        return list(enumerate(values))
    kept = {0, count - 1}
    size = math.ceil(2 * count / _POINTS)
    for first in range(0, count, size):
        part = range(first, min(first + size, count))
        kept |= {min(part, key=values.__getitem__), max(part, key=values.__getitem__)}
    return [(place, values[place]) for place in sorted(kept)]


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * each for each in _STEPS if power * each >= least * (1 - 1e-9))
