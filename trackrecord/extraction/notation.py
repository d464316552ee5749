"""Objects in a text: JSON, and what languages print of their maps, records and enumerations.

One pass over the text with a stack: every character is read once, whatever it holds. What is cut
off or broken is kept as far as it was whole, and marked.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, final

from trackrecord.extraction import looks
from trackrecord.extraction.lexer import seen

_DEEPEST: Final = 64
_MOST_STEPS: Final = 20_000
"""Brackets, keys and values in the objects of one text, far above what a script prints."""
_CLOSERS: Final = {"{": "}", "[": "]", "(": ")", "<": ">", "\n": "\n"}
_GAP: Final = r"[ \t\r\n\u200b-\u200d\u2060\ufeff]*+"
# What begins an object, and a quick look at a line that may hold it: a brace before a key, a
# record's name before a field, a list of either, and fields of a record without its name, side
# by side on a line.
_STARTS: Final = (
    (
        (
            rf"(?<![{{$\\])\{{(?={_GAP}(?:\"[^\"\n]{{1,80}}+\"|'[^'\n]{{1,80}}+'"
            rf"|:?[^\W\d][\w.$-]{{0,60}}+){_GAP}(?:[:=](?!=)))"
        ),
        looks.ask(
            r"\{[\s\x{200b}-\x{200d}\x{2060}\x{feff}]*(?:$"
            r"|(?:\"[^\"\n]+\"|'[^'\n]+'|:?[^\s{}\[\](),:=\"'<>]+)"
            r"[\s\x{200b}-\x{200d}\x{2060}\x{feff}]*(?:$|[:=]))"
        ),
    ),
    (
        rf"(?<![\w.])[A-Z]\w{{1,60}}+[(\[](?={_GAP}[A-Za-z_]\w{{0,60}}+=(?!=))",
        looks.ask(
            r"[A-Z][\w\x{80}-\x{10ffff}]+[(\[][\s\x{200b}-\x{200d}\x{2060}\x{feff}]*"
            r"(?:$|[A-Za-z_][\w\x{80}-\x{10ffff}]*=)"
        ),
    ),
    (
        rf"\[(?={_GAP}(?:\{{|\([\"']|[A-Z]\w{{1,60}}+\([a-z_]\w{{0,60}}+=))",
        looks.ask(
            r"\[[\s\x{200b}-\x{200d}\x{2060}\x{feff}]*"
            r"(?:$|\{|\([\"']|[A-Z][\w\x{80}-\x{10ffff}]+\([a-z_])"
        ),
    ),
    (
        r"<[A-Z]\w{1,60}+:?(?=[ ]{1,2}[A-Za-z_]\w{0,60}+=)",
        looks.ask(r"<[A-Z][\w\x{80}-\x{10ffff}]+:? {1,2}[A-Za-z_]"),
    ),
    (
        (
            r"(?<![\w.(,=\[{&?/$-])(?=[a-z_]\w{0,40}+=(?:'[^'\n]{0,80}+'|\"[^\"\n]{0,80}+\""
            r"|<[^<>\n]{1,80}+>|None|[\d.]++)[ ][a-z_]\w{0,40}+=['\"<\dA-Z])"
        ),
        looks.ask(
            r"[a-z_][\w\x{80}-\x{10ffff}]*=(?:['\"<\d.]|None)[^\n]* [a-z_][\w\x{80}-\x{10ffff}]*="
            r"['\"<\dA-Z]"
        ),
    ),
)
# What may begin an object of which the rest stands on the next line.
_OPEN_END: Final = re.compile(
    rf"[{{\[(]{_GAP}(?:\"[^\"\n]{{1,80}}+\"|'[^'\n]{{1,80}}+'|:?[^\W\d][\w.$-]{{0,60}}+)?{_GAP}\Z"
)
MAY_START: Final = sum(question for _, question in _STARTS)
"""The questions whether an object may begin in a text."""
_SPACE: Final = re.compile(
    r"(?:[ \t\r\n\u200b-\u200d\u2060\ufeff]++|//[^\n]*+|/\*[^*]*+\*/|\#(?=[ ])[^\n]*+)++"
)
_MAY_SKIP: Final = frozenset(" \t\r\n\u200b\u200c\u200d\u2060\ufeff/#")
_QUOTES: Final = frozenset("\"'`")
_STRING: Final = re.compile(r"\"((?:[^\"\\\n]|\\.)*+)\"|'((?:[^'\\\n]|\\.)*+)'|`([^`\n]*+)`")
_KEY: Final = re.compile(r":?([^\s{}\[\](),:=\"'<>]++)")
_KEYED: Final = re.compile(rf"{_GAP}(?:[:=]>?+)(?!=)")
_BARE: Final = re.compile(r"(?:[^\s{}\[\](),;:=\"'<>]|:(?=[^\s{}\[\](),\"'])|=(?=[XF]\b))++")
_ANGLED: Final = re.compile(r"<(?![A-Z]\w*[ ]\w+=)[^<>\n]{1,160}>")
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_ELLIPSIS: Final = re.compile(r"(?:\.\.\.|…)++")


@final
class Scalar:
    """A value without parts, as printed between its quotes."""

    __slots__ = ("end", "quoted", "start", "text")

    def __init__(self, text: str, start: int, end: int, quoted: bool) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.quoted = quoted


@final
class Entry:
    """A value and, in an object, its key."""

    __slots__ = ("key", "start", "value")

    def __init__(self, key: str, start: int, value: Scalar | Node) -> None:
        self.key = key
        self.start = start
        self.value = value


@final
class Node:
    """An object, a list, or a record with its name."""

    __slots__ = (
        "closed", "cut", "end", "entries", "inner_names", "key", "key_start", "known", "name",
        "names", "opener", "parent", "start",
    )  # fmt: skip

    def __init__(
        self, opener: str, name: str, key: str, start: int, parent: Node | None, end: int = -1
    ) -> None:
        self.opener = opener
        self.name = name
        """Of a record such as ``Signal(symbol='ABC')``, else empty."""
        self.key = key
        """What the enclosing object calls it, empty in a list."""
        self.start = start
        self.parent = parent
        self.end = end
        self.closed = False
        self.cut = False
        """Whether the text broke off inside one of its values, or something else stood there."""
        self.entries: list[Entry] = []
        self.key_start = -1
        self.known: dict[str, bool] = {}
        """Answers about it that were worked out before."""
        self.names: list[tuple[str, int]] | None = None
        """The instrument that it names itself, once that was looked for: none or one."""
        self.inner_names: list[tuple[str, int]] | None = None
        """The one instrument that the objects right inside it name, likewise."""

    @property
    def listed(self) -> bool:
        """Whether its values stand in a list, without keys."""
        return self.opener in "[(" and not self.name


@lru_cache(maxsize=64)
def _start_of(kinds: int) -> re.Pattern[str]:
    """Return what finds the beginning of an object of any of these kinds."""
    return re.compile("|".join([pattern for pattern, question in _STARTS if kinds & question]))


def find(
    text: str,
    begin: int,
    end: int,
    kinds: int = MAY_START,
    places: list[tuple[int, int]] | None = None,
) -> list[Node]:
    """Return the outermost objects of a part of a text, in print order.

    Args:
        text: Folded text.
        begin: Where the part begins.
        end: Where it ends.
        kinds: The questions of ``MAY_START`` that the text answers with yes.
        places: From and to of the lines that answer one of them with yes, in print order; None
            where any may.

    Returns:
        The objects; where there are more than any script prints, the last one is all that was
        not read, and has no bracket.
    """
    roots: list[Node] = []
    position = begin
    steps = _MOST_STEPS
    start = _start_of(kinds & MAY_START)
    for first, last in [(begin, end)] if places is None else places:
        position = max(position, first)
        while position <= last:
            match = start.search(text, position, last)
            if match is None:
                if last == end or _OPEN_END.search(text, position, last) is None:
                    break
                # What shows that it is an object stands on the lines below.
                match = start.search(text, position, end)
                if match is None:
                    return roots
            parser = _Parser(text, end, steps)
            root = parser.read(match.start(), match.end())
            position = max(root.end, match.end())
            roots.append(root)
            steps = parser.steps - 1
            if steps <= 0:
                unread = Node("", "", "", position, None, end)
                unread.cut = True
                roots.append(unread)
                return roots
    return roots


def _plain(string: str) -> str:
    """Return a string without its escapes: JSON may print every other alphabet so."""
    string = seen(string)
    if "\\u" not in string:
        return string
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), string)


@final
class _Parser:
    """Reads one outermost object."""

    __slots__ = ("end", "key", "key_start", "node", "steps", "text")

    def __init__(self, text: str, end: int, steps: int) -> None:
        self.text = text
        self.end = end
        self.node: Node | None = None
        self.key = ""
        self.key_start = -1
        self.steps = steps

    def read(self, start: int, behind: int) -> Node:  # noqa: C901, PLR0912 - one branch a character
        """Read from an opening bracket to the one that closes it, or to where the text breaks."""
        text = self.text
        opener = text[behind - 1]
        name = text[start : behind - 1]
        if start == behind:
            opener, name = "\n", ""
            line = text.find("\n", start, self.end)
            self.end = self.end if line < 0 else line
        elif text[start] == "<":
            opener, name = "<", text[start + 1 : behind].rstrip(":")
        root = Node(opener, name, "", start, None)
        self.node = root
        depth = 1
        at = behind
        while True:
            if at < self.end and text[at] in _MAY_SKIP:
                space = _SPACE.match(text, at, self.end)
                if space is not None:
                    at = space.end()
            node = self.node
            self.steps -= 1
            if at >= self.end or node is None or self.steps <= 0:
                self._break(at, ended=at >= self.end)
                root.closed = root.closed or opener == "\n"
                return root
            character = text[at]
            if character == ",":
                self.key_start = -1
                at += 1
            elif character == _CLOSERS[node.opener]:
                at += 1
                depth -= 1
                self.key_start = -1
                node.closed, node.end = True, at
                self.node = node.parent
                if self.node is None:
                    return root
            elif character in "{[(" and (self.key_start >= 0 or node.opener != "{"):
                depth += 1
                if depth > _DEEPEST or not self._open(character, "", at):
                    self._break(at, ended=False)
                    return root
                at += 1
            else:
                step, opened = self._item(at)
                depth += opened
                if step <= at or depth > _DEEPEST:
                    self._break(at, ended=text.startswith("```", at))
                    return root
                at = step

    def _open(self, opener: str, name: str, start: int) -> bool:
        parent = self.node
        if parent is None:
            return False
        keyed = self.key_start >= 0
        node = Node(opener, name, self.key if keyed else "", start, parent)
        node.key_start = self.key_start
        parent.entries.append(Entry(node.key, self.key_start if keyed else start, node))
        self.node = node
        self.key_start = -1
        return True

    def _item(self, at: int) -> tuple[int, int]:  # noqa: C901, PLR0911 - one branch a notation
        """Read a key or a value.

        Returns:
            Where it ends, the same place where there is none; and 1 if it opened a record.
        """
        text, end = self.text, self.end
        node = self.node
        if node is None:
            return at, 0
        keys = self.key_start < 0 and not node.listed
        begins = text[at]
        string = _STRING.match(text, at, end) if begins in _QUOTES else None
        if string is not None:
            group = string.lastindex or 1
            if keys:
                mark = _KEYED.match(text, string.end(), end)
                if mark is not None:
                    self.key, self.key_start = _plain(string[group]), string.start(group)
                    return mark.end(), 0
            if keys and node.opener == "{":
                return at, 0
            self._value(_plain(string[group]), string.start(group), string.end(group), quoted=True)
            return string.end(), 0
        if keys:
            word = _KEY.match(text, at, end)
            mark = None if word is None else _KEYED.match(text, word.end(), end)
            if word is not None and mark is not None:
                self.key, self.key_start = word[1], word.start(1)
                return mark.end(), 0
            ellipsis = _ELLIPSIS.match(text, at, end) if begins in ".…" else None
            if ellipsis is not None:
                return ellipsis.end(), 0
            if node.opener == "{":
                return at, 0
        angled = _ANGLED.match(text, at, end) if begins == "<" else None
        if angled is not None:
            self._value(_plain(angled[0]), at, angled.end(), quoted=False)
            return angled.end(), 0
        return self._bare(node, at)

    def _bare(self, node: Node, at: int) -> tuple[int, int]:  # noqa: C901 - one branch a notation
        """Read a value without quotes, which may be of several words, or a record."""
        text, end = self.text, self.end
        if text[at] == "<":
            space = text.find(" ", at, at + 64)
            if space > 0 and text[at + 1 : space].isalnum():
                opened = self._open("<", text[at + 1 : space], at)
                return (space, 1) if opened else (at, 0)
        word = _BARE.match(text, at, end)
        if word is None:
            return at, 0
        stop = word.end()
        following = text[stop : stop + 1]
        if following in {"(", "{", "["} and (following == "(" or text[at].isupper()):
            return (stop + 1, 1) if self._open(following, word[0], at) else (at, 0)
        if following in {"'", '"'} and stop - at <= 2:  # noqa: PLR2004 - b'' and the like
            return stop, 0
        while stop < end and text[stop] in " \t":
            more = stop
            while more < end and text[more] in " \t":
                more += 1
            if text[more : more + 2] == "//" or text[more : more + 1] == "#":
                break
            key = _KEY.match(text, more, end)
            if key is None or (not node.listed and _KEYED.match(text, key.end(), end) is not None):
                break
            word = _BARE.match(text, more, end)
            if word is None:
                break
            stop = word.end()
        self._value(_plain(text[at:stop]), at, stop, quoted=False)
        return stop, 0

    def _value(self, value: str, start: int, end: int, *, quoted: bool) -> None:
        node = self.node
        if node is None:
            return
        keyed = self.key_start >= 0
        entry = Entry(
            self.key if keyed else "",
            self.key_start if keyed else start,
            Scalar(value, start, end, quoted),
        )
        node.entries.append(entry)
        self.key_start = -1

    def _break(self, at: int, *, ended: bool) -> None:
        """Close what is open where the text ends or is no object any more."""
        node = self.node
        cut = not ended or self.key_start >= 0
        if node is not None and node.entries and not cut:
            last = node.entries[-1].value
            cut = isinstance(last, Scalar) and not last.quoted and last.end == self.end
        while node is not None:
            node.end = at
            node.cut = cut
            node = node.parent
