"""``trackrecord strategy templates``: strategies ready to take."""

from __future__ import annotations

from typing import Any

from trackrecord.cli.access import table_of
from trackrecord.cli.common import JsonOption, answer
from trackrecord.cli.strategy import app


@app.command("templates", epilog="Example: trackrecord strategy templates --json")
def templates_command(*, as_json: JsonOption = False) -> None:
    """List strategies ready to take, each a sentence that is understood whole.

    `trackrecord strategy add --template NAME` keeps one, `strategy generate` shows its code.
    """
    from trackrecord.catalogue.templates import TEMPLATES

    if as_json:
        answer([_told(name) for name in TEMPLATES])
        return
    table_of(
        ("name", "what it bets on", "sentence"),
        [(each.name, each.description, each.sentence) for each in TEMPLATES.values()],
    )


def _told(name: str) -> dict[str, Any]:
    from trackrecord.catalogue.templates import TEMPLATES, read_template

    found, read = TEMPLATES[name], read_template(name)
    return {
        "name": name,
        "sentence": found.sentence,
        "description": found.description,
        "reads_as": read.reads_as,
        "assumptions": list(read.assumptions),
        "parameters": read.parameters,
    }
