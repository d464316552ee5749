"""What the block of lines around an action says of it: that it is over, held, or no decision.

A block is the lines between two blank or ruled ones, the lines of one logged message, or the
innermost braces on a line. An exit, a realised profit or a filled order in it means that the
side it names is of what was done; a plan to leave is none.
"""

from __future__ import annotations

from typing import Final, final

import re2

from trackrecord.extraction import endings, looks
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.object_words import EXIT_KEYS, HELD_KEYS
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.refusals import FINAL, LABELLED, ROW
from trackrecord.extraction.shapes import ACTIONS, log_prefix
from trackrecord.extraction.statements import Findings, Statement, reject
from trackrecord.extraction.things import names_a_thing

NAMED: Final = frozenset("SNP")
"""Letters of names and values, which a title has none of."""
STATED: Final = RANKS["stated"]

_LONGEST_BLOCK: Final = 40
_LONGEST_OBJECT: Final = 2000
_PAID: Final = re2.compile(rb"(R)[:=|(>]{1,3}[NP]")
_PAID_WORDS: Final = (
    "pnl", "p&l", "p/l", "profit", "loss", "realiz", "realis", "netp", "closeprofit", "result",
)  # fmt: skip
_TELLING: Final = looks.ask(
    r"(?i)closed|exit|hit|reach|achiev|triggered|filled|executed|booked|stopped|squared|liquidat"
    r"|complete|covered|sold|smashed|touched|pnl|p&l|p/l|profit|loss|result|outcome|成交|平仓|止"
    r"|default|fall|默认|兜底|example|sample|scenario|case|mock|illustrat|hypothetic|quantity|qty"
    r"|size|amount|units|volume|lots|position|trades?\b|holding|order|fill|held|since"
    r"|secret|passphrase|api_?key|密[钥鑰]|订单号|单号|ticket|status|price"
    r"|open(?:ed)?_?(?:at|time)|remaining|(?:old|new|original)[ _](?:stop|sl|tp)"
)
"""What a line must hold so that any block can take an action back."""
_EXAMPLE: Final = re2.compile(
    r"(?i)^\W*(?:worked )?(?:examples?|samples?|scenario|test case|case|mock|mock-?up|illustration"
    r"|hypothetical)(?: ?#?\d+)?(?: (?:signal|output|trade|alert|message|response|for|of|telegram"
    r"|discord|email|trading|buy|sell|json|console|log|bot|report|notification|run)\b)*"
    r"(?: ?\([^)\n]*\))?\s*[:-]"
)
_MAY_SHOW: Final = looks.ask(
    r"(?i)(?:^|\{)\W*(?:worked )?"
    r"(?:example|sample|scenario|test case|case|mock|illustration|hypothetical)"
)
_EXAMPLE_HEADS: Final = re2.compile(r"(?im)^[^\w\n]*(?:examples?|samples?)[^\w\n]*$")
_DEFAULT: Final = re2.compile(
    r"(?i)\b(?:default(?:s|ed|ing)?|fall(?:s|ing)?[ -]?back|fallback)\b|默认|兜底"
)
_MAY_DEFAULT: Final = looks.ask(r"(?i)default|fall|默认|兜底")
_DEFAULTING: Final = re2.compile(
    r"(?i)\b(?:defaulting|falling back|defaults|defaulted) (?:to|on)\b"
)
_ERROR: Final = re2.compile(
    r"(?i)\b\w{0,24}error\b|\b(?:exceptions?|fail(?:ed|ure|s)?|timed? ?out|could ?n[o']t|unable"
    r"|unavailable|unparsable|no response)\b|失败|错误|异常|超时"
)
_REQUEST: Final = re2.compile(
    r"(?i)['\"](?:api_?key|product(?:_?type)?|price_?type|order_?type|validity|variety|tif"
    r"|time_?in_?force|trigger_?type|disclosed_?quantity|transaction_?type|exchange"
    r"|trading_?symbol|symbol_?token|client_?order_?id|recvwindow|reduce_?only)['\"]\s*:"
)
_MAY_REQUEST: Final = looks.ask(
    r"(?i)['\"](?:api_?key|product|price_?type|order_?type|validity|variety|tif"
    r"|time_?in_?force|trigger_?type|disclosed_?quantity|transaction_?type|exchange"
    r"|trading_?symbol|symbol_?token|client_?order_?id|recvwindow|reduce_?only)"
)
_QUANTITY: Final = re2.compile(r"(?i)['\"](?:quantity|qty|size|amount|units|volume|lots)['\"]\s*:")
_MOST_KEYS: Final = 3
# A piece cut out of an object, whose keys tell of a trade or a position: "opened_at": 17, ...
_KEYS: Final = re2.compile(r"['\"]([A-Za-z_]{2,24})['\"]\s?:")
_MAY_BE_KEYS: Final = looks.ask(
    r"(?i)(?:exit|clos|sold|open|held|avg|average|mark|liq|unreal|pnl|status|volume|quantity"
    r"|qty|size|lots?|units|amount)[a-z_]*['\"] ?:"
)
# "finalized_outcome": "stop"
_FINISHED: Final = re2.compile(
    r"(?i)['\"]\w{0,24}(?:outcome|result|exit_?reason)['\"]\s?:\s?['\"](?:win|won|loss|lost|stop\w*"
    r"|sl\w*|tp\w*|target\w*|time\w*|break_?even|profit)['\"]"
)
_MAY_HAVE_ENDED: Final = looks.ask(r"(?i)(?:outcome|result|exit_?reason)['\"]\s?:\s?['\"]")
_FEWEST_KEYS: Final = 3
_OPEN: Final = re2.compile(
    r"(?i)['\"](?:trade_?|position_?)?status['\"]\s?:\s?['\"](?:open(?:ed)?|running"
    r"|in[ _]position|filled)['\"]"
)
_SIZES: Final = frozenset({"quantity", "qty", "size", "volume", "lots", "lot", "units", "amount"})
_ADVISING: Final = frozenset({
    "entry", "entryprice", "confidence", "reason", "reasoning", "reasons", "rationale", "score",
    "strength", "probability", "recommendation", "signal",
})  # fmt: skip
"""Keys that an order as sent has none of."""
# A position that is being managed: its stop was moved, a part of it is left.
_MANAGED: Final = re2.compile(
    r"(?im)^\W*(?:old|previous|original|new|updated|moved|adjusted)[ _-]"
    r"(?:trailing[ _-])?(?:stop(?:[ _-]?loss)?|sl|tp|target)\b[^\n:]{0,20}:\W*[$€£₹]?\d"
    r"|\b\d{1,3} ?% (?:of (?:the )?position )?(?:remaining|remains|left|protected|exited|closed)\b"
    r"|^\W*(?:price|market) (?:reaches|reached|hits|moves|moved|rises|rose|falls|fell"
    r"|drops)\b[^\n:]{0,12}:"
    r"|^\W*position[ _-]?(?:id|no\.?|number|#)\W{0,3}\w"
    r"|^\W*(?:订单号|单号|注文番号|주문번호|ticket|order (?:id|no\.?|number))\s?[|:#]\W{0,3}\d{4}"
)
_MAY_BE_MANAGED: Final = looks.ask(
    r"(?i)(?:old|previous|original|new|updated|moved|adjusted)[ _-](?:trailing|stop|sl|tp|target)"
    r"|% (?:of (?:the )?position )?(?:remain|left|protect|exited|closed)|(?:price"
    r"|market) (?:reach|hit|move|rise|rose|fall|fell|drop)"
    r"|position[ _-]?(?:id|no|number|#)|订单号|单号|注文番号|주문번호|ticket|order (?:id|no|number)"
)
_LEFT_BELOW: Final = 3
_SECRET: Final = re2.compile(
    r"(?i)['\"](?:secret|passphrase|api_?key|webhook_?(?:key|secret)|密[钥鑰])['\"]\s?:"
)
_MAY_BE_SECRET: Final = looks.ask(r"(?i)(?:secret|passphrase|key|密[钥鑰])['\"] ?:")
_HOLDING: Final = re2.compile(
    r"(?i)\b(?:open|active|current|existing|managing|monitoring)\b[^\n:]{0,24}"
    r"\b(?:positions?|trades?|holdings?)\b"
)
_HELD_ELSEWHERE: Final = re2.compile(
    r"(?i)\b(?:(?:offene|laufende|aktuelle|bestehende) positionen|positions? (?:ouverte|en cours"
    r"|actuelle)|posiciones (?:abierta|actual|activa)|posi[çc][õo]es (?:aberta|atua|ativa)"
    r"|posizion[ei] (?:apert|in corso|attual)|posisi (?:terbuka|aktif|berjalan)"
    r"|mevcut pozisyon|otwart\pL+ pozycj|openstaande posities)"
    r"|a[çc][i\x{131}]k pozisyon|открыт\pL+ позици|текущи\pL+ позици|otev[řr]en\pL+ pozic"
    r"|[öo]ppna positioner|vị thế (?:đang )?mở|สถานะที่เปิดอยู่|मौजूदा पोजीशन"
)
_MAY_BE_HELD: Final = looks.ask(r"(?i)posi[tcçzs]|pozi|pozy|позици|vị thế|สถานะ|मौजूदा")
_RUNNING: Final = re2.compile(
    r"(?i)\b(?:positions?|trades?) (?:is |still )?(?:running|ongoing|in progress)\b"
)
_MAY_RUN: Final = looks.ask(r"(?i)running|ongoing|in progress")
_MAY_KEEP: Final = looks.ask(r"(?i)\bheld\b|holding since")
_KEPT: Final = re2.compile(
    r"(?i)\b(?:days|bars|hours) held\b|\bheld (?:for|since)\b|\bholding since\b"
)
_RULES: Final = "-=_*~#─━═"
_RULED_TITLE: Final = re2.compile(r"^[-=_*~#─━═]{3,} ?[^-=_*~#─━═ ].{0,120}? ?[-=_*~#─━═]{3,}\s*$")
_NONE_HELD: Final = re2.compile(r"(?i)\b(?:no|0|zero|none|without)\b|:\s*(?:none|flat|0|-|\[\])")


