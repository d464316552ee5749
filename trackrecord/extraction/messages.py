"""Texts inside the strings of objects: a chat message, the text of an alert.

``{"ticker": "ABC", "message": "ABC has SELL signal: ..."}`` and a channel's ``"content"``, of
several lines with their line ends escaped, say what a script prints elsewhere on lines of its own.
Where no object names an action by its keys, they are read by the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from trackrecord.extraction import fields, looks, object_refusals
from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.model import Extraction, Recommendation
from trackrecord.extraction.notation import Node, Scalar
from trackrecord.extraction.object_context import Context
from trackrecord.extraction.object_fields import Keys, unwrapped
from trackrecord.extraction.object_values import own_symbol
from trackrecord.extraction.refusals import LABELLED

_TEXTS: Final = frozenset({
    "message", "messages", "content", "text", "body", "caption", "alert", "alerttext", "msg",
    "alertmessage", "messagetext", "signaltext", "signalmessage", "messagebody",
})  # fmt: skip
"""Keys of what is said to somebody; a title, a reason or a description is not."""
_ASKING: Final = frozenset({"user", "system", "human", "tool", "developer", "function"})
"""Roles in a conversation of those who ask."""
_MOST: Final = 200
_SHORTEST: Final = 8
_ESCAPES: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLAIN: Final = {"n": "\n", "r": "", "t": "\t"}


MAY_TELL: Final = looks.ask(
    r"(?i)(?:message|content|text|body|caption|alert|msg)s?['\"]?\s*[:=]\s*\[?\s*(?:[\"'{]|$)"
)
"""The question whether an object of a text may hold a message."""


def read(
    document: Document,
    keys: Keys,
    roots: list[Node],
    extract: Callable[[str, str | None], Extraction],
    findings: Findings,
) -> list[tuple[int, int]]:
    """Read the messages in the objects of a text.

    Args:
        document: The text.
        keys: What keys mean.
        roots: Its outermost objects.
        extract: Reads a text whose instrument is known or not, without messages of its own.
        findings: Receives what they recommend.

    Returns:
        Where the outermost objects stand that hold messages which recommend something, or which
        are somebody's question or an example.
    """
    spans: list[tuple[int, int]] = []
    left = _MOST
    context: Context | None = None
    before = 0
    for root in roots:
        if not root.opener or left <= 0:
            break
        found: list[tuple[Scalar, Node]] = []
        refused = _gather(keys, root, found)
        if refused:
            spans.append((root.start, root.end))
        context = Context(document, root, context, before) if found else None
        before = root.end
        if context is None or context.reason is not None:
            continue
        for scalar, node in found[:left]:
            left -= 1
            named = own_symbol(keys, node)
            inner = extract(_unescaped(scalar.text), None if named is None else named[0])
            if inner.recommendations and spans[-1:] != [(root.start, root.end)]:
                spans.append((root.start, root.end))
            token = document.token_from(scalar.start)
            findings.statements.extend(
                _statement(document, token, item) for item in inner.recommendations
            )
    return spans


def _statement(document: Document, token: int, item: Recommendation) -> Statement:
    """Return what a message recommends as a statement of the text around it."""
    token = min(token, len(document.starts) - 1)
    number = document.line_at(document.starts[token])
    statement = Statement(number, token, item.action, LABELLED, "code/message")
    statement.symbol = item.symbol
    statement.symbol_token = None if item.symbol is None else token
    values = {
        fields.ENTRY: item.entry_price,
        fields.TARGET: item.target_price,
        fields.STOP: item.stop_loss,
        fields.CONFIDENCE: None if item.confidence is None else Decimal(str(item.confidence)),
    }
    statement.bound = {
        letter: fields.Found(value, token, token)
        for letter, value in values.items()
        if value is not None
    }
    return statement


def _gather(keys: Keys, node: Node, found: list[tuple[Scalar, Node]]) -> bool:
    """Gather the messages of an object and of those inside it, and say whether some are none."""
    if len(found) > _MOST:
        return False
    asking = any(
        isinstance(entry.value, Scalar) and entry.value.text.lower() in _ASKING
        for entry in node.entries
        if entry.key.lower() in {"role", "from", "sender"}
    )
    refused = False
    for entry in node.entries:
        value = unwrapped(entry.value)
        if isinstance(value, Node):
            refused = _gather(keys, value, found) or refused
            continue
        said = entry.key and value.quoted and len(value.text) >= _SHORTEST
        if not said or keys.meaning(entry.key).word not in _TEXTS:
            continue
        if asking or not _may_say(keys, node):
            refused = True
        else:
            found.append((value, node))
    return refused


def _may_say(keys: Keys, node: Node) -> bool:
    """Say whether no object around a message takes it back: an example, a dropped one, a vote."""
    if object_refusals.of_template(node):
        return False
    return object_refusals.of_containers(keys, node, "L", own_symbol=True) is None


def _unescaped(text: str) -> str:
    """Return the text that a string stands for; pairs of surrogates become one character."""
    if "\\" in text:
        text = _ESCAPES.sub(
            lambda match: chr(int(match[1], 16)) if match[1] else _PLAIN.get(match[2], match[2]),
            text,
        )
    if text.isascii() or text.isprintable():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
