"""Whether code is just what a rule makes: then it needs no sandbox, and can be read in words."""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import Final

from trackrecord.strategies.generate import generate
from trackrecord.strategies.rules.as_json import from_json
from trackrecord.strategies.rules.code import code as code_of
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.rules.words import rule_words
from trackrecord.strategies.source import parse

_LONGEST_WORDS: Final = 5_000
"""Characters of a code's first words that are read as a rule."""


def recognise(code: str, told: object = None) -> tuple[Rule, str] | None:
    """The rule that makes just this code, and the rule in words; None: none is known to.

    Args:
        code: A source; one that was changed since is none that its words make.
        told: The rule that it is said to be made from, as JSON; without it, or where that makes
            other code, the code's first words are read.
    """
    if told is not None:
        with suppress(ValueError):
            rule = from_json(told)
            if code_of(rule) == code:
                return rule, rule_words(rule)
    tree = parse(code)
    if not isinstance(tree, ast.Module):
        return None
    words = ast.get_docstring(tree) or ""
    if 0 < len(words) <= _LONGEST_WORDS:
        made = generate(" ".join(words.split()))
        if made.rule is not None and made.code == code:
            return made.rule, made.reads_as
    return None
