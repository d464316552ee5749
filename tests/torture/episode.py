"""One episode: a history, processes, faults, and the check of all that came of it."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from confluent_kafka import KafkaException

from tests.support.nursery import Nursery
from tests.support.pipeline import Pipeline
from tests.support.proxy import HOST, Proxy
from tests.torture.check import Verdict, check
from tests.torture.check_strategies import activate
from tests.torture.crew import Crew
from tests.torture.history import Publisher
from tests.torture.mutants import MARK, MUTANTS
from tests.torture.plan import (
    BROKER_PROXY_KINDS,
    DATABASE_PROXY_KINDS,
    EXTRACTOR,
    RUNNER,
    SCORER,
    TRACKER,
    Plan,
)
from tests.torture.scene import Place, Record, Scene
from tests.torture.servers import ALL_FAULTS, Space, space_for
from trackrecord.runtime import kafka
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.settings import Settings, load_settings

_PUBLISHED_SECONDS = 90
_DONE_SECONDS = 60
_DONE_SECONDS_OF_A_MUTANT = 15
FAILURE = "failure.txt"


@dataclass
class Outcome:
    """What came of an episode.

    Attributes:
        seed: Its seed.
        seconds: How long it took.
        verdict: What the check found; a problem of another kind is in there too.
        faults: Of each fault its kind, whether it hit, and why it was not injected.
        folder: Where its logs are; None if they were not kept.
        verified: Whether a replay was held against the tables.
        mutated: Whether a mutant did what it was made for.
    """

    seed: int
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    faults: list[tuple[str, bool, str]] = field(default_factory=list)
    folder: Path | None = None
    verified: bool = False
    mutated: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether everything was exact."""
        return not self.verdict.problems


def play(
    plan: Plan,
    place: Place,
    nursery: Nursery,
    folder: Path,
    *,
    mutant: str | None = None,
    keep: bool = False,
) -> Outcome:
    """Play an episode, and check what came of it; whatever goes wrong is in the outcome.

    Args:
        plan: What happens.
        place: The stack.
        nursery: Where the processes are forked.
        folder: For its logs; removed unless it failed or is to be kept.
        mutant: How the stages are broken, if they are.
        keep: Whether the folder is kept in any case.
    """
    folder.mkdir(parents=True)
    if mutant and not MUTANTS[mutant].repeats:
        plan = plan.without_repeats()
    started = time.monotonic()
    outcome = Outcome(plan.seed)
    try:
        with _scene(plan, place, nursery, folder, mutant) as scene:
            try:
                _play(scene, outcome)
            finally:
                for record in scene.records:
                    with contextlib.suppress(Exception):
                        record.settle()
                outcome.faults = [(each.kind, each.hit, each.note) for each in scene.records]
                outcome.mutated = MARK in scene.crew.text()
    except Exception:  # noqa: BLE001 - an episode that breaks has failed, and the next goes on
        outcome.verdict.problems.append(traceback.format_exc())
    outcome.seconds = time.monotonic() - started
    if outcome.is_ok and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        outcome.folder = folder
        told = [json.dumps(asdict(plan), default=str, indent=1), *map(str, outcome.faults)]
        (folder / FAILURE).write_text("\n\n".join([*told, *outcome.verdict.problems]) + "\n")
    return outcome


