"""Programs mutated as text: most of them are no Python, which a parser has to survive as well."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Final

from benchmarks.sandbox_programs.seeds import attempts, strategies

_PIECES: Final = (
    "(", ")", "[", "]", "{", "}", ":", ",", ".", "=", "==", "**", "//", "->", "@", ";", "\n",
    "    ",
    "\t", "'", '"', '"""', "\\", "#", "f'{", "}'", "rb'", "lambda", "yield", "await", "async ",
    "def ", "class ", "del ", "global ", "nonlocal ", "import ", "from ", "return ", "raise ",
    "with ", "match ", "case ", "type ", "try:", "except*", "finally:", "else:", "while ", "for ",
    "in ", "is ", "not ", "*", "**", ":=", "...", "0x", "1e", "1_0", "\0", "\ufeff", "\u2028",
    "\u202e", "\U0010ffff", "ª", "\U0001d626", "\x0c", "\r", "__class__", "__import__",
    "eval(", "open(",
    "10**10**10", "[0]*10**12", "None", "True", "\\N{DASH}", "\\x", "\\u12", "{x!r:>{w}}",
)  # fmt: skip
_MOST_CHANGES: Final = 6
_SPAN: Final = 60


@lru_cache(maxsize=1)
def _texts() -> tuple[str, ...]:
    return (*strategies(), *(each.source for each in attempts()))


def text_program(seed: int, index: int) -> str:
    """The program of a number: the same for the same seed, whatever ran before."""
    dice = random.Random(f"text:{seed}:{index}")
    texts = _texts()
    text = dice.choice(strategies() if dice.random() < 0.3 else texts)  # noqa: PLR2004
    for _ in range(dice.randint(1, _MOST_CHANGES)):
        place = dice.randrange(len(text) + 1)
        end = min(len(text), place + dice.randrange(_SPAN))
        kind = dice.randrange(6)
        if kind == 0:
            text = text[:place] + text[end:]
        elif kind == 1:
            text = text[:place] + text[place:end] * dice.randrange(2, 5) + text[end:]
        elif kind == 2:  # noqa: PLR2004
            text = text[:place] + dice.choice(_PIECES) + text[place:]
        elif kind == 3:  # noqa: PLR2004
            other = dice.choice(texts)
            begin = dice.randrange(len(other) + 1)
            text = text[:place] + other[begin : begin + dice.randrange(_SPAN)] + text[end:]
        elif kind == 4:  # noqa: PLR2004
            text = text[:place] + chr(dice.choice((dice.randrange(128), dice.randrange(0xD7FF))))
            text += text[end:]
        else:
            text = text[:place] + dice.choice(_PIECES) * dice.choice((1, 2, 50)) + text[end:]
    return f"leaked_state = {index}\n{text}"
