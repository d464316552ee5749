"""Whether a learned scorer on top of the rules reads texts better than the rules alone.

The rules propose recommendations. A logistic regression (on the rule, its rank, the letters
around the action, and what else the line and the text hold) gives each the probability that a
reader would record it, and recommendations below a threshold are dropped. Both are compared by
leaving one repository out at a time: coefficients and threshold come from the others only.

    python -m benchmarks.extraction_scorer dev.jsonl tranche1.jsonl ...
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from benchmarks.extraction import Answer, Case, ours, score
from benchmarks.harness import RESULTS, machine, versions
from trackrecord.accuracy import SHARES
from trackrecord.extraction import EXTRACTOR_VERSION, extract
from trackrecord.extraction.document import Document
from trackrecord.extraction.model import Extraction
from trackrecord.extraction.ruleset import default_rules

FILE = "extraction_scorer.json"
STRENGTHS = (0.03, 0.1, 0.3, 1.0)
"""Inverse strengths of the penalty that are tried."""
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6)
"""Probabilities below which a recommendation is dropped."""
FOLDS = 8
SEED = 7
_TELLING = "bpqRUznivoVKOdTXEC?{"
_NEAR = 2

Features = dict[str, float]


def features(text: str, found: Extraction) -> list[Features]:
    """Describe each recommendation by what the rules saw of it."""
    document = Document(text, default_rules())
    actions = [item for item in found.evidence if item.field.endswith("].action")]
    letters = Counter(document.letters)
    whole: Features = {f"text has {letter}": 1.0 for letter in _TELLING if letters[letter]}
    whole |= {
        "recommendations": len(actions),
        "refused": len(found.rejected) / (1 + len(found.rejected) + len(actions)),
        "one line": float(len(document.lines) == 1),
        "a result": float(found.result.outcome is not None),
        "they differ": float(len({item.value for item in actions}) > 1),
    }
    whole |= {f"refused by {rule}": 1.0 for rule in {item.rule for item in found.rejected}}
    described = []
    for recommendation, item in zip(found.recommendations, actions, strict=True):
        token = document.starts.index(item.start)
        line = next(each for each in document.lines if each.first <= token < each.last)
        around = document.letters[max(line.first, token - _NEAR) : token]
        behind = document.letters[token + 1 : min(line.last, token + 1 + _NEAR)]
        here = whole | {
            f"rule {item.rule}": 1.0,
            f"before {around[-1:] or '^'}": 1.0,
            f"two before {around}": 1.0,
            f"behind {behind[:1] or '$'}": 1.0,
            f"two behind {behind}": 1.0,
            f"action {recommendation.action}": 1.0,
            "in capitals": float(document.raw(token).isupper()),
            "names an instrument": float(recommendation.symbol is not None),
            "names a level": float(
                recommendation.target_price is not None or recommendation.stop_loss is not None
            ),
            "long line": float(len(line.shape) > 2 * FOLDS),
        }
        here |= {f"line has {letter}": 1.0 for letter in _TELLING if letter in line.shape}
        described.append(here)
    return described


def _labels(answer: Answer, gold: Answer) -> list[bool]:
    """Say of each recommendation whether the label holds its action."""
    wanted = Counter(item["action"] for item in gold["recommendations"])
    labels = []
    for item in answer["recommendations"]:
        labels.append(wanted[item["action"]] > 0)
        wanted[item["action"]] -= 1
    return labels


def _kept(answer: Answer, probabilities: list[float], threshold: float) -> Answer:
    """Drop the recommendations that are not believed."""
    pairs = zip(answer["recommendations"], probabilities, strict=True)
    kept = [item for item, probability in pairs if probability >= threshold]
    actions = {item["action"] for item in kept}
    final = actions.pop() if len(actions) == 1 else None
    return answer | {"recommendations": kept, "final_action": final}


def _figures(cases: list[Case], answers: list[Answer]) -> dict[str, Any]:
    queue = iter(answers)
    return score(cases, lambda _text: next(queue))


def _goodness(figures: dict[str, Any]) -> float:
    return sum(figures[name] or 0.0 for name in ("action_recall", "refusal", "precision"))


class Scored:
    """Labelled texts with what the rules read in them, and their repositories."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = cases
        self.repositories = ["/".join(case["source"].split("/")[:2]) for case in cases]
        self.answers = [ours(case["text"]) for case in cases]
        found = [features(case["text"], extract(case["text"])) for case in cases]
        self.features = found
        self.labels = [
            _labels(answer, case["gold"]) for answer, case in zip(self.answers, cases, strict=True)
        ]

    def believe(
        self, learning: list[int], asked: list[int], strength: float
    ) -> dict[int, list[float]]:
        """Learn from some texts, and return the probabilities of the recommendations of others."""
        rows = [row for text in learning for row in self.features[text]]
        labels = [label for text in learning for label in self.labels[text]]
        model = make_pipeline(
            DictVectorizer(), MaxAbsScaler(), LogisticRegression(C=strength, max_iter=500)
        )
        model.fit(rows, labels)
        return {
            text: list(model.predict_proba(self.features[text])[:, 1])
            if self.features[text]
            else []
            for text in asked
        }

    def kept(self, believed: dict[int, list[float]], threshold: float) -> list[Answer]:
        """Return the answers to the texts asked about without what is not believed."""
        return [
            _kept(self.answers[text], probabilities, threshold)
            for text, probabilities in believed.items()
        ]


