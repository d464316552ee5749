"""Statements that a text makes in passing: among options, in a code span, a comment or a legend.

``Recommendation: HOLD / PARTIAL_CLOSE / CLOSE_NOW`` lists what could be said, a
label and its action in quotes within a sentence are a piece of a program, what stands behind the
``#`` of a setting explains it, and ``BUY = green arrow`` says what a mark means. None of them is
the script's own decision.
"""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import SYMBOL, Document, Line
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.folding import HIDDEN
from trackrecord.extraction.model import side_of
from trackrecord.extraction.refusals import FINAL
from trackrecord.extraction.shapes import ACTIONS

_OPTION: Final = ("code/options", "it is one of several options, not a decision")
_SPAN: Final = ("code/code-span", "it is quoted within a sentence, not said")
_COMMENT: Final = ("code/comment", "it is a comment beside a setting")
_LEGEND: Final = ("code/legend", "it says what a mark or a word means")
_FORMULA: Final = ("code/formula", "it is a rule, not a decision")
_IN_GENERAL: Final = ("code/in-general", "it says what to do in general, of no instrument")
_PROSE: Final = ("code/heading", "it is a word of a heading")
_COUNT: Final = ("code/counted", "it is counted, not said")
_PARTS: Final = ("code/in-parts", "it plans to leave in parts")
_STRATEGY: Final = ("code/strategy-name", "it is the name of a strategy")
_NAMES_STRATEGY: Final = re2.compile(r"(?i)\bstrateg(?:y|ie|ia)\W{0,4}$")
_NOUN: Final = ("code/exit-named", "it names the exit that it tells of")

