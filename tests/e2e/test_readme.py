"""What the README shows works as it is printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trackrecord.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def environ(settings: Settings, home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "DATABASE_URL": settings.database_url,
        "TRACKRECORD_TOPIC_PREFIX": settings.topic_prefix,
        "TRACKRECORD_DATABASE_SCHEMA": settings.database_schema,
        "TRACKRECORD_TOPIC_PARTITIONS": str(settings.topic_partitions),
        "TRACKRECORD_HOME": str(home),
    }


@pytest.mark.kafka
def test_the_strategy_and_the_published_line_work_as_printed(
    settings: Settings, tmp_path: Path
) -> None:
    env = environ(settings, tmp_path)
    command = [sys.executable, "-m", "trackrecord.cli.main"]
    subprocess.run([*command, "topics"], env=env, check=True, capture_output=True)

    strategy = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert strategy is not None
    script = tmp_path / "my_strategy.py"
    script.write_text(strategy[1])
    said = subprocess.run(
        [sys.executable, str(script)], env=env, check=True, capture_output=True, text=True
    )
    assert "accepted=2" in said.stdout, said

    echo = re.search(
        r"^(echo '.*?\| \.venv/bin/trackrecord publish)$", README, re.DOTALL | re.MULTILINE
    )
    assert echo is not None
    line = echo[1].replace(".venv/bin/trackrecord", " ".join(command))
    done = subprocess.run(
        ["/bin/sh", "-c", line], env=env, check=False, capture_output=True, text=True
    )
    assert done.stdout.startswith("published 1, refused 0"), done.stderr

    tracker = subprocess.Popen(
        [*command, "run", "signal_tracker"], env=env, stderr=subprocess.DEVNULL
    )
    try:
        record = None
        for _ in range(100):
            report = subprocess.run(
                [*command, "report", "--json"], env=env, check=True, capture_output=True
            )
            record = json.loads(report.stdout)["strategies"]
            # A signal and its exit come on two topics, so the exit may be read a moment later.
            if "mine" in record and record.get("my_strategy", {}).get("closed") == 1:
                break
    finally:
        tracker.terminate()
        assert tracker.wait(20) == 0
    assert record is not None
    assert record["my_strategy"]["total_pnl"] == "14.5"  # (151.80 - 150.25) * 10 - 1.00
    assert record["mine"]["signals"] == 1


def test_every_command_named_in_the_readme_exists() -> None:
    named = set(re.findall(r"\.venv/bin/trackrecord ([a-z-]+)", README))
    help_text = subprocess.run(
        [sys.executable, "-m", "trackrecord.cli.main", "--help"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert named
    assert all(re.search(rf"\b{name}\b", help_text) for name in named)


def test_every_file_named_in_the_documents_exists() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_table_of_settings_is_up_to_date() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "trackrecord.cli.main", "settings", "--markdown"],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert said.stdout.strip() in (ROOT / "docs" / "settings.md").read_text()


def test_make_lists_its_targets() -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    said = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True)
    for target in ("setup", "demo", "test", "check", "bench"):
        assert re.search(rf"^make {target} ", said.stdout, re.MULTILINE)
