"""Running scripts: their output, their exit code, their time limit."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from trackrecord.events import ScriptExecuted
from trackrecord.events.codec import MAX_EVENT_BYTES, InvalidEventError, encode
from trackrecord.publishing.run_script import execute, read_output
from trackrecord.runtime.errors import ConfigurationError


def run(folder: Path, code: str, *arguments: str, **more: Any) -> ScriptExecuted:
    path = folder / "script.py"
    path.write_text(code)
    options: dict[str, Any] = {"timeout": 20.0, "output_limit": 100_000} | more
    return execute(path, arguments, **options)


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
    assert execute(path, ["AAPL"], timeout=10, output_limit=1000).output == "BUY AAPL\n"


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


def kept(raw: bytes, limit: int) -> str:
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.flush()
        return read_output(file.fileno(), limit)


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
