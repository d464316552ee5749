"""What some line of a text must hold so that a pattern may be found in the text.

A text is looked through line by line, and lines are remembered (see line_cache). A pattern that
reaches over several lines is found only where one line holds the part of it up to where it may
take a line's end, and the next line goes on with it. ``of`` makes patterns of such parts from any
RE2 pattern. They may be found too often, never too seldom, and ask for no digit in particular,
because lines are remembered with other digits.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, final

_FLAGS: Final = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_OPENER: Final = re.compile(r"\((?:\?P?<\w+>)?")
_REPEAT: Final = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_ESCAPE: Final = re.compile(
    r"\\(?:x\{(?P<long>[0-9A-Fa-f]+)\}|x(?P<short>[0-9A-Fa-f]{2})|[pP](?:\{\^?\w+\}|\w)|[^0-9xpPQEC])"
)
_ENDING_LINES: Final = (r"\s", r"\W", r"\D", r"\P", r"\n", r"\x", r"\v", "\n", "[:")
_NEVER_ENDING: Final = (r"\n", r"\s", r"\W", r"\D", "\n")
_NO_WIDTH: Final = (r"\b", r"\B", r"\A", r"\z")
_DIGITS: Final = frozenset("0123456789")


class OnLines(NamedTuple):
    """What a text holds that a pattern is found in, as patterns of one line each.

    Some line holds ``whole``, or a line holds ``begun`` and the next one ``goes_on``.
    """

    whole: str
    """All of it, on one line."""
    begun: str | None
    """Its beginning, up to the end of a line; None where it takes no line's end."""
    goes_on: str | None
    """What the line below that begins with."""


ANY: Final = OnLines("", None, None)
"""Of a pattern of which nothing is known: it may be found in any line."""


@final
class _Part:
    """A part of a pattern, and what of it stands on one line."""

    __slots__ = ("between", "flags", "head", "is_set", "may_lack", "same", "tail")

    def __init__(self, same: str, head: str | None, tail: str | None) -> None:
        self.same = same
        """All of it, where it holds no line's end."""
        self.head = head
        """What stands before the first line's end in it, None where it can hold none."""
        self.tail = tail
        """What stands behind the last one."""
        self.between: str | None = None if head is None else ".*"
        """What stands on a line of its own inside it."""
        self.flags = False
        """Whether it only says how what follows is to be read."""
        self.is_set = False
        """Whether it is of one character, or of repetitions of such."""
        self.may_lack = False
        """Whether it may be of no character at all."""


class _UnknownError(ValueError):
    """A pattern has a form that is not known here."""


def of(pattern: str) -> OnLines:
    """Return what lines hold of every text that holds a pattern.

    Args:
        pattern: An RE2 pattern.

    Returns:
        Patterns for lines, each by itself; ``ANY`` where nothing can be said.
    """
    try:
        reader = _Reader(pattern)
        alternatives = reader.alternatives(dot_ends=False)
        if reader.at != len(pattern):
            return ANY
    except (_UnknownError, IndexError):
        return ANY
    found = [_on_lines(parts) for parts in alternatives]
    return OnLines(
        _any([each.whole for each in found]),
        _any([each.begun for each in found if each.begun is not None]) or None,
        _any([each.goes_on for each in found if each.goes_on is not None]) or None,
    )


def _any(patterns: list[str]) -> str:
    return "|".join([f"(?:{pattern})" for pattern in patterns])


def _on_lines(parts: list[_Part]) -> OnLines:
    """Return what lines hold of parts, one behind the other."""
    behind = 0
    while behind < len(parts):
        part = parts[behind]
        ending = part.tail is not None
        if (ending and not part.is_set) or not (ending or part.may_lack):
            break
        behind += 1
    # Of what may be missing or end lines at the beginning, only what stands on the last line.
    begins = ["".join([part.same for part in parts[:behind]])]
    for at in range(behind):
        tail = parts[at].tail
        if tail is not None:
            flags = "".join([part.same for part in parts[:at] if part.flags])
            more = "".join([part.same for part in parts[at + 1 : behind]])
            begins.append(f"{flags}(?m:^){tail}{more}")
    flags = "".join([part.same for part in parts[:behind] if part.flags])
    first = f"(?:{'|'.join(begins)}){flags}"
    rest = parts[behind:]
    whole = first + "".join([part.same for part in rest])
    if all(part.head is None for part in rest):
        return OnLines(whole, None, None)
    below: list[str] = []
    for at, part in enumerate(rest):
        if part.tail is None:
            continue
        read = "".join([each.same for each in parts[: behind + at] if each.flags])
        below.append(f"{read}(?m:^){part.tail}{_to_its_end(rest[at + 1 :])}")
        if part.between is not None:
            below.append(f"{read}(?m:^){part.between}(?m:$)")
    return OnLines(whole, first + _to_its_end(rest), _any(below))


def _to_its_end(parts: list[_Part]) -> str:
    """Return the pattern of parts up to the first line's end in them."""
    found = ""
    for part in reversed(parts):
        found = part.same + found
        if part.head is not None:
            found = f"(?:{found}|{part.head}(?m:$))"
    return found


def _joined(parts: list[_Part]) -> _Part:
    """Make one part of several, one behind the other."""
    same = "".join([part.same for part in parts])
    heads: list[str] = []
    tails: list[str] = []
    for at, part in enumerate(parts):
        if part.head is None or part.tail is None:
            continue
        heads.append("".join([each.same for each in parts[:at]]) + part.head)
        flags = "".join([each.same for each in parts[:at] if each.flags])
        tails.append(flags + part.tail + "".join([each.same for each in parts[at + 1 :]]))
    return _Part(same, "|".join(heads) if heads else None, "|".join(tails) if tails else None)