@final
class Block:
    """A block: its lines, its part of the text, and what it says of the actions in it."""

    __slots__ = (
        "below", "default", "end", "example", "first", "holding", "is_kept", "is_read", "last",
        "over", "request", "start",
    )  # fmt: skip

    def __init__(self, first: int, last: int, start: int, end: int) -> None:
        self.first = first
        self.last = last
        self.start = start
        self.end = end
        self.is_read = False
        self.over: tuple[str, str] | None = None
        """Rule and reason why it tells of what is over, None where it does not."""
        self.below = 0
        """The rank below which that counts."""
        self.default = False
        """Whether it speaks both of an error and of a default."""
        self.request = False
        """Whether it is an order's fields as sent."""
        self.example = False
        """Whether its first line calls it an example."""
        self.is_kept = False
        """Whether it tells for how long something is held."""
        self.holding = -1
        """The line of a heading of open positions, -1 where there is none."""


def refuse(document: Document, findings: Findings, torn: set[int]) -> None:
    """Take back the statements whose block says that they are no decision.

    Args:
        document: The text.
        findings: Its statements; those taken back go to the rejected ones, and the parts of the
            text that speak of what is over to ``over``.
        torn: Lines of tracebacks.
    """
    if not findings.statements:
        return
    telling = document.may(_TELLING) or document.may(_MAY_BE_HELD)
    cut = _cut(document) if telling else []
    exits = document.may(endings.MAY_EXIT)
    objects: dict[int, Block] = {}
    kept: list[Statement] = []
    for statement in findings.statements:
        if statement.line in torn:
            why: tuple[str, str] | None = ("code/traceback", "it stands in an error's traceback")
        elif names_a_thing(document, statement):
            why = ("code/thing", "what is bought, sold or held is no instrument")
        elif telling:
            block = _object(document, statement, objects) or cut[statement.line]
            why = _asked(document, statement, block, findings)
            if why is None and statement.rank < FINAL and not statement.is_row and exits:
                left = block.first < block.last or block is cut[statement.line]
                if left and _left_below(document, cut, block):
                    why = "code/exited", "the block below it holds the price at which it was left"
        else:
            why = None
        if why is None:
            kept.append(statement)
            continue
        findings.rejected.append(reject(document, statement.token, why[0], why[1]))
        if why[0] == "code/example" and statement.symbol is not None:
            findings.named.add(statement.symbol)
    findings.statements = kept


