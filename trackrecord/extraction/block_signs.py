"""What a block of lines says of the actions in it: that they are done, held, or only shown."""

from __future__ import annotations

from typing import Final, final

import re2

from trackrecord.extraction import endings, looks
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.object_words import EXIT_KEYS, HELD_KEYS
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.refusals import FINAL, LABELLED

STATED: Final = RANKS["stated"]

_PAID: Final = re2.compile(rb"(R)[:=|(>]{1,3}[NP]")
_PAID_WORDS: Final = (
    "pnl", "p&l", "p/l", "profit", "loss", "realiz", "realis", "netp", "closeprofit", "result",
)  # fmt: skip
EXAMPLE: Final = re2.compile(
    r"(?i)^\W*(?:worked )?(?:examples?|samples?|scenario|test case|case|mock|mock-?up|illustration"
    r"|hypothetical)(?: ?#?\d+)?(?: (?:signal|output|trade|alert|message|response|for|of|telegram"
    r"|discord|email|trading|buy|sell|json|console|log|bot|report|notification|run)\b)*"
    r"(?: ?\([^)\n]*\))?\s*[:-]"
)
MAY_SHOW: Final = looks.ask(
    r"(?i)(?:^|\{)\W*(?:worked )?"
    r"(?:example|sample|scenario|test case|case|mock|illustration|hypothetical)"
)
_EXAMPLE_HEADS: Final = re2.compile(r"(?im)^[^\w\n]*(?:examples?|samples?)[^\w\n]*$")
_DEFAULT: Final = re2.compile(
    r"(?i)\b(?:default(?:s|ed|ing)?|fall(?:s|ing)?[ -]?back|fallback)\b|默认|兜底"
)
MAY_DEFAULT: Final = looks.ask(r"(?i)default|fall|默认|兜底")
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
# Résultat: -243.31 $; Ergebnis: +1.2 R
_BROUGHT: Final = re2.compile(
    r"(?im)^[^\w\n]*(?:r[ée]sultats?|resultado|ergebnis|risultato|результат|sonuç|hasil|kết quả"
    r"|结果|結果|결과|损益|盈亏|손익|損益|gewinn|verlust|gain|perte|ganancia|p[ée]rdida|lucro"
    r"|prejuízo|прибыль|убыток)\W{0,3}[:=]\W{0,3}[+-] ?[$€£¥₹]? ?\d"
)
_MAY_HAVE_BROUGHT: Final = looks.ask(r"[:=][^\w\n]*[+-] ?[$€£¥₹]? ?\d")
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
MAY_BE_HELD: Final = looks.ask(r"(?i)posi[tcçzs]|pozi|pozy|позици|vị thế|สถานะ|मौजूदा")
_RUNNING: Final = re2.compile(
    r"(?i)\b(?:positions?|trades?) (?:is |still )?(?:running|ongoing|in progress)\b"
)
_MAY_RUN: Final = looks.ask(r"(?i)running|ongoing|in progress")
_MAY_KEEP: Final = looks.ask(r"(?i)\bheld\b|holding since")
_KEPT: Final = re2.compile(
    r"(?i)\b(?:days|bars|hours) held\b|\bheld (?:for|since)\b|\bholding since\b"
)
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


def read(document: Document, block: Block) -> None:
    """Find out what a block says."""
    block.is_read = True
    text = document.folded[block.start : block.end]
    _find_over(document, block, text)
    block.default = (
        document.may(MAY_DEFAULT)
        and _DEFAULT.search(text) is not None
        and _ERROR.search(text) is not None
    )
    secret = document.may(_MAY_BE_SECRET) and _SECRET.search(text) is not None
    block.request = secret or (document.may(_MAY_REQUEST) and "{" in text and _is_request(text))
    block.example = document.may(MAY_SHOW) and (
        EXAMPLE.search(text) is not None or _EXAMPLE_HEADS.search(text) is not None
    )
    block.is_kept = document.may(_MAY_KEEP) and _KEPT.search(text) is not None
    running = document.may(_MAY_RUN) and _RUNNING.search(text) is not None
    for number in range(block.first, block.last + 1):
        line = document.lines[number]
        abroad = bool(line.looks & MAY_BE_HELD)
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
    if document.may(_MAY_HAVE_BROUGHT) and _BROUGHT.search(text) is not None:
        block.over = "code/paid", "its block holds what it has made or lost"
    elif exits(document, block, text):
        block.over = "code/exited", "its block holds the price at which it was left"
    elif any(pays(document, document.lines[at]) for at in range(block.first, block.last + 1)):
        block.over = "code/paid", "its block holds what it has made or lost"
    block.below = LABELLED


def _has_keys(text: str) -> bool:
    """Say whether a piece of an object has keys that only a trade or a position has."""
    keys = {key.replace("_", "").lower() for key in _KEYS.findall(text)}
    if len(keys) < _FEWEST_KEYS:
        return False
    sent = not keys.isdisjoint(_SIZES) and "price" in keys and keys.isdisjoint(_ADVISING)
    return sent or not keys.isdisjoint(EXIT_KEYS | HELD_KEYS) or _OPEN.search(text) is not None


def exits(document: Document, block: Block, text: str) -> bool:
    """Say whether a block holds an exit's price that is no plan: beside no stop and no target."""
    if not (document.may(endings.MAY_EXIT) and endings.names_exit(text)):
        return False
    shapes = [line.shape for line in document.lines[block.first : block.last + 1]]
    return not any("X" in shape or "T" in shape for shape in shapes)


def pays(document: Document, line: Line) -> bool:
    """Say whether a line holds what a position has made or lost."""
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