# What a program may do besides buying, selling and holding, by what it does to a position.
_MORE: Final = r"(?:[_ ]?(?:now|all|half|partial(?:ly)?|position|trade|early|long|short|half))?"
_SELLING: Final = (
    rf"(?:sell|short|exit|close|reduce|trim|cover|liquidate|dump|square[_ ]?off|underweight){_MORE}"
)
_HOLDING: Final = (
    r"(?:hold|wait|watch(?:list)?|monitor|neutral|flat|none|no[_ ]?(?:trade|signal|action|op|entry)"
    r"|stand[_ ]?(?:aside|by)|do[_ ]?nothing|skip|pass|avoid|ignore|abstain|stay[_ ]?out"
    r"|sit[_ ]?out)"
)
_BUYING: Final = (
    r"(?:buy|long|add|accumulate|enter|open|scale[_ ]?in|overweight|increase|double[_ ]?down)"
    rf"{_MORE}"
)
_OTHER: Final = (
    r"(?:partial(?:[_ ](?:close|exit|tp|profit))?|move[_ ](?:sl|stop|be)\w*"
    r"|trail(?:ing)?(?:[_ ](?:sl|stop))?"
    r"|tighten[_ ]\w+|take[_ ]profit|scale[_ ]?out|cancel|reject(?:ed)?|review|roll(?:[_ ]\w+)?"
    r"|hedge"
    r"|rebalance|re[_-]?enter|reverse|flip|adjust|re-?adjust|break[_ ]?even)"
)
_STRONG: Final = r"(?:strong[_ ]?|weak[_ ]?|强烈|強力|강력 ?|강한 )?"
_WORD: Final = (
    rf"{_STRONG}(?:(?P<b>{_BUYING}|买入?|買進?|加仓|增持|做多|看多|매수|買い)"
    rf"|(?P<s>{_SELLING}|卖出?|賣出?|减仓|减持|清仓|做空|看空|매도|売り)"
    rf"|(?P<h>{_HOLDING}|持有|观望|觀望|等待?|空仓|放弃|回避|观察|관망|보유|중립|様子見|保有"
    rf"|中立)|(?P<o>{_OTHER}))"
    r"(?: ?(?:signals?|信号|信號|신호|シグナル))?"
)
# Behind it: a further option, not a label (EXIT: 190) and not a price (CLOSE 189.2).
_BEHIND: Final = re2.compile(
    rf"(?i)^[\"'`*)\]]{{0,3}}(?: ?[/|~] ?|,? (?:or|oder|ou|или|または|或) "
    rf"|, )[\"'`*(\[]{{0,3}}{_WORD}"
    r"[\"'`*)\]]{0,3}\s*(?:$|[/|,;.)\n!]| (?:or|and|based|depending|if|when|oder|ou)\b)"
)
_AHEAD: Final = re2.compile(
    rf"(?i)(?:^|[^\pL]){_WORD}[\"'`*)\]]{{0,3}}(?: ?[/~] ?)[\"'`*(\[]{{0,3}}(?:strong |强烈"
    rf"|強力|강력 ?|강한 )?$"
)
# "advice": "HOLD | TIGHTEN | EXIT": what could be said, whatever the words.
_VALUES: Final = re2.compile(r"[\"']\s?:\s?\"(?:\pL[\w-]*\s?[|/]\s?){2,12}\pL[\w-]*\"$")
_MAY: Final = looks.ask(
    r"(?:[/|~] ?)[^ -~]",
    r":\s?\"\pL[\w-]*\s?[|/]\s?\pL",
    r"(?i)(?:[/|,~]| or | oder | ou |или|または|或) ?[\"'`*(\[]?(?:strong|weak|buy|long|add"
    r"|accum|enter|open|scale"
    r"|over|incr|double|sell|short|exit|close|reduce|trim|cover|liq|dump|square|under|hold|wait"
    r"|watch"
    r"|monitor|neutral|flat|none|no[_ ]|stand|do[_ ]|skip|pass|avoid|ignore|abstain|stay|sit"
    r"|partial"
    r"|move|trail|tight|take|cancel|reject|review|roll|hedge|rebal|re-?enter|reverse|flip|adjust"
    r"|re-?adj|break)",
    r"[`\"“«「]|\s(?:#|//)\s",
    r"(?:=|\+)\s?\pL|\pL\+",
    r"(?i)^\s*#|\b(?:sectors?|stocks|names|assets|coins|tokens|companies|shares|pairs|setups"
    r"|leaders"
    r"|laggards|winners|losers) |\bexit\b",
    r"(?i)\bfinal\b",
    r"\d ?(?:회|건|번|次|个|個|回|件)|(?i)\d ?% (?:of|at)|remaining|\brest\b|\b(?:calls?|puts?"
    r"|premium|options)\b",
    r"(?i)\b(?:an?|one|each|any|every|the) |\b(?:if|when|whenever|once|unless|suppose|cuando"
    r"|quando|wenn|falls|lorsque)\b",
)
_COMMENTED: Final = re2.compile(r"^\s*(?:[-*] )?[\w.\"'-]{1,40}\s?[:=]\s?[^#\n]{0,80}?\s(?:#|//)\s")
_MEANS: Final = re2.compile(r"^[\"'`*)\]]{0,3}\s?={1,2}>?\s?\pL[\pL-]+\s+\pL{2}")
_JOINED: Final = re2.compile(r"(?i)\b\w+\+\w+\s?(?:→|->|=>|:)")
_GENERAL: Final = re2.compile(
    r"^(?: the| all| any| only| those| strong| weak| quality| leading| oversold| overbought"
    r"| high-\w+| low-\w+){0,3} (?:sectors?|stocks|names|assets|coins|tokens|companies|shares|pairs"
    r"|setups|leaders|laggards|winners|losers) (?:that|which|when|whose|with|moving|showing|trading"
    r"|above|below|near|at|breaking|making|only|hitting|crossing|having|under|over)\b"
)
_QUOTES: Final = {"`": "`", '"': '"', "“": "”", "«": "»", "「": "」"}
# 매수 22회 · 매도 21회; Sell 50% of the position: the plan of an exit in parts.
_COUNTED: Final = re2.compile(r"(?i)^[ :]{0,2}\d{1,4} ?(?:회|건|번|次|个|個|回|件)")
_IN_PARTS: Final = re2.compile(
    r"(?i)^ (?:the )?(?:remaining|rest|another \d{1,3} ?%|(?:first |last "
    r"|next )?\d{1,3} ?% (?:of (?:the "
    r"|your |total |my )?(?:total )?(?:position|holding|shares|stake)|at (?:tp|target)))"
)
_OPTIONS_SOLD: Final = re2.compile(
    r"(?i)^ (?:cash-secured |covered |naked |otm |put |call ){0,2}(?:calls?|puts?|premium"
    r"|options)\b"
)
# ... that produces a BUY decision: what a program makes, with its article.
_MADE: Final = re2.compile(
    r"(?i)\b(?:produc|emit|return|expect|requir|validat|need|await|print|handl|process|test"
    r"|simulat|comput"
    r"|deriv|convert|pars|map|structur|lock|block|reject|receiv)\w* (?:an?|one|each|any|every|the)"
    r" (?:\w+ )?$"
)
_SUPPOSED: Final = re2.compile(
    r"(?i)(?:^|[.;!] )\W{0,4}(?:if|when|whenever|once|unless|suppose|cuando|quando|wenn|falls"
    r"|lorsque)\b"
    r"[^.;!:\n]*$"
)
# 100 is a SELL signal, not a BUY signal.
_CONTRASTED: Final = re2.compile(r"(?i)^ signals?[,;]? (?:and )?not an? ")
# Final sell execution price: a word of a term.
_GOES_ON: Final = re2.compile(
    r"^ (?:execution|price|order|fill|leg|phase|stage|step|side|amount|volume)\b"
)
_FEWEST_WORDS: Final = 3
_SEVERAL: Final = 5
_MANY_WORDS: Final = 6
_LOWER: Final = re2.compile(r"(?:^|[\s(])\pL\p{Ll}+|\p{Lo}{2}")
_SIDES: Final = {"BUY": "b", "SELL": "s", "HOLD": "h"}
_BESIDE: Final = frozenset("/|,~ \"'`*)]")
_HEADING: Final = re2.compile(r"^#{1,6} ")


