"""The way of an event that the documents describe is one that a reader can walk."""

from __future__ import annotations

import re
from pathlib import Path

import trackrecord

ROOT = Path(trackrecord.__file__).parent.parent


def test_an_event_is_followed_from_its_topic_to_its_table_in_ten_files_or_fewer() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    section = text.split("## One event, from the topic to the table")[1].split("\n## ")[0]
    files = re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)
    assert 5 < len(files) <= 10
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_the_map_of_the_runtime_names_every_file_and_folder_of_it() -> None:
    folder = ROOT / "trackrecord/runtime"
    text = (folder / "README.md").read_text()
    inside = {each.name for each in folder.glob("*.py")}
    inside |= {f"loop/{each.name}" for each in (folder / "loop").glob("*.py")}
    inside -= {"__init__.py", "loop/__init__.py"}
    inside |= {f"{each.name}/" for each in folder.iterdir() if (each / "__init__.py").is_file()}
    assert [name for name in sorted(inside) if name not in text] == []
    named = re.findall(r"`([a-z_/]+(?:\.py|/))`", text)
    assert [name for name in named if not any((at / name).exists() for at in (folder, ROOT))] == []
