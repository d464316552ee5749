"""What comes from outside, as text: it can neither move the cursor nor hide, whoever wrote it.

Names, keys, headers and reasons are chosen by whoever publishes. A terminal takes some of their
characters as commands: to change its title, to overwrite what stands above, to turn the order of
letters round. Such characters are shown as what Python would write for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, RenderHook, RenderResult
from rich.segment import Segment
from rich.text import Text

# C1 and DEL; marks, embeddings and isolates of direction; line and paragraph separators; what is
# not seen at all (but the joiners, which many languages write with); lone surrogates; tags.
_BEYOND_ASCII: Final = (
    "\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)
_IN_A_LINE: Final = re.compile(f"[\x00-\x1f{_BEYOND_ASCII}]")
_IN_LINES: Final = re.compile(f"[\x00-\x08\x0b-\x1f{_BEYOND_ASCII}]")
_IN_JSON: Final = re.compile(f"[{_BEYOND_ASCII}]")


def printable(text: str, *, lines: bool = False) -> str:
    """A text whose control characters are written out, as Python writes them.

    Args:
        text: From anywhere.
        lines: Whether it may have several lines and tabs; else these are written out as well.
    """
    return (_IN_LINES if lines else _IN_A_LINE).sub(_written, text)


def printable_bytes(raw: bytes | None) -> str | None:
    """Bytes as one line of text: what is not UTF-8 as Python writes it; None stays None."""
    return None if raw is None else printable(raw.decode(errors="backslashreplace"))


def json_text(value: object, *, indent: int | None = 2) -> str:
    """A value as JSON that a terminal shows as it stands, and that reads back as the same value."""
    written = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    return _IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], written)


def _written(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class TextConsole(Console):
    """A console to which all that it is given is text: no markup, no emoji codes, no controls."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        """On standard output or error; ``width`` in columns, the terminal's own by default."""
        super().__init__(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)
        self.push_render_hook(_WithoutControls())

    def render_str(self, text: str, **options: object) -> Text:
        """A text of ours or from outside, as it is shown."""
        return super().render_str(printable(text, lines=True), **options)  # type: ignore[arg-type]

    def on_broken_pipe(self) -> None:
        """Nobody reads any more: the command says so, and ends as one that could not go on."""
        raise BrokenPipeError


class _WithoutControls(RenderHook):
    """Writes out what is left in styled texts, which are not strings."""

    def process_renderables(self, renderables: list[object]) -> list[object]:  # type: ignore[override]
        return [_Shown(each) for each in renderables]


class _Shown:
    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown: Iterable[Segment] = console.render(self._inner, options)  # type: ignore[arg-type]
        for segment in shown:
            if segment.control or not _IN_LINES.search(segment.text):
                yield segment
            else:
                yield Segment(printable(segment.text, lines=True), segment.style)