def drop(document: Document, findings: Findings) -> None:
    """Refuse what a text says in passing.

    Args:
        document: The text.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    if not findings.statements or not document.may(_MAY):
        return
    lost: dict[tuple[str, str], list[Statement]] = {}
    for item in findings.statements:
        why = None if item.is_row else _why_not(document, item)
        if why is not None:
            lost.setdefault(why, []).append(item)
    for (rule, reason), items in lost.items():
        findings.refuse(document, items, rule, reason)


def _why_not(  # noqa: C901, PLR0911 - one branch a kind
    document: Document, statement: Statement
) -> tuple[str, str] | None:
    """Return why a statement is made in passing, None where it is not."""
    token = statement.token
    start, end = document.starts[token], document.ends[token]
    line = document.lines[document.line_at(start)]
    if not line.looks & _MAY:
        return None
    text = document.folded
    behind = text[end : line.end].replace(HIDDEN, "")
    before = text[line.start : start].replace(HIDDEN, "")
    if _is_option(document, statement, before, behind):
        return _OPTION
    if _COMMENTED.search(before) is not None:
        return _COMMENT
    if statement.bound is not None:
        return _SPAN if _is_shown(before, behind) else None
    if _MEANS.search(behind) is not None:
        return _LEGEND
    if "+" in before + behind and _JOINED.search(text[line.start : line.end]) is not None:
        return _FORMULA
    if _COUNTED.search(behind) is not None:
        return _COUNT
    if _is_span(statement, before, behind):
        return _SPAN
    if _is_supposed(document, line, statement, before, behind):
        return _FORMULA
    if statement.rule.endswith("/weak-label") and _NAMES_STRATEGY.search(before) is not None:
        return _STRATEGY if " " in document.raw(token) else None
    if statement.rule.endswith("action-list") and _names_an_exit(document, line, statement):
        return _NOUN
    return _in_general(document, line, statement, behind)


def _is_option(document: Document, statement: Statement, before: str, behind: str) -> bool:
    """Say whether another option stands right beside an action: HOLD/PARTIAL_CLOSE."""
    if document.letters[statement.token] not in ACTIONS:
        return False
    quote = behind.find('"')
    if quote >= 0 and _VALUES.search(before + "A" + behind[: quote + 1]):
        return True
    own = _SIDES[side_of(statement.action)]
    match = _BEHIND.search(behind) if behind[:1] in _BESIDE else None
    # EXIT / SELL and HOLD, WAIT are one decision said twice.
    if match is not None and match.group(own) is None:
        return True
    if before.rstrip("\"'`*([ ")[-1:] not in ("/", "~"):
        return False
    match = _AHEAD.search(before)
    return match is not None and match.group(own) is None


def _is_span(statement: Statement, before: str, behind: str) -> bool:
    """Say whether an action stands with its label in quotes within a sentence."""
    for opening, closing in _QUOTES.items():
        if opening not in before or closing not in behind:
            continue
        odd = before.count(opening) % 2 == 1 if opening == closing else True
        at = before.rfind(opening)
        if not odd or (opening != closing and closing in before[at:]):
            continue
        if at and before[at - 1] in ":=" and opening == '"':
            return False  # "action": "BUY"
        inside = before[at + 1 :]
        outside = before[:at] + " " + behind[behind.find(closing) + 1 :]
        if ":" not in inside and "=" not in inside and statement.rank < FINAL:
            more = inside.strip() or behind[: behind.find(closing)].strip()
            if opening == "`" and more and len(_LOWER.findall(outside)) >= _SEVERAL:
                return True
            continue  # Signal: `BUY`
        if not inside.strip():
            continue
        if opening == "`":
            return "`" in outside or _LOWER.search(outside) is not None
        return len(_LOWER.findall(outside)) >= _FEWEST_WORDS
    return False


def _is_shown(before: str, behind: str) -> bool:
    """Say whether an object on one line is a span of code within a sentence or a table."""
    at = before.rfind("`")
    if at < 0 or "`" not in behind or before.count("`") % 2 == 0 or "{" not in before[at:]:
        return False
    outside = before[:at] + " " + behind[behind.find("`") + 1 :]
    return len(_LOWER.findall(outside)) >= _FEWEST_WORDS


def _is_supposed(  # noqa: PLR0911 - one branch a form
    document: Document, line: Line, statement: Statement, before: str, behind: str
) -> bool:
    """Say whether a sentence only supposes an action, or tells what a program makes."""
    if SYMBOL in line.shape:
        return False
    word = document.raw(statement.token)
    if statement.rule.endswith("final-bare") and word.islower():
        return _GOES_ON.search(behind) is not None
    if statement.rank >= FINAL:
        return False
    if _CONTRASTED.search(behind) is not None:
        return True
    if statement.rule.endswith("labelled-bare") and _SUPPOSED.search(before) is not None:
        return True
    if not statement.rule.endswith("action-signal") or _MADE.search(before) is None:
        return False
    return len(_LOWER.findall(document.folded[line.start : line.end])) >= _MANY_WORDS


def _names_an_exit(document: Document, line: Line, statement: Statement) -> bool:
    """Say whether a word in front makes an exit a name: Protection Exit - BTCUSDT."""
    at = statement.token - line.first
    return line.shape[at - 1 : at] == "w" and document.raw(statement.token).lower() == "exit"


def _in_general(
    document: Document, line: Line, statement: Statement, behind: str
) -> tuple[str, str] | None:
    """Return why an action in small letters is about no instrument, None where it may be."""
    word = document.raw(statement.token)
    if statement.symbol is None and _IN_PARTS.search(behind) is not None:
        return _PARTS
    if word.isupper() or statement.symbol is not None or SYMBOL in line.shape:
        return None
    if _GENERAL.search(behind) is not None or _OPTIONS_SOLD.search(behind) is not None:
        return _IN_GENERAL
    heads = _HEADING.search(document.folded[line.start : line.end]) is not None
    if heads and word.islower() and len(_LOWER.findall(behind)) >= _FEWEST_WORDS:
        return _PROSE
    return None
