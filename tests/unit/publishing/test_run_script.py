"""Running scripts: their output, their exit code, their time limit."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.events import ScriptExecuted
from trackrecord.events.codec import MAX_EVENT_BYTES, InvalidEventError, encode
from trackrecord.extraction import extract
from trackrecord.publishing.processes import StopRequests
from trackrecord.publishing.run_script import Execution, execute, how_it_ended
from trackrecord.publishing.script_output import ScriptOutput
from trackrecord.runtime.errors import ConfigurationError


def execution(folder: Path, code: str, *arguments: str, **more: Any) -> Execution:
    path = folder / "script.py"
    path.write_text(code)
    options: dict[str, Any] = {"timeout": 20.0, "output_limit": 100_000} | more
    return execute(path, arguments, **options)


def run(folder: Path, code: str, *arguments: str, **more: Any) -> ScriptExecuted:
    return execution(folder, code, *arguments, **more).event


def test_output_and_errors_are_kept_in_their_order(tmp_path: Path) -> None:
    event = run(
        tmp_path,
        "import sys\nprint('one')\nsys.stderr.write('two\\n')\nprint('three ✓')\nsys.exit(3)",
    )
    assert event.output == "one\ntwo\nthree ✓\n"
    assert event.exit_code == 3
    assert event.script == "script.py"
    assert event.started_at <= event.finished_at


def test_arguments_are_handed_over_as_they_are(tmp_path: Path) -> None:
    code = "import sys\nprint(sys.argv[1:])"
    event = run(tmp_path, code, "--as-of", "2026-03-02", "a b", "$HOME; rm -rf /", name="sma")
    assert event.output == "['--as-of', '2026-03-02', 'a b', '$HOME; rm -rf /']\n"
    assert event.script == "sma"
    assert event.program is not None
    assert event.program.endswith("--as-of 2026-03-02 a b $HOME; rm -rf /")


def test_it_reads_nothing_from_our_standard_input(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys\nprint(repr(sys.stdin.read()))").output == "''\n"


def test_whatever_is_executable_runs(tmp_path: Path) -> None:
    path = tmp_path / "decide"
    path.write_text("#!/bin/sh\necho BUY $1\n")
    path.chmod(0o755)
    assert execute(path, ["AAPL"], timeout=10, output_limit=1000).event.output == "BUY AAPL\n"


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no script .*nothing\.py"):
        execute(tmp_path / "nothing.py", [], timeout=1, output_limit=1000)


def test_a_script_that_may_not_be_executed_says_so(tmp_path: Path) -> None:
    path = tmp_path / "decide.sh"
    path.write_text("echo BUY")
    with pytest.raises(ConfigurationError, match=r"cannot start .*decide\.sh"):
        execute(path, [], timeout=1, output_limit=1000)


def test_the_time_limit_ends_it_and_what_it_started_and_keeps_what_it_printed(
    tmp_path: Path,
) -> None:
    started = time.monotonic()
    event = run(
        tmp_path,
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)\ntime.sleep(60)\n",
        timeout=1.0,
    )
    assert time.monotonic() - started < 10
    assert event.exit_code == -15
    first, *_, last = event.output.strip().splitlines()
    assert last == "[ended after 1 seconds: the time limit]"
    assert not alive(int(first))


def test_a_script_that_heeds_no_request_is_killed(tmp_path: Path) -> None:
    event = run(
        tmp_path,
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('on')\ntime.sleep(60)",
        timeout=1.0,
    )
    assert event.exit_code == -9
    assert event.output.startswith("on\n")


def test_what_outlives_a_leader_that_ended_in_time_limit_is_killed_too(tmp_path: Path) -> None:
    """The leader heeds the request, its child does not."""
    event = run(
        tmp_path,
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time; "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)'],"
        " stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\nprint(child.pid)\ntime.sleep(60)\n",
        timeout=1.5,
    )
    assert not alive(int(event.output.splitlines()[0]))


def alive(pid: int) -> bool:
    for _ in range(50):
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return False
        if status == "Z":
            return False
        time.sleep(0.02)
    return True


def test_nul_and_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    event = run(tmp_path, "import sys\nsys.stdout.buffer.write(b'a\\x00b\\xffc\\n')")
    assert event.output == "a\ufffdb\ufffdc\n"


def test_output_beyond_the_limit_loses_its_middle_and_says_how_much(tmp_path: Path) -> None:
    event = run(
        tmp_path,
        "print('BUY first')\nfor _ in range(20000): print('noise')\nprint('SELL last')",
        output_limit=2000,
    )
    assert event.output.startswith("BUY first\n")
    assert event.output.endswith("SELL last\n")
    whole = len("BUY first\n") + 20000 * len("noise\n") + len("SELL last\n")
    assert f"[… {whole - 2000:,} bytes cut …]" in event.output
    assert len(event.output) < 2100


def kept(raw: bytes, limit: int, at_once: int = 7) -> str:
    output = ScriptOutput(limit)
    for start in range(0, len(raw), at_once):
        output.add(raw[start : start + at_once])
    assert output.total == len(raw)
    return output.text(limit)


@given(st.binary(max_size=300), st.integers(2, 60), st.integers(1, 80))
def test_beginning_and_end_are_kept_however_it_comes(raw: bytes, limit: int, at_once: int) -> None:
    text = raw.hex().encode()  # no bytes that would be replaced
    found = kept(text, limit, at_once)
    if len(text) <= limit:
        assert found == text.decode()
        return
    half = limit // 2
    first, cut, last = found.split("\n")
    assert (first, last) == (text[:half].decode(), text[-half:].decode())
    assert cut == f"[… {len(text) - 2 * half:,} bytes cut …]"


def test_output_of_just_the_limit_is_whole() -> None:
    assert kept(b"x" * 100, 100) == "x" * 100
    assert "cut" in kept(b"x" * 101, 100)


@pytest.mark.parametrize("byte", ["\\xff", "\\x01", '"', "\\xc3\\xa9"])
def test_output_that_grows_in_an_event_is_cut_until_the_event_fits(
    tmp_path: Path, byte: str
) -> None:
    """A byte that is no text takes three in UTF-8, a control character six in JSON."""
    code = f"import sys\nsys.stdout.buffer.write(b'BUY' + b'{byte}' * 300_000 + b'SELL')"
    event = run(tmp_path, code, output_limit=200 * 1024)
    assert len(encode(event)) <= MAX_EVENT_BYTES
    assert event.output.startswith("BUY")
    assert event.output.endswith("SELL")
    assert "bytes cut" in event.output


@pytest.mark.parametrize("more", [{"name": ""}, {"symbol": "x" * 65}, {"name": "a\nb"}])
def test_a_name_that_no_event_can_hold_is_refused_before_the_script_runs(
    tmp_path: Path, more: dict[str, str]
) -> None:
    mark = tmp_path / "ran"
    with pytest.raises(InvalidEventError, match=r"script|symbol"):
        run(tmp_path, f"open({str(mark)!r}, 'w')", **more)
    assert not mark.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_ends_the_script_and_keeps_what_it_printed(
    tmp_path: Path, number: signal.Signals
) -> None:
    mark = tmp_path / "printed"
    code = f"import time\nprint('BUY', flush=True)\nopen({str(mark)!r}, 'w')\ntime.sleep(60)"

    def ask() -> None:
        while not mark.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    # Whoever runs the tests may have it ignored, as `nohup` does, and ignored it would stay.
    before = signal.signal(number, signal.default_int_handler)
    try:
        with StopRequests() as stop:
            threading.Thread(target=ask).start()
            found = execution(tmp_path, code, stop=stop)
    finally:
        signal.signal(number, before)
    assert stop.first is number
    assert found.event.exit_code == -signal.SIGTERM
    assert found.ended_early == f"by {number.name}: run-script was asked to stop"
    assert found.event.output == f"BUY\n\n[ended {found.ended_early}]\n"


def test_a_script_that_heeds_the_request_has_not_ended_by_itself(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "print('on')\ntime.sleep(60)"
    )
    assert run(tmp_path, code, timeout=1.0).exit_code == -signal.SIGTERM


@pytest.mark.parametrize("why", ["after 3 seconds: the time limit",
                                 "by SIGINT: run-script was asked to stop"])  # fmt: skip
def test_the_note_about_its_end_is_no_decision(why: str) -> None:
    found = extract(f"Analysing AAPL\n\n[ended {why}]\n")
    assert found.final_action is None
    assert extract(f"BUY AAPL\n\n[ended {why}]\n").final_action == "BUY"


def test_signals_that_were_ignored_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequests() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
        assert stop.first is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


_LEAVES = """
import os, signal, subprocess, sys, time
code = (
    "import os, signal, time\\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
    "if os.fork(): os._exit(0)\\n"
    "os.setsid()\\n"
    "if os.fork(): os._exit(0)\\n"
    "print(os.getpid(), flush=True)\\n"
    "time.sleep(60)"
)
subprocess.run([sys.executable, "-c", code])
time.sleep(60)
"""


def test_what_has_left_its_session_is_ended_with_it_too(tmp_path: Path) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("processes are found by /proc")
    event = run(tmp_path, _LEAVES, timeout=1.5)
    assert not alive(int(event.output.splitlines()[0]))


def test_what_outlives_a_script_that_ended_by_itself_is_let_be_and_not_waited_for(
    tmp_path: Path,
) -> None:
    started = time.monotonic()
    event = run(
        tmp_path,
        "import subprocess, sys\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)']).pid)",
    )
    assert time.monotonic() - started < 10
    pid = int(event.output)
    assert (event.exit_code, alive_now(pid)) == (0, True)
    os.kill(pid, signal.SIGKILL)


def alive_now(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_what_it_prints_without_end_takes_no_memory_nor_disk(tmp_path: Path) -> None:
    path = tmp_path / "yes"
    path.write_text("#!/bin/sh\nexec yes\n")
    path.chmod(0o755)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = execute(path, [], timeout=1.0, output_limit=10_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert found.bytes_cut > 1_000_000
    assert len(found.event.output) < 10_200
    assert grown < 20_000  # KiB; it prints gigabytes


def test_a_script_that_closes_its_output_is_awaited(tmp_path: Path) -> None:
    event = run(tmp_path, "import os, sys, time\nos.close(1)\nos.close(2)\ntime.sleep(0.3)")
    assert (event.exit_code, event.output) == (0, "")
    assert (event.finished_at - event.started_at).total_seconds() > 0.25


def test_its_environment_is_the_one_it_is_given(tmp_path: Path) -> None:
    code = "import os\nprint(os.environ['A'], os.environ['TRACKRECORD_EXECUTION_ID'])"
    event = run(tmp_path, code, environ={"A": "b", "PATH": os.environ["PATH"]})
    assert event.output == f"b {event.execution_id}\n"


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "ended by SIGKILL"), (-99, "ended by signal 99")],
)
def test_how_a_script_ended_is_put_in_words(exit_code: int, words: str) -> None:
    assert how_it_ended(exit_code) == words