def _asked(
    document: Document, statement: Statement, block: Block, findings: Findings
) -> tuple[str, str] | None:
    """Return why a block takes a statement back, and keep the block in mind where it is over."""
    if not block.is_read:
        _read(document, block)
    why = _why_not(document, statement, block)
    if why is not None and block.over is not None:
        whole = document.lines[block.first].first, document.lines[block.last].last
        if findings.over[-1:] != [whole]:
            findings.over.append(whole)
    return why


def _why_not(document: Document, statement: Statement, block: Block) -> tuple[str, str] | None:
    line = document.lines[statement.line]
    own = document.folded[line.start : line.end]
    if statement.action == "HOLD" and (block.default or _defaulting(document, own)):
        return "code/default", "it is what the text falls back to after an error"
    if statement.rank >= FINAL or statement.is_row:
        return None
    weak = "weak" in statement.rule
    if block.over is not None and (
        statement.rank < block.below or (weak and block.below >= LABELLED)
    ):
        return block.over
    if block.is_kept and statement.action == "BUY":
        return "code/held", "its block tells for how long it has been held"
    return _shown(statement, block, own if document.may(_MAY_SHOW) else "")


def _defaulting(document: Document, own: str) -> bool:
    return document.may(_MAY_DEFAULT) and _DEFAULTING.search(own) is not None


