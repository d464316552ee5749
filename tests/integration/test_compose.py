"""What docker compose would start, started as processes: same commands, same environment.

Only what differs between a container and this machine is replaced: the addresses
of the broker and the database, the address on which health is served, and the
programs' ``PATH``.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest

from services import STAGES
from tests.support import wire
from tests.support.servers import Services
from tests.unit.deploy.compose_file import DEPLOY, Process, process, read
from trackrecord.events import SignalEmitted
from trackrecord.runtime.kafka import admin
from trackrecord.runtime.settings import Settings, load_settings

pytestmark = pytest.mark.kafka

ROOT = DEPLOY.parent


@dataclass(frozen=True)
class Composition:
    """The services of the compose file, able to run here."""

    prefix: str
    local: Services
    folder: Path

    def process(self, name: str, port: int = 0) -> Process:
        """The process of a service, with the addresses of this machine."""
        url = urlsplit(self.local.database_url)
        variables = {
            "POSTGRES_PASSWORD": unquote(url.password or "none"),
            "GRAFANA_PASSWORD": "none",
            "API_ROLE_PASSWORD": "of the api's role",
            "READER_ROLE_PASSWORD": "of the reader's role",
            "TRACKRECORD_JWT_SECRET": "of a test, 32 bytes long or more",
            "TRACKRECORD_DATABASE_SCHEMA": self.prefix,
            "TRACKRECORD_TOPIC_PREFIX": f"{self.prefix}.",
            "TRACKRECORD_TOPIC_PARTITIONS": "3",
        }
        found = process(read(variables)["services"][name])
        place = f"@{url.hostname}:{url.port}{url.path}"
        own, _, _ = found.environment["DATABASE_URL"].partition("@postgres:5432/trackrecord")
        if name != "api":
            own = own.replace("//trackrecord", f"//{unquote(url.username or '')}")
        environment = found.environment | {
            "DATABASE_URL": own + place,
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": found.environment[
                "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"
            ].replace("kafka:9092", self.local.bootstrap_servers),
            "TRACKRECORD_METRICS_HOST": "127.0.0.1",
            "TRACKRECORD_METRICS_PORT": str(port),
            "TRACKRECORD_API_HOST": "127.0.0.1",
            "TRACKRECORD_API_PORT": str(port),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            # As the image has it.
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return Process(found.argv, environment, found.health, found.grace_seconds)

    def settings(self) -> Settings:
        """What its processes read from their environment."""
        environment = self.process("prepare").environment
        url = urlsplit(self.local.database_url)
        return load_settings(environment | {"DATABASE_URL": url.geturl()})

    def run(self, argv: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            argv,
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def composition(
    services: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Composition]:
    """Topics and a schema of its own, made by the ``prepare`` job."""
    name = f"t{secrets.token_hex(5)}"
    result = Composition(name, services, tmp_path_factory.mktemp("container"))
    prepare = result.process("prepare")
    done = result.run(prepare.argv, prepare.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    yield result
    client = admin(result.settings())
    made = [topic for topic in client.list_topics(timeout=10).topics if topic.startswith(name)]
    for future in client.delete_topics(made).values():
        future.result()
    connection = psycopg2.connect(services.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{name}" CASCADE')
    connection.close()


@pytest.fixture(params=[*STAGES, "api"])
def stage(
    request: pytest.FixtureRequest, composition: Composition
) -> Iterator[tuple[str, Process, subprocess.Popen[bytes]]]:
    """A stage, or the API, that runs and is ready by its own health check."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    found = composition.process(request.param, port)
    assert found.health
    log = composition.folder / f"{request.param}.log"
    with log.open("wb") as file:
        running = subprocess.Popen(
            found.argv,
            env=found.environment,
            # Nobody can write here, as in a container whose root file system is read-only.
            cwd="/proc",
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        assert composition.run(found.health, found.environment).returncode != 0, "ready too early"
        until = time.monotonic() + 60
        while composition.run(found.health, found.environment).returncode != 0:
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < until, f"not ready: {log.read_text()}"
            time.sleep(0.2)
        yield request.param, found, running
    finally:
        if running.poll() is None:
            running.kill()
        running.wait()


def test_preparing_again_changes_nothing(composition: Composition) -> None:
    prepare = composition.process("prepare")
    done = composition.run(prepare.argv, prepare.environment)
    assert done.returncode == 0, done.stderr
    assert "made" not in done.stdout


def test_the_cli_service_reaches_broker_and_database(composition: Composition) -> None:
    cli = composition.process("cli")
    assert cli.argv.pop() == "--help"
    for words in (["report", "--json"], ["dlq", "list", "--json"], ["topics", "--json"]):
        done = composition.run(cli.argv + words, cli.environment)
        assert done.returncode == 0, done.stderr


def test_a_stage_becomes_ready_and_ends_in_good_order(
    composition: Composition, stage: tuple[str, Process, subprocess.Popen[bytes]]
) -> None:
    name, found, running = stage
    if name == "signal_tracker":
        _publish_and_wait(composition)
    os.kill(running.pid, signal.SIGTERM)
    assert running.wait(timeout=found.grace_seconds) == 0
    assert found.health
    assert composition.run(found.health, found.environment).returncode != 0


def _publish_and_wait(composition: Composition) -> None:
    settings = composition.settings()
    event = SignalEmitted(
        signal_id="compose-1",
        strategy="composed",
        symbol="AAPL",
        side="BUY",
        price="101.5",
        emitted_at=datetime.now(UTC),
    )
    wire.send(settings, [wire.parcel(settings, event)])
    connection = psycopg2.connect(settings.database_url)
    try:
        until = time.monotonic() + 30
        while True:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    f'SELECT strategy, price::text FROM "{composition.prefix}".signals'
                    " WHERE signal_id = 'compose-1'"
                )
                row = cursor.fetchone()
            if row is not None:
                break
            assert time.monotonic() < until, "the signal did not reach the table"
            time.sleep(0.1)
    finally:
        connection.close()
    assert row == ("composed", "101.5")


def test_the_readmes_explain_every_column(composition: Composition) -> None:
    connection = psycopg2.connect(composition.local.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = %s",
            (composition.prefix,),
        )
        columns = cursor.fetchall()
    connection.close()
    for name in STAGES:
        text = (ROOT / "services" / name / "README.md").read_text()
        missing = [
            f"{table}.{column}"
            for table, column in columns
            if f"\n### {table}\n" in text and f"`{column}`" not in _section(text, table)
        ]
        assert not missing, f"services/{name}/README.md does not explain {', '.join(missing)}"


def _section(text: str, table: str) -> str:
    return text.split(f"\n### {table}\n", 1)[1].split("\n#", 1)[0]
