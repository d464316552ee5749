"""From printed text to recommendations and results.

``extract(text)`` reads what a trading script printed and returns what it recommends, what it
says has happened, and on which words that rests. It refuses to guess: a text that states no
decision gives none. Pure: no clock, no environment, no network; the same text and rules give
the same answer.
"""

from __future__ import annotations

from trackrecord import compiled

COMPILED = compiled.prefer(__path__)
"""Whether its modules run as machine code; they say the same either way."""

# ruff: noqa: E402 - no module of the package may be imported before that line
from trackrecord.extraction.extractor import EXTRACTOR_VERSION, extract
from trackrecord.extraction.insight import (
    extract_recommendation_from_output,
    extract_result_from_output,
    generate_ai_insight,
)
from trackrecord.extraction.model import (
    Evidence,
    Extraction,
    Outcome,
    Recommendation,
    Rejected,
    Result,
)
from trackrecord.extraction.packs import PackError
from trackrecord.extraction.ruleset import RuleSet, default_rules

__all__ = [
    "COMPILED",
    "EXTRACTOR_VERSION",
    "Evidence",
    "Extraction",
    "Outcome",
    "PackError",
    "Recommendation",
    "Rejected",
    "Result",
    "RuleSet",
    "default_rules",
    "extract",
    "extract_recommendation_from_output",
    "extract_result_from_output",
    "generate_ai_insight",
]
