"""How well and how fast texts are read, beside three simpler readers.

Accuracy is measured on the cases of the unit tests, and on a labelled corpus of real outputs
(JSON lines with ``text``, ``gold`` and ``tags``) where ``TRACKRECORD_EXTRACTION_CORPUS`` names
one or one lies beside the checkout. Run alone, it prints every table and takes options:

    python -m benchmarks.extraction --fuzz 100000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.harness import machine, result, show, versions
from trackrecord.accuracy import FIELDS, RESULT_FIELDS, SHARES, figures
from trackrecord.extraction import COMPILED, EXTRACTOR_VERSION, extract

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "unit" / "extraction" / "cases"
CORPUS_VARIABLE = "TRACKRECORD_EXTRACTION_CORPUS"
TYPICAL_LENGTH = 600
SHORTEST, LONGEST = 450, 800
REQUIRED_RATE = 5000
REQUIRED_SECONDS = 0.5
ROUNDS = 5
FUZZED = 20_000
SEED = 7

Answer = dict[str, Any]
Case = dict[str, Any]
Reader = Callable[[str], Answer]

_WORD = re.compile(r"\b(BUY|SELL|HOLD)\b")
_LABELLED = re.compile(r"(?i)\b(?:signal|recommendation|action|decision)\W{1,4}(buy|sell|hold)\b")


def _bare(action: str | None) -> Answer:
    recommendation: Answer = dict.fromkeys(FIELDS)
    recommendation["action"] = action
    return {
        "final_action": action,
        "recommendations": [recommendation] if action else [],
        "result": dict.fromkeys(RESULT_FIELDS),
    }


def first_action(text: str) -> Answer:
    """Take the first BUY, SELL or HOLD in capitals."""
    match = _WORD.search(text)
    return _bare(match.group(1) if match else None)


def last_labelled(text: str) -> Answer:
    """Take the last action behind a label such as ``Signal:``."""
    found = _LABELLED.findall(text)
    return _bare(found[-1].upper() if found else None)


def always_none(_text: str) -> Answer:
    """Refuse every text."""
    return _bare(None)


def ours(text: str) -> Answer:
    """Read with the packaged rules."""
    return extract(text).to_json()


READERS: dict[str, Reader] = {
    "trackrecord": ours,
    "first_action": first_action,
    "last_labelled": last_labelled,
    "always_none": always_none,
}


def score(cases: list[Case], reader: Reader) -> dict[str, Any]:
    """Score a reader: recall of actions, refusal of the rest, precision, F1 of each field."""
    return figures((reader(case["text"]), case["gold"]) for case in cases)


def per_tag(cases: list[Case]) -> dict[str, dict[str, Any]]:
    """Score ours on the texts of each tag."""
    tags = sorted({tag for case in cases for tag in case["tags"]})
    rows = {}
    for tag in tags:
        chosen = [case for case in cases if tag in case["tags"]]
        row = score(chosen, ours)
        rows[tag] = {name: row[name] for name in ("texts", "action_recall", "refusal", "all_right")}
    return rows


def typical(cases: list[Case]) -> list[str]:
    """Return distinct texts of about 600 characters: real ones of that length, or joined cases."""
    randomness = random.Random(SEED)
    found = [case["text"] for case in cases if SHORTEST <= len(case["text"]) <= LONGEST]
    if not found:
        for _ in range(40):
            text = ""
            while len(text) < SHORTEST:
                text += randomness.choice(cases)["text"] + "\n\n"
            found.append(text[:LONGEST])
    # A number of its own keeps any two texts from being the same.
    return [f"run {randomness.randrange(10**9)}\n{found[n % len(found)]}" for n in range(2000)]


def rate(texts: list[str], reader: Reader) -> float:
    """Return texts a second on one core."""
    started = time.process_time()
    for text in texts:
        reader(text)
    return len(texts) / (time.process_time() - started)


def fuzz(cases: list[Case], count: int) -> dict[str, Any]:
    """Read texts made of scraps of the cases and of random characters; count exceptions."""
    randomness = random.Random(SEED)
    scraps = [scrap for case in cases for scrap in case["text"].split()]
    marks = (" ", "\n", ": ", " | ", "  ", "", ",", "/", "(", ")", "\t")
    failures = 0
    slowest = 0.0
    for _ in range(count):
        words = randomness.choices(scraps, k=randomness.randrange(1, 60))
        if randomness.random() < 0.2:  # noqa: PLR2004 - one text in five
            words += [chr(randomness.randrange(0x110000)) for _ in range(20)]
        text = "".join(word + randomness.choice(marks) for word in words)
        started = time.perf_counter()
        try:
            extract(text).to_json()
        except Exception as error:  # noqa: BLE001 - to find any is the purpose
            failures += 1
            print(f"{type(error).__name__}: {error}: {text!r}", file=sys.stderr)
        slowest = max(slowest, time.perf_counter() - started)
    return {"texts": count, "exceptions": failures, "slowest_seconds": round(slowest, 4)}


def hostile_seconds() -> dict[str, float]:
    """Return the time that a mebibyte of each of several nuisances takes."""
    pieces = {
        "one line of actions": "BUY ",
        "lines of signals": "Signal: BUY AAPL @ 150\n",
        "brackets": "(",
        "labels": "Entry: ",
        "digits": "1,",
        "table": "AAPL  BUY  1\n",
    }
    found = {}
    for name, piece in pieces.items():
        text = piece * (2**20 // len(piece))
        started = time.perf_counter()
        extract(text)
        found[name] = round(time.perf_counter() - started, 3)
    return found


def _read(path: Path) -> list[Case]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _show(title: str, rows: dict[str, dict[str, Any]]) -> None:
    table = Table(title=title)
    names = list(next(iter(rows.values())))
    for name in ("", *names):
        table.add_column(name.replace("_", " "), justify="right" if name else "left")
    for name, row in rows.items():
        table.add_row(name, *["-" if row[key] is None else str(row[key]) for key in names])
    Console(width=200).print(table)


def corpora() -> dict[str, list[Case]]:
    """Return the labelled texts there are: the tests' own, and a corpus of real ones."""
    found = {"own_cases": [case for path in sorted(CASES.glob("*.jsonl")) for case in _read(path)]}
    named = os.environ.get(CORPUS_VARIABLE)
    paths = [Path(named)] if named else sorted(ROOT.parent.glob("*/data/extraction/dev.jsonl"))
    if paths:
        found["corpus"] = _read(paths[0])
    return found


