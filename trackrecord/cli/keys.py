"""``trackrecord keys``: keys with which programs use the HTTP API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, cast

import typer

from trackrecord.access.roles import SCOPES, Scope
from trackrecord.cli.access import changing, table_of
from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, notes, screen
from trackrecord.cli.text import printable
from trackrecord.events.types import Account

app = typer.Typer(
    help="Keys with which programs use the HTTP API for a user: create, list, revoke.",
    no_args_is_help=True,
)


@app.command(epilog="Example: trackrecord keys create alice bot --scope publish --only momentum")
def create(
    user: Annotated[str, typer.Argument(metavar="USER", help="For whom it acts.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")],
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope",
            metavar="[publish|read|manage]",
            help="What it may be used for; may be repeated. publish: events; read: the record; "
            "manage: keys, claims, and what the user's role manages.",
        ),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            help="A strategy or script that it may publish; may be repeated. Else all that are "
            "the user's or nobody's.",
        ),
    ] = None,
    account: Annotated[
        Account | None,
        typer.Option("--account", help="Where the trades of its signals are made."),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=3650, help="How long it is good.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Create a key and print it, once: only a digest of it is kept.

    A name that nobody has published under with a key becomes the user's with
    the first event. Send the key as `Authorization: Bearer KEY` or `X-API-Key`.
    """
    from trackrecord.access.names import record_name, user_name
    from trackrecord.access.store import keys, users
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.clock import SYSTEM_CLOCK

    if unknown := [each for each in scope if each not in SCOPES]:
        raise typer.BadParameter(f"--scope takes {', '.join(SCOPES)}, not {unknown[0]!r}")
    now = SYSTEM_CLOCK.now()
    with changing(home) as cursor:
        key, new = keys.make(
            cursor,
            COMMAND_LINE,
            users.find(cursor, user_name(user)).user_id,
            name,
            cast("list[Scope]", scope),
            now,
            names=[record_name(each) for each in only] if only else None,
            account=account,
            expires_at=None if days is None else now + timedelta(days=days),
        )
    if as_json:
        answer({**asdict(key), "key": new.text})
        return
    screen.print(f"key {key.key_id} of {key.user} for {', '.join(key.scopes)}")
    screen.print(f"{new.text}  (shown this once)", soft_wrap=True)


@app.command("list", epilog="Example: trackrecord keys list --user alice")
def list_(
    user: Annotated[str | None, typer.Option("--user", help="Only this user's.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List keys by how they begin, with what they may be used for and when they last were."""
    from trackrecord.access.names import user_name
    from trackrecord.access.store import keys, users

    with changing(home) as cursor:
        owner = None if user is None else users.find(cursor, user_name(user)).user_id
        found = keys.listed(cursor, user_id=owner, revoked=every)
    if as_json:
        answer([asdict(each) for each in found])
    elif not found:
        screen.print("no keys: create one with `trackrecord keys create USER NAME --scope read`")
    else:
        table_of(
            ("id", "user", "name", "begins", "scopes", "only", "account", "last used", "state"),
            [
                (
                    each.key_id, each.user, each.name, each.prefix, list(each.scopes), each.names,
                    each.account, each.last_used_at, _state(each),
                )
                for each in found
            ],
        )  # fmt: skip


def _state(key: Any) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    return "good" if key.expires_at is None else f"until {key.expires_at:%Y-%m-%d}"


@app.command(epilog="Example: trackrecord keys revoke 0c6f2b0e-6f4c-4d0a-9a53-7f1f5d0a4c11")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `keys list` shows.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Make a key good for nothing, from its next request on; exit code 1 if there is none."""
    from uuid import UUID

    from trackrecord.access.store import keys
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.clock import SYSTEM_CLOCK

    try:
        wanted = UUID(key_id)
    except ValueError:
        raise typer.BadParameter("ID is the id that `keys list` shows, not the key") from None
    with changing(home) as cursor:
        key = keys.revoke(cursor, COMMAND_LINE, wanted, SYSTEM_CLOCK.now())
    if key is None:
        notes.print(f"there is no key {printable(key_id)}")
        raise typer.Exit(1)
    if as_json:
        answer(asdict(key))
    else:
        screen.print(f"revoked {key.prefix}… of {key.user}")
