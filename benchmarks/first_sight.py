"""How well the extractor reads labelled texts of sources that it was not developed with.

A corpus is measured before its texts are read by anyone who develops the extractor. The figures
are appended to a file, whose rows show how the extractor improves. No corpus is measured twice.

    python -m benchmarks.first_sight corpus.jsonl
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.extraction import Case, ours, score
from benchmarks.harness import RESULTS, machine, versions
from trackrecord.accuracy import SHARES
from trackrecord.extraction import EXTRACTOR_VERSION

FILE = "extraction_first_sight.json"


def measure(path: Path) -> dict[str, Any]:
    """Score the extractor on a file of labelled texts.

    Args:
        path: JSON lines with ``text``, ``gold``, ``tags`` and ``source``.

    Returns:
        A row: the file with its digest, the version of the extractor, and the figures on all
        texts and on those that are not tagged ``ambiguous``.
    """
    content = path.read_bytes()
    cases: list[Case] = [json.loads(line) for line in content.splitlines()]
    clear = [case for case in cases if "ambiguous" not in case["tags"]]
    return {
        "corpus": path.stem,
        "corpus_sha256": hashlib.sha256(content).hexdigest(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "extractor": EXTRACTOR_VERSION,
        "all": score(cases, ours),
        "without_ambiguous": score(clear, ours),
    }


def main() -> None:
    """Measure the files named, and append a row for each that has none yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, nargs="+", help="JSON lines of labelled texts")
    options = parser.parse_args()
    path = RESULTS / FILE
    held: list[dict[str, Any]] = json.loads(path.read_text())["rows"] if path.exists() else []
    for corpus in options.corpus:
        row = measure(corpus)
        figures = ", ".join(f"{name.replace('_', ' ')} {row['all'][name]:.1%}" for name in SHARES)
        print(f"{row['corpus']}: {row['all']['texts']} texts, {figures}")
        if any(other["corpus_sha256"] == row["corpus_sha256"] for other in held):
            print(f"{row['corpus']} was measured before: its row stays", file=sys.stderr)
            continue
        held.append(row)
    outcome = {"name": path.stem, "rows": held, "machine": machine(), "versions": versions()}
    path.write_text(json.dumps(outcome, indent=1) + "\n")


if __name__ == "__main__":
    main()
