"""What the heading or the lead-in above a statement says of it: a format, a request, an example.

``**Message format:**`` and ``POST /signal`` stand above what could be printed or sent, and
``### Example 2: a short`` above a decision that nobody has taken. A heading speaks of all lines
up to the next one of its depth; a line that ends in a colon of the paragraph or fence below it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.refusals import FINAL

# <action>BUY</action> beside <size>100</size>: tags are blank in the folded text.
_TAG: Final = re.compile(r"<(\w{1,24})>[^<>\n]{0,60}</\1>")
# <Strategy name="Covered calls">
_DEFINED: Final = re.compile(
    r"<(?:strategy|rule|execution|universe|leg)\s[^<>\n]{0,80}\b(?:name|id)\s?=", re.IGNORECASE
)
_SIDES: Final = frozenset({"action", "side", "direction", "transactiontype", "type"})
_SIZES: Final = frozenset({
    "qty", "quantity", "size", "volume", "units", "amount", "lots", "shares", "orderqty",
})  # fmt: skip
_LEVELS: Final = frozenset({
    "target", "targetprice", "takeprofit", "tp", "tp1", "stoploss", "sl", "stop", "confidence",
})  # fmt: skip
_SENT: Final = ("code/request", "it is an order as sent, not advice")
_SETTING: Final = ("code/setting", "it is a setting of a program")
_LAYOUT: Final = ("code/format", "it shows the format of a message, not a decision")
_RULE: Final = ("code/rules", "it explains when which action is taken")
_WHATEVER: Final = frozenset({"code/format", "code/syntax", "code/source"})
"""Rules that refuse a final decision, too."""
_REACH: Final = 60
_LONGEST: Final = 120
_DEEPEST: Final = 7
_FENCE: Final = "```"
_FENCES: Final = re.compile(r"(?m)^[ \t>]*```")
_LANGUAGES: Final = frozenset({
    "python", "py", "javascript", "js", "typescript", "ts", "tsx", "jsx", "java", "go", "golang",
    "rust", "rs", "c", "cpp", "c++", "csharp", "cs", "php", "ruby", "kotlin", "swift", "mql4",
    "mql5", "mq5", "pine", "pinescript", "sql", "r", "lua", "dart", "scala",
})  # fmt: skip
_HEADING: Final = re.compile(r"(#{1,6}) +\S")
_LEADS: Final = re.compile(
    r":[*_`\s]*$|^\*\*[^*]+\*\*$|^\W*(?:POST|PUT|PATCH) [`/h]|^\W*[Ee]xample #?\d+\b"
)
# ### Trading logic, **Exit rules:**, When SELL signals appear, Low z-score scenario (Z < -2):
_RULES: Final = re2.compile(
    r"(?i)^#.*\b(?:logic|rules|criteria|guidelines?)\b(?: ?\([^()\n]*\))?\W*$"
    r"|^#+ *(?:when|if|whenever)\b"
    r"|^[^\w\n]*(?:when|if|whenever|(?:\w+[ -]){0,4}(?:scenario|case|condition))\b[^\n]*"
    r"(?:[<>≤≥]|\b(?:cross\w*|above|below|exceeds?|falls?|rises?)\b)"
)
_MAY_LEAD: Final = looks.ask(
    r"(?i)^\s*#.*\b(?:logic|rules|criteria|guidelines?)\b"
    r"|^[^\w\n]*(?:when|if|whenever)\b|(?:scenario|case|condition)\b[^\n]*(?:[<>≤≥]|cross|above|below|exceed|fall|rise)",
    r"(?i)```\w|demo|dummy|mock|fake|test|format|syntax|template|request|payload|webhook|curl"
    r"|\bPOST\b|\bPUT\b|example|sample|such as|look|suppose|bei?spiel|exempl|ejemplo|esempi"
    r"|contoh|пример|örnek|例|範例|格式|模板|フォーマット|예시|형식",
)
_FORMAT: Final = re2.compile(
    r"(?i)\b(?:formats?|formato)\b(?:\W+\w+){0,2}\W*$|(?:格式|フォーマット|형식)\W*$"
)
_SYNTAX: Final = re2.compile(
    r"(?i)\b(?:formats|syntax|templates?|supported format)\b(?:\W+\w+){0,2}\W*$|模板\W*$"
)
_REQUEST: Final = re2.compile(
    r"(?i)\b(?:request(?: (?:body|json|payload|example))?|request_body|body|payload|webhook"
    r" (?:message|payload|body|json))\W*$|\bcurl\b|\b(?:POST|PUT|PATCH) [`/h]"
)
_CALLED: Final = re2.compile(r"\bcurl -|\b(?:POST|PUT|PATCH) (?:https?:/)?[/:][\w/]")
_EXAMPLE: Final = re2.compile(
    r"(?i)\bsamples?\W*$|\bsample (?:signal|message|alert|trade|notification|data)s?\b"
    r"|\b(?:examples?|such as|for instance|e\.g|looks? like|(?:how|what) it looks?"
    r"|suppose|(?:demo|dummy|mock|fake|test) (?:data|signal|alert|message)s?|bei?spiele?"
    r"|exempl[eo]s?|ejemplos?|esempio?|contoh)\b"
    r"|пример|örnek|示例|示範|範例|例子|例:|예시"
)
_BY_THE_WAY: Final = re.compile(r"(?i)\bfor (?:example|instance)\b(?=.*\w)")
# What an example of an output shows is what the script says.
_OUTPUT: Final = re2.compile(
    r"(?i)\b(?:outputs?|responses?|results?|run|report|ausgabe|salida|sortie|saída)\b|输出|出力|출력"
)


def drop(document: Document, flags: frozenset[str], findings: Findings) -> None:
    """Refuse what stands below a heading or a lead-in that shows a format, a request, an example.

    Args:
        document: The text.
        flags: What the text as a whole holds. A format that is filled in with prices is an output.
        findings: Its statements; those that are refused move to ``rejected``.
    """
    if not findings.statements:
        return
    # One character is found several times as fast as two, and mostly is not there.
    if "<" in document.text and "</" in document.text:
        _drop_tagged(document, findings)
    if not document.may(_MAY_LEAD):
        return
    fences = [match.start() for match in _FENCES.finditer(document.folded)]
    known: dict[int, tuple[str, str] | None] = {}
    lost: dict[tuple[str, str], list[Statement]] = {}
    for item in findings.statements:
        if item.line not in known:
            line = document.lines[item.line]
            called = _CALLED.search(document.folded[line.start : line.end]) is not None
            inside = bisect_left(fences, line.start) % 2 == 1
            known[item.line] = _SENT if called else _shown(document, item.line, fenced=inside)
        why = known[item.line]
        if why is None or item.is_row or (why in (_LAYOUT, _RULE) and "levels" in flags):
            continue
        if why[0] in _WHATEVER or item.rank < FINAL:
            lost.setdefault(why, []).append(item)
    for (rule, reason), items in lost.items():
        findings.refuse(document, items, rule, reason)


def _drop_tagged(document: Document, findings: Findings) -> None:
    """Refuse what a text in tags says, where it is an order or a program's setting."""
    if _is_order(document.text):
        sent = [item for item in findings.statements if item.rank < FINAL]
        findings.refuse(document, sent, *_SENT)
    if _DEFINED.search(document.text) is not None:
        findings.refuse(document, findings.statements, *_SETTING)


