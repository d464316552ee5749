"""How commands end: one line, the right exit code, and the rest in a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.e2e.cli import ROOT, command, environment, trackrecord
from trackrecord.cli import ending
from trackrecord.cli.ending import Terminated, if_stopped, run


def raising(error: BaseException) -> Callable[[], int | None]:
    def do() -> NoReturn:
        raise error

    return do


def test_a_mistake_of_the_program_s_is_one_line_and_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["report", "--home", str(tmp_path)]
    assert run(raising(KeyError("that\x1b[31m")), argv) == 2
    out, err = capsys.readouterr()
    file = tmp_path / "logs" / "trackrecord-errors.log"
    assert out == ""
    assert len(err.splitlines()) == 1
    assert str(file) in err
    assert "\x1b" not in err
    assert "Traceback" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("stopped", "code"),
    [
        (KeyboardInterrupt(), 130),
        (Terminated(signal.SIGTERM), 143),
        (Terminated(signal.SIGHUP), 129),
    ],
)
def test_a_stopped_command_says_what_was_done(
    stopped: KeyboardInterrupt, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        with if_stopped(lambda: "120,000 of 300,000 events were sent"):
            raise stopped

    assert run(work, []) == code
    assert capsys.readouterr().err == (
        "trackrecord: stopped; 120,000 of 300,000 events were sent\n"
    )


@pytest.mark.parametrize(
    ("module", "argv", "words"),
    [
        ("services", ["up"], "needs the checkout"),
        ("services.trainer", ["replay"], "needs the checkout"),
        ("psutil", ["up"], "'trackrecord[local]'"),
        ("polars", ["train"], "'trackrecord[learning]'"),
        ("polars", ["publish"], "'trackrecord[services]'"),
        ("lightgbm", ["train"], "'trackrecord[learning]'"),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_extra(
    module: str, argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(ModuleNotFoundError("no", name=module)), argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert words in line


def test_every_extra_that_is_named_is_one_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert ending.EXTRAS.keys() <= project["optional-dependencies"].keys()


@pytest.mark.parametrize("arguments", [("settings",), ("--help",), ("extract", "--json")])
def test_an_output_that_is_full_is_said(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            command(*arguments), stdout=full, stderr=subprocess.PIPE, input=b"BUY AAPL",
            env=environment(TRACKRECORD_HOME=str(tmp_path)), check=False,
        )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr == b"trackrecord: cannot write the output: No space left on device\n"


def test_an_output_that_nobody_reads_is_said(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        command("settings"), stdout=writing, stderr=subprocess.PIPE,
        env=environment(TRACKRECORD_HOME=str(tmp_path)), check=False,
    )  # fmt: skip
    os.close(writing)
    assert ran.returncode == 2
    [line] = ran.stderr.splitlines()
    assert b"what read the output has closed it" in line


def test_a_signal_in_the_middle_of_a_command_is_told_by_the_exit_code() -> None:
    code = (
        "import sys, time\n"
        "from trackrecord.cli import ending\n"
        "ending.stop_on_signals()\n"
        "def work():\n"
        "    print('works', flush=True)\n"
        "    time.sleep(30)\n"
        "sys.exit(ending.run(work, []))\n"
    )
    for number, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(number)
            _, err = process.communicate(timeout=10)
        assert (process.returncode, err) == (expected, "trackrecord: stopped\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("reprot",), "Did you mean 'report'?"),
        (("dlq", "lsit"), "Did you mean 'list'?"),
        (("up", "--kafka-port", "99999"), "--kafka-port"),
        (("up", "--home", "/proc/x"), "the stack's state cannot be kept in /proc/x"),
    ],
)
def test_a_wrong_command_line_is_one_line(arguments: tuple[str, ...], words: str) -> None:
    ran = trackrecord(*arguments)
    assert ran.code == 2
    [line] = ran.err.splitlines()
    assert words in line


def test_a_variable_that_nothing_reads_is_named_by_every_command(tmp_path: Path) -> None:
    for arguments in (("extract",), ("status",), ("settings", "--json")):
        ran = trackrecord(*arguments, cwd=tmp_path, TRACKRECORD_BATCHSIZE="10")
        assert "TRACKRECORD_BATCHSIZE is no setting" in ran.err, arguments
        assert "TRACKRECORD_BATCH_SIZE" in ran.err
