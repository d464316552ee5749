"""``python -m tools.schemas``: write ``schemas/`` anew, check it, or release it.

For those who change the contract. Without options it writes what follows from
the models; ``--check`` writes nothing and names each file that is stale;
``--release`` freezes today's event schemas, after which a change that is not
backward compatible fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from trackrecord.events.compatibility import breaks
from trackrecord.events.documents import WRITTEN_BY, Document, documents, event_schema
from trackrecord.events.registry import EVENTS

DEFAULT_DIRECTORY: Final = Path("schemas")


def render(path: str, document: Document) -> str:
    """The text of a document, the same for the same document.

    Args:
        path: Where it is to stand; its suffix (``.json``, ``.yaml``) is the format.
        document: Plain values.
    """
    if path.endswith(".json"):
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    body = yaml.dump(document, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=100)
    return f"# {WRITTEN_BY}\n{body}"


def exported() -> dict[str, str]:
    """Every exported file's text by its path relative to ``schemas/``."""
    return {path: render(path, document) for path, document in documents().items()}


def stale(directory: Path, texts: Mapping[str, str]) -> list[str]:
    """Say which files differ from what the models give.

    Args:
        directory: Where the files stand.
        texts: What they should hold, by relative path.

    Returns:
        One line for each file that is missing, differs, or is exported no longer.
    """
    problems: list[str] = []
    for path, text in texts.items():
        file = directory / path
        if not file.is_file():
            problems.append(f"{file}: missing")
        elif file.read_bytes() != text.encode():
            problems.append(f"{file}: differs from the models")
    for folder, suffix in (("events", "json"), ("topics", "yaml")):
        problems.extend(
            f"{file}: no longer exported, delete it"
            for file in sorted((directory / folder).glob(f"*.{suffix}"))
            if f"{folder}/{file.name}" not in texts
        )
    return problems


def incompatible(directory: Path) -> list[str]:
    """Say what today's models would refuse or lose of events under the released schemas.

    Args:
        directory: Where ``released/`` stands.

    Returns:
        One line for each break; empty when compatible or when nothing is released.
    """
    problems: list[str] = []
    for model in EVENTS.values():
        name = f"{model.event_type}.v{model.schema_version}"
        file = directory / "released" / f"{name}.json"
        if file.is_file():
            problems.extend(
                f"{name}: {problem}"
                for problem in breaks(json.loads(file.read_text("utf-8")), event_schema(model))
            )
    return problems


def release(directory: Path) -> None:
    """Freeze today's event schemas under ``released/``."""
    folder = directory / "released"
    folder.mkdir(parents=True, exist_ok=True)
    for model in EVENTS.values():
        name = f"{model.event_type}.v{model.schema_version}.json"
        document = event_schema(model)
        document["$comment"] = "As released. Today's models must read whatever this allows."
        (folder / name).write_text(render(name, document), "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 done; 1 stale or incompatible, each named on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.schemas", description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_DIRECTORY, metavar="DIR")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    mode.add_argument("--release", action="store_true", help="freeze today's event schemas")
    options = parser.parse_args(arguments)
    directory: Path = options.out
    texts = exported()
    broken = incompatible(directory)
    if options.check:
        problems = stale(directory, texts)
        if problems:
            problems.append("write them anew with: make schemas")
        return _report(problems + broken)
    if options.release and broken:
        return _report([*broken, "raise schema_version instead, or take the change back"])
    try:
        for path, text in texts.items():
            file = directory / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        if options.release:
            release(directory)
    except OSError as error:
        sys.stderr.write(f"cannot write {directory}: {error}\n")
        return 2
    return _report(broken)


def _report(problems: list[str]) -> int:
    for problem in problems:
        sys.stderr.write(problem + "\n")
    return 1 if problems else 0


class _Indented(yaml.SafeDumper):
    """Lists are indented under their key, and nothing is written as an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


if __name__ == "__main__":
    sys.exit(main())