def _is_order(text: str) -> bool:
    """Say whether a text in tags gives a side and a size and no level: an order as sent."""
    tags = {name.replace("_", "").lower() for name in _TAG.findall(text)}
    return not tags.isdisjoint(_SIDES) and not tags.isdisjoint(_SIZES) and tags.isdisjoint(_LEVELS)


def _shown(document: Document, number: int, *, fenced: bool) -> tuple[str, str] | None:
    """Return why what stands on a line is only shown, None where nothing above it says so.

    Args:
        document: The text.
        number: The line.
        fenced: Whether it stands between fences, as code does.
    """
    lines, text = document.lines, document.folded
    # The first line of a text speaks of all of it, up to the next heading.
    opening = len(text) - len(text.lstrip())
    depth = _DEEPEST
    near = True
    gap = False
    for line in reversed(lines[max(0, number - _REACH) : number]):
        part = text[line.start : line.end].strip()
        if not part:
            gap = not fenced
            continue
        if part.startswith(_FENCE):
            if fenced and part[len(_FENCE) :].strip().lower() in _LANGUAGES:
                return "code/source", "it is source code, not what it printed"
            # Above its own fence the paragraph goes on; another one stands between.
            near, fenced, gap = near and fenced, False, False
            continue
        heading = _HEADING.match(part)
        if heading is not None:
            if len(heading.group(1)) >= depth:
                continue
            depth = len(heading.group(1))
            near, opening = False, -1
        elif (near or line.start <= opening) and len(part) <= _LONGEST and _LEADS.search(part):
            near = False
        else:
            near, gap = near and not gap, False
            continue
        why = _says(part)
        if why is not None:
            return why
    return None


def _says(part: str) -> tuple[str, str] | None:
    """Return what a heading says of the lines below it."""
    if _REQUEST.search(part) is not None:
        return _SENT
    if _SYNTAX.search(part) is not None:
        return "code/syntax", "it shows what may be written, not a decision"
    if _FORMAT.search(part) is not None:
        return _LAYOUT
    if _RULES.search(part) is not None:
        return _RULE
    part = _BY_THE_WAY.sub(" ", part)
    if _EXAMPLE.search(part) is not None and _OUTPUT.search(part) is None:
        return "code/example", "it is an example, not a decision"
    return None
