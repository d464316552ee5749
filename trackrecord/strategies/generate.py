"""From a sentence to a strategy, offline: read as a rule, written as code, and validated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trackrecord.strategies.contract import Problem
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.rules.parameters import parameters
from trackrecord.strategies.rules.words import rule_words
from trackrecord.strategies.sentences import read

Status = Literal["validated", "draft", "refused"]
Validate = Callable[[str], Sequence[Problem]]
"""Says what is wrong with a strategy's source; nothing where it may be run."""


@dataclass(frozen=True)
class Generated:
    """What was made of a sentence.

    Attributes:
        status: ``validated`` where all of it was understood and the code passed; ``draft`` where
            something is open; ``refused`` where nothing in it can be traded, or as said cannot be.
        rule: What was understood; None where it is refused, or has no entry.
        code: The strategy; None where there is no rule.
        parameters: As the code declares them, by name.
        reads_as: The rule in words, which are read as the same rule.
        assumptions: What was not said and is taken for granted.
        not_understood: Words of the sentence that nothing was made of.
        problems: Why it is no more than a draft, or refused.
    """

    status: Status
    rule: Rule | None
    code: str | None
    parameters: dict[str, dict[str, Any]]
    reads_as: str
    assumptions: tuple[str, ...]
    not_understood: tuple[str, ...]
    problems: tuple[Problem, ...]


def generate(sentence: str, validate: Validate | None = None) -> Generated:
    """Make a strategy of a sentence.

    Args:
        sentence: In English.
        validate: Checks the code; without it nothing is more than a draft. It is not asked about
            code that is a draft anyway.
    """
    reading = read(sentence)
    problems = list(reading.problems)
    rule = reading.rule
    if reading.refused or rule is None:
        status: Status = "refused" if reading.refused else "draft"
        return Generated(
            status, None, None, {}, "", reading.assumptions, reading.not_understood,
            tuple(problems),
        )  # fmt: skip
    source = code(rule)
    if not problems and not reading.not_understood:
        if validate is None:
            problems.append(Problem(None, "unchecked", "the code has not been validated"))
        else:
            problems += validate(source)
    return Generated(
        status="draft" if problems or reading.not_understood else "validated",
        rule=rule,
        code=source,
        parameters={parameter.name: parameter.declared() for parameter in parameters(rule)},
        reads_as=rule_words(rule),
        assumptions=reading.assumptions,
        not_understood=reading.not_understood,
        problems=tuple(problems),
    )
