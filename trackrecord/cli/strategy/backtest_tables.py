"""A backtest on the terminal."""

from __future__ import annotations

from typing import Any, Final

from rich.table import Table

from trackrecord.cli.common import screen

_ROWS: Final = (
    ("closed trades", "closed", "{:,}"),
    ("win rate", "win_rate", "{:.1%}"),
    ("profit factor", "profit_factor", "{:.2f}"),
    ("return, net", "total_return", "{:+.1%}"),
    ("Sharpe ratio", "sharpe", "{:.2f}"),
    ("Sortino ratio", "sortino", "{:.2f}"),
    ("largest fall", "max_drawdown", "{:.1%}"),
    ("mean trade, net", "average_return", "{:+.2%}"),
)
_LAST: Final = 10
"""Trades that are shown."""
_MOST_NOTES: Final = 15
STYLES: Final = {
    "worth trying": "bold green",
    "worse than holding": "bold red",
    "no evidence": "bold yellow",
    "no evidence yet": "bold yellow",
    "too few to tell": "bold yellow",
}


def figure(value: Any, form: str) -> str:
    """A number as a person reads it; a dash where it is undefined."""
    if value is None:
        return "-"
    return form.format(float(value) if isinstance(value, str) else value)


def show(answer: dict[str, Any]) -> None:
    """Print the verdict, what it stands on, and the last trades."""
    screen.print(answer["verdict"].upper(), style=STYLES[answer["verdict"]])
    screen.print(answer["why"])
    if answer["strategy"]["reads_as"]:
        screen.print(answer["strategy"]["reads_as"], style="dim")
    screen.print()
    screen.print(samples(answer))
    if len(answer["windows"]) > 1:
        screen.print()
        screen.print(windows(answer))
    screen.print()
    screen.print(trades(answer))
    screen.print(tail(answer))
    for note in some(answer["notes"]):
        screen.print(f"note: {note}", style="yellow")


def some(notes: list[str]) -> list[str]:
    """The first notes of many on bars, and what they say of all of them at the end."""
    if len(notes) <= _MOST_NOTES:
        return notes
    left_out = len(notes) - _MOST_NOTES
    return [*notes[: _MOST_NOTES - 3], f"{left_out:,} more, all in --json", *notes[-3:]]


def samples(answer: dict[str, Any]) -> Table:
    """In and out of sample, and holding, side by side."""
    inside, outside = answer["in_sample"], answer["out_of_sample"]
    table = Table(box=None)
    table.add_column("")
    for name, each in (("in sample", inside), ("out of sample", outside)):
        table.add_column(f"{name}\n{each['first']} to {each['last']}", justify="right")
    table.add_column("holding\nthe symbols", justify="right")
    holding = answer["holding"]
    for label, name, form in _ROWS:
        table.add_row(
            label, figure(inside[name], form), figure(outside[name], form),
            figure(holding[name], form) if name in holding else "",
        )  # fmt: skip
    gross = answer["gross"]
    table.add_row("return, gross", "", figure(gross["total_return"], "{:+.1%}"), "")
    metrics = answer["metrics"]
    table.add_row(
        "deflated Sharpe ratio", "", figure(metrics["deflated_sharpe_ratio"], "{:.3f}"), ""
    )
    interval = metrics.get("sharpe_interval")
    if interval:
        table.add_row("Sharpe ratio, 95 %", "", f"{interval[0]:.2f} to {interval[1]:.2f}", "")
    return table


def windows(answer: dict[str, Any]) -> Table:
    """Each window, what it was run with, and what it had promised."""
    searched = any(each["in_sample_sharpe"] is not None for each in answer["windows"])
    table = Table(box=None, title="windows out of sample", title_justify="left")
    for name in ("from", "to", "trades", "return", "Sharpe"):
        table.add_column(name, justify="left" if name in {"from", "to"} else "right")
    if searched:
        table.add_column("in sample", justify="right")
        table.add_column("parameters")
    for each in answer["windows"]:
        row = [
            each["first"], each["last"], f"{each['closed']:,}",
            figure(each["total_return"], "{:+.1%}"), figure(each["sharpe"], "{:.2f}"),
        ]  # fmt: skip
        if searched:
            row += [figure(each["in_sample_sharpe"], "{:.2f}"), parameters(each["parameters"])]
        table.add_row(*row)
    return table


def parameters(values: dict[str, Any]) -> str:
    """Names and values in one line."""
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )


def trades(answer: dict[str, Any]) -> Table:
    """The last trades."""
    every = answer["trades"]
    title = f"the last {_LAST} of {len(every):,} trades" if len(every) > _LAST else "trades"
    table = Table(box=None, title=title, title_justify="left")
    for name in ("symbol", "side", "entered", "at", "left", "at", "return", "how"):
        table.add_column(name, justify="right" if name in {"at", "return"} else "left")
    for each in every[-_LAST:]:
        table.add_row(
            each["symbol"],
            each["side"].lower(),
            each["entry_time"][:16],
            each["entry_price"] or "",
            (each["exit_time"] or "")[:16],
            short(each["exit_price"]),
            figure(each["return"], "{:+.2%}") if each["return"] is not None else "",
            how(each),
        )
    return table


def short(price: str | None) -> str:
    """A price with at most six decimals: a level may have as many as a double."""
    if price is None:
        return ""
    return price if len(price.partition(".")[2]) <= 6 else f"{float(price):.6f}"  # noqa: PLR2004


def how(trade: dict[str, Any]) -> str:
    """How a trade ended, in a few words."""
    words: str = trade["outcome"]
    if words == "void":
        return f"void: {trade['exit_reason'].replace('_', ' ')}"
    if trade["how"] == "gap":
        words += ", at the open"
    if trade["ambiguous"]:
        words += ", the other level too"
    if trade["delisted"]:
        words += ", ceased to trade"
    return words


def tries_of(answer: dict[str, Any]) -> str:
    """How many tries are counted, in words."""
    tries = answer["tries"]
    return "1 try" if tries == 1 else f"{tries:,} tries"


def tail(answer: dict[str, Any]) -> str:
    """What else is counted."""
    counts = answer["counts"]
    parts = [
        f"{tries_of(answer)} counted",
        f"cost {figure(answer['cost_per_side'], '{:.3%}')} of each fill",
        f"{counts['void']} void",
        f"{counts['open']} still open",
        f"{counts['ambiguous']} ambiguous",
        f"{counts['delisted']} delisted",
    ]
    if answer["written_by_model"]:
        known = answer["may_be_remembered"]
        parts.append(
            "written by a language model"
            + (f", {known['sessions']} sessions may be remembered" if known else "")
        )
    return ", ".join(parts)
