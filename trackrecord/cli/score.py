"""``trackrecord score``: what a model thinks of signals, and from which features."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from trackrecord.learning.ensemble import Ensemble

_COULD_NOT: Final = 2


def score_command(
    file: Annotated[
        Path | None,
        typer.Argument(help="Signals: JSON lines of signal_emitted data; standard input or '-'."),
    ] = None,
    *,
    bars: Annotated[Path, typer.Option(help="Bars: CSV or Parquet of market_bar fields.")],
    model: Annotated[
        Path | None, typer.Option(help="The folder that `trackrecord train` wrote.")
    ] = None,
    horizon: Annotated[
        int, typer.Option(min=1, help="After how many bars a signal without horizon_bars expires.")
    ] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer each signal with a JSON line, for programs.")
    ] = False,
) -> None:
    """Judge signals with a model: probability of success, verdict, quality.

    Only what was known when a signal was emitted is used. Without a model the answer holds the
    features, no verdict, and the reason why there is none.
    """
    from trackrecord.cli.common import InputError
    from trackrecord.cli.ending import if_stopped
    from trackrecord.learning.files import TamperedError

    try:
        with if_stopped(lambda: "no signal was judged yet: run it again"):
            given = None if file is None or str(file) == "-" else file
            answers = _score(given, bars, model, horizon)
    except (InputError, TamperedError, ImportError) as error:
        print(f"trackrecord score: {error}", file=sys.stderr)  # noqa: T201 - one clear line
        raise typer.Exit(_COULD_NOT) from None
    if as_json:
        for answer in answers:
            sys.stdout.write(json.dumps(answer) + "\n")
    else:
        _show(answers)


def _score(file: Path | None, bars: Path, model: Path | None, horizon: int) -> list[dict[str, Any]]:
    import numpy as np

    from trackrecord.cli.common import notes
    from trackrecord.cli.train.signal_files import in_columns, read_bars, read_signals
    from trackrecord.features import NAMES, Market
    from trackrecord.learning.dataset import features_of, outcomes_of

    ensemble, version = _load(model)
    history = read_bars(bars)
    given = in_columns(read_signals(file), history, horizon, all_=True)
    for note in (*history.notes, *given.notes):
        notes.print(note)
    sent = given.sent
    outcomes = outcomes_of(
        history.history, history.opened_at, sent, split_ratio=history.split_ratio
    )
    features = features_of(Market(history.history), sent, outcomes)
    probability: list[float | None] = [None] * len(given.events)
    verdicts: list[str | None] = [None] * len(given.events)
    qualities: list[str | None] = [None] * len(given.events)
    reason = "no model was given: --model names the folder that `trackrecord train` wrote"
    if ensemble is not None and len(given.events):
        found = ensemble.predict_named(features, NAMES)
        probability = [float(value) for value in found]
        verdicts = list(map(str, ensemble.thresholds.verdicts(found, sent.signals.direction)))
        qualities = list(map(str, ensemble.thresholds.qualities(found)))
    return [
        {
            "signal_id": event.signal_id,
            "probability": probability[place],
            "verdict": verdicts[place],
            "quality": qualities[place],
            "model_version": version,
            "features": {
                name: None if np.isnan(value) else float(value)
                for name, value in zip(NAMES, features[place], strict=True)
            },
            **({"reason": reason} if ensemble is None else {}),
        }
        for place, event in enumerate(given.events)
    ]


def _load(folder: Path | None) -> tuple[Ensemble | None, str | None]:
    from trackrecord.cli.common import InputError
    from trackrecord.features import NAMES
    from trackrecord.learning.files import MANIFEST, TamperedError, unpack

    if folder is None:
        return None, None
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} holds no model: there is no {MANIFEST} in it")
    files = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    ensemble, manifest = unpack(files)
    unknown = set(ensemble.features) - set(NAMES)
    if unknown:
        raise TamperedError(f"the model wants features that are not known here: {sorted(unknown)}")
    return ensemble, str(manifest["version"])


def _show(answers: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from trackrecord.cli.common import screen

    table = Table(box=None)
    for name in ("signal", "probability", "verdict", "quality"):
        table.add_column(name, justify="right" if name == "probability" else "left")
    for answer in answers:
        probability = answer["probability"]
        table.add_row(
            answer["signal_id"],
            "" if probability is None else f"{probability:.3f}",
            answer["verdict"] or "",
            answer["quality"] or "",
        )
    screen.print(table)
    if answers and "reason" in answers[0]:
        screen.print(answers[0]["reason"])
