"""What the document promises, held against the answers to requests that nobody thought of.

A short look here; ``make api-fuzz`` looks for longer, and at sequences of requests, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import Served

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]

CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = os.environ.get("API_FUZZ_SECONDS", "20")
CASES = os.environ.get("API_FUZZ_CASES", "5")
PHASES = os.environ.get("API_FUZZ_PHASES", "coverage,fuzzing")
SEED = "21"


def test_no_request_finds_a_fault_or_an_answer_that_the_document_does_not_name(
    api: Served, tmp_path: Path
) -> None:
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            *(f"{api.url}/api/v1/openapi.json", "--seed", SEED, "--no-color"),
            *("--phases", PHASES, "--max-examples", CASES, "--max-time", SECONDS),
            *("--continue-on-failure", "--generation-database", "none"),
            # It does not end; tests of its own look at it.
            *("--exclude-path", "/api/v1/stream"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    assert "Selected: 31/32" in run.stdout
