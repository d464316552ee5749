"""The figures of a reader on labelled texts: shares of decisions, and F1 of each field.

F1 is 2 · right / (read + wanted) over values (van Rijsbergen, Information Retrieval, 1979): 1 where
all is as labelled; a wrong value counts as one that was read and one that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from trackrecord.accuracy.labels import FIELDS, RESULT_FIELDS

SHARES: Final = ("all_right", "action_recall", "refusal", "precision")
"""Figures of the final action."""

_TOLERANCE: Final = 1e-9
"""Numbers that differ by less, relatively, were printed with the same digits."""

Answer = Mapping[str, Any]
"""What a reader says of a text: ``final_action``, ``recommendations`` and ``result``."""


def same(got: Any, wanted: Any) -> bool:
    """Whether a value that was read is the one that is wanted."""
    if isinstance(got, int | float) and isinstance(wanted, int | float):
        return abs(got - wanted) <= _TOLERANCE * max(1.0, abs(wanted))
    return bool(got == wanted)


def aligned(answer: Answer, gold: Answer) -> list[tuple[str, str, Any, Any]]:
    """What was read beside what is wanted, recommendations by their place.

    Args:
        answer: What was read.
        gold: What is wanted; fields that it leaves out are not returned.

    Returns:
        ``place``, such as ``recommendations[0].symbol``, the field's name, the value read and
        the one wanted. Where one side has more recommendations, the other has None there.
    """
    found: list[tuple[str, str, Any, Any]] = []
    wanted = gold.get("recommendations")
    if wanted is not None:
        read = answer["recommendations"]
        for number in range(max(len(read), len(wanted))):
            mine = read[number] if number < len(read) else {}
            theirs = wanted[number] if number < len(wanted) else dict.fromkeys(FIELDS)
            found.extend(
                (f"recommendations[{number}].{name}", name, mine.get(name), theirs[name])
                for name in FIELDS
                if name in theirs
            )
    for name in RESULT_FIELDS:
        if name in gold.get("result", ()):
            place = f"result.{name}"
            found.append((place, name, answer["result"][name], gold["result"][name]))
    return found


def figures(pairs: Iterable[tuple[Answer, Answer]]) -> dict[str, Any]:
    """The figures over texts.

    Args:
        pairs: What was read of each text, and what is wanted; what is left out is not counted.

    Returns:
        ``texts``: how many. ``action_recall``: of texts that decide, the share that was read
        with the right final action. ``refusal``: of texts that do not, the share that was
        left alone. ``precision``: of final actions that were read, the share that is right.
        ``all_right``: of all texts, the share whose final action is as wanted. Then F1 of each
        field. None where there is nothing to count.
    """
    answers = list(pairs)
    finals = [
        (answer["final_action"], gold["final_action"])
        for answer, gold in answers
        if "final_action" in gold
    ]
    row: dict[str, Any] = {
        "texts": len(answers),
        "action_recall": _share([got == wanted for got, wanted in finals if wanted is not None]),
        "refusal": _share([got is None for got, wanted in finals if wanted is None]),
        "precision": _share([got == wanted for got, wanted in finals if got is not None]),
        "all_right": _share([got == wanted for got, wanted in finals]),
    }
    values: dict[str, list[tuple[Any, Any]]] = {name: [] for name in (*FIELDS, *RESULT_FIELDS)}
    for answer, gold in answers:
        for _, name, got, wanted in aligned(answer, gold):
            values[name].append((got, wanted))
    return row | {name: _f1(found) for name, found in values.items()}


def _share(right: Sequence[bool]) -> float | None:
    return round(sum(right) / len(right), 4) if right else None


def _f1(pairs: Sequence[tuple[Any, Any]]) -> float | None:
    right = sum(got is not None and same(got, wanted) for got, wanted in pairs)
    both = sum((got is not None) + (wanted is not None) for got, wanted in pairs)
    return round(2 * right / both, 4) if both else None
