"""The list of stages: the one place where a stage is made known to all the rest.

A stage is its folder under ``services/``, its rules, a migration, and its entry here. From the
entry follow the producers and consumers of topics (``schemas/``), the help of the command, the
services of docker compose, what Prometheus scrapes and misses, Grafana's rows, the import
contracts and the tables of the documents: ``make generate`` writes what is stored as a file, and
``make check`` names what is stale. docs/adding-a-stage.md has the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class StageEntry:
    """What everything outside of a stage's folder knows of it.

    Attributes:
        purpose: What it does, in words that follow on "the stage that".
        plane: ``data`` for whole batches from a poll to a commit, ``job`` for few and long
            pieces of work.
        reads: The event types that it consumes.
        publishes: The event types that it produces.
        rules: The packages of ``trackrecord`` that hold its rules.
        packages: What must be importable besides the extra ``services``, for it to run.
        asks_models: Whether it asks language models, so that its container is given their keys.
    """

    purpose: str
    plane: Literal["data", "job"]
    reads: tuple[str, ...]
    publishes: tuple[str, ...]
    rules: tuple[str, ...]
    packages: tuple[str, ...] = ()
    asks_models: bool = False


STAGES: Final[Mapping[str, StageEntry]] = MappingProxyType(
    {
        "extractor": StageEntry(
            purpose="reads what scripts printed",
            plane="data",
            reads=("script_executed",),
            publishes=("signal_emitted", "signal_closed"),
            rules=("extraction",),
        ),
        "signal_tracker": StageEntry(
            purpose="turns entries and exits into PnL",
            plane="data",
            reads=("signal_emitted", "signal_closed"),
            publishes=(),
            rules=("tracking", "performance"),
        ),
        "outcome_scorer": StageEntry(
            purpose="judges each signal when it is emitted, and again on the bars that follow",
            plane="data",
            reads=("market_bar", "signal_emitted", "signal_closed"),
            publishes=("signal_assessed", "signal_scored", "signal_closed"),
            rules=("outcomes", "features"),
            packages=("lightgbm", "sklearn", "scipy"),
        ),
        "trainer": StageEntry(
            purpose="trains models on the outcomes of signals",
            plane="job",
            reads=("signal_scored",),
            publishes=("model_trained",),
            rules=("learning",),
            packages=("faust", "lightgbm", "optuna", "sklearn", "scipy"),
        ),
        "strategy_gen": StageEntry(
            purpose="makes strategies that were asked for in words",
            plane="job",
            reads=("strategy_requested", "model_trained"),
            publishes=("strategy_generated",),
            rules=("strategies",),
            packages=("faust", "pydantic_monty", "scipy"),
            asks_models=True,
        ),
    }
)
"""Every stage by name, in the order of the flow; each is ``services.<name>.service.STAGE``."""
