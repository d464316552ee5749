"""What a person must write, and has not yet: the file, the line, and what belongs there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from services import stage_named
from tools.generate.contracts import PYPROJECT, RULES_BELOW
from tools.generate.dashboard import DASHBOARD, runtime_metrics_not_shown
from tools.generate.documents import readme_of
from trackrecord.events.registry import EVENTS
from trackrecord.runtime.stage import Stage
from trackrecord.stages import STAGES, StageEntry

REGISTRY = Path("trackrecord/stages.py")
FILES = ("README.md", "service.py", "handler.py", "rows.py", "store.py", "tables.py", "metrics.py")
"""What a stage's folder holds, beside ``__init__.py``; a large file may be a folder."""
BESIDE = frozenset({"__init__.py", "sql"})
"""What may stand there besides: in ``sql`` the statements as they run, for readers."""


def problems(root: Path) -> list[str]:
    """Everything that is missing, each as ``file:line: what to write there``.

    Args:
        root: The checkout.
    """
    return [
        *_folders(root),
        *(line for name, entry in STAGES.items() for line in _stage(root, name, entry)),
        *_layers(root),
        *_migrations(root),
        *(
            f"{DASHBOARD}: add a panel with {metric} to the row `Every stage`"
            for metric in runtime_metrics_not_shown((root / DASHBOARD).read_text())
        ),
    ]


def _line_of(root: Path, path: Path, words: str) -> str:
    """``path:number`` of the first line that begins with these words."""
    lines = (root / path).read_text().splitlines()
    number = next((at for at, line in enumerate(lines, 1) if line.lstrip().startswith(words)), 1)
    return f"{path}:{number}"


def _folders(root: Path) -> Iterator[str]:
    folders = {path.parent.name for path in (root / "services").glob("*/service.py")}
    for name in sorted(folders - STAGES.keys()):
        at = _line_of(root, REGISTRY, "STAGES: Final")
        yield f'{at}: add the entry "{name}": StageEntry(...), for services/{name} is there'


def _stage(root: Path, name: str, entry: StageEntry) -> Iterator[str]:
    folder = Path("services") / name
    if not (root / folder / "service.py").is_file():
        at = _line_of(root, REGISTRY, f'"{name}": StageEntry')
        yield f"{at}: there is no {folder}/service.py: make the stage, or delete its entry"
        return
    yield from _files(root, folder)
    yield from _registered(root, name, entry)
    readme = (root / readme_of(name)).read_text() if (root / readme_of(name)).is_file() else ""
    migrations = "".join(
        path.read_text() for path in sorted((root / "migrations/versions").glob("*.py"))
    )
    for table in stage_named(name).tables:
        if f"\n### {table.name}\n" not in readme:
            yield f"{readme_of(name)}: add the section `### {table.name}`, with every column"
        if not re.search(rf"CREATE TABLE (IF NOT EXISTS )?{table.name}\b", migrations):
            yield f"migrations/versions: add a migration that makes the table {table.name}"
        if not re.search(rf"COMMENT ON TABLE {table.name}\b", migrations):
            yield f"migrations/versions: add COMMENT ON TABLE {table.name} IS '...'"


def _files(root: Path, folder: Path) -> Iterator[str]:
    there = {path.name for path in (root / folder).iterdir() if path.name != "__pycache__"}
    for file in FILES:
        if not {file, Path(file).stem} & there:
            yield f"{folder / file}: missing; every stage has it"
    allowed = {*FILES, *BESIDE, *(Path(file).stem for file in FILES)}
    for name in sorted(there - allowed):
        yield f"{folder / name}: a stage holds only {', '.join(FILES)}; move it into one of them"


def _registered(root: Path, name: str, entry: StageEntry) -> Iterator[str]:
    """Where the entry and the stage itself say different things."""
    at = _line_of(root, REGISTRY, f'"{name}": StageEntry')
    stage = stage_named(name)
    if stage.name != name:
        yield f"services/{name}/service.py: the stage calls itself {stage.name!r}, not {name!r}"
    for word, listed, events in (
        ("reads", entry.reads, stage.consumes),
        ("publishes", entry.publishes, stage.produces),
    ):
        for event_type in sorted(set(listed) - EVENTS.keys()):
            yield f"{at}: {word} names {event_type!r}, which is no event type"
        used = tuple(event.event_type for event in events)
        if set(used) != set(listed):
            yield f"{at}: write {word}={used!r}: that is what services/{name}/service.py does"
    plane = "data" if isinstance(stage, Stage) else "job"
    if plane != entry.plane:
        yield f'{at}: write plane="{plane}": that is what services/{name}/service.py is of'
    for package in entry.rules:
        places = (root / "trackrecord" / package, root / "trackrecord" / f"{package}.py")
        if not any(place.exists() for place in places):
            yield f"{at}: rules names {package!r}, and there is no trackrecord/{package}"


def _migrations(root: Path) -> Iterator[str]:
    """Migrations that do not follow one another."""
    after: dict[str, str] = {}
    for path in sorted((root / "migrations/versions").glob("*.py")):
        found = re.search(r'^down_revision = "(\w+)"', path.read_text(), re.MULTILINE)
        if found is None:
            continue
        if found[1] in after:
            at = _line_of(root, path.relative_to(root), "down_revision")
            other = f"{after[found[1]]} comes after {found[1]} already"
            yield f"{at}: name the newest revision; {other}"
        after.setdefault(found[1], path.name)


def _layers(root: Path) -> Iterator[str]:
    """Packages that no import contract speaks of."""
    contracts = tomllib.loads((root / PYPROJECT).read_text())["tool"]["importlinter"]["contracts"]
    by_id = {contract["id"]: contract for contract in contracts}
    layers = [layer.split(" | ") for layer in by_id["layers"]["layers"]]
    named = {name for layer in layers for name in layer}
    own = root / "trackrecord"
    there = {path.parent.name for path in own.glob("*/__init__.py")}
    there |= {path.stem for path in own.glob("*.py") if path.stem != "__init__"}
    at = _line_of(root, PYPROJECT, "layers = [")
    for package in sorted({f"trackrecord.{name}" for name in there} - named):
        yield f"{at}: put {package} into a layer: every package has its place"
    ours = {name for name in named if name.startswith("trackrecord.")}
    for package in sorted(ours - {f"trackrecord.{name}" for name in there}):
        yield f"{at}: delete {package} from its layer and from pure-rules: it is not there"
    below = next(at for at, layer in enumerate(layers) if RULES_BELOW in layer) + 1
    rules = {name for layer in layers[below:] for name in layer}
    at = _line_of(root, PYPROJECT, 'id = "pure-rules"')
    for package in sorted(rules - set(by_id["pure-rules"]["source_modules"])):
        yield f"{at}: add {package} to source_modules: it lies among the rules"