@final
class _Reader:
    """Reads a pattern of RE2's syntax."""

    __slots__ = ("at", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def alternatives(self, *, dot_ends: bool) -> list[list[_Part]]:
        """Read up to the end of a group.

        Args:
            dot_ends: Whether a dot stands for a line's end, too.
        """
        found: list[list[_Part]] = [[]]
        flags: list[_Part] = []
        pattern = self.pattern
        while self.at < len(pattern) and pattern[self.at] != ")":
            if pattern[self.at] == "|":
                self.at += 1
                found.append(list(flags))
                continue
            flag = _FLAGS.match(pattern, self.at)
            if flag is not None and flag[3] == ")":
                self.at = flag.end()
                dot_ends = _dot_ends(flag, dot_ends)
                part = _Part(flag[0], None, None)
                part.flags = part.may_lack = True
                flags.append(part)
                found[-1].append(part)
                continue
            found[-1].append(self._repeated(self._part(dot_ends=dot_ends)))
        return found

    def _part(self, *, dot_ends: bool) -> _Part:
        pattern, at = self.pattern, self.at
        character = pattern[at]
        if character == "(":
            return self._group(dot_ends=dot_ends)
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        self.at += 1
        if character in "^$":
            edge = _Part(character, None, None)
            edge.may_lack = True
            return edge
        if character in "*+?{":
            raise _UnknownError(pattern)
        if character in _DIGITS:
            return _Part(r"\d", None, None)
        return _set_of(character, character == "\n" or (character == "." and dot_ends))

    def _group(self, *, dot_ends: bool) -> _Part:
        flag = _FLAGS.match(self.pattern, self.at)
        opener = _OPENER.match(self.pattern, self.at)
        if flag is not None:
            self.at = flag.end()
            begin = flag[0]
            dot_ends = _dot_ends(flag, dot_ends)
        elif opener is not None:
            self.at = opener.end()
            begin = "(?:"
        alternatives = self.alternatives(dot_ends=dot_ends)
        inside = [_joined(parts) for parts in alternatives]
        if self.pattern[self.at] != ")":
            raise _UnknownError(self.pattern)
        self.at += 1
        same = f"{begin}{'|'.join([part.same for part in inside])})"
        heads = [part.head for part in inside if part.head is not None]
        tails = [part.tail for part in inside if part.tail is not None]
        group = _Part(
            same,
            f"{begin}{'|'.join(heads)})" if heads else None,
            f"{begin}{'|'.join(tails)})" if tails else None,
        )
        wide = [[part for part in parts if not part.may_lack] for parts in alternatives]
        group.is_set = all(len(parts) == 1 and parts[0].is_set for parts in wide if parts)
        group.may_lack = not all(wide)
        return group

    def _class(self) -> _Part:
        """Read a class of characters."""
        pattern, begin = self.pattern, self.at
        at = begin + 1
        negated = pattern[at] == "^"
        at += negated
        first = at
        digits = False
        while pattern[at] != "]" or at == first:
            if pattern.startswith("[:", at):
                at = pattern.index(":]", at) + 2
                continue
            escape = _ESCAPE.match(pattern, at) if pattern[at] == "\\" else None
            if pattern[at] == "\\" and escape is None:
                raise _UnknownError(pattern)
            digits = digits or pattern[at] in _DIGITS
            at = at + 1 if escape is None else escape.end()
        inside = pattern[first:at]
        self.at = at + 1
        if negated:
            if digits:
                return _set_of("(?s:.)", True)
            ends = not any(mark in inside for mark in _NEVER_ENDING)
        else:
            ends = any(mark in inside for mark in _ENDING_LINES)
        same = pattern[begin : self.at]
        if digits:
            same = f"[0-9{inside}]"
        return _set_of(same, ends)

    def _escape(self) -> _Part:
        match = _ESCAPE.match(self.pattern, self.at)
        if match is None:
            raise _UnknownError(self.pattern)
        self.at = match.end()
        text = match[0]
        if text in _NO_WIDTH:
            edge = _Part(text, None, None)
            edge.may_lack = True
            return edge
        code = match["long"] or match["short"]
        if code is not None:
            if chr(int(code, 16)) in _DIGITS:
                return _Part(r"\d", None, None)
            ends = chr(int(code, 16)) == "\n"
        else:
            ends = text.startswith(_ENDING_LINES)
        return _set_of(text, ends)

    def _repeated(self, part: _Part) -> _Part:
        """Read what says how often a part is repeated."""
        match = _REPEAT.match(self.pattern, self.at)
        if match is None:
            return part
        self.at = match.end()
        several = f"(?:{part.same})*"
        head = None if part.head is None else f"{several}(?:{part.head})"
        tail = None if part.tail is None else f"(?:{part.tail}){several}"
        repeated = _Part(part.same + match[0], head, tail)
        repeated.is_set = part.is_set
        if part.is_set and part.head is not None:
            repeated.between = several
        repeated.may_lack = part.may_lack or match[0][0] in "*?" or match[0].startswith("{0")
        return repeated


def _set_of(same: str, ends: bool) -> _Part:
    """Return a part of one character, which may be a line's end."""
    edge = "" if ends else None
    part = _Part(same, edge, edge)
    part.is_set = True
    part.between = None  # a character is one line's end at most
    return part


def _dot_ends(flag: re.Match[str], before: bool) -> bool:
    """Say whether a dot stands for a line's end behind some flags."""
    if "s" in (flag[2] or ""):
        return False
    return before or "s" in flag[1]
