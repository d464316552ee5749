"""A stack of one's own, from `up` to `down`, through the command line alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.cli import Ran, command, environment, trackrecord
from tests.support.pipeline import until
from tests.support.servers import lacking
from trackrecord.local.stack import Stack

pytestmark = pytest.mark.kafka

SAID = "2026-03-02T14:30:00Z"


@dataclass(frozen=True)
class Home:
    """A folder with a running stack."""

    path: Path
    state: dict[str, Any]

    def run(self, *arguments: str | Path, stdin: str | bytes = b"", **settings: Any) -> Ran:
        return trackrecord(*arguments, "--home", self.path, stdin=stdin, **settings)

    def settled(self) -> dict[str, Any]:
        """Wait until every stage has read everything; the status then."""

        def status() -> dict[str, Any] | None:
            found: dict[str, Any] = self.run("status", "--json").data
            done = not any(found["lag"].values()) and found["outbox_pending"] == 0
            return found if done else None

        result: dict[str, Any] = until(status, "the stages have caught up")
        return result

    def strategy(self, name: str) -> dict[str, Any]:
        answer = self.run("report", "--strategy", name, "--json").data
        found: dict[str, Any] = answer["strategies"][name]
        return found


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    if reason := lacking():
        pytest.skip(f"no real Kafka: {reason}")
    with tempfile.TemporaryDirectory(prefix="tr-e2e-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        settings: dict[str, Any] = {"TRACKRECORD_TOPIC_PARTITIONS": "2"}
        ran = trackrecord("up", "--home", path, "--json", seconds=240, **settings)
        try:
            assert ran.code == 0, ran.err
            yield Home(path, ran.data)
        finally:
            down = trackrecord("down", "--home", path, "--json")
        assert (down.code, down.data) == (0, {"stopped": True}), down.err
        again = trackrecord("down", "--home", path, "--json")
        assert (again.code, again.data) == (0, {"stopped": False})
        status = trackrecord("status", "--home", path, "--json")
        assert (status.code, status.data["healthy"]) == (1, False)


def line(event_type: str, **data: Any) -> str:
    return json.dumps({"type": event_type, "data": data})


def opened(signal_id: str, **fields: Any) -> str:
    values = {"signal_id": signal_id, "strategy": "sma", "symbol": "AAPL", "side": "BUY",
              "price": "150.25", "emitted_at": SAID}  # fmt: skip
    return line("signal_emitted", **(values | fields))


def closed(signal_id: str, price: Any, **fields: Any) -> str:
    values = {"signal_id": signal_id, "exit_id": "x", "symbol": "AAPL", "price": price,
              "closed_at": "2026-03-03T15:00:00Z", "reason": "target"}  # fmt: skip
    return line("signal_closed", **(values | fields))


def test_up_returns_when_all_is_healthy_and_listens_on_this_machine_only(home: Home) -> None:
    state = home.state
    assert state["healthy"] is True
    assert state["kafka"].startswith("127.0.0.1:")
    stages = {each["stage"] for each in state["processes"]}
    assert {"extractor", "signal_tracker"} <= stages
    assert all(each["healthy"] and each["pid"] for each in state["processes"])
    urls = [each["metrics_url"] for each in state["processes"] if each["metrics_url"]]
    assert all(url.startswith("http://127.0.0.1:") for url in urls)


def logged_in(home: Home) -> dict[str, str]:
    """What a request of the first admin's brings."""
    first = json.loads(Path(home.state["credentials_file"]).read_text())
    answer = httpx.post(f"{home.state['api']}/api/v1/auth/token", data=first, timeout=30)
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def test_up_makes_a_first_admin_whom_only_this_user_knows(home: Home) -> None:
    for name in ("credentials.json", "api.json"):
        assert (home.path / name).stat().st_mode & 0o777 == 0o600
    assert home.state["credentials_file"] == str(home.path / "credentials.json")
    kept = json.loads((home.path / "api.json").read_text())
    first = json.loads((home.path / "credentials.json").read_text())
    secrets = {*kept.values(), first["password"]}
    assert all(len(each) >= 24 for each in secrets)
    for file in [home.path / "state.json", *home.path.glob("logs/*")]:
        text = file.read_text(errors="replace")
        assert not any(each in text for each in secrets), file
    users = home.run("users", "list", "--json").data
    assert [(each["name"], each["role"]) for each in users] == [("admin", "admin")]
    me = httpx.get(f"{home.state['api']}/api/v1/me", headers=logged_in(home), timeout=30).json()
    assert (me["name"], me["role"]) == ("admin", "admin")


