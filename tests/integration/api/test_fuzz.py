"""What the document promises, held against the answers to requests that nobody thought of.

A short look here; ``make api-fuzz`` looks for longer, and at sequences of requests, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.guarded import ROLES, Guarded
from tests.support.serving import Served

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]

CONFIG = Path(__file__).with_name("schemathesis.toml")
SECONDS = os.environ.get("API_FUZZ_SECONDS", "10")
CASES = os.environ.get("API_FUZZ_CASES", "5")
PHASES = os.environ.get("API_FUZZ_PHASES", "coverage,fuzzing")
SEED = "21"
OPERATIONS = 68


def look(url: str, place: Path, *more: str, but: int = 0) -> None:
    """Hold an API against its document."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run"),
            *(str(place / "openapi.json"), "--url", url, "--seed", SEED, "--no-color"),
            *("--phases", PHASES, "--max-examples", CASES, "--max-time", SECONDS),
            *("--continue-on-failure", "--generation-database", "none"),
            # It does not end; tests of its own look at it.
            *("--exclude-path", "/api/v1/stream"),
            *more,
        ],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    assert f"Selected: {OPERATIONS - but}/{OPERATIONS + 1}" in run.stdout


def test_no_request_finds_a_fault_or_an_answer_that_the_document_does_not_name(
    api: Served, tmp_path: Path
) -> None:
    (tmp_path / "openapi.json").write_text(api.get("/api/v1/openapi.json").text)
    look(api.url, tmp_path)


# Whoever may change users and keys finds out how to lose its own, and goes on as nobody.
OWN_END = ("/api/v1/users/{name}", "/api/v1/me/keys/{key_id}")


@pytest.mark.parametrize("person", [*ROLES, "nobody"])
def test_nor_does_a_request_of_any_role(asked: Guarded, tmp_path: Path, person: str) -> None:
    document = asked.people["root"].get("/api/v1/openapi.json").text
    (tmp_path / "openapi.json").write_text(document)
    key = asked.keys.get(person, "none")
    excluded = [word for path in OWN_END for word in ("--exclude-path", path)]
    if person == "nobody":
        # Who has not said who they are is told so first, whatever the method.
        excluded += ["--exclude-checks", "unsupported_method"]
    look(asked.url, tmp_path, "--header", f"X-API-Key: {key}", *excluded, but=len(OWN_END))