def _shown(statement: Statement, block: Block, own: str) -> tuple[str, str] | None:
    """Return why a statement is only shown: as a request, in an example, as a position."""
    if block.request:
        return "code/request", "it is an order as sent, not advice"
    if block.example or (own and _EXAMPLE.search(own) is not None):
        return "code/example", "it is an example, not a decision"
    beside = statement.rank <= ROW or "weak" in statement.rule
    if beside and 0 <= block.holding < statement.line:
        return "code/position", "it stands under a heading of open positions"
    return None


def _object(document: Document, statement: Statement, objects: dict[int, Block]) -> Block | None:
    """Return the innermost braces around a statement that open on its line, None outside any."""
    line = document.lines[statement.line]
    if "{" not in line.shape:
        return None
    letters = document.letters
    depth = 0
    for at in range(statement.token, line.first - 1, -1):
        depth += (letters[at] == "}") - (letters[at] == "{")
        if depth >= 0:
            continue
        known = objects.get(at)
        if known is None:
            start = document.starts[at]
            end = document.folded.find("}", document.ends[statement.token], start + _LONGEST_OBJECT)
            end = max(end if end >= 0 else line.end, document.ends[statement.token])
            known = objects[at] = Block(line.number, line.number, start, end)
        return known
    return None


def _cut(document: Document) -> list[Block]:
    """Return the block of each line, by the line's number."""
    lines = document.lines
    blocks: list[Block] = []
    block: Block | None = None
    for line in lines:
        number = line.number
        if (
            block is None
            or not line.shape
            or not lines[number - 1].shape
            or number - block.first >= _LONGEST_BLOCK
            or (line.traits.begins and not _goes_on(document, lines[number - 1], line))
            or _is_ruled_title(document, line)
        ):
            first = number
            if line.shape and number > 1 and _is_title(document, lines, number):
                first = number - 2
            block = Block(first, number, lines[first].start, line.end)
        block.last, block.end = number, line.end
        blocks.append(block)
    return blocks


def _is_ruled_title(document: Document, line: Line) -> bool:
    """Say whether a line holds words between two rules: ``----- Yesterday's call -----``."""
    if document.folded[line.start] not in _RULES:
        return False
    return _RULED_TITLE.search(document.folded[line.start : line.end]) is not None


def _goes_on(document: Document, before: Line, line: Line) -> bool:
    """Say whether a logged line is set in under the one above it, as part of one message."""
    behind = log_prefix(line.shape)
    if behind < 2 or behind >= len(line.shape) or log_prefix(before.shape) < 2:  # noqa: PLR2004
        return False
    prefix_end = document.ends[line.first + behind - 1]
    text = document.folded
    if text[prefix_end : prefix_end + 3] != "   ":
        return False
    # The same clock, so that a list of later events is none.
    head = before.first, line.first
    clocks = [text[document.starts[at] : document.ends[at]] for at in head]
    return clocks[0] == clocks[1]


def _is_title(document: Document, lines: list[Line], first: int) -> bool:
    """Say whether a line without a name or a number, then a blank or ruled one, heads a block."""
    title, rule = lines[first - 2], lines[first - 1]
    if rule.shape or not title.shape or (first > 2 and lines[first - 3].shape):  # noqa: PLR2004
        return False
    ruled = bool(document.folded[rule.start : rule.end].strip())
    return ruled or NAMED.isdisjoint(title.shape)


def _read(document: Document, block: Block) -> None:
    """Find out what a block says."""
    block.is_read = True
    text = document.folded[block.start : block.end]
    _find_over(document, block, text)
    block.default = (
        document.may(_MAY_DEFAULT)
        and _DEFAULT.search(text) is not None
        and _ERROR.search(text) is not None
    )
    secret = document.may(_MAY_BE_SECRET) and _SECRET.search(text) is not None
    block.request = secret or (document.may(_MAY_REQUEST) and "{" in text and _is_request(text))
    block.example = document.may(_MAY_SHOW) and (
        _EXAMPLE.search(text) is not None or _EXAMPLE_HEADS.search(text) is not None
    )
    block.is_kept = document.may(_MAY_KEEP) and _KEPT.search(text) is not None
    running = document.may(_MAY_RUN) and _RUNNING.search(text) is not None
    for number in range(block.first, block.last + 1):
        line = document.lines[number]
        abroad = bool(line.looks & _MAY_BE_HELD)
        if not running and not abroad and "O" not in line.shape:
            continue
        part = document.folded[line.start : line.end]
        held = "O" in line.shape and _HOLDING.search(part) is not None
        held = held or (abroad and _HELD_ELSEWHERE.search(part) is not None)
        if (held or _RUNNING.search(part) is not None) and _NONE_HELD.search(part) is None:
            block.holding = number
            break