def test_the_api_is_a_process_of_the_stack_which_reads_and_publishes(home: Home) -> None:
    api = home.state["api"]
    assert api.startswith("http://127.0.0.1:")
    [process] = [each for each in home.state["processes"] if each["stage"] == "api"]
    assert process["metrics_url"] == f"{api}/metrics"
    headers = logged_in(home)
    event = json.loads(opened("posted-1", strategy="posted"))["data"]
    path = f"{api}/api/v1/events/signal_emitted"
    assert httpx.post(path, json=[event], timeout=30).status_code == 401
    answer = httpx.post(path, json=[event, event], headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["published"]) == (202, 2)

    def told() -> Any:
        found = httpx.get(f"{api}/api/v1/strategies/posted", headers=headers, timeout=30)
        return found.json() if found.status_code == 200 else None

    found = until(told, "the signal is on record")
    assert (found["totals"]["signals"], found["standing"]) == (1, "private")
    # Killed, it is started again at the same address; asked to end, it ends with its streams.
    os.kill(process["pid"], signal.SIGKILL)

    def another() -> Any:
        now = Stack.read_state(home.path)
        found = now and now.process("api")
        return found if found and found.healthy and found.pid != process["pid"] else None

    back = until(another, "the API is back")
    assert back.restarts == 1
    with httpx.stream("GET", f"{api}/api/v1/stream", headers=headers, timeout=30) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: here"
        Stack.stop(home.path, "api")
        assert list(lines)
    stopped = Stack.read_state(home.path)
    assert stopped is not None
    assert stopped.process("api").exit_code == 0
    assert "Traceback" not in Path(back.log).read_text()
    Stack.start(home.path, "api")


def test_a_second_up_finds_the_first(home: Home) -> None:
    again = home.run("up", "--json")
    assert again.code == 0
    now = home.run("status", "--json").data["processes"]
    before = {(each["stage"], each["pid"]) for each in now}
    assert {(each["stage"], each["pid"]) for each in again.data["processes"]} == before
    assert "pid" in home.run("status").out


