"""Why an output recommends nothing, and the words that show it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trackrecord.extraction import Extraction
from trackrecord.redaction import hide_secrets

_LEFT: Final = 60
"""Characters of an excerpt before the word that was refused."""
_RIGHT: Final = 100
"""Characters from that word on."""
_SEEN: Final = 400
"""Characters on either side in which secrets are looked for, before the excerpt is cut."""
_UNTAKEN: Final = "none"
"""Named as the rule of a word that no rule speaks of."""
_BLANKS: Final = re.compile(r"\s+")
# What a database cannot hold, and what would move a cursor.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class RefusedOutput(NamedTuple):
    """Why one output recommends nothing."""

    rule: str
    """The rule that refused its action; ``none`` where no rule speaks of it, ``no-action`` and
    ``no-output`` where there is no action to refuse."""
    reason: str
    """Why, in words."""
    excerpt: str
    """At most 162 characters of one line: around the refused word, or the end of the output."""


def refused_output(output: str, found: Extraction) -> RefusedOutput | None:
    """Why an output recommends nothing; None if it does, or reports a result and refuses nothing.

    Of several words that were refused, the first of which a rule speaks says why.

    Args:
        output: What was printed.
        found: What was read of it, with the rejected candidates.
    """
    if found.recommendations:
        return None
    actions = [each for each in found.rejected if not each.candidate.startswith("result")]
    if actions:
        shown = next((each for each in actions if each.rule != _UNTAKEN), actions[0])
        excerpt = _excerpt(output, shown.start, shown.end)
        return RefusedOutput(shown.rule, shown.reason, excerpt)
    if found.result.outcome is not None or found.result.return_pct is not None:
        return None
    end = len(output.rstrip())
    if not end:
        return RefusedOutput("no-output", "nothing was printed", "")
    start = output.rfind("\n", 0, end) + 1
    return RefusedOutput("no-action", "it names no action", _excerpt(output, start, end))


def _excerpt(output: str, start: int, end: int) -> str:
    """The line of a word, cut around it: what is left out is marked by an ellipsis."""
    first = output.rfind("\n", 0, start) + 1
    last = output.find("\n", end)
    last = len(output) if last < 0 else last
    # A secret may stand beside the word; it is hidden before anything is cut off its name.
    left = _plain(output[max(first, start - _SEEN) : start])
    right = _plain(output[start : min(last, start + _SEEN)])
    if first < start - _SEEN or len(left) > _LEFT:
        left = "…" + left[-_LEFT:]
    if last > start + _SEEN or len(right) > _RIGHT:
        right = right[:_RIGHT] + "…"
    return (left + right).strip()


def _plain(text: str) -> str:
    """A text in one line, without secrets, and without what no table or terminal takes."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _BLANKS.sub(" ", hide_secrets(text)))
