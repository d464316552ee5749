"""Where a text was read otherwise than labelled, and which words and rules did it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from trackrecord.accuracy.figures import aligned, same
from trackrecord.accuracy.labels import FIELDS, Label
from trackrecord.extraction import Extraction

_REASONS: Final = 3
"""Refused candidates that are named for one difference."""


class Reason(NamedTuple):
    """A rule, and the words that it spoke of."""

    rule: str
    """Its id, ``pack/name``; ``none`` where no rule takes the words."""
    why: str
    """``read here``, or why the words were refused."""
    words: str
    """The words in the text."""
    line: int
    """The line that they stand in, from 1."""


class Difference(NamedTuple):
    """One value that is not as labelled."""

    field: str
    """``final_action``, ``recommendations[0].symbol``, ``result.outcome`` and the like."""
    wanted: Any
    """What the label says."""
    read: Any
    """What was read."""
    reasons: tuple[Reason, ...]
    """Where it was read; where nothing was, what was refused. Empty if no word was in question."""


def differences(label: Label, extraction: Extraction) -> list[Difference]:
    """Every value that was read otherwise than labelled.

    Of a recommendation that is missing, or that none is wanted for, only the action is named.

    Args:
        label: The text and what is wanted.
        extraction: What was read of it, with evidence.
    """
    answer = extraction.to_json()
    unmatched = _unmatched(answer["recommendations"], label.gold.get("recommendations"))
    found = [
        (place, got, wanted)
        for place, name, got, wanted in aligned(answer, label.gold)
        if not same(got, wanted) and (name == "action" or place not in unmatched)
    ]
    if "final_action" in label.gold and answer["final_action"] != label.gold["final_action"]:
        found.insert(0, ("final_action", answer["final_action"], label.gold["final_action"]))
    return [
        Difference(place, wanted, got, _reasons(label.text, extraction, place, got))
        for place, got, wanted in found
    ]


def _unmatched(read: list[Any], wanted: list[Any] | None) -> set[str]:
    """Places of what has nothing beside it; a label without an action stays, field by field."""
    if wanted is None:
        return set()
    both = min(len(read), len(wanted))
    alone = [
        number
        for number in range(both, max(len(read), len(wanted)))
        if number >= len(wanted) or "action" in wanted[number]
    ]
    return {f"recommendations[{number}].{name}" for number in alone for name in FIELDS}


def _reasons(text: str, extraction: Extraction, place: str, got: Any) -> tuple[Reason, ...]:
    def reason(rule: str, why: str, start: int, end: int) -> Reason:
        return Reason(rule, why, text[start:end], text.count("\n", 0, start) + 1)

    if got is not None:
        return tuple(
            reason(item.rule, "read here", item.start, item.end)
            for item in extraction.evidence
            if item.field == place or (place == "final_action" and item.field.endswith("].action"))
        )[:_REASONS]
    is_result = place.startswith("result")
    if not is_result and place != "final_action" and not place.endswith("].action"):
        return ()
    return tuple(
        reason(item.rule, item.reason, item.start, item.end)
        for item in extraction.rejected
        if item.candidate.startswith("result") == is_result
    )[:_REASONS]
