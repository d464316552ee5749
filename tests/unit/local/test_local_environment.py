"""What a stack's processes see of the user's environment, and where its home cannot be kept."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest

from trackrecord.local.environment import for_the_stack
from trackrecord.local.errors import StackFailed
from trackrecord.local.layout import Home


def test_what_is_meant_for_other_servers_is_not_seen() -> None:
    foreign = [
        "PGSSLMODE", "PGOPTIONS", "PGSERVICE", "PGPASSFILE", "PGHOSTADDR", "PGDATA",
        "HTTP_PROXY", "https_proxy", "ALL_PROXY", "no_proxy",
        "KAFKA_OPTS", "KAFKA_HEAP_OPTS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS",
        "CLASSPATH", "LOG4J_CONFIGURATION_FILE",
        "TRACKRECORD_KAFKA_SECURITY_PROTOCOL", "TRACKRECORD_KAFKA_SASL_PASSWORD",
        "TRACKRECORD_KAFKA_SSL_CA_LOCATION",
    ]  # fmt: skip
    kept = ["PATH", "HOME", "JAVA_HOME", "TRACKRECORD_KAFKA_LINGER_MS", "TRACKRECORD_BATCH_SIZE"]
    assert for_the_stack(dict.fromkeys([*foreign, *kept], "x")) == dict.fromkeys(kept, "x")


def test_a_home_that_cannot_be_kept_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    places = [file, file / "below", Path("/proc/x"), Path("/sys/x")]
    for place in [each for each in places if each.parent.exists()]:
        with pytest.raises(StackFailed) as raised:
            Home.at(place).make()
        words = str(raised.value)
        assert words.startswith(f"the stack's state cannot be kept in {place}: ")
        assert "--home" in words
        assert "\n" not in words


def test_making_a_home_leaves_no_trace_of_the_try(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    home.make()
    assert sorted(each.name for each in home.path.iterdir()) == ["control", "data", "logs"]


def test_a_full_disk_is_noticed_before_anything_is_started(
    tmp_path: Path,
) -> None:
    # A limit on the size of files stands in for the disk's end.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StackFailed, match="File too large; name a folder"):
            Home.at(tmp_path / "home").make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
