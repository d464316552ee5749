"""What happens in an episode: all of it follows from its seed.

The moments are planned; what a process is doing at that moment is not, and cannot be. So a
seed gives the same history, the same processes and the same faults at the same times again,
and a failure that hangs on milliseconds may need a few tries.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from tests.support import markets
from tests.support.histories import Shape

TRACKER, EXTRACTOR, SCORER = "signal_tracker", "extractor", "outcome_scorer"
RUNNER = "strategy_runner"

PROCESS_KINDS = ("kill", "freeze", "stop", "join", "shift_clock", "forget_offsets")
FAILPOINTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "die_holding_locks": ("die_holding_locks", (TRACKER, EXTRACTOR)),
    "die_before_sending": ("die_before_sending", (EXTRACTOR, TRACKER)),
    "die_while_sending": ("die_halfway_through_sending", (EXTRACTOR, TRACKER)),
    "die_before_deleting": ("die_before_deleting", (EXTRACTOR, TRACKER)),
    "freeze_before_loading": ("freeze_before_loading", (TRACKER, EXTRACTOR)),
    "freeze_inside_copy": ("freeze_inside_copy", (TRACKER,)),
    "freeze_holding_locks": ("freeze_holding_locks", (TRACKER, EXTRACTOR)),
    "dawdle": ("dawdle", (TRACKER, EXTRACTOR)),
}
"""By kind: the failpoint of tests/faults/faulty_stage.py, and the stages in which it can be hit."""

SESSION_KINDS = ("end_session", "freeze_session", "hold_lock", "disk_full")
DATABASE_PROXY_KINDS = ("lose_commit_reply", "cut_database", "sever_database", "hold_database")
BROKER_PROXY_KINDS = ("lose_acknowledgement", "cut_broker", "hold_broker", "kill_unacknowledged")
LIGHT_KINDS = (
    *PROCESS_KINDS, *FAILPOINTS, *SESSION_KINDS, *DATABASE_PROXY_KINDS, *BROKER_PROXY_KINDS,
    "poison",
)  # fmt: skip
HEAVY_KINDS = (
    "broker_killed", "broker_paused", "database_killed", "database_immediate",
    "database_restarted",
)  # fmt: skip
"""Kinds that every process of a stack feels: such an episode has a stack to itself."""

KINDS = (*LIGHT_KINDS, *HEAVY_KINDS)

SESSION_MS = 1000
HEAVY_SHARE = 0.05
VERIFY_SHARE = 0.15
RUNNER_SHARE = 0.4
"""Of the faults of the outcome_scorer's, those that are the strategy_runner's instead."""
JUDGED_SHARE = 0.25
"""Of the episodes, those in which bars judge signals, and nobody runs scripts."""


@dataclass(frozen=True)
class Order:
    """One fault.

    Attributes:
        at: When, in seconds after the first event is published.
        kind: One of `KINDS`.
        stage: Whose processes it is meant for.
        seconds: How long it lasts, where it lasts.
        number: At which use a failpoint fails; which of several variants.
        victim: Picks one of those that are there, from 0 to 1.
        aimed: Whether to wait, shortly, until the victim is inside a transaction.
        replaced_after: Seconds until another process takes the place of one that ended.
    """

    at: float
    kind: str
    stage: str
    seconds: float
    number: int
    victim: float
    aimed: bool
    replaced_after: float


@dataclass(frozen=True)
class Plan:
    """One episode.

    Attributes:
        seed: All the rest follows from it, and from the kinds it may choose from.
        verify: Whether a replay is held against the tables at the end.
        partitions: Of each topic.
        members: Processes of each stage at the beginning.
        environment: Settings of every process.
        shape: How wild the history is.
        signals: Signals in the history of the strategies.
        runs: Runs of scripts, if there is an extractor.
        market: Bars, and the signals that they judge, if there is an outcome_scorer.
        scattered: Whether exits lie in other partitions than their entries.
        bursts: When each part of the events is published, in seconds.
        orders: The faults, in the order of their time.
    """

    seed: int
    verify: bool
    partitions: int
    members: Mapping[str, int]
    environment: Mapping[str, str]
    shape: Shape
    signals: int
    runs: int
    market: markets.Shape | None
    scattered: bool
    bursts: tuple[float, ...]
    orders: tuple[Order, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The faults' kinds, in the order of their time."""
        return tuple(order.kind for order in self.orders)

    @property
    def is_heavy(self) -> bool:
        """Whether it needs a stack to itself."""
        return any(kind in HEAVY_KINDS for kind in self.kinds)

    @property
    def is_judged(self) -> bool:
        """Whether there is an outcome_scorer."""
        return self.market is not None

    def without_repeats(self) -> Plan:
        """The same with no id and revision published twice."""
        return replace(self, shape=replace(self.shape, duplicate=0.0, conflict=0.0))


def plan(seed: int, only: Collection[str] = (), *, judged: bool | None = None) -> Plan:
    """Plan an episode.

    Args:
        seed: Of all that is drawn.
        only: The kinds of faults to choose from; all if empty.
        judged: Whether there is an outcome_scorer; None to let the seed decide.

    Raises:
        ValueError: There is no such kind.
    """
    if judged is None:
        judged = random.Random(f"judged {seed}").random() < JUDGED_SHARE
    result = _plan(seed, only)
    return _judged(result) if judged else result


