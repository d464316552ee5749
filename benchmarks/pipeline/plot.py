"""A bar for each way, on a logarithmic scale, as an SVG file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Patch

_COLOURS = {"ours": "#1b7f4b", "peer": "#8a8f98", "limit": "#c9b458"}


def draw(outcome: dict[str, Any], ours: str, path: Path) -> None:
    """Draw the medians of a result.

    Args:
        outcome: As the benchmark writes it; each way has ``events_per_second``.
        ours: The way that is ours; those named ``limit: …`` are limits, the rest peers.
        path: Where the SVG goes.
    """
    # The same numbers give the same file: ids from a fixed salt, no date.
    with mpl.rc_context({"svg.hashsalt": "trackrecord", "svg.fonttype": "none"}):
        figure = _figure(outcome, ours)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _figure(outcome: dict[str, Any], ours: str) -> Figure:
    rates = {way: each["events_per_second"] for way, each in outcome["median"].items()}
    kinds = {
        way: "ours" if way == ours else "limit" if way.startswith("limit:") else "peer"
        for way in rates
    }
    order = sorted(rates, key=lambda way: (kinds[way] == "limit", rates[way]), reverse=True)
    figure = Figure(figsize=(9, 0.45 * len(order) + 1.4), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(
        order, [rates[way] for way in order], color=[_COLOURS[kinds[way]] for way in order]
    )
    axes.bar_label(bars, [f" {rates[way]:,.0f}" for way in order], padding=2, fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(min(rates.values()) / 3, max(rates.values()) * 4)
    axes.set_xlabel("events per second (logarithmic)")
    machine = outcome["machine"]
    axes.set_title(
        f"medians on one machine: {machine['cores']} cores, {machine['cpu']}", fontsize=10
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    handles = [Patch(color=colour, label=kind) for kind, colour in _COLOURS.items()]
    axes.legend(handles=handles, loc="upper right", frameon=False, fontsize=9)
    return figure
