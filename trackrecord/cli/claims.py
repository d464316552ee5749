"""``trackrecord claims``: whose the names of strategies and scripts are, and who may see them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trackrecord.cli.access import changing, table_of
from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, screen
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.access.store.claims import Claim

app = typer.Typer(
    help="Whose the names of strategies and scripts are, and who may see what is published under "
    "them: list, give, release, publish, hide.",
    no_args_is_help=True,
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The name of a strategy or script.")
]


@app.command("list", epilog="Example: trackrecord claims list --user alice")
def list_(
    user: Annotated[str | None, typer.Option("--user", help="Only this user's.")] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List names with their user; all others are nobody's, and for all to see."""
    from trackrecord.access.names import user_name
    from trackrecord.access.store import claims, users

    with changing(home) as cursor:
        owner = None if user is None else users.find(cursor, user_name(user)).user_id
        found = claims.listed(cursor, user_id=owner)
    if as_json:
        answer([asdict(each) for each in found])
    elif not found:
        screen.print("no claims: every name is nobody's, and what is published under it is public")
    else:
        table_of(
            ("name", "user", "seen by", "how", "since"),
            [(each.name, each.user, _seen_by(each), each.how, each.claimed_at) for each in found],
        )


@app.command(epilog="Example: trackrecord claims give momentum alice")
def give(
    name: NameArgument,
    user: Annotated[str, typer.Argument(metavar="USER", help="To whom.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Give a name to a user, whosever it was; who may see it stays as it was."""
    from trackrecord.access.names import record_name, user_name
    from trackrecord.access.store import claims, users
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.clock import SYSTEM_CLOCK

    with changing(home) as cursor:
        owner = users.find(cursor, user_name(user)).user_id
        claim = claims.give(cursor, COMMAND_LINE, record_name(name), owner, SYSTEM_CLOCK.now())
    _told(claim, as_json)


@app.command(epilog="Example: trackrecord claims release momentum")
def release(
    name: NameArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Make a name nobody's: all may see it, and whoever publishes next with a key claims it."""
    from trackrecord.access.store import claims
    from trackrecord.access.store.audit import COMMAND_LINE

    with changing(home) as cursor:
        claims.release(cursor, COMMAND_LINE, name)
    if as_json:
        answer({"name": name, "user": None, "public": True})
    else:
        screen.print(f"{printable(name)} is nobody's, and for all to see")


@app.command(epilog="Example: trackrecord claims publish momentum")
def publish(
    name: NameArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Let all users see what is published under a name."""
    _show(name, home, as_json, public=True)


@app.command(epilog="Example: trackrecord claims hide momentum")
def hide(name: NameArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Let only its user, operators and admins see what is published under a name.

    To all others it is as if there was nothing of that name.
    """
    _show(name, home, as_json, public=False)


def _show(name: str, home: Path, as_json: bool, *, public: bool) -> None:
    from trackrecord.access.store import claims
    from trackrecord.access.store.audit import COMMAND_LINE

    with changing(home) as cursor:
        claim = claims.set_public(cursor, COMMAND_LINE, name, public=public)
    _told(claim, as_json)


def _told(claim: Claim, as_json: bool) -> None:
    if as_json:
        answer(asdict(claim))
    else:
        name, user = printable(claim.name), printable(claim.user or "?")
        screen.print(f"{name} is {user}'s, seen by {_seen_by(claim)}")


def _seen_by(claim: Claim) -> str:
    return "all" if claim.public else "its user and operators"