def _find_over(  # noqa: C901 - one branch a sign
    document: Document, block: Block, text: str
) -> None:
    """Find what tells that the block is of something done, and how much that counts."""
    if document.may(_MAY_HAVE_ENDED) and _FINISHED.search(text) is not None:
        block.over = "code/over", "its block tells how it ended"
        block.below = FINAL
        return
    if document.may(_MAY_BE_KEYS) and _has_keys(text):
        block.over = "code/over", "its block tells of what was done"
        block.below = LABELLED
        return
    if document.may(_MAY_BE_MANAGED) and _MANAGED.search(text) is not None:
        block.over = "code/managed", "its block tells of a position that is being managed"
        block.below = LABELLED
        return
    for number in range(block.first, block.last + 1):
        line = document.lines[number]
        if not line.looks & endings.MAY_TELL:
            continue
        whole = block.start <= line.start and line.end <= block.end
        if whole and not document.tells(line, endings.MAY_BE_OVER):
            continue
        part = document.folded[max(line.start, block.start) : min(line.end, block.end)]
        if endings.happened(part):
            block.over = "code/over", "its block tells of what was done"
            block.below = STATED if endings.gives_reason(part) else FINAL
            return
        if endings.has_ended(part) or endings.was_sent(part):
            block.over = "code/over", "its block says that it is closed or filled"
            block.below = LABELLED
    if block.over is not None:
        return
    if _exits(document, block, text):
        block.over = "code/exited", "its block holds the price at which it was left"
    elif any(_pays(document, document.lines[at]) for at in range(block.first, block.last + 1)):
        block.over = "code/paid", "its block holds what it has made or lost"
    block.below = LABELLED


def _has_keys(text: str) -> bool:
    """Say whether a piece of an object has keys that only a trade or a position has."""
    keys = {key.replace("_", "").lower() for key in _KEYS.findall(text)}
    if len(keys) < _FEWEST_KEYS:
        return False
    sent = not keys.isdisjoint(_SIZES) and "price" in keys and keys.isdisjoint(_ADVISING)
    return sent or not keys.isdisjoint(EXIT_KEYS | HELD_KEYS) or _OPEN.search(text) is not None


def _left_below(document: Document, cut: list[Block], block: Block) -> bool:
    """Say whether the levels of a statement, in the block below its own, are those of an exit."""
    at = block.last + 1
    while at < len(cut) and not document.lines[at].shape and at <= block.last + _LEFT_BELOW:
        at += 1
    if at >= len(cut) or cut[at] is block:
        return False
    lines = document.lines[cut[at].first : cut[at].last + 1]
    acts = range(lines[0].first, lines[-1].last)
    if any(document.letters[at] in ACTIONS and not _is_exit(document, at) for at in acts):
        return False
    text = document.folded[cut[at].start : cut[at].end]
    return _exits(document, cut[at], text) and any(_pays(document, line) for line in lines)


def _is_exit(document: Document, token: int) -> bool:
    return document.raw(token).lower().startswith(("exit", "close"))


def _exits(document: Document, block: Block, text: str) -> bool:
    """Say whether a block holds an exit's price that is no plan: beside no stop and no target."""
    if not (document.may(endings.MAY_EXIT) and endings.names_exit(text)):
        return False
    shapes = [line.shape for line in document.lines[block.first : block.last + 1]]
    return not any("X" in shape or "T" in shape for shape in shapes)


def _pays(document: Document, line: Line) -> bool:
    if "R" not in line.shape or "U" in line.shape:
        return False
    match = _PAID.search(line.shape.encode("ascii", "replace"))
    if match is None:
        return False
    word = document.raw(line.first + match.start(1)).lower().replace(" ", "").replace("_", "")
    return word.startswith(_PAID_WORDS)


def _is_request(text: str) -> bool:
    if _QUANTITY.search(text) is None:
        return False
    return len(set(_REQUEST.findall(text.lower()))) >= _MOST_KEYS
