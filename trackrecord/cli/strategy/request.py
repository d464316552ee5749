"""``trackrecord strategy request``: a strategy asked for over Kafka, as any program may."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    InputError,
    JsonOption,
    answer,
    load,
    notes,
    screen,
)
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import OWNER, OwnerOption, SymbolsOption, split
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.catalogue.store.requests import Request
    from trackrecord.events import StrategyRequested
    from trackrecord.runtime.settings import Settings

_NO: Final = 1
_COULD_NOT: Final = 2
_GLANCE: Final = 0.05


@app.command(
    "request",
    epilog='Example: trackrecord strategy request "buy when RSI(14) crosses below 30, sell above '
    '50" --symbols AAPL,MSFT',
)
def request_command(
    sentence: Annotated[str, typer.Argument(help="What to buy or sell when, in English.")],
    *,
    provider: Annotated[
        str | None,
        typer.Option(
            help="Who writes it: offline, gemini, anthropic or openai; if left out, what the stage "
            "has in TRACKRECORD_STRATEGY_PROVIDER."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="What it is to be called; if left out, a name made from the words."),
    ] = None,
    symbols: SymbolsOption = None,
    timeframe: Annotated[str, typer.Option(help="The bars that it decides on.")] = "1d",
    owner: OwnerOption = OWNER,
    request_id: Annotated[
        str | None,
        typer.Option("--id", help="Of the request; the same one twice is one request."),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the answer; 0 does not wait.")
    ] = 60.0,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Ask the stage strategy_gen for a strategy, and wait for its answer.

    The strategy is kept with its code and its log, and `strategy activate` has it decide on bars.
    Exit code 1: it is a draft, or nothing could be made of it; 2: it failed, or there is no answer
    yet (the request stays, and is answered once the stage runs).
    """
    from uuid import uuid4

    from trackrecord.events import InvalidEventError, StrategyRequested
    from trackrecord.events.codec import validate
    from trackrecord.publishing.send import send

    given: dict[str, Any] = {
        "request_id": request_id or str(uuid4()),
        "owner": owner,
        "prompt": sentence,
        "provider": provider,
        "name": name,
        "symbols": split(symbols) or [],
        "timeframe": timeframe,
    }
    try:
        asked = validate(StrategyRequested, given)
    except InvalidEventError as error:
        raise InputError(str(error)) from None
    settings = load(home, broker=True, database=wait > 0)
    send(settings, [(asked, None)], source="/cli")
    if not wait:
        _told(asked, None, as_json=as_json)
        return
    found = _awaited(settings, asked.request_id, wait)
    if found is not None and found.asked != asked:
        raise InputError(
            f"there is a request {asked.request_id} already, which asks for something else"
        )
    _told(asked, found, as_json=as_json)
    if found is None or found.status == "failed":
        raise typer.Exit(_COULD_NOT)
    if (found.answer or {}).get("status") != "validated":
        raise typer.Exit(_NO)


def _awaited(settings: Settings, request_id: str, seconds: float) -> Request | None:
    """The request once it has ended; None where it has not within some seconds."""
    from contextlib import closing

    from trackrecord.catalogue.store import requests
    from trackrecord.runtime.database import connect

    until = time.monotonic() + seconds
    with closing(connect(settings, application="trackrecord strategy")) as connection:
        while time.monotonic() < until:
            with connection, connection.cursor() as cursor:
                found = requests.of(cursor, request_id)
            if found is not None and found.ended_at is not None:
                return found
            time.sleep(_GLANCE)
    return None


def _told(asked: StrategyRequested, found: Request | None, *, as_json: bool) -> None:
    status = "waiting" if found is None else found.status
    told = {} if found is None else dict(found.answer or {})
    if as_json:
        answer(
            {
                "request_id": asked.request_id,
                "state": status,
                "strategy_id": None if found is None else found.strategy_id,
                "error": None if found is None else found.error,
                **told,
            }
        )
        return
    if found is None:
        screen.print(f"request {asked.request_id} is sent")
        notes.print("it is answered once strategy_gen runs: see `trackrecord strategy list`")
        return
    screen.print(f"request {asked.request_id}: {told.get('status', status)}", soft_wrap=True)
    if found.strategy_id is not None:
        named = printable(str(told.get("name")))
        screen.print(f"strategy {found.strategy_id}: {named}", soft_wrap=True)
    for title, lines in (
        ("reads as", [told["reads_as"]] if told.get("reads_as") else []),
        ("assumed", told.get("assumptions", [])),
        ("not understood", told.get("not_understood", [])),
        ("problems", [each["message"] for each in told.get("problems", [])]),
        ("verdict", [told["verdict"]] if told.get("verdict") else []),
    ):
        if lines:
            screen.print(f"\n{title}:")
            for line in lines:
                screen.print(f"  - {printable(str(line))}", soft_wrap=True)