def _play(scene: Scene, outcome: Outcome) -> None:
    plan, pipeline, crew = scene.plan, scene.pipeline, scene.crew
    publisher = Publisher(plan, pipeline.settings)
    _start(plan, crew)
    publisher.start()
    for order in plan.orders:
        record = Record(order.kind)
        scene.records.append(record)
        scene.later(order.at, partial(ALL_FAULTS[order.kind], scene, order, record))
    scene.play()
    scene.mend()
    publisher.join(_PUBLISHED_SECONDS)
    if publisher.error:
        raise publisher.error
    if publisher.is_alive():
        raise TimeoutError("the broker does not acknowledge what is published")
    stages = [stage for stage in (EXTRACTOR, RUNNER, SCORER, TRACKER) if plan.members.get(stage)]
    seconds = _DONE_SECONDS_OF_A_MUTANT if crew.mutant else _DONE_SECONDS
    stopped: list[str] = []
    if plan.is_judged:
        pipeline.done(SCORER, seconds)
        publisher.end_market()
    for stage in stages:
        pipeline.done(stage, seconds)
        # Whoever was frozen goes on now, and may still send what a successor has sent too.
        stopped += crew.stop_all(stage)
    for stage in stages:
        # The exits that an outcome_scorer was the last to publish, none is left to read.
        if stage != SCORER:
            pipeline.done(stage, 1)
    outcome.verified = plan.verify
    outcome.verdict = check(
        pipeline,
        publisher.sent,
        extracts=bool(plan.members[EXTRACTOR]),
        judges=plan.is_judged,
        strategies=bool(plan.members.get(RUNNER)),
        replay=plan.verify,
    )
    outcome.verdict.problems += stopped


def _start(plan: Plan, crew: Crew) -> None:
    """Have strategies active, if any are to run, and start all processes."""
    if plan.members.get(RUNNER):
        activate(crew.pipeline.settings)
    for stage, count in plan.members.items():
        for _ in range(count):
            crew.start(stage)


@contextmanager
def _scene(
    plan: Plan, place: Place, nursery: Nursery, folder: Path, mutant: str | None
) -> Iterator[Scene]:
    """Topics, tables, proxies and a disk of the episode's own, gone at its end."""
    name = f"t{secrets.token_hex(5)}"
    settings = load_settings(
        {
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": place.bootstrap_servers,
            "DATABASE_URL": place.database_url,
            "TRACKRECORD_TOPIC_PREFIX": f"{name}.",
            "TRACKRECORD_DATABASE_SCHEMA": name,
            "TRACKRECORD_TOPIC_PARTITIONS": str(plan.partitions),
        }
    )
    with space_for("disk_full" in plan.kinds, place, name) as space:
        home = settings
        if isinstance(space, Space):
            home = settings.model_copy(update={"database_url": space.url})
        migrate(home)
        pipeline = Pipeline(settings, folder, nursery.spawn)
        proxies, environment = _proxies(plan, place)
        crew = Crew(pipeline, {**plan.environment, **environment}, mutant, proxies)
        scene = Scene(plan, pipeline, crew, place, space)
        try:
            yield scene
        finally:
            with contextlib.suppress(Exception):
                scene.mend()
            pipeline.close()
            crew.close()
            for proxy in proxies.values():
                proxy.close()
            _remove(settings)


def _proxies(plan: Plan, place: Place) -> tuple[dict[str, Proxy], dict[str, str]]:
    """The proxies that the plan needs, and the settings that lead processes to them."""
    proxies: dict[str, Proxy] = {}
    environment: dict[str, str] = {}
    if any(kind in DATABASE_PROXY_KINDS for kind in plan.kinds):
        parts = urlsplit(place.database_url)
        proxy = proxies["postgres"] = Proxy("postgres", parts.port or 5432)
        there = parts.netloc.rpartition("@")[0]
        environment["DATABASE_URL"] = parts._replace(netloc=f"{there}@{HOST}:{proxy.port}").geturl()
    if any(kind in BROKER_PROXY_KINDS for kind in plan.kinds):
        proxy = proxies["kafka"] = Proxy("kafka", int(place.bootstrap_servers.rpartition(":")[2]))
        environment["TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"] = f"{HOST}:{proxy.port}"
    return proxies, environment


def _remove(settings: Settings) -> None:
    """Drop the schema and the topics: a broker with thousands of them gets slow."""
    with contextlib.suppress(psycopg2.Error):
        connection = psycopg2.connect(settings.database_url)
        with connection, connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
            cursor.execute(f'DROP SCHEMA "{settings.database_schema}" CASCADE')
        connection.close()
    with contextlib.suppress(KafkaException):
        client = kafka.admin(settings)
        known = client.list_topics(timeout=10).topics
        ours = [name for name in known if name.startswith(settings.topic_prefix)]
        for future in client.delete_topics(ours).values() if ours else ():
            future.result(10)