def run(rounds: int = ROUNDS, fuzzed: int = FUZZED) -> dict[str, Any]:
    """Measure accuracy, throughput, hostile texts and fuzz.

    Args:
        rounds: How often throughput is measured.
        fuzzed: How many fuzzed texts are read.

    Returns:
        The result file's content; ratios compare the share of texts decided or refused rightly.
    """
    accuracy: dict[str, Any] = {}
    cases: list[Case] = []
    for name, cases in corpora().items():
        clear = [case for case in cases if "ambiguous" not in case["tags"]]
        accuracy[name] = {
            "all": {way: score(cases, reader) for way, reader in READERS.items()},
            "without_ambiguous": {way: score(clear, reader) for way, reader in READERS.items()},
            "per_tag": per_tag(cases),
        }
    texts = typical(cases)
    rows = accuracy[name]["all"]
    runs = []
    for round_ in range(rounds):
        for way, reader in READERS.items():
            sys.stderr.write(f"round {round_ + 1} of {rounds}: {way}\n")
            shares = {key: rows[way][key] or 0.0 for key in SHARES}
            runs.append({"way": way, "texts_per_second": rate(texts, reader), **shares})
    outcome = result("extraction", SEED, runs, "trackrecord", "all_right")
    outcome["machine"] = machine()
    outcome["versions"] = versions() | {
        "google-re2": version("google-re2"),
        "extractor": EXTRACTOR_VERSION,
    }
    hostile = hostile_seconds()
    own = outcome["median"]["trackrecord"]["texts_per_second"]
    outcome["limits"] = {
        "texts_per_second": round(own / REQUIRED_RATE, 3),
        "hostile_mebibyte_seconds": round(REQUIRED_SECONDS / max(hostile.values()), 3),
    }
    outcome["hostile_mebibyte_seconds"] = hostile
    outcome["compiled"] = COMPILED
    outcome["fuzz"] = fuzz(cases, fuzzed)
    outcome["accuracy"] = accuracy
    return outcome


def main() -> None:
    """Measure, print every table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fuzz", type=int, default=FUZZED, help="how many fuzzed texts to read")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of throughput")
    options = parser.parse_args()
    outcome = run(options.rounds, options.fuzz)
    for name, tables in outcome["accuracy"].items():
        for title, rows in tables.items():
            _show(f"{name}, {title.replace('_', ' ')}", rows)
    print(f"a mebibyte of hostile text, seconds: {outcome['hostile_mebibyte_seconds']}")
    print(f"fuzz: {outcome['fuzz']}")
    show("extraction", outcome)
    if outcome["fuzz"]["exceptions"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
