"""The equity of a backtest and its falls, as a PNG."""

from __future__ import annotations

import io
from datetime import date
from itertools import accumulate
from typing import Any, Final

NET: Final = "#2458c5"
HOLDING: Final = "#8a8f98"
FALL: Final = "#c23b3b"


def picture(answer: dict[str, Any]) -> bytes:
    """Draw it with matplotlib; 1,600 by 1,000 pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    equity = answer["equity"]
    days = [date.fromisoformat(each) for each in equity["sessions"]]
    net = equity["net"]
    start = float(answer["capital"])
    peaks = list(accumulate(net, max, initial=start))[1:]
    figure = Figure(figsize=(10, 6.25), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.plot(days, equity["holding"], color=HOLDING, linewidth=1, label="holding the symbols")
    above.plot(days, equity["gross"], color=NET, linewidth=0.7, alpha=0.45, label="gross of costs")
    above.plot(days, net, color=NET, linewidth=1.4, label="strategy, net")
    above.axhline(start, color="#000000", linewidth=0.5, alpha=0.4)
    above.set_ylabel("equity")
    above.yaxis.set_major_formatter(lambda value, _place: f"{value:,.0f}")
    above.legend(frameon=False, loc="upper left")
    above.set_title(
        f"{answer['verdict']}: {answer['out_of_sample']['closed']:,} trades out of sample, "
        f"{answer['tries']:,} tries",
        loc="left",
    )
    falls = [level / peak - 1 if peak > 0 else -1.0 for level, peak in zip(net, peaks, strict=True)]
    below.fill_between(days, falls, 0, color=FALL, alpha=0.35, linewidth=0)
    below.plot(days, falls, color=FALL, linewidth=0.7)
    below.set_ylabel("below its best")
    below.yaxis.set_major_formatter(lambda value, _place: f"{value * 100:.3g} %")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, alpha=0.2, linewidth=0.6)
        axes.margins(x=0.01)
    drawn = io.BytesIO()
    # Without the version and the date of the drawing: the same backtest gives the same bytes.
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()
