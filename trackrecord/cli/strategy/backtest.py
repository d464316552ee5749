"""``trackrecord strategy backtest``: what a strategy is worth on bars that it has not seen."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, PolicyOption
from trackrecord.cli.strategy import app

if TYPE_CHECKING:
    from trackrecord.cli.strategy.strategy_file import Loaded
    from trackrecord.strategies.backtest import Settings

_NO: Final = 1
_COULD_NOT: Final = 2
_SO_FAR: Final = "nothing was judged; what was tried until now counts as tried"


@app.command(
    "backtest",
    epilog="Example: trackrecord strategy backtest cross.py --bars bars.csv --html report.html",
)
def backtest_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The strategy: Python, or the JSON that `strategy generate --json` answered."
        ),
    ] = None,
    *,
    stored: Annotated[
        str | None,
        typer.Option(
            "--stored",
            metavar="STRATEGY",
            help="One that is kept instead, by its id or name, on the bars of the database and "
            "with the parameters that it has; its owner's tries are counted there.",
        ),
    ] = None,
    bars: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet with symbol, opened_at, open, high, low, close, volume; where it "
            "has them, closed_at, timeframe, source, revision and split_ratio count too."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page that needs no network, for people.")
    ] = None,
    png: Annotated[Path | None, typer.Option(help="Draw the equity and its falls.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter's value; may be repeated."),
    ] = None,
    optimise: Annotated[
        bool,
        typer.Option(
            "--optimise/--no-optimise",
            help="Choose the parameters that are not set anew before each window, on what was "
            "before it.",
        ),
    ] = False,
    trials: Annotated[
        int, typer.Option(min=1, help="Sets of parameters that are tried before each window.")
    ] = 40,
    budget: Annotated[
        float,
        typer.Option(min=0, help="Seconds for trying parameters, in all; 0 is without an end."),
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="Of the search for parameters.")] = 0,
    windows: Annotated[int, typer.Option(min=1, max=50, help="Of the walk forward.")] = 5,
    in_sample: Annotated[
        float,
        typer.Option(
            min=0.05, max=0.9, help="Share of the sessions before the first window, not judged."
        ),
    ] = 0.2,
    cost: Annotated[
        str, typer.Option(help="Of each fill, as a fraction: commission, spread and slippage.")
    ] = "0.001",
    capital: Annotated[str, typer.Option(help="Money at the start.")] = "100000",
    timeframe: Annotated[
        str | None, typer.Option(help="Which bars, where the file holds several kinds.")
    ] = None,
    symbols: Annotated[
        str | None, typer.Option(help="Only these, with commas between; all if left out.")
    ] = None,
    universe: Annotated[
        str | None,
        typer.Option(
            help="What the symbols are, where they are all of something and not chosen by hand."
        ),
    ] = None,
    policy: Annotated[
        PolicyOption,
        typer.Option(help="Which level counts when one bar reaches both target and stop."),
    ] = "stop_first",
    jumps: Annotated[
        bool,
        typer.Option(
            "--jumps/--no-jumps",
            help="What is held over an open below 0.6 or above 1.7 times the close before is void, "
            "as of an unexplained split; --no-jumps believes every price.",
        ),
    ] = True,
    by_model: Annotated[
        bool,
        typer.Option(
            "--written-by-model",
            help="A language model wrote it, and may remember the bars; the log of attempts "
            "is asked in any case.",
        ),
    ] = False,
    known_until: Annotated[
        str | None,
        typer.Option(
            "--knowledge-until",
            metavar="DATE",
            help="The last date that the model may know; if left out, that is all of them.",
        ),
    ] = None,
    as_code: Annotated[
        bool,
        typer.Option(
            "--in-sandbox",
            help="Run the code in the sandbox also where a rule made it; it comes to the same.",
        ),
    ] = False,
    owner: Annotated[str, typer.Option(help="Whose tries these are.")] = "me",
    copied_from: Annotated[
        list[Path] | None,
        typer.Option(
            "--copied-from", help="A strategy that it was made from, whose tries come along."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Judge a strategy on bars: walked forward, out of sample only, net of costs.

    What is decided at a close is filled at the next open. The verdict is one of: too few to tell,
    worse than holding, no evidence, no evidence yet, worth trying; it is corrected for every
    strategy and every set of parameters that the owner ever backtested, of which a record is kept
    under the home folder. Exit code: 0 if it was judged, whatever came out; 1 if the strategy
    breaks its contract or gives no decision on a bar; 2 if something cannot be read.
    """
    from trackrecord.cli.common import InputError
    from trackrecord.cli.ending import if_stopped
    from trackrecord.cli.strategy.strategy_file import RefusedStrategyError, load
    from trackrecord.strategies.drive import StrategyFaultError

    started = time.monotonic()
    try:
        settings = _settings(
            capital, cost, windows, in_sample, known_until, by_model=by_model,
            search=_search(trials, seed, budget) if optimise else None,
        )  # fmt: skip
        _check_written(html, png)
        with if_stopped(lambda: _SO_FAR):
            if stored is not None:
                from trackrecord.cli.strategy.backtest_stored import judged

                _only_stored(file, bars, given, timeframe)
                answer = judged(stored, home, settings, _list(symbols), universe, policy)
            else:
                its_file, its_bars = _both(file, bars)
                loaded = load(its_file, values_of(given or []), as_code=as_code)
                answer = _answer(
                    loaded, its_bars, settings, timeframe, symbols, universe, policy, jumps, owner,
                    copied_from or [], home,
                )  # fmt: skip
        answer["seconds"] = round(time.monotonic() - started, 3)
        _write(answer, html, png)
    except (RefusedStrategyError, StrategyFaultError) as error:
        print(f"trackrecord strategy backtest: {stored or file}: {error}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(_NO) from None
    except InputError as error:
        print(f"trackrecord strategy backtest: {error}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(_COULD_NOT) from None
    if as_json:
        from trackrecord.cli.text import json_text

        sys.stdout.write(json_text(answer, indent=None) + "\n")
    else:
        from trackrecord.cli.strategy.backtest_tables import show

        show(answer)


def _answer(
    loaded: Loaded,
    bars: Path,
    settings: Settings,
    timeframe: str | None,
    symbols: str | None,
    universe: str | None,
    policy: PolicyOption,
    jumps: bool,
    owner: str,
    copied_from: list[Path],
    home: Path,
) -> dict[str, Any]:
    from dataclasses import replace

    from trackrecord.cli.common import InputError, notes
    from trackrecord.cli.progress import shown
    from trackrecord.cli.strategy.bar_file import read_history
    from trackrecord.cli.strategy.strategy_file import runner, text_of
    from trackrecord.cli.strategy.tries_file import note_and_count
    from trackrecord.cli.strategy.written_by_models import requested_on
    from trackrecord.strategies.backtest import backtest
    from trackrecord.strategies.history import BadBarsError
    from trackrecord.strategies.provenance import provenance
    from trackrecord.strategies.report import report_of
    from trackrecord.strategies.tries import Run, code_identity
    from trackrecord.times import day_number

    history, told = read_history(bars, timeframe, _list(symbols), believed=not jumps)
    code = code_identity(loaded.source.code)
    mark = provenance(loaded.source.code)
    asked = requested_on(home, code) if mark is None else mark.asked_at.date()
    if asked is not None and not settings.by_model:
        settings = replace(settings, by_model=True, known_until=day_number(asked))
        by = "the log of attempts" if mark is None else "the mark at the end of its code"
        told.append(f"a language model wrote it, asked for on {asked} by {by}")
    origins = tuple(code_identity(text_of(each)) for each in copied_from)

    def counted(parameters: Any) -> int:
        return note_and_count(home, Run(owner, code, tuple(parameters), origins))

    try:
        with runner(loaded, policy) as strategy, shown(notes) as progress:
            found = backtest(
                strategy,
                history,
                loaded.source.parameters,
                loaded.values,
                counted,
                settings,
                progress,
            )
    except BadBarsError as error:
        raise InputError(f"{bars}: {error}") from None
    return {
        "strategy": {
            "file": str(loaded.file),
            "code": code,
            "sides": loaded.source.sides,
            "lookback": loaded.source.lookback,
            "way": "code" if loaded.rule is None else "rule",
            "reads_as": loaded.reads_as,
        },
        **report_of(found, universe=universe, notes=told),
    }


def _both(file: Path | None, bars: Path | None) -> tuple[Path, Path]:
    from trackrecord.cli.common import InputError

    if file is None or bars is None:
        raise InputError("name a FILE and its --bars, or a strategy that is kept with --stored")
    return file, bars


def _only_stored(*others: object) -> None:
    """What belongs to a file is not said of a strategy that is kept."""
    from trackrecord.cli.common import InputError

    if any(others):
        raise InputError(
            "--stored has its own code, bars and parameters: leave out FILE, --bars, --timeframe "
            "and --set (`strategy activate --set` sets parameters)"
        )


def _settings(
    capital: str,
    cost: str,
    windows: int,
    in_sample: float,
    known_until: str | None,
    *,
    by_model: bool,
    search: Any,
) -> Settings:
    from trackrecord.cli.common import InputError
    from trackrecord.strategies.backtest import Settings
    from trackrecord.times import day_number, read_time

    day = None
    if known_until is not None:
        if not by_model:
            raise InputError("--knowledge-until is of a model: give --written-by-model too")
        try:
            day = day_number(read_time(known_until).date())
        except ValueError as error:
            raise InputError(f"--knowledge-until: {error}") from None
    return Settings(
        capital=_decimal("--capital", capital, least="1"),
        cost=_decimal("--cost", cost, least="0", most="0.5"),
        windows=windows,
        share_in_sample=in_sample,
        search=search,
        by_model=by_model,
        known_until=day,
    )


def _decimal(name: str, text: str, *, least: str, most: str = "1e15") -> Any:
    from decimal import Decimal, InvalidOperation

    from trackrecord.cli.common import InputError

    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not (found.is_finite() and Decimal(least) <= found <= Decimal(most)):
        raise InputError(f"{name} is a number from {least} to {Decimal(most):f}, not {text}")
    return found


def _search(trials: int, seed: int, budget: float) -> Any:
    from trackrecord.strategies.walk import Search

    ends = time.monotonic() + budget
    return Search(trials, seed, lambda: budget > 0 and time.monotonic() > ends)


def values_of(given: list[str]) -> dict[str, Any]:
    """``NAME=VALUE`` as parameters: a number, true, false, or a text."""
    import json

    from trackrecord.cli.common import InputError

    found: dict[str, Any] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--set takes NAME=VALUE, not {each}")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found[name.strip()] = value if isinstance(value, int | float | bool) else text
    return found


def _list(text: str | None) -> list[str] | None:
    return None if text is None else [each.strip() for each in text.split(",") if each.strip()]


def _check_written(*paths: Path | None) -> None:
    """Before anything is worked out, find out whether there is a folder to write to."""
    from trackrecord.cli.common import InputError

    for path in paths:
        if path is not None and not path.absolute().parent.is_dir():
            raise InputError(f"cannot write {path}: there is no folder {path.parent}")


def _write(answer: dict[str, Any], html: Path | None, png: Path | None) -> None:
    from trackrecord.cli.common import InputError, notes

    if html is not None:
        from trackrecord.cli.strategy.backtest_page import page

        content: bytes = page(answer).encode()
        _put(html, content)
    if png is not None:
        from trackrecord.cli.strategy.backtest_picture import picture

        try:
            drawn = picture(answer)
        except ModuleNotFoundError as error:
            raise InputError(
                f"--png needs {error.name}: pip install 'trackrecord[strategies]'"
            ) from None
        _put(png, drawn)
    for path in (html, png):
        if path is not None:
            notes.print(f"written: {path}")


def _put(path: Path, content: bytes) -> None:
    from trackrecord.cli.common import InputError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