def _plan(seed: int, only: Collection[str]) -> Plan:
    if unknown := sorted(set(only) - set(KINDS)):
        raise ValueError(f"no fault {', '.join(unknown)}; there are {', '.join(KINDS)}")
    rng = random.Random(f"episode {seed}")
    light = [kind for kind in LIGHT_KINDS if not only or kind in only]
    heavy = [kind for kind in HEAVY_KINDS if not only or kind in only]
    is_heavy = bool(heavy) and (rng.random() < HEAVY_SHARE or not light)
    span = rng.uniform(1.2, 2.4)
    kinds = [rng.choice(light) for _ in range(rng.randint(2, 5))] if light else []
    if is_heavy:
        kinds = [rng.choice(heavy), *kinds[: rng.randint(0, 2)]]
    orders = sorted((_order(rng, kind, span) for kind in kinds), key=lambda each: each.at)
    extractors = rng.choice([0, 1, 1, 2])
    if any(order.stage == EXTRACTOR for order in orders):
        extractors = max(extractors, 1)
    return Plan(
        seed=seed,
        verify=rng.random() < VERIFY_SHARE,
        partitions=rng.randint(3, 5),
        members={TRACKER: rng.randint(1, 3), EXTRACTOR: extractors},
        environment={
            "TRACKRECORD_SESSION_TIMEOUT_MS": str(SESSION_MS),
            "TRACKRECORD_MAX_POLL_INTERVAL_MS": str(rng.choice([2000, 4000, 300_000])),
            "TRACKRECORD_BATCH_SIZE": str(rng.choice([5, 10, 20, 40])),
            "TRACKRECORD_BATCH_WAIT_MS": str(rng.choice([2, 10, 20])),
        },
        shape=_shape(rng),
        signals=rng.randint(150, 350),
        runs=rng.randint(60, 160) if extractors else 0,
        market=None,
        scattered=rng.random() < 0.5,
        bursts=(0.0, *sorted(rng.uniform(0.1, span) for _ in range(rng.randint(6, 14)))),
        orders=tuple(orders),
    )


def _judged(plan: Plan) -> Plan:
    """The same with one or two outcome_scorers in the extractors' place, and at most two trackers.

    In two thirds of them strategies run, too. Most of the faults are the scorers' and runners'.
    """
    rng = random.Random(f"market {plan.seed}")
    return _running(_scored(plan, rng))


def _running(plan: Plan) -> Plan:
    """The same with strategies that run, or without."""
    rng = random.Random(f"runner {plan.seed}")
    members = rng.choice([0, 1, 2])
    orders = [
        replace(each, stage=RUNNER)
        if each.stage == SCORER and rng.random() < RUNNER_SHARE
        else each
        for each in plan.orders
    ]
    return replace(
        plan,
        members={**plan.members, RUNNER: members},
        orders=tuple(orders) if members else plan.orders,
    )


def _scored(plan: Plan, rng: random.Random) -> Plan:
    return replace(
        plan,
        verify=plan.verify or rng.random() < VERIFY_SHARE,
        members={
            TRACKER: min(plan.members[TRACKER], 2),
            EXTRACTOR: 0,
            SCORER: rng.choice([1, 2, 2]),
        },
        signals=plan.signals // 5,
        runs=0,
        market=markets.Shape(
            symbols=rng.randint(3, 7),
            bars=rng.randint(30, 50),
            signals=rng.randint(60, 180),
            late=rng.choice([0, 0, 3, 25, 100]),
        ),
        orders=tuple(
            replace(each, stage=SCORER) if each.stage == EXTRACTOR or rng.random() < 0.7 else each
            for each in plan.orders
        ),
    )


def _order(rng: random.Random, kind: str, span: float) -> Order:
    stages = FAILPOINTS[kind][1] if kind in FAILPOINTS else (TRACKER, TRACKER, EXTRACTOR)
    if kind in {"lose_acknowledgement", "kill_unacknowledged"}:
        stages = (EXTRACTOR,)
    freezes = "freeze" in kind or kind == "broker_paused"
    return Order(
        at=rng.uniform(0.2, span + 0.3),
        kind=kind,
        # The first of the stages half the time.
        stage=rng.choice([stages[0], *stages]),
        seconds=rng.uniform(1.1, 1.8) if freezes else rng.uniform(0.2, 1.2),
        number=rng.randint(1, 3),
        victim=rng.random(),
        aimed=rng.random() < 0.75,
        replaced_after=rng.uniform(0, 0.4),
    )


def _shape(rng: random.Random) -> Shape:
    if rng.random() < 0.4:
        # Few rows that everybody wants.
        return Shape(
            strategies=1, symbols=2, currencies=("USD",), partial=1.0, double_exit=0.5, open_=0.0
        )
    return Shape(
        strategies=rng.randint(1, 6),
        symbols=rng.randint(1, 12),
        partial=rng.uniform(0.2, 0.8),
        double_exit=rng.uniform(0.0, 0.5),
        duplicate=rng.uniform(0.0, 0.4),
        correction=rng.uniform(0.0, 0.3),
        conflict=rng.uniform(0.0, 0.1),
    )
