"""A virtual environment for Quix Streams, made once and kept with the parts of the local stack.

Quix Streams pins an older confluent-kafka than this project, so it needs one of its own. The
versions and their hashes are in ``peers/quix-requirements.lock``.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from trackrecord.local.parts import cache_folder

LOCK = Path(__file__).parent / "peers" / "quix-requirements.lock"
_SECONDS = 600.0


class Unavailable(Exception):  # noqa: N818 - it is a fact about the machine
    """The environment cannot be made here; the text says why."""


def quix_python() -> Path:
    """The interpreter in which ``quixstreams`` can be imported (a minute, the first time).

    Raises:
        Unavailable: It cannot be installed here.
    """
    content = LOCK.read_bytes() + sys.version.encode()
    folder = cache_folder() / f"quix-{hashlib.sha256(content).hexdigest()[:12]}"
    python, whole = folder / "bin" / "python", folder / "whole"
    if whole.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(folder)])
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([str(python), *install, "--require-hashes", "--requirement", str(LOCK)])
    run([str(python), "-c", "import quixstreams.sinks.community.postgresql"])
    whole.touch()
    return python


def run(command: list[str]) -> None:
    """Run a step of the installation.

    Raises:
        Unavailable: It failed; says what it said.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise Unavailable(last[0][:300])
