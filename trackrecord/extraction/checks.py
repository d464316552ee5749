"""Run the tests that rule packs carry beside their rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trackrecord.extraction.extractor import extract
from trackrecord.extraction.model import number
from trackrecord.extraction.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that does not hold."""

    text: str
    """What was read."""
    field: str
    """Which of the expected fields differs."""
    expected: Any
    """What the pack says."""
    got: Any
    """What the rules give."""


def check_rules(rules: RuleSet) -> list[Failure]:
    """Read every test text of a rule set and compare what its pack expects.

    Args:
        rules: The rules; their own tests are run with them.

    Returns:
        What differs; empty where all hold.
    """
    failures: list[Failure] = []
    for case in rules.cases:
        extraction = extract(case.text, rules=rules)
        got: dict[str, Any] = {
            "final_action": extraction.final_action,
            "return_pct": number(extraction.result.return_pct),
            "outcome": extraction.result.outcome,
        }
        expected = dict(case.expect)
        wanted = expected.pop("recommendations", None)
        for name, value in expected.items():
            if got[name] != value:
                failures.append(Failure(case.text, name, value, got[name]))
        if wanted is not None:
            found = [item.to_json() for item in extraction.recommendations]
            # A test names only the fields that it is about.
            shown = [
                {name: have[name] for name in want if name in have}
                for want, have in zip(wanted, found, strict=False)
            ]
            if len(found) != len(wanted) or shown != wanted:
                failures.append(Failure(case.text, "recommendations", wanted, found))
    return failures
