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
_MAYBE_NOISE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|[0-9]m")

_SAME: Final = {
    **dict.fromkeys("−‐‑‒–—―﹣－", "-"),  # noqa: RUF001 - that they look alike is the point
    **dict.fromkeys("‘’‚‛ʼ＇′", "'"),  # noqa: RUF001
    **dict.fromkeys("“”„‟＂″«»「」『』", '"'),
    **dict.fromkeys("：﹕︰", ":"),  # noqa: RUF001
    **dict.fromkeys("、﹐，", ","),  # noqa: RUF001
    **dict.fromkeys("；﹔", ";"),  # noqa: RUF001
    **dict.fromkeys("。｡．", "."),
    **dict.fromkeys("⇒➜➔➡➙➞➤►▶⟶↦→⮕»", "→"),
    **dict.fromkeys("│┃║┆┇┊┋¦｜", "|"),  # noqa: RUF001
    **dict.fromkeys("【〔〖［", "["),
    **dict.fromkeys("】〕〗］", "]"),
    **dict.fromkeys("（﹙", "("),  # noqa: RUF001
    **dict.fromkeys("）﹚", ")"),  # noqa: RUF001
    "％": "%",
    "﹪": "%",
    "￥": "¥",
    "İ": "I",
    "ı": "i",
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
}
_KEPT_LIMIT: Final = 4096
_characters: dict[str, str] = dict(_SAME)
_runs: dict[str, str] = {}


def _fold_character(character: str) -> str:
    folded = _characters.get(character)
    if folded is None:
        normal = unicodedata.normalize("NFKC", character)
        folded = normal if len(normal) == 1 else character
        folded = _SAME.get(folded, folded)
        if unicodedata.category(folded) == "Zs":
            folded = " "
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
    return " " * (match.end() - match.start())


def fold(text: str) -> str:
    """Return the text with look-alikes made one and control codes blanked.

    Args:
        text: Any text.

    Returns:
        A text of the same length: full-width and mathematical letters as plain ones, every
        dash as ``-``, box-drawing bars as ``|``, terminal codes as spaces. Letters of another
        alphabet stay what they are: a Cyrillic letter in a Latin word is not a Latin word.
    """
    if not text.isascii():
        text = _NON_ASCII.sub(_fold_run, text)
    if _MAYBE_NOISE.search(text):
        text = _NOISE.sub(_blank, text)
    return text
