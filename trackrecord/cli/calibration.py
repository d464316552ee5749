"""``trackrecord models calibration``: what a model said, and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    InputError,
    JsonOption,
    answer,
    load,
    screen,
)

if TYPE_CHECKING:
    from rich.table import Table

_TO = "\N{EN DASH}"


def calibration(
    version: Annotated[
        str | None,
        typer.Option(
            "--version", help="The model version; by default the champion, else the newest."
        ),
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="Show only this strategy's signals.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Compare the probabilities that a model gave signals with what happened to them.

    Only signals whose whole horizon has elapsed count. The base rate is the share of successes
    among these same signals. Intervals are 95 % intervals and take signals as independent; the
    bounds of the gain are over blocks of time, each with 99 % confidence.
    """
    from trackrecord.reports.models import read_calibration
    from trackrecord.runtime.errors import PassingError, UnreachableError

    settings = load(home, database=True)
    try:
        found = read_calibration(settings, version, strategy)
    except PassingError as error:
        raise UnreachableError(str(error)) from None
    if found is None and version is not None:
        raise InputError(
            f"{settings.model} has no version {version}: see `trackrecord models list`"
        )
    if as_json:
        nothing = {"model": settings.model, "version": None, "judged": None, "since": None}
        answer(found or nothing)
    elif found is None:
        screen.print(f"{settings.model} has no version yet: `trackrecord train` makes one")
    else:
        show(found)


def show(found: dict[str, Any], *, by_strategy: bool = True) -> None:
    """Print how a version was judged, and what it said since beside what happened."""
    screen.print(judgement(found), markup=False)
    since = found["since"]
    if not since["signals"]:
        screen.print(f"\n{_left(since) or 'It has judged no signal since.'}", markup=False)
        screen.print("What it said of the unseen outcomes of its training, and what happened:\n")
        screen.print(bins_table(found["judged"]["bins"]))
        return
    screen.print("\nWhat it said of later signals, and what happened\n", style="bold")
    screen.print(bins_table(since["bins"]))
    screen.print(f"\n{summary(since)}", markup=False)
    if left := _left(since):
        screen.print(left, markup=False)
    screen.print()
    screen.print(groups_table("verdict", since["verdicts"]))
    if told := earnings(since["verdicts"]):
        screen.print(told, style="dim", markup=False)
    if by_strategy:
        screen.print()
        screen.print(groups_table("signals of", since["strategies"]))


def judgement(found: dict[str, Any]) -> str:
    """Whether a version was promoted and why, in words."""
    judged = found["judged"]
    told = "promoted" if found["promoted"] else "not promoted"
    return (
        f"version {found['version']}, {told}\n{found['reason']}\n"
        f"judged on {judged['signals']:,} unseen outcomes in {judged['blocks']} blocks of time: "
        f"AUC {_number(judged['auc'], 3)}, Brier score {_number(judged['brier'])}, "
        f"of the base rate {_number(judged['brier_of_base_rate'])}"
    )


def summary(since: dict[str, Any]) -> str:
    """How good the probabilities were, in words."""
    gain = since["gain"]
    told = (
        f"{since['signals']:,} signals: Brier score {_number(since['brier'])}, of their base rate "
        f"({_percent(since['success_rate'])}) {_number(since['brier_of_base_rate'])}; "
        f"AUC {_number(since['auc'], 3)}\nlog loss gains {gain['mean']:+.4f} nats a signal"
    )
    if gain["lower"] is None:
        return f"{told}, in {gain['blocks']} blocks of time: too few for a bound"
    return f"{told}, at least {gain['lower']:+.4f} (99 %, {gain['blocks']} blocks of time)"


def earnings(verdicts: dict[str, dict[str, Any]]) -> str:
    """Whether what was to be taken earned more than noise, in words; empty if nobody can tell."""
    known = {
        name: each["average_return"]["lower"]
        for name, each in verdicts.items()
        if name != "SKIP" and each["average_return"]["lower"] is not None
    }
    if not known:
        return ""
    above = [name for name, lower in known.items() if lower > 0]
    if above:
        return f"Earned more than noise, before costs: {', '.join(above)}"
    return "None of what was to be taken earned more than noise: no return's lower bound is above 0"


def bins_table(bins: list[dict[str, Any]]) -> Table:
    """A reliability curve, a line for each bin."""
    table = _table("said", "happened", "signals")
    for each in bins:
        table.add_row(
            _percent(each["predicted"]), _rate(each["happened"], each["interval"]),
            f"{each['count']:,}",
        )  # fmt: skip
    return table


def groups_table(name: str, groups: dict[str, dict[str, Any]]) -> Table:
    """What was said and what happened, a line for each verdict or strategy.

    Beside the Brier score stands that of the group's own base rate.
    """
    table = _table(
        "signals", "said", "happened", "Brier", "base rate", "average return",
        "99 % bounds", first=name,
    )  # fmt: skip
    for group, each in groups.items():
        earned = each["average_return"]
        bounds = (
            "-" if earned["lower"] is None else f"{earned['lower']:+.2%} to {earned['upper']:+.2%}"
        )
        table.add_row(
            group,
            f"{each['signals']:,}",
            _percent(each["predicted"]),
            _rate(each["success_rate"], each["interval"]),
            _number(each["brier"]),
            _number(each["brier_of_base_rate"]),
            f"{earned['mean']:+.2%}",
            bounds,
        )
    return table


def _left(since: dict[str, Any]) -> str:
    """The signals that do not count, and why."""
    parts = [
        f"{since[name]:,} {words}"
        for name, words in (
            ("waiting", "wait for their outcome"),
            ("void", "were void"),
            ("learnt", "are of the time that it learnt from, and prove nothing"),
        )
        if since[name]
    ]
    return f"Not counted: {'; '.join(parts)}." if parts else ""


def _table(*names: str, first: str | None = None) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    if first is not None:
        table.add_column(first)
    for name in names:
        table.add_column(name, justify="right")
    return table


def _rate(rate: float, interval: list[float]) -> str:
    low, high = interval
    return f"{_percent(rate)} ({100 * low:.0f}{_TO}{100 * high:.0f})"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