def test_what_is_published_is_in_the_report_to_the_last_digit(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(
        "\n".join(
            [
                opened("good-1"),
                closed("good-1", "151.80"),
                "",
                # JSON numbers are taken as they are written, not as doubles.
                opened("good-2").replace('"150.25"', "0.100000000000000001"),
                closed("good-2", 0).replace('"price": 0', '"price": 0.300000000000000003'),
            ]
        )
    )
    ran = home.run("publish", file, "--json")
    assert (ran.code, ran.data) == (0, {"published": 4, "refused": [], "warnings": []})
    status = home.settled()
    assert status["healthy"] is True
    found = home.strategy("sma")
    assert (found["signals"], found["closed"], found["wins"]) == (2, 2, 2)
    assert found["total_pnl"] == "1.750000000000000002"
    assert found["win_rate"] == 1.0
    assert found["reasons"]["profit_factor"] == "no_losses"
    assert found["reasons"]["expectancy_ratio"] == "no_losses"
    early = home.run("report", "--as-of", "2026-03-03T00:00:00Z", "--json").data
    assert early["as_of"] == "2026-03-03T00:00:00+00:00"
    assert early["strategies"]["sma"]["closed"] == 0
    table = home.run("report")
    assert (table.code, table.err) == (0, "")
    assert "sma" in table.out
    for by in ("symbol", "day", "signal"):
        assert home.run("report", "--by", by).code == 0


def test_a_bad_line_is_named_by_its_number_and_nothing_is_sent(home: Home) -> None:
    lines = [opened("bad-1", strategy="careful"), "", "not json", opened("bad-2", quantity="-1"),
             '{"type": "signal_emited", "data": {}}', '{"type": [], "data": {}}', "[]",
             '{"data": {}}']  # fmt: skip
    ran = home.run("publish", "--json", stdin="\n".join(lines))
    assert ran.code == 1
    assert ran.data["published"] == 0
    reasons = {each["line"]: each["reason"] for each in ran.data["refused"]}
    assert list(reasons) == [3, 4, 5, 6, 7, 8]
    assert "not readable JSON" in reasons[3]
    assert reasons[4] == "quantity: must be above 0"
    assert "did you mean 'signal_emitted'?" in reasons[5]
    assert "line 4: quantity: must be above 0" in ran.err
    assert "Traceback" not in ran.err
    home.settled()
    assert "careful" not in home.run("report", "--json").data["strategies"]


def test_skip_invalid_sends_the_good_lines_and_says_no_at_the_end(home: Home) -> None:
    lines = [opened("skip-1", strategy="brave"), "{", opened("skip-2", strategy="brave")]
    ran = home.run("publish", "--skip-invalid", stdin="\n".join(lines))
    assert ran.code == 1
    assert "published 2, refused 1" in ran.out
    assert "line 2:" in ran.err
    home.settled()
    assert home.strategy("brave")["signals"] == 2


def test_a_field_that_no_event_has_is_a_warning_with_a_guess(home: Home) -> None:
    ran = home.run("publish", "--json", stdin=opened("warn-1", strategy="typo", quantty="5"))
    assert (ran.code, ran.data["published"]) == (0, 1)
    [warning] = ran.data["warnings"]
    assert warning["line"] == 1
    assert "'quantty' (did you mean 'quantity'?)" in warning["reason"]


SCRIPT = """
import sys
print("Analysing", sys.argv[1])
print("Symbol:", sys.argv[1])
print("Recommendation: BUY")
print("Entry price: 150.25")
print("Actual return: +2.50%")
"""


def test_a_script_is_run_its_output_read_and_its_record_kept(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "analyst.py"
    path.write_text(SCRIPT)
    ran = trackrecord("run-script", "--json", "--home", home.path, path, "MSFT")
    assert ran.code == 0, ran.err
    assert ran.data["exit_code"] == 0
    assert ran.data["output"].startswith("Analysing MSFT\n")
    assert ran.data["seconds"] > 0
    home.settled()
    record = home.run("report", "--scripts", "--json").data["scripts"]["analyst.py"]
    assert (record["runs"], record["buys"], record["profits"]) == (1, 1, 1)
    assert record["average_return_pct"] == 2.5
    assert home.strategy("analyst.py")["signals"] == 1
    assert "analyst.py" in home.run("report", "--scripts").out


def test_all_that_follows_the_path_is_the_scripts(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "args.py"
    path.write_text("import sys\nprint(sys.argv[1:])\n")
    given = ["--json", "--name", "foo", "--timeout", "1", "--symbol", "X", "--home", "h", "--", "x"]
    ran = trackrecord("run-script", "--home", home.path, path, *given)
    assert (ran.code, ran.out) == (0, f"{given}\n")
    assert "args.py: exit code 0 after" in ran.err
    before = ["--json", "--name", "foo", "--"]
    named = trackrecord("run-script", "--home", home.path, *before, path, "--help")
    assert (named.data["script"], named.data["output"]) == ("foo", "['--help']\n")


def test_what_is_cut_of_an_output_and_how_it_ended_is_said(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text("import os\nprint('x' * 5000, flush=True)\nos.kill(os.getpid(), 9)\n")
    ran = trackrecord(
        "run-script", "--home", home.path, path, TRACKRECORD_SCRIPT_OUTPUT_BYTES="1024"
    )
    assert ran.code == 0
    assert "ended by SIGKILL" in ran.err
    assert "3,977 bytes of its output were cut" in ran.err
    assert "TRACKRECORD_SCRIPT_OUTPUT_BYTES" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_the_script_and_puts_on_record_what_was_printed(
    home: Home, tmp_path: Path, number: signal.Signals
) -> None:
    path = tmp_path / f"slow_{number.name}.py"
    mark = tmp_path / "pid"
    path.write_text(
        "import os, time\nprint('Recommendation: BUY AAPL', flush=True)\n"
        f"open({str(mark)!r}, 'w').write(str(os.getpid()) + '.')\ntime.sleep(120)\n"
    )
    process = subprocess.Popen(
        command("run-script", "--json", "--home", home.path, path),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: mark.exists() and mark.read_text().endswith("."), "the script runs")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    said = json.loads(out)
    assert said["published"] is True
    assert said["ended_early"] == f"by {number.name}: run-script was asked to stop"
    assert said["exit_code"] == -signal.SIGTERM
    assert "Recommendation: BUY AAPL" in said["output"]
    assert said["ended_early"] in err
    assert not Path(f"/proc/{mark.read_text()[:-1]}").exists()
    home.settled()
    scripts = home.run("report", "--scripts", "--json").data["scripts"]
    assert scripts[path.name]["buys"] == 1


def test_dead_letters_are_listed_shown_and_tried_again(home: Home) -> None:
    conflict = [opened("letter", strategy="twice"), opened("letter", strategy="twice", price="1")]
    assert home.run("publish", stdin="\n".join(conflict)).code == 0
    home.settled()
    [letter] = home.run("dlq", "list", "--json").data
    assert (letter["topic"], letter["stage"]) == ("signal_emitted", "signal_tracker")
    assert (letter["error_class"], letter["attempt"]) == ("conflict", 1)
    assert "higher revision" in letter["reason"]
    assert letter["first_seen"].endswith("+00:00")
    shown = home.run("dlq", "show", letter["id"], "--json").data
    assert json.loads(shown["value"])["price"] == "1"
    assert dict(shown["headers"])["ce_type"] == "trackrecord.signal_emitted.v1"
    assert letter["id"] in home.run("dlq", "list").out
    assert "price" in home.run("dlq", "show", letter["id"]).out
    assert home.run("status", "--json").data["dead_letters"] == 1

    again = home.run("dlq", "replay", letter["id"], "--json")
    assert again.code == 0
    assert again.data == {"replayed": 1, "messages": 1, "missing": [], "failed": []}
    home.settled()
    [second] = home.run("dlq", "list", "--json").data
    assert second["id"] != letter["id"]
    assert second["attempt"] == 2
    assert len(home.run("dlq", "list", "--all", "--json").data) == 2
    headers = dict(home.run("dlq", "show", second["id"], "--json").data["headers"])
    assert headers["ce_id"] == dict(shown["headers"])["ce_id"]
    none = home.run("dlq", "show", "nothing")
    assert (none.code, none.out) == (1, "")
    assert "there is no dead letter nothing" in none.err


def test_replay_says_identical_and_topics_migrate_and_settings_answer(home: Home) -> None:
    home.settled()
    verified = home.run("replay", "--verify", "--json")
    assert verified.code == 0, verified.out + verified.err
    assert verified.data["identical"] is True
    assert verified.data["tables"]["signals"]["rows"] > 0
    assert {each["differences"] for each in verified.data["tables"].values()} == {0}
    partitions = {"TRACKRECORD_TOPIC_PARTITIONS": "2"}
    topics = home.run("topics", "--json", **partitions)
    assert topics.code == 0
    assert set(topics.data["topics"].values()) == {"there"}
    assert "signal_emitted.dlq" in topics.data["topics"]
    other = home.run("topics", "--json")
    assert other.code == 1
    assert "has 2 partitions, 12 were asked for" in other.data["topics"]["signal_emitted"]
    migrated = home.run("migrate", "--json").data
    assert migrated["before"] == migrated["after"]
    listed = {each["variable"]: each for each in home.run("settings", "--json").data}
    assert listed["TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"]["value"] == home.state["kafka"]
    kept = json.loads((home.path / "state.json").read_text())
    password = kept["database_url"].split(":")[2].split("@")[0]
    assert password not in json.dumps(listed)
    assert password not in home.run("status").out


def test_a_database_without_tables_names_the_command_that_makes_them(home: Home) -> None:
    empty = {"TRACKRECORD_DATABASE_SCHEMA": "nothing_here"}
    for arguments in (("report",), ("report", "--scripts"), ("dlq", "list"), ("replay",)):
        ran = home.run(*arguments, **empty)
        assert ran.code == 2, arguments
        assert "trackrecord migrate" in ran.err
        assert "Traceback" not in ran.err


def test_a_topic_that_is_not_there_names_the_command_that_makes_it(home: Home) -> None:
    ran = home.run("publish", stdin=opened("no-topic"), TRACKRECORD_TOPIC_PREFIX="nowhere.")
    assert ran.code == 2
    assert "nowhere.signal_emitted" in ran.err
    assert "trackrecord topics" in ran.err


def test_a_run_whose_broker_goes_away_waits_and_is_sent_by_the_next(
    home: Home, tmp_path: Path
) -> None:
    path, mark, go = tmp_path / "patient.py", tmp_path / "runs", tmp_path / "go"
    path.write_text(
        f"import os, time\nopen({str(mark)!r}, 'w')\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\nprint('BUY AAPL')\n"
    )
    process = subprocess.Popen(
        command("run-script", "--home", home.path, path),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(mark.exists, "the script runs")
    Stack.stop(home.path, "kafka")
    try:
        go.write_text("")
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (2, "BUY AAPL\n")
        assert "NOT published" in err
        assert str(home.path / "spool") in err
        # Without a broker nothing is run any more.
        mark.unlink()
        again = trackrecord("run-script", "--home", home.path, path)
        assert (again.code, mark.exists()) == (2, False)
        assert "no broker at" in again.err
        assert "trackrecord status" in again.err
    finally:
        Stack.restart(home.path, "kafka")
    other = tmp_path / "other.py"
    other.write_text("print('nothing today')\n")
    assert trackrecord("run-script", "--home", home.path, other).code == 0

    def both() -> bool:
        scripts = home.run("report", "--scripts", "--json").data["scripts"]
        return {"patient.py", "other.py"} <= set(scripts)

    until(both, "both runs are on record")
