"""The demo: real scripts and strategies on real prices, through the real pipeline."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    answer,
    forget_other_databases,
    notes,
    screen,
)
from trackrecord.cli.ending import if_stopped

if TYPE_CHECKING:
    from trackrecord.local.state import StackState

_ONE_TRAINING = {
    "TRACKRECORD_TRAINER_NEW_OUTCOMES": "1000000",
    "TRACKRECORD_TRAINER_DECAY": "false",
    "TRACKRECORD_TRAINER_DRIFT": "0",
    "TRACKRECORD_TRAINER_LOOK_SECONDS": "2",
}
"""The demo asks for its training itself: else the moment, and with it the numbers, would differ
from run to run."""


_SO_FAR = "the demo ends, and with it all that it had started; run it again from its beginning"


def demo(
    serve: Annotated[
        bool,
        typer.Option(
            "--serve/--no-serve", help="Keep everything running after the demo, until Ctrl-C."
        ),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Watch real scripts and strategies run on real prices, and read the record of each.

    It starts Kafka (or a mock broker, if Kafka's jars cannot be fetched),
    Postgres and all stages in a folder of its own. It plays five years of daily
    bars of four US shares to one strategy, and trains a model on the outcomes
    of that strategy's signals. Then it plays three more years of five shares,
    runs four scripts every ten sessions and three strategies throughout, has
    the model judge every signal, and prints the record of each. A fourth
    strategy is made from a sentence, judged on the first years, and run on
    the later ones. Every number is computed during the demo; none is prepared.
    """
    from trackrecord.cli.demo.play import play
    from trackrecord.local.stack import Stack

    started = time.monotonic()
    place = home / "demo"
    Stack.down(place)
    shutil.rmtree(place, ignore_errors=True)
    with if_stopped(lambda: _SO_FAR):
        state = _start(place)
    forget_other_databases()
    try:
        with if_stopped(lambda: _SO_FAR):
            report = play(place, state, show=not as_json)
        report["seconds"] = round(time.monotonic() - started, 1)
        if as_json:
            answer(report)
        else:
            _show(report, place, serve)
        if serve:
            _wait()
    finally:
        Stack.down(place)


def _start(place: Path) -> StackState:
    from trackrecord.cli.stack import specs
    from trackrecord.local.errors import PartsUnavailable
    from trackrecord.local.parts import ensure_parts
    from trackrecord.local.stack import Stack

    def say(line: str) -> None:
        notes.print(line, style="dim", markup=False)

    broker = "kafka"
    try:
        ensure_parts(say)
    except PartsUnavailable as error:
        broker = "mock"
        reason = " ".join(error.reason.split())
        notes.print(
            f"Kafka's jars cannot be had ({reason}): using librdkafka's mock broker instead; "
            "nothing is kept when it ends, and it does not survive a crash as Kafka does",
            style="yellow",
            markup=False,
            soft_wrap=True,  # one line, however wide the terminal
        )
    stages, prepare = specs({}, api=False)
    stages = [
        replace(stage, env=_ONE_TRAINING) if stage.name == "trainer" else stage for stage in stages
    ]
    # One partition, so that the signals of all symbols come in the order of their time, as they
    # would have come then. What is known of a strategy at each of them is then always the same.
    os.environ["TRACKRECORD_TOPIC_PARTITIONS"] = "1"
    return Stack.up(place, stages, prepare, end_with_caller=True, broker=broker, on_progress=say)


def _show(report: dict[str, Any], place: Path, serve: bool) -> None:
    from trackrecord.cli.report_tables import (
        outcomes_table,
        scripts_table,
        strategies_table,
        what_it_rests_on,
    )

    screen.print("\nWhat the scripts said, and what they say they earned\n", style="bold")
    screen.print(scripts_table(report["scripts"]))
    screen.print("\nWhat the strategies earned, net of fees\n", style="bold")
    screen.print(strategies_table(report["strategies"]))
    screen.print(what_it_rests_on(report["strategies"]), style="dim")
    screen.print(
        "\nWhat the market answered, on the bars that followed each signal\n", style="bold"
    )
    screen.print(outcomes_table(report["outcomes"]))
    _show_model(report)
    _show_sentence(report)
    events = ", ".join(f"{count:,} {topic}" for topic, count in report["events"].items())
    screen.print(f"\n{events} in {report['seconds']} s")
    if serve:
        screen.print(f"still running: try `trackrecord report --by symbol --home {place}`,")
        screen.print(f"`trackrecord models calibration --home {place}`,")
        screen.print(f"`trackrecord status --home {place}`; Ctrl-C ends it")
    else:
        screen.print("next: `trackrecord demo --serve` keeps it running to look around;")
        screen.print("`trackrecord up` starts a stack of your own, and `trackrecord run-script`")
        screen.print("or the SDK (docs/sdk.md) puts your scripts and strategies on record")


def _show_model(report: dict[str, Any]) -> None:
    """How the model was judged, what it said of later signals, and what happened."""
    from trackrecord.cli.calibration import show

    training, found = report["training"], report["calibration"]
    if training is None:
        return
    screen.print("\nWhat a model learnt from the years before, and how it was judged\n",
                 style="bold")  # fmt: skip
    if found is None:
        screen.print(f"no model was made: {training['reason']}", markup=False)
        return
    counts = list(training["feature_importances"].items())[:3]
    named = ", ".join(f"{name} {share:.0%}" for name, share in counts)
    screen.print(f"learnt from {training['learnt_from']:,} outcomes; counts most: {named}")
    show(found, by_strategy=False)


def _show_sentence(report: dict[str, Any]) -> None:
    """A sentence, how it was read, and what was thought of it before its record began."""
    found = report["sentence"]
    if found is None:
        return
    screen.print("\nWhat became of a sentence\n", style="bold")
    for title, words in (
        ("asked for", found["sentence"]),
        ("read as", found["reads_as"]),
        ("taken for granted", "; ".join(found["assumptions"])),
        ("on the years before", f"{found['verdict']}: {found['why']}"),
        ("since then", f"its record is above, as {found['name']}"),
    ):
        screen.print(f"{title}: {words}", markup=False)


def _wait() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        notes.print("stopping")