def _settings(scored: Scored, learning: list[int], seed: int) -> tuple[float, float]:
    """Choose penalty and threshold on the learning texts alone, by leaving folds of them out."""
    names = sorted({scored.repositories[text] for text in learning})
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {name: int(place) % FOLDS for name, place in zip(names, order, strict=True)}
    best, chosen = -1.0, (STRENGTHS[0], THRESHOLDS[0])
    for strength in STRENGTHS:
        believed: dict[int, list[float]] = {}
        for number in range(FOLDS):
            held = [t for t in learning if fold[scored.repositories[t]] == number]
            rest = [t for t in learning if fold[scored.repositories[t]] != number]
            believed |= scored.believe(rest, held, strength)
        for threshold in (0.0, *THRESHOLDS):
            kept = scored.kept(believed, threshold)
            goodness = _goodness(_figures([scored.cases[t] for t in believed], kept))
            if goodness > best:
                best, chosen = goodness, (strength, threshold)
    return chosen


def compare(cases: list[Case]) -> dict[str, Any]:
    """Compare rules alone with rules and scorer, one repository left out at a time."""
    scored = Scored(cases)
    names = sorted(set(scored.repositories))
    answers: dict[int, Answer] = {}
    everyone = list(range(len(cases)))
    settings = _settings(scored, everyone, SEED)
    for number, name in enumerate(names):
        sys.stderr.write(f"\rrepository {number + 1} of {len(names)}")
        asked = [text for text in everyone if scored.repositories[text] == name]
        learning = [text for text in everyone if scored.repositories[text] != name]
        believed = scored.believe(learning, asked, settings[0])
        answers |= dict(zip(asked, scored.kept(believed, settings[1]), strict=True))
    sys.stderr.write("\n")
    return {
        "texts": len(cases),
        "repositories": len(names),
        "penalty": settings[0],
        "threshold": settings[1],
        "rules": _figures(cases, scored.answers),
        "rules_and_scorer": _figures(cases, [answers[text] for text in everyone]),
    }


def main() -> None:
    """Compare on the files named together, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, nargs="+", help="JSON lines of labelled texts")
    parser.add_argument("--dry", action="store_true", help="print only, write no result")
    options = parser.parse_args()
    cases = [json.loads(line) for path in options.corpus for line in path.open(encoding="utf-8")]
    outcome = compare(cases)
    for way in ("rules", "rules_and_scorer"):
        figures = ", ".join(f"{name.replace('_', ' ')} {outcome[way][name]:.1%}" for name in SHARES)
        print(f"{way.replace('_', ' ')}: {figures}")
    print(f"penalty {outcome['penalty']}, threshold {outcome['threshold']}")
    if not options.dry:
        content = {
            "name": "extraction_scorer",
            "machine": machine(),
            "versions": versions() | {"extractor": EXTRACTOR_VERSION},
            "seed": SEED,
            "corpora": [path.stem for path in options.corpus],
            **outcome,
        }
        (RESULTS / FILE).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
