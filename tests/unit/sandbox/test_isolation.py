"""What the probe finds is what there is: with layers left out it gets through, and says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trackrecord.sandbox.isolation import (
    Attempt,
    Isolation,
    SandboxError,
    find_isolation,
    probe,
    require,
)
from trackrecord.sandbox.launch import CONFINE, Launcher, Wrapper, linked_files, monty_binary
from trackrecord.sandbox.monty import MontyExecutor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="layers are those of Linux")


def opened(*layers: str) -> set[str]:
    """The ways that a probe finds open under some layers."""
    found = probe(Wrapper(layers), monty_binary())
    assert isinstance(found, Isolation), found
    if set(layers) & set(found.missing):
        pytest.skip(f"this machine has no {found.missing}")
    return {each.name for each in found.open_ways}


def test_nothing_is_open_under_both_layers() -> None:
    assert opened("landlock", "seccomp") == set()


def test_without_landlock_files_are_read_and_it_is_said() -> None:
    ways = opened("seccomp")
    assert "open" in ways
    assert not ways & {"create", "connect", "udp", "fork", "execve", "ptrace", "kill"}


def test_without_seccomp_processes_and_datagrams_are_open_and_it_is_said() -> None:
    ways = opened("landlock")
    assert {"fork", "udp", "unix", "datagram"} <= ways
    assert not ways & {"open", "create", "unlink", "connect", "execve"}


def test_without_layers_the_probe_gets_through_and_that_is_seen_from_outside() -> None:
    ways = opened()
    assert {"open", "create", "connect", "fork", "execve", "kill"} <= ways
    assert {"connection", "datagram", "file", "removed"} <= ways


def test_this_machine_is_probed_and_its_workers_are_as_the_probe_was() -> None:
    found = find_isolation()
    if found.missing:
        pytest.skip(f"this machine has no {found.missing}")
    assert found.level in {"kernel", "namespaces"}
    with MontyExecutor() as executor:
        worker = executor.worker()
    assert worker["program"] == "monty"
    assert worker["seccomp"] == "filter"
    assert worker["no_new_privs"] is True
    assert worker["capabilities"] == 0
    assert worker["descriptors"] == [0, 1, 2]
    assert worker["environment_bytes"] == 0


def test_descriptors_and_the_environment_of_this_process_stay_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACKRECORD_CANARY", "secret")
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    os.set_inheritable(writing, True)
    try:
        with MontyExecutor() as executor:
            worker = executor.worker()
    finally:
        os.close(reading)
        os.close(writing)
    assert worker["descriptors"] == [0, 1, 2]
    assert worker["environment_bytes"] == 0


def test_a_worker_whose_layers_are_missing_does_not_start() -> None:
    # As on a kernel without Landlock: its call is refused before the wrapper makes it.
    code = (
        "import sys; sys.argv = ['confine.py']\n"
        f"space = {{'__name__': 'confine'}}\nexec(open({str(CONFINE)!r}).read(), space)\n"
        "space['_LANDLOCK_CREATE'] = 99999\n"
        f"sys.exit(space['main']([{json.dumps(json.dumps(_specification()))}, '--version']))"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, check=False
    )
    assert ended.returncode == 71
    assert ended.stdout == b""


def _specification() -> dict[str, object]:
    return Wrapper(("landlock", "seccomp")).specification(monty_binary())


@pytest.mark.parametrize("arguments", [[], ["{"], ["[]"], ["{}"], ["null"]])
def test_a_bad_specification_starts_nothing(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(CONFINE), *arguments], capture_output=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (70, b"", b"")


def test_the_libraries_are_those_of_the_program_and_no_folders() -> None:
    files = linked_files(monty_binary())
    assert any("libc.so" in each for each in files)
    assert any(Path(each).name.startswith("ld-") for each in files)
    assert not any(Path(each).is_dir() for each in files)


def test_a_launcher_leaves_no_file() -> None:
    before = set(os.listdir("/tmp"))  # noqa: PTH208, S108 - what lies there
    launcher = Launcher(Wrapper(("landlock", "seccomp")), monty_binary())
    assert Path(launcher.path).exists()
    made = {each for each in set(os.listdir("/tmp")) - before if "sandbox" in each}  # noqa: PTH208, S108
    assert made == set()
    launcher.close()
    assert not Path(launcher.path).exists()


def test_less_than_what_is_asked_for_is_refused_with_the_ways_that_are_open() -> None:
    got = (Attempt("open", "read a file", refused=False, how="it worked"),)
    with pytest.raises(SandboxError, match="got through with: open"):
        require(Isolation(Wrapper(), got, {}, {}), "kernel")
    require(Isolation(Wrapper(), got, {}, {}), "process")
    kept = (Attempt("open", "read a file", refused=True, how="EACCES"),)
    require(Isolation(Wrapper(), kept, {}, {}), "kernel")
    with pytest.raises(SandboxError, match="bwrap"):
        require(Isolation(Wrapper(), kept, {}, {}), "namespaces")
