"""Make look-alike characters one, keeping every offset.

Each character becomes exactly one character, so that a span found in the folded
text is a span of the text that was printed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Only single characters and bounded or possessive runs: nothing here can backtrack.
_NON_ASCII: Final = re.compile(r"[^\x00-\x7f]++")
_NOISE: Final = re.compile(
    r"\x1b\[[0-9;?]{0,16}[A-Za-z]"  # terminal colours
    r"|\x1b\][^\x07\x1b\n]{0,256}(?:\x07|\x1b\\)"  # terminal titles
    r"|\[[0-9]{1,3}(?:;[0-9]{1,3}){0,4}m(?![a-z])"  # colours whose escape was lost on the way
    r"|[\x00-\x08\x0b-\x1f\x7f]"
)
_ASCII: Final = bytes(range(128))
_CONTROL: Final = bytes([*range(9), *range(11, 32), 127])
# Tags of HTML, as messages for chat programs are written in.
_TAG: Final = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,9})(?:\s[^<>\n]{0,200})?/?>")
_BREAKS: Final = frozenset({"br", "p", "div", "li", "ul", "tr", "table", "h1", "h2", "h3", "h4"})
_COLOUR_END: Final = "[0m"

# ruff: noqa: RUF001 - that these characters look like others is the point of the table
_SAME: Final = {
    **dict.fromkeys("−‐‑‒–—―﹣－", "-"),
    **dict.fromkeys("‘’‚‛ʼ＇′", "'"),
    **dict.fromkeys("“”„‟＂″«»「」『』", '"'),
    **dict.fromkeys("：﹕︰", ":"),
    **dict.fromkeys("、﹐，", ","),
    **dict.fromkeys("；﹔", ";"),
    **dict.fromkeys("。｡．", "."),
    **dict.fromkeys("⇒➜➔➡➙➞➤►▶▸▹❯⟶↦→⮕»", "→"),
    **dict.fromkeys("│┃║┆┇┊┋¦｜", "|"),
    **dict.fromkeys("【〔〖［", "["),
    **dict.fromkeys("】〕〗］", "]"),
    **dict.fromkeys("（﹙", "("),
    **dict.fromkeys("）﹚", ")"),
    "・": "•",
    "･": "•",
    "％": "%",
    "﹪": "%",
    "￥": "¥",
    "İ": "I",
    "ı": "i",
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
}
_SUPERSCRIPTS: Final = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS: Final = frozenset("₀₁₂₃₄₅₆₇₈₉")
_SUBSCRIPT_ZEROS: Final = re.compile("(?<=[0-9])[₀-₉]")
# Signs of money whose bytes were read in another encoding, so that two or three letters stand
# for one: ₹ is then â, a low quotation mark and a superscript one.
_BROKEN: Final = re.compile("â[‚\x82]([\xa0-\xbf¬])|Â([\xa0\xa2-\xa5])")
# Parts of a number set apart by a space that does not break, as French and Russian print it.
_GROUPS: Final = re.compile("(?<=[0-9])[\xa0\u2007\u2009\u202f](?=[0-9]{3}(?![0-9]))")
# With a plain space only where a decimal comma or a currency of such a country shows it.
_SPACED: Final = re.compile(
    r"(?<![\d.,'])(?<![\d.,'] )\d{1,3}(?: \d{3}){1,4}"
    r"(?=,\d{1,2}(?![\d,])|[ \xa0\u202f]?(?:[€₽₸]|zł|Kč|руб))"
)
_SPACES: Final = ("\xa0", "\u2007", "\u2009", "\u202f")
_SIGNS: Final = ("€", "₽", "₸", "zł", "Kč", "руб")
_OF_SIGNS: Final = frozenset("€₽₸łčр")
# So many kinds of characters are replaced one kind after the other; more in one pass.
_MOST_REPLACED: Final = 12
_COMMA_BEHIND: Final = re.compile(r",(?<=[0-9] [0-9]{3},)[0-9]{1,2}(?![0-9,.])")
HIDDEN: Final = "\u2060"
"""A character without width, which the lexer skips."""
_KEPT_LIMIT: Final = 4096
_characters: dict[str, str] = dict(_SAME)
_runs: dict[str, str] = {}


def _fold_character(character: str) -> str:
    folded = _characters.get(character)
    if folded is None and character in _SUPERSCRIPTS:
        folded = _characters[character] = " "  # a footnote or a power, no digit of the number
    if folded is None:
        normal = unicodedata.normalize("NFKC", character)
        folded = normal if len(normal) == 1 else character
        folded = _SAME.get(folded, folded)
        category = unicodedata.category(folded)
        if category == "Zs":
            folded = " "
        elif category == "Nd":
            folded = str(unicodedata.digit(folded))
        elif category == "Cs":
            folded = "\ufffd"  # half a character, which no UTF-8 can hold
        if len(_characters) < 16 * _KEPT_LIMIT:
            _characters[character] = folded
    return folded


def _fold_run(match: re.Match[str]) -> str:
    run = match.group()
    folded = _runs.get(run)
    if folded is None:
        folded = "".join([_fold_character(character) for character in run])
        if len(run) <= 16 and len(_runs) < _KEPT_LIMIT:  # noqa: PLR2004 - only short runs recur
            _runs[run] = folded
    return folded


def _blank(match: re.Match[str]) -> str:
    # A terminal code takes no room on the screen, so it becomes what takes none; any other
    # control character parts words.
    size = match.end() - match.start()
    return (HIDDEN if size > 1 else " ") * size


def _untag(match: re.Match[str]) -> str:
    size = match.end() - match.start()
    first = "\n" if match[1].lower() in _BREAKS else "|" if match[1].lower() == "td" else " "
    return first + " " * (size - 1)


def _mend(match: re.Match[str]) -> str:
    """Return a broken sign of money as it was meant, as long as it was."""
    if match[1] is not None:
        code = 0xAC if match[1] == "¬" else ord(match[1])
        return HIDDEN * 2 + chr(0x2080 + (code & 0x3F))
    return HIDDEN + match[2]


def _join_groups(match: re.Match[str]) -> str:
    return match[0].replace(" ", "'")


def _fold_others(text: str, others: set[str]) -> str:
    """Return a text with look-alikes made one, whose amounts can be read.

    Args:
        text: The text.
        others: Its characters that are not of ASCII.
    """
    if not others.isdisjoint("âÂ"):
        text = _BROKEN.sub(_mend, text)
        others = _others(text.encode("utf-8", "surrogatepass"))
    if not others.isdisjoint(_SPACES):
        text = _GROUPS.sub("'", text)
    amounts = not others.isdisjoint(_OF_SIGNS) and any(sign in text for sign in _SIGNS)
    if amounts or _COMMA_BEHIND.search(text):
        text = _SPACED.sub(_join_groups, text)
    # 0.0₅64 is 0.00000064 to those who write it so: no number that can be read.
    if "0.0" in text and not others.isdisjoint(_SUBSCRIPTS):
        text = _SUBSCRIPT_ZEROS.sub("x", text)
    changed = [other for other in others if _fold_character(other) != other]
    if len(changed) > _MOST_REPLACED:
        return _NON_ASCII.sub(_fold_run, text)
    for other in changed:
        text = text.replace(other, _fold_character(other))
    return text


def _others(data: bytes) -> set[str]:
    """Return the characters of a text in UTF-8 that are not of ASCII."""
    return set(data.translate(None, _ASCII).decode("utf-8", "surrogatepass"))


def fold(text: str) -> str:
    """Return the text with look-alikes made one and control codes blanked.

    Args:
        text: Any text.

    Returns:
        A text of the same length: full-width and mathematical letters as plain ones, every
        dash as ``-``, box-drawing bars as ``|``, terminal codes as spaces. Letters of another
        alphabet stay what they are: a Cyrillic letter in a Latin word is not a Latin word.
    """
    # Bytes are looked through several times as fast as characters.
    data = text.encode("utf-8", "surrogatepass")
    holds_control = len(data.translate(None, _CONTROL)) != len(data)
    if text.isascii():
        if _COMMA_BEHIND.search(text):
            text = _SPACED.sub(_join_groups, text)
    else:
        text = _fold_others(text, _others(data))
    # One character is found several times as fast as two, and mostly is not there.
    if ("[" in text and _COLOUR_END in text) or holds_control:
        text = _NOISE.sub(_blank, text)
    if "<" in text and ("</" in text or "<br" in text):
        text = _TAG.sub(_untag, text)
    return text
