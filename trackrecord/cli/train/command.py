"""``trackrecord train``: one training run, from files with nothing else running, or stored."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, PolicyOption

_NO: Final = 1
_COULD_NOT: Final = 2
_HORIZON: Final = 20

_SO_FAR: Final = "nothing was kept; run it again, and with a smaller --budget it takes less long"
_STORED_SO_FAR: Final = (
    "the model that serves is as it was; a trainer, or the next run, takes this training up again "
    "once it has been silent for TRACKRECORD_TRAINER_STALE_SECONDS"
)

ObjectiveOption = Literal["log_loss", "auc", "precision", "recall", "f1", "profit"]


def train_command(
    *,
    signals: Annotated[
        Path | None,
        typer.Option(help="Signals: JSON lines, CSV or Parquet of signal_emitted fields."),
    ] = None,
    bars: Annotated[
        Path | None, typer.Option(help="Bars: CSV or Parquet of market_bar fields.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the model and its report; without one nothing is kept."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the model that --output holds already.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    objective: Annotated[
        ObjectiveOption, typer.Option(help="What the search for model settings optimises.")
    ] = "log_loss",
    budget: Annotated[
        float,
        typer.Option(
            min=0, help="How many seconds to search for model settings; 0 to stop only by --trials."
        ),
    ] = 45.0,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many model settings to try at most; with --budget 0 a run is repeatable.",
        ),
    ] = None,
    success: Annotated[
        float,
        typer.Option(help="Net return above which a signal counts as a success, as a fraction."),
    ] = 0.0,
    cost: Annotated[
        float, typer.Option(min=0, help="Cost of a trade, as a fraction of its price.")
    ] = 0.0,
    policy: Annotated[
        PolicyOption,
        typer.Option(help="Which level counts when one bar reaches both target and stop."),
    ] = "stop_first",
    horizon: Annotated[
        int, typer.Option(min=1, help="After how many bars a signal without horizon_bars expires.")
    ] = _HORIZON,
    dask: Annotated[
        str | None,
        typer.Option(
            help="A Dask scheduler on whose workers LightGBM's models are fitted, such as "
            "tcp://127.0.0.1:8786; it must be trusted. Without files TRACKRECORD_TRAINER_DASK is "
            "the default."
        ),
    ] = None,
    queue: Annotated[
        bool, typer.Option("--queue", help="Ask the running trainer to do it, and return at once.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Train a model on the outcomes of signals, and judge it on outcomes that it has not seen.

    With --signals and --bars it needs no database and no stages: the last quarter of the signals
    is kept for the judgement, and the model is promoted only if it is better there than the base
    rate, by more than noise. Without these two files it learns from the outcomes in the database,
    is compared with the model that serves now, and replaces it if it is better; success, cost and
    policy are then taken from the settings. Exit code: 0 if the training was completed, promoted
    or not; 1 if it failed, for example for too few outcomes; 2 if it could not begin.
    """
    from trackrecord.cli.common import InputError, notes
    from trackrecord.cli.ending import if_stopped

    started = time.monotonic()
    if (signals is None) != (bars is None):
        print("trackrecord train: give both --signals and --bars, or neither", file=sys.stderr)  # noqa: T201
        raise typer.Exit(_COULD_NOT)
    if budget == 0 and trials is None:
        print("trackrecord train: --budget 0 has no end; give --trials too", file=sys.stderr)  # noqa: T201
        raise typer.Exit(_COULD_NOT)
    files: dict[str, bytes] = {}
    try:
        if signals is None or bars is None:
            _refuse_options(output, success, cost, policy, horizon)
            _refuse_together(dask, queue=queue)
            with if_stopped(lambda: _STORED_SO_FAR):
                answer = _train_stored(home, seed, objective, budget, trials, dask, queue=queue)
        else:
            if output is None:
                notes.print("nothing will be kept: --output DIR keeps the model and its report")
            else:
                _prepare(output, overwrite=overwrite)
            with if_stopped(lambda: _SO_FAR):
                answer, files = _train(
                    signals, bars, seed, objective, budget, trials, success, cost, policy, horizon,
                    dask,
                )  # fmt: skip
    except (InputError, ImportError) as error:
        print(f"trackrecord train: {error}", file=sys.stderr)  # noqa: T201 - one clear line
        raise typer.Exit(_COULD_NOT) from None
    answer["seconds"] = round(time.monotonic() - started, 2)
    if files and output is not None:
        _write(output, files, answer)
    if as_json:
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        _show(answer)
    if answer["status"] == "failed":
        raise typer.Exit(_NO)


