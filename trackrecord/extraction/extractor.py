"""Extract recommendations and results from a text."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction import (
    affairs,
    alternatives,
    apart,
    asides,
    blocks,
    flags,
    grids,
    implied,
    layouts,
    ledgers,
    markets,
    matrices,
    mentions,
    messages,
    object_results,
    objects,
    programs,
    results,
    rows,
    shown,
    statements,
    symbols,
    table_results,
    tables,
    tracebacks,
    weak_rows,
)
from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Findings
from trackrecord.extraction.model import Evidence, Extraction, Recommendation, Rejected, Result
from trackrecord.extraction.resolve import resolve
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.ruleset import ALL, RuleSet, default_rules, default_version

EXTRACTOR_VERSION: Final = default_version()
"""Version of the packaged rules and code: semantic version, ``+``, digest over both."""


def extract(
    text: str, *, symbol: str | None = None, rules: RuleSet | None = None, explained: bool = True
) -> Extraction:
    """Read what a script printed.

    Args:
        text: What was printed, any text.
        symbol: The instrument that the script was asked about; taken where the text names none.
        rules: The rules, by default those that come with the package.
        explained: Whether to say why too; without evidence and rejected candidates, the rest is
            the same.

    Returns:
        Recommendations, result and final action, each with its evidence. A text that states
        no decision gives no recommendation; no text raises an error.
    """
    return _extract(text, symbol, rules, explained=explained, inside=False)


def _extract(
    text: str, symbol: str | None, rules: RuleSet | None, *, explained: bool, inside: bool
) -> Extraction:
    """Read a text, or a message that stands inside another one."""
    used = default_rules() if rules is None else rules
    whole = Document(text, used)
    findings = Findings()
    stated: list[Candidate] = []
    reported = document = whole
    roots = objects.roots_of(whole)
    if roots:
        keys = objects.keys_of(used)
        spans = objects.read(whole, keys, roots, findings)
        if not findings.statements and not inside and whole.may(messages.MAY_TELL):
            spans += messages.read(
                whole,
                keys,
                roots,
                lambda part, named: _extract(part, named, rules, explained=False, inside=True),
                findings,
            )
        stated, result_spans = object_results.find(whole, keys, roots, findings.rejected)
        document = whole.without(spans) if spans else whole
        reported = whole.without(result_spans) if result_spans else whole
    held = flags.of_text(document)
    found_tables = grids.find(document)
    used_lines = {line.number for table in found_tables for line in table.lines}
    found_tables.extend(layouts.find(document, used_lines))
    taken = tables.read(document, found_tables, findings)
    matrices.read(document, taken, findings)
    rows.read(document, held, taken, findings)
    apart.read(document, held, taken, findings)
    statements.find(document, held, taken, findings)
    apart.read_siblings(document, taken, findings)
    weak_rows.take(document, findings)
    if not findings.statements:
        implied.read(document, findings)
    torn = tracebacks.lines_of(document) if findings.statements else set()
    blocks.refuse(document, findings, torn)
    shown.drop(document, held, findings)
    mentions.drop(document, held, findings)
    asides.drop(document, findings)
    programs.drop(document, findings)
    markets.drop(document, held, findings)
    if findings.statements and document.blocks:
        may = ALL if torn else document.blocks  # other lines stand beside one another then
        for rule in used.match_blocks(tracebacks.without(document, torn), may):
            if rule.refuses == "recommendations":
                findings.refuse(document, findings.statements, rule.rule, rule.reason)
    affairs.drop(document, findings)
    alternatives.drop(document, findings)
    ledgers.drop(document, findings)
    recommendations, evidence = _recommended(document, findings, symbol, explained=explained)
    totals, lines = table_results.results(document, found_tables)
    result, result_evidence, lost = results.find(
        reported,
        holding="position" in held or "p" in reported.letters,
        taken=lines,
        totals=totals,
        stated=stated,
        explained=explained,
    )
    told = _untold(whole, used) if result != Result() else None
    if told is not None:
        result, result_evidence, lost = Result(), [], [*lost, told]
    actions = {item.action for item in recommendations}
    return Extraction(
        tuple(recommendations),
        result,
        actions.pop() if len(actions) == 1 else None,
        EXTRACTOR_VERSION if rules is None else used.version,
        (*evidence, *result_evidence) if explained else (),
        (*findings.rejected, *lost) if explained else (),
    )


def _untold(document: Document, used: RuleSet) -> Rejected | None:
    """Return the block rule that refuses every result of a text, None where none does."""
    if document.blocks & used.result_bits:
        for rule in used.match_blocks(document.folded, document.blocks):
            if rule.refuses == "results":
                return Rejected("result", rule.rule, rule.reason, 0, 0)
    return None


def _recommended(
    document: Document, findings: Findings, symbol: str | None, *, explained: bool
) -> tuple[list[Recommendation], list[Evidence]]:
    """What the statements that are left recommend, each of its instrument."""
    if not findings.statements:
        return [], []
    found = symbols.sections(document)
    symbols.assign(document, findings.statements, found)
    fallback = next(iter(findings.named)) if len(findings.named) == 1 else symbol
    if fallback is not None:
        for statement in findings.statements:
            statement.symbol = statement.symbol or fallback
    return resolve(document, findings, found, explained=explained)
