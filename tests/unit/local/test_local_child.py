"""Children end with whoever started them, and are stopped, logged and named rightly."""

import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from trackrecord.local import child
from trackrecord.local.child import FOLDER_PATH, Program, User
from trackrecord.local.errors import LocalStackError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changing the account takes root")

# Says that it is set up, then tells which signal ended it.
LISTENER = """
import pathlib, signal, sys, time
def told(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    sys.exit(0)
signal.signal(signal.SIGINT, told)
signal.signal(signal.SIGTERM, told)
print("listening", flush=True)
time.sleep(60)
"""
PARENT = """
import pathlib, signal, sys, time
from trackrecord.local.child import Program, start
log = pathlib.Path(sys.argv[1])
one = start(Program("one", (sys.executable, "-c", sys.argv[2]), log, stop_signal=signal.SIGINT))
print(one.pid, flush=True)
time.sleep(60)
"""


def eventually(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def python(log: Path, code: str) -> Program:
    return Program("python", (sys.executable, "-c", code), log)


@pytest.mark.parametrize("watcher", [False, True], ids=["by the kernel", "by a watcher"])
def test_a_child_gets_its_own_stop_signal_when_its_parent_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watcher: bool
) -> None:
    if watcher:
        monkeypatch.setenv("TRACKRECORD_LOCAL_WATCHER", "1")
    log = tmp_path / "one.log"
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, log, LISTENER], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        created = child.created_at(pid)
        eventually(lambda: "listening" in child.tail(log))
        below = psutil.Process(pid).children()
        assert child.is_alive(pid, created)
        parent.kill()
    eventually(lambda: not child.is_alive(pid, created))
    assert "got SIGINT" in child.tail(log)
    eventually(lambda: not any(one.is_running() and one.status() != "zombie" for one in below))


def test_a_child_that_ignores_its_stop_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    log = tmp_path / "deaf.log"
    code = "import signal,time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    one = child.start(python(log, code.replace("'deaf'", "'deaf', flush=True")))
    eventually(lambda: "deaf" in child.tail(log))
    assert one.stop(grace=0.2) == -signal.SIGKILL


def test_a_paused_child_still_ends_in_good_order(tmp_path: Path) -> None:
    log = tmp_path / "paused.log"
    one = child.start(python(log, LISTENER))
    eventually(lambda: "listening" in child.tail(log))
    os.kill(one.pid, signal.SIGSTOP)
    assert one.stop(grace=5) == 0
    assert "got SIGTERM" in child.tail(log)


def test_what_a_child_started_does_not_outlive_it_when_it_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "family.log"
    code = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); input()"
    one = child.start(python(log, code.replace("input()", "import time; time.sleep(60)")))
    eventually(lambda: child.tail(log).strip().isdigit())
    grandchild = int(child.tail(log))
    created = child.created_at(grandchild)
    one.kill()
    one.wait(5)
    eventually(lambda: not child.is_alive(grandchild, created))


def test_a_program_that_cannot_be_run_says_so_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "absent.log"
    one = child.start(Program("absent", ("/no/such/program",), log))
    assert one.wait(10) == 127
    assert "cannot start /no/such/program" in child.tail(log)


def test_children_are_started_from_the_main_thread_only(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def attempt() -> None:
        try:
            child.start(python(tmp_path / "x.log", "pass"))
        except LocalStackError as error:
            errors.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


def test_each_start_gets_a_fresh_log_and_the_last_five_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "one.log"
    for number in range(8):
        child.rotate(log)
        log.write_text(f"start {number}")
    kept = {path.name: path.read_text() for path in log.parent.iterdir()}
    assert kept.pop("one.log") == "start 7"
    assert kept == {f"one.log.{back}": f"start {7 - back}" for back in range(1, 6)}


def test_a_reused_pid_is_not_taken_for_the_process_it_once_named(tmp_path: Path) -> None:
    one = child.start(python(tmp_path / "one.log", LISTENER))
    assert one.created is not None
    assert child.is_alive(one.pid, one.created)
    assert not child.is_alive(one.pid, one.created - 60)
    assert not child.stop_leftover(one.pid, one.created - 60, signal.SIGTERM, 1)
    assert one.exit_code() is None
    one.stop(grace=5)
    assert not child.is_alive(one.pid, one.created)


@as_root
def test_another_account_can_use_a_folder_that_it_cannot_reach(tmp_path: Path) -> None:
    entry = pwd.getpwnam("nobody")
    closed = tmp_path / "closed"
    folder = closed / "own"
    folder.mkdir(parents=True)
    closed.chmod(0o700)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    log = tmp_path / "nobody.log"
    script = f'id -u; ls "{folder}"; echo kept > {FOLDER_PATH}/file'
    one = child.start(
        Program(
            "nobody",
            ("/bin/sh", "-c", script),
            log,
            cwd=Path("/"),
            user=User("nobody", entry.pw_uid, entry.pw_gid),
            folder=folder,
        )
    )
    assert one.wait(10) == 0
    assert (folder / "file").read_text() == "kept\n"
    assert child.tail(log).startswith(f"{entry.pw_uid}\n")
    assert "Permission denied" in child.tail(log)
