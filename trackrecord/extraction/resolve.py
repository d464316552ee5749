"""From statements to recommendations: one per instrument, the final word wins."""

from __future__ import annotations

from trackrecord.extraction import orders, traded
from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Findings, Statement, reject
from trackrecord.extraction.group_fields import (
    NAMES,
    confidence_of,
    currency_of,
    levels_of,
    value_of,
)
from trackrecord.extraction.groups import (
    Group,
    by_instrument,
    only_decided,
    repeated_by,
    scopes_of,
    winner_of,
)
from trackrecord.extraction.model import Evidence, Recommendation, Rejected
from trackrecord.extraction.model import evidence as shown
from trackrecord.extraction.refusals import FINAL
from trackrecord.extraction.symbols import Section


def resolve(
    document: Document, findings: Findings, sections: list[Section], *, explained: bool
) -> tuple[list[Recommendation], list[Evidence]]:
    """Turn statements into recommendations, in print order.

    Args:
        document: The text.
        findings: Its statements, symbols assigned; what loses is added to its rejected ones.
        sections: Where the text turns to which instrument.
        explained: Whether to gather the evidence.

    Returns:
        Recommendations and the evidence of each of their fields.
    """
    orders.weaken(document, findings.statements)
    traded.drop(document, findings)
    groups = by_instrument(findings.statements)
    kept = {id(item) for group in groups for item in group.statements}
    for statement in findings.statements:
        if id(statement) not in kept:
            findings.rejected.append(
                reject(
                    document, statement.token, statement.rule, "it names none of the instruments"
                )
            )
    if len(groups) > 1 and any(item.rank >= FINAL for group in groups for item in group.statements):
        groups = only_decided(document, groups, findings.rejected)
    recommendations: list[Recommendation] = []
    evidence: list[Evidence] | None = [] if explained else None
    scopes = scopes_of(document, groups, sections, findings.over)
    for scope, group in zip(scopes, groups, strict=True):
        winner = winner_of(group)
        for item in group.statements:
            if item is not winner and item.action != winner.action:
                findings.rejected.append(
                    reject(
                        document, item.token, item.rule, f"{winner.rule} decides: {winner.action}"
                    )
                )
        recommendations.append(
            _recommendation(
                document, group, winner, scope, len(recommendations), evidence, findings.rejected
            )
        )
    return recommendations, evidence or []


def _recommendation(
    document: Document,
    group: Group,
    winner: Statement,
    scope: tuple[int, int],
    index: int,
    evidence: list[Evidence] | None,
    rejected: list[Rejected],
) -> Recommendation:
    symbol = winner.symbol or group.symbol
    holder = winner.symbol_token
    if holder is None:
        for statement in group.statements:
            if statement.symbol_token is not None:
                holder = statement.symbol_token
                break
    # A row of a summary repeats what was said above it, and what was said there has the levels.
    speaker = repeated_by(group, winner)
    levels = levels_of(document, group, speaker, scope, rejected)
    paid = currency_of(document, levels, symbol)
    sure = confidence_of(document, group, speaker, scope)
    if evidence is not None:
        where = f"recommendations[{index}]."
        starts, ends = document.starts, document.ends
        token = winner.token
        evidence.append(
            shown(f"{where}action", winner.action, winner.rule, starts[token], ends[token])
        )
        if symbol is not None and holder is not None:
            evidence.append(
                shown(f"{where}symbol", symbol, "code/symbol", starts[holder], ends[holder])
            )
        for name, level in zip(NAMES, levels, strict=True):
            if level is not None:
                start, end = level.span
                evidence.append(shown(f"{where}{name}", str(level.value), level.rule, start, end))
        if paid is not None:
            start, end = paid[1]
            evidence.append(shown(f"{where}currency", paid[0], "code/currency", start, end))
        if sure is not None:
            start, end = sure.span
            evidence.append(shown(f"{where}confidence", str(sure.value), sure.rule, start, end))
    entry, target, stop = levels
    return tuple.__new__(
        Recommendation,
        (
            winner.action,
            symbol,
            value_of(entry),
            value_of(target),
            value_of(stop),
            None if sure is None else float(sure.value),
            None if paid is None else paid[0],
        ),
    )
