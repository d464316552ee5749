"""``trackrecord strategy generate``: a strategy from a sentence."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    InputError,
    JsonOption,
    answer,
    notes,
    screen,
)
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.by_model import ask_model

if TYPE_CHECKING:
    from trackrecord.catalogue.laboratory import Laboratory
    from trackrecord.providers.generation import ModelsStrategy
    from trackrecord.strategies.generate import Generated

_NO: Final = 1


@app.command(
    "generate",
    epilog='Example: trackrecord strategy generate "buy when the 20 day average crosses above the '
    '50 day average, stop 5 %"',
)
def generate_command(
    sentence: Annotated[str, typer.Argument(help="What to buy or sell when, in English.")],
    *,
    as_json: JsonOption = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the code into this file.")
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            help="Who writes it: offline (rules at hand, which ask nobody), gemini, anthropic or "
            "openai; if left out, TRACKRECORD_STRATEGY_PROVIDER."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Make a strategy of a sentence, and say how it was read.

    The answer names every assumption, and every word that was not understood; with one of those
    it is a draft. A language model (--provider) is asked three times at most, and its own words
    about the code are not checked; the code is. Exit code 1: it is a draft, or refused; 2: the
    provider did not answer.
    """
    from trackrecord.providers.choice import OFFLINE
    from trackrecord.runtime.settings import load_settings
    from trackrecord.strategies.generate import generate

    if "\0" in sentence:
        raise InputError("the sentence holds a NUL character")
    settings = load_settings()
    chosen = provider or settings.strategy_provider
    began = perf_counter()
    with laboratory() as tried:
        if chosen == OFFLINE:
            made: Generated | ModelsStrategy
            made = by_rules = generate(sentence, tried.of_rule)
            told = as_dict(by_rules) | {
                "provider": OFFLINE,
                "seconds": round(perf_counter() - began, 4),
                "tokens": 0,
            }
        else:
            made = by_model = ask_model(chosen, sentence, tried.of_rule, settings, home)
            told = by_model.as_json()
            if by_model.unreachable:
                raise InputError(by_model.problems[0].message)
    if output is not None and made.code is not None:
        try:
            output.write_text(made.code, encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {output}: {error.strerror}") from None
    if as_json:
        answer(told)
    else:
        _show(made, output)
    if made.status != "validated":
        raise typer.Exit(_NO)


def laboratory() -> Laboratory:
    """What validates code: the sandbox, and real bars to try it on."""
    from trackrecord.catalogue.laboratory import Laboratory
    from trackrecord.cli.strategy.reading import dry_run_bars
    from trackrecord.runtime.settings import load_settings

    return Laboratory(load_settings(), lambda: dry_run_bars(None)[0])


def as_dict(made: Generated) -> dict[str, Any]:
    """What ``--json`` answers, but for who made it and how long it took."""
    from trackrecord.strategies.rules.as_json import to_json

    return {
        "status": made.status,
        "code": made.code,
        "parameters": made.parameters,
        "reads_as": made.reads_as,
        "assumptions": list(made.assumptions),
        "not_understood": list(made.not_understood),
        "problems": [problem._asdict() for problem in made.problems],
        "rule": None if made.rule is None else to_json(made.rule),
    }


def _show(made: Generated | ModelsStrategy, output: Path | None) -> None:
    """For a person: how it was read first, the code last."""
    screen.print(f"status: {made.status}")
    if made.reads_as:
        screen.print(f"\nreads as: {made.reads_as}", soft_wrap=True)
    for title, lines in (
        ("assumed", made.assumptions),
        ("not understood", made.not_understood),
        ("problems", tuple(problem.message for problem in made.problems)),
    ):
        if lines:
            screen.print(f"\n{title}:")
            for line in lines:
                screen.print(f"  - {line}", soft_wrap=True)
    if made.code is None:
        return
    if output is not None:
        notes.print(f"trackrecord strategy: wrote {output}")
    else:
        screen.print("")
        screen.print(made.code, soft_wrap=True)