def _prepare(folder: Path, *, overwrite: bool) -> None:
    """Before anything is learnt, find out whether the model can be written.

    Raises:
        InputError: It cannot, or would replace another.
    """
    from trackrecord.cli.common import InputError
    from trackrecord.learning.files import MANIFEST

    if (folder / MANIFEST).exists() and not overwrite:
        raise InputError(
            f"{folder} holds a model already: name another folder with --output, or replace it "
            "with --overwrite"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot write a model to {folder}: {error.strerror}") from None


def _refuse_options(
    output: Path | None, success: float, cost: float, policy: str, horizon: int
) -> None:
    """Options that say nothing of a training from the database."""
    from trackrecord.cli.common import InputError

    if output is not None:
        raise InputError("--output is for a training from files; this one is kept in the database")
    if (success, cost, policy, horizon) != (0.0, 0.0, "stop_first", _HORIZON):
        raise InputError(
            "--success, --cost, --policy and --horizon are for a training from files: set "
            "TRACKRECORD_TRAINER_SUCCESS, TRACKRECORD_TRAINER_COST or TRACKRECORD_OUTCOME_POLICY"
        )


def _refuse_together(dask: str | None, *, queue: bool) -> None:
    from trackrecord.cli.common import InputError

    # An address in the table would be one that whoever writes there chooses.
    if dask is not None and queue:
        raise InputError(
            "--dask is for a training here and now; for those of the trainer that runs, set its "
            "TRACKRECORD_TRAINER_DASK"
        )


def _train_stored(
    home: Path,
    seed: int,
    objective: ObjectiveOption,
    budget: float,
    trials: int | None,
    dask: str | None,
    *,
    queue: bool,
) -> dict[str, Any]:
    from trackrecord.cli.common import load
    from trackrecord.cli.train import stored

    options = {"seed": seed, "objective": objective, "budget_seconds": budget}
    settings = load(home, database=True)
    if dask is not None:
        settings = settings.model_copy(update={"trainer_dask": dask})
    do = stored.request if queue else stored.train
    return do(settings, options | ({"trials": trials} if trials else {}))


def _train(
    signals: Path,
    bars: Path,
    seed: int,
    objective: ObjectiveOption,
    budget: float,
    trials: int | None,
    success: float,
    cost: float,
    policy: PolicyOption,
    horizon: int,
    dask: str | None,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    from trackrecord.cli.common import notes
    from trackrecord.cli.train.signal_files import in_columns, read_bars, read_signals
    from trackrecord.features import Market
    from trackrecord.learning.data import TooFewError
    from trackrecord.learning.dataset import features_of, outcomes_of, rows_of
    from trackrecord.learning.files import pack, version_of
    from trackrecord.learning.search import Budget
    from trackrecord.learning.train import train
    from trackrecord.runtime.dask_cluster import fitter_at

    history = read_bars(bars)
    given = in_columns(read_signals(signals), history, horizon)
    for note in (*history.notes, *given.notes):
        notes.print(note)
    outcomes = outcomes_of(
        history.history,
        history.opened_at,
        given.sent,
        policy=policy,
        split_ratio=history.split_ratio,
    )
    features = features_of(Market(history.history), given.sent, outcomes)
    rows = rows_of(features, given.sent, outcomes, cost=cost, threshold=success)
    counts = _counts(outcomes.labels.outcome)
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items())
    notes.print(f"{len(given.events):,} signals: {told}")
    try:
        with fitter_at(dask or "", notes.print) as fitter:
            trained = train(
                rows,
                objective=objective,
                budget=Budget(None if trials and budget == 0 else budget, trials),
                cost=cost,
                seed=seed,
                progress=notes.print,
                fitter=fitter,
                clock=time.perf_counter,
            )
    except TooFewError as error:
        return {
            "status": "failed",
            "promoted": False,
            "reason": str(error),
            "version": None,
            "data_points": len(rows.success),
            "outcomes": counts,
        }, {}
    files = pack(trained.ensemble, {"seed": seed, "learnt_until": trained.learnt_until})
    return {
        "status": "completed",
        "version": version_of(files),
        "outcomes": counts,
        **trained.report,
    }, files


def _counts(outcome: Any) -> dict[str, int]:
    import numpy as np

    from trackrecord.outcomes.label_many import OUTCOMES

    found = np.bincount(outcome, minlength=len(OUTCOMES))
    return {name: int(count) for name, count in zip(OUTCOMES, found, strict=True) if count}


def _write(folder: Path, files: dict[str, bytes], answer: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "report.json").write_text(json.dumps(answer, indent=1) + "\n")


def _show(answer: dict[str, Any]) -> None:
    from rich.table import Table

    from trackrecord.cli.common import screen

    if answer["status"] != "completed":
        screen.print(f"{answer['status']}: {answer['reason']}")
        return
    told = "promoted" if answer["promoted"] else "not promoted"
    screen.print(f"version {answer['version']}, {told}: {answer['reason']}")
    screen.print(
        f"learnt from {answer['learnt_from']:,} outcomes, judged on {answer['judged_on']:,} in "
        f"{answer['blocks']} blocks of time"
    )
    table = Table(box=None)
    for name in ("number", "model", "base rate", "target", ""):
        table.add_column(name, justify="left" if name in {"number", ""} else "right")
    targets = answer["targets"]
    numbers = answer["metrics"] | {
        name: target["value"] for name, target in targets.items() if name not in answer["metrics"]
    }
    for name, value in numbers.items():
        target = targets.get(name)
        table.add_row(
            name,
            _number(value),
            _number(answer["baseline"].get(name)),
            _number(target["target"]) if target else "",
            _verdict(target) if target else "",
        )
    screen.print(table)
    first = list(answer["feature_importances"].items())[:8]
    screen.print("counts most: " + ", ".join(f"{name} {share:.0%}" for name, share in first))
    if answer["suspicious_features"]:
        named = ", ".join(
            f"{name} (AUC {area:.2f})" for name, area in answer["suspicious_features"].items()
        )
        screen.print(f"too good to be true, does it know the future? {named}")


def _verdict(target: dict[str, Any]) -> str:
    if target["met"] is None:
        return str(target["reason"])
    return "met" if target["met"] else "missed"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
