"""Compiled modules are taken while they are those of the sources, and say what these say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import compile as compiling
from trackrecord import compiled

ROOT = Path(__file__).parents[2]

ASK = """
import hashlib, random
from benchmarks.outputs import events
from trackrecord.extraction import COMPILED, extract, lines

rng = random.Random(1)
texts = [event.output for event in events(300, 3)]
for text in list(texts):
    for _ in range(3):
        at = rng.randrange(len(text))
        texts.append(text[:at] + rng.choice("\\n:|$%,.(-9BUY \\u2212\\x00\\ud800") + text[at + 1:])
    texts.append(text[: rng.randrange(len(text))] + text[rng.randrange(len(text)):])
said = hashlib.sha256()
for text in texts:
    for explained in (True, False):
        said.update(repr(extract(text, explained=explained)).encode())
print(COMPILED, lines.__file__.endswith(".py"), said.hexdigest())
"""
SAY = "import sample; print(sample.COMPILED, sample.words.SAID)"


def make_package(parent: Path) -> Path:
    package = parent / "sample"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from trackrecord import compiled\n"
        "COMPILED = compiled.prefer(__path__)\n"
        "from sample import words\n"
    )
    (package / "words.py").write_text("SAID = 'source'\n")
    return package


def ask(code: str, *search: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, search))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=search[0], check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def test_a_package_that_is_not_compiled_runs_its_sources(tmp_path: Path) -> None:
    make_package(tmp_path)
    assert ask(SAY, tmp_path, ROOT) == "False source"


def test_what_was_compiled_of_the_same_sources_is_taken(tmp_path: Path) -> None:
    package = make_package(tmp_path)
    folder = compiled.folder(package)
    folder.mkdir(parents=True)
    (folder / "words.py").write_text("SAID = 'compiled'\n")
    assert ask(SAY, tmp_path, ROOT) == "True compiled"


@pytest.mark.parametrize("change", ["edited", "added", "removed", "renamed"])
def test_what_was_compiled_of_other_sources_is_not(tmp_path: Path, change: str) -> None:
    package = make_package(tmp_path)
    (package / "more.py").write_text("")
    folder = compiled.folder(package)
    folder.mkdir(parents=True)
    (folder / "words.py").write_text("SAID = 'compiled'\n")
    if change == "edited":
        (package / "words.py").write_text("SAID = 'edited'\n")
    elif change == "added":
        (package / "another.py").write_text("")
    elif change == "removed":
        (package / "more.py").unlink()
    else:
        (package / "more.py").rename(package / "most.py")
    assert ask(SAY, tmp_path, ROOT) == f"False {'edited' if change == 'edited' else 'source'}"


@pytest.mark.skipif(
    not (shutil.which("cc") or shutil.which("gcc")), reason="there is no C compiler"
)
@pytest.mark.timeout(300)
def test_compiled_extraction_says_what_its_sources_say(tmp_path: Path) -> None:
    # Takes half a minute, unless `make test` has compiled it just before.
    compiling.build(ROOT / "trackrecord" / "extraction")
    shutil.copytree(
        ROOT / "trackrecord", tmp_path / "trackrecord",
        ignore=shutil.ignore_patterns(compiled.FOLDER, "__pycache__"),
    )  # fmt: skip
    fast, slow = ask(ASK, ROOT), ask(ASK, tmp_path, ROOT)
    assert fast.split()[:2] == ["True", "False"]
    assert slow.split()[:2] == ["False", "True"]
    assert fast.split()[2] == slow.split()[2]


def test_a_source_that_cannot_be_compiled_is_named(tmp_path: Path) -> None:
    package = make_package(tmp_path)
    (package / "words.py").write_text("SAID: int = 'no number'\n")
    with pytest.raises(RuntimeError, match=r"words\.py:1"):
        compiling.build(package)
    assert not compiled.folder(package).exists()
