"""A database as people have them: poolers, other versions, few rights, failovers, time limits."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.integration.sink import Sink, make_table, publish, running, signals, sunk
from tests.support import compare
from tests.support.pipeline import Pipeline, until
from tests.support.proxy import HOST, Proxy
from tests.support.servers import Services
from trackrecord.runtime import database
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.errors import ConfigurationError, FatalError
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run a statement as the tests' own user, outside of any transaction."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def elsewhere(settings: Settings, **changes: object) -> Settings:
    """The same settings, with the database reached as another user or at another address."""
    url = urlsplit(settings.database_url)
    user = changes.get("user") or f"{url.username}:{url.password}"
    place = changes.get("place") or f"{url.hostname}:{url.port}"
    return settings.model_copy(
        update={"database_url": f"postgresql://{user}@{place}{changes.get('path') or url.path}"}
    )


@pytest.fixture
def role(services: Services) -> Iterator[str]:
    """A role that may do what the tests' user may in a schema, and can be given settings."""
    name = f"r{secrets.token_hex(5)}"
    ask(services.database_url, f"CREATE ROLE {name} LOGIN PASSWORD 'x' IN ROLE CURRENT_USER")
    yield name
    ask(services.database_url, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


# -- sessions ---------------------------------------------------------------------------------


@pytest.fixture
def pooled(settings: Settings) -> Iterator[Settings]:
    """Through something that drops start-up options."""
    proxy = Proxy("pooler", urlsplit(settings.database_url).port or 5432)
    yield elsewhere(settings, place=f"{HOST}:{proxy.port}")
    proxy.close()


def test_a_session_whose_options_were_dropped_is_set_before_it_writes(
    settings: Settings, pooled: Settings
) -> None:
    make_table(settings)
    with compare.session(pooled) as cursor:
        found = database.rows(
            cursor,
            "SELECT current_schema(), current_setting('timezone'), current_setting('work_mem')",
        )
    assert found == [(settings.database_schema, "UTC", "64MB")]
    publish(settings, signals(5))
    with running(pooled) as consumer:
        consumer.caught_up()
    assert sunk(settings) == {f"s{number}" for number in range(5)}


@pytest.fixture
def bouncer(services: Services) -> Iterator[Callable[[str], str]]:
    """Starts PgBouncer in a mode of pooling; returns where it listens."""
    program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        pytest.skip("pgbouncer is not installed (Debian package pgbouncer)")
    url = urlsplit(services.database_url)
    # It does not run as root, so its files lie where others may read them.
    folder = Path(tempfile.mkdtemp(prefix="tr-bouncer-"))
    folder.chmod(0o755)
    started: list[subprocess.Popen[bytes]] = []

    def start(mode: str) -> str:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        (folder / "users").write_text(f'"{url.username}" "{url.password}"\n')
        (folder / "ini").write_text(
            f"[databases]\n* = host={url.hostname} port={url.port}\n[pgbouncer]\n"
            f"listen_addr={HOST}\nlisten_port={port}\nauth_type=plain\nunix_socket_dir=\n"
            f"auth_file={folder}/users\npool_mode={mode}\n"
            "ignore_startup_parameters=extra_float_digits,options\n"
        )
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        started.append(
            subprocess.Popen(
                [*(as_nobody if os.geteuid() == 0 else []), program, "-q", str(folder / "ini")],
                stderr=subprocess.DEVNULL,
            )
        )
        until(lambda: socket.socket().connect_ex((HOST, port)) == 0, "pgbouncer listens")
        return f"{HOST}:{port}"

    yield start
    for process in started:
        process.terminate()
        process.wait(10)
    shutil.rmtree(folder)


def test_behind_a_pooler_that_keeps_sessions_it_writes_into_its_schema(
    settings: Settings, bouncer: Callable[[str], str]
) -> None:
    make_table(settings)
    publish(settings, signals(3))
    with running(elsewhere(settings, place=bouncer("session"))) as consumer:
        consumer.caught_up()
    assert len(sunk(settings)) == 3


def test_a_pooler_that_shares_sessions_by_the_transaction_is_refused(
    settings: Settings, bouncer: Callable[[str], str]
) -> None:
    with pytest.raises(FatalError, match="session mode"):
        database.connect(elsewhere(settings, place=bouncer("transaction")), application="test")


# -- versions and rights ----------------------------------------------------------------------


def test_tables_of_another_version_end_every_command_with_both_versions(
    pipeline: Pipeline,
) -> None:
    compare.fetch(pipeline.settings, "UPDATE alembic_version SET version_num = '9999'; SELECT 1")
    tried = {words: pipeline.command(*words.split()) for words in ("migrate", "report", "dlq list")}
    stage = pipeline.start("signal_tracker")
    trainer = pipeline.start("trainer")
    for words, done in tried.items():
        assert (done.returncode, done.stdout) == (2, ""), words
        [line] = done.stderr.strip().splitlines()
        assert "9999" in line
        assert "0001 to 0" in line
    for process in (stage, trainer):
        assert process.ended() == 2
        [said] = process.lines("cannot go on")
        assert "9999" in said["reason"]
    assert "Traceback" not in stage.said() + trainer.said()


@pytest.fixture
def lowly(services: Services) -> Iterator[tuple[str, str]]:
    """A database with a schema whose owner may make nothing else there."""
    name = f"d{secrets.token_hex(5)}"
    ask(services.database_url, f"CREATE DATABASE {name}")
    ask(services.database_url, f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    url = urlsplit(services.database_url)._replace(path=f"/{name}").geturl()
    ask(url, f"CREATE SCHEMA tr AUTHORIZATION {name}")
    yield name, url
    ask(services.database_url, f"DROP DATABASE {name} WITH (FORCE)")
    ask(services.database_url, f"DROP ROLE {name}")


def test_who_owns_a_schema_can_migrate_it_and_nothing_else(
    lowly: tuple[str, str], settings: Settings
) -> None:
    name, _ = lowly
    theirs = elsewhere(settings, user=f"{name}:x", path=f"/{name}")
    owned = theirs.model_copy(update={"database_schema": "tr"})
    before, after = migrate(owned)
    assert before is None
    assert migrate(owned) == (after, after)
    with pytest.raises(ConfigurationError, match=r"other stay as they are: .*permission denied"):
        migrate(theirs.model_copy(update={"database_schema": "other"}))


def test_tables_of_others_are_named_and_left_alone(
    lowly: tuple[str, str], settings: Settings
) -> None:
    name, url = lowly
    ask(url, "CREATE TABLE tr.signals (theirs int); CREATE TABLE tr.exits (theirs int)")
    theirs = elsewhere(settings, path=f"/{name}").model_copy(update={"database_schema": "tr"})
    with pytest.raises(ConfigurationError, match="needs: exits, signals; give it"):
        migrate(theirs)
    found = ask(url, "SELECT relname FROM pg_class WHERE relnamespace = 'tr'::regnamespace")
    assert {str(relation) for (relation,) in found} == {"signals", "exits"}


# -- failovers and time limits ------------------------------------------------------------------


def test_a_database_that_is_read_only_for_a_while_is_waited_for(
    settings: Settings, services: Services, role: str
) -> None:
    make_table(settings)
    url = services.database_url
    with running(elsewhere(settings, user=f"{role}:x")) as consumer:
        publish(settings, signals(3))
        consumer.caught_up()
        ask(url, f"ALTER ROLE {role} SET default_transaction_read_only = on")
        ask(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'")
        publish(settings, signals(3, start=3))
        until(lambda: "read-only" in consumer.health.reason, "it says what it waits for")
        assert not consumer.health.ready
        ask(url, f"ALTER ROLE {role} RESET default_transaction_read_only")
        consumer.caught_up()
        assert len(sunk(settings)) == 6
        until(lambda: consumer.health.ready, "it is ready again")


def slow(seconds: float) -> Callable[[Cursor], None]:
    """A statement that takes so long for each message of a batch."""

    def wait(cursor: Cursor) -> None:
        cursor.execute("SELECT pg_sleep(%s * count(*)) FROM new_sunk", (seconds,))

    return wait


def test_a_batch_that_takes_too_long_for_the_database_is_halved_until_it_does_not(
    settings: Settings, services: Services, role: str, capfd: pytest.CaptureFixture[str]
) -> None:
    make_table(settings)
    ask(services.database_url, f"ALTER ROLE {role} SET statement_timeout = '400ms'")
    publish(settings, signals(40))
    handler = Sink()
    handler.before = slow(0.03)
    with running(elsewhere(settings, user=f"{role}:x"), handler) as consumer:
        consumer.caught_up()
        assert len(sunk(settings)) == 40
        assert consumer.metric("trackrecord_retries_total") == 0
    assert max(handler.sizes) * 0.03 < 0.5
    assert "statement_timeout" in "".join(capfd.readouterr())


def test_one_message_that_takes_too_long_is_tried_again_and_the_time_limit_is_named(
    settings: Settings, services: Services, role: str
) -> None:
    make_table(settings)
    ask(services.database_url, f"ALTER ROLE {role} SET statement_timeout = '200ms'")
    publish(settings, signals(1))
    handler = Sink()
    handler.before = slow(0.5)
    with running(elsewhere(settings, user=f"{role}:x"), handler) as consumer:
        until(lambda: "statement_timeout" in consumer.health.reason, "it says why")
        handler.before = slow(0)
        consumer.caught_up()
    assert sunk(settings) == {"s0"}


def test_a_wrong_password_is_said_in_one_line_that_does_not_show_it(pipeline: Pipeline) -> None:
    url = urlsplit(pipeline.settings.database_url)
    wrong = url._replace(netloc=f"{url.username}:Wr0ng#S3cret@{url.hostname}:{url.port}").geturl()
    for words in ("report", "migrate", "dlq list"):
        done = pipeline.command(*words.split(), DATABASE_URL=wrong)
        assert done.returncode == 2
        assert "S3cret" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
