"""``trackrecord users``: who may use the HTTP API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trackrecord.access.roles import Role
from trackrecord.cli.access import asked_password, changing, table_of
from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, screen

if TYPE_CHECKING:
    from trackrecord.access.store.users import User

app = typer.Typer(
    help="Who may use the HTTP API, and as what: add, list, role, password, disable, enable.",
    no_args_is_help=True,
)

_ROLE = (
    "viewer reads public records; trader also publishes, and sees its own; operator sees all and "
    "handles dead letters; admin also manages users and claims."
)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
GenerateOption = Annotated[
    bool,
    typer.Option(
        "--generate",
        help="Make a password and print it, once; else it is asked for, or read from standard "
        "input.",
    ),
]


@app.command(epilog="Example: trackrecord users add alice --role trader --generate")
def add(
    name: NameArgument,
    role: Annotated[Role, typer.Option("--role", help=_ROLE)] = "viewer",
    generate: GenerateOption = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Add a user with a password of 10 to 256 characters; exit code 1 if the name is taken.

    A program does not need the password: give it a key, with `trackrecord keys create`.
    """
    from trackrecord.access import passwords
    from trackrecord.access.names import user_name
    from trackrecord.access.store import users
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.clock import SYSTEM_CLOCK

    with changing(home) as cursor:
        known = user_name(name)
        password = passwords.new_password() if generate else asked_password(known)
        user = users.add(
            cursor,
            COMMAND_LINE,
            known,
            role,
            passwords.kept(password, known),
            SYSTEM_CLOCK.now(),
        )
    _told(user, f"added {known}, {role}", password if generate else None, as_json)


@app.command("list", epilog="Example: trackrecord users list")
def list_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List all users with their roles."""
    from trackrecord.access.store import users

    with changing(home) as cursor:
        found = users.everyone(cursor)
    if as_json:
        answer([asdict(each) for each in found])
    elif not found:
        screen.print("no users yet: add one with `trackrecord users add NAME --role admin`")
    else:
        table_of(
            ("name", "role", "added", "password since", "disabled"),
            [
                (each.name, each.role, each.created_at, each.password_set_at, each.disabled_at)
                for each in found
            ],
        )


@app.command(epilog="Example: trackrecord users role alice operator")
def role(
    name: NameArgument,
    new: Annotated[Role, typer.Argument(metavar="ROLE", help=_ROLE)],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Give a user another role; it holds from the user's next request on."""
    from trackrecord.access.names import user_name
    from trackrecord.access.store import users
    from trackrecord.access.store.audit import COMMAND_LINE

    with changing(home) as cursor:
        user = users.set_role(cursor, COMMAND_LINE, user_name(name), new)
    _told(user, f"{user.name} is now {user.role}", None, as_json)


@app.command(epilog="Example: trackrecord users password alice --generate")
def password(
    name: NameArgument,
    generate: GenerateOption = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Give a user another password, and end all of the user's logins; keys stay."""
    from trackrecord.access import passwords
    from trackrecord.access.names import user_name
    from trackrecord.access.store import users
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.clock import SYSTEM_CLOCK

    with changing(home) as cursor:
        known = users.find(cursor, user_name(name)).name
        new = passwords.new_password() if generate else asked_password(known)
        user = users.set_password(
            cursor, COMMAND_LINE, known, passwords.kept(new, known), SYSTEM_CLOCK.now()
        )
    _told(user, f"{known} has another password", new if generate else None, as_json)


@app.command(epilog="Example: trackrecord users disable alice")
def disable(
    name: NameArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Let a user do nothing any more; keys are good for nothing, the record and claims stay."""
    _disable(name, home, as_json, disabled=True)


@app.command(epilog="Example: trackrecord users enable alice")
def enable(
    name: NameArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Let a user who was disabled do everything again, with the same password and keys."""
    _disable(name, home, as_json, disabled=False)


def _disable(name: str, home: Any, as_json: bool, *, disabled: bool) -> None:
    from trackrecord.access.names import user_name
    from trackrecord.access.store import users
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.clock import SYSTEM_CLOCK

    with changing(home) as cursor:
        user = users.set_disabled(
            cursor, COMMAND_LINE, user_name(name), disabled=disabled, now=SYSTEM_CLOCK.now()
        )
    _told(user, f"{user.name} is {'disabled' if disabled else 'enabled'}", None, as_json)


def _told(user: User, words: str, password: str | None, as_json: bool) -> None:
    if as_json:
        answer({**asdict(user), **({} if password is None else {"password": password})})
        return
    screen.print(words)
    if password is not None:
        screen.print(f"password: {password}  (shown this once)", soft_wrap=True)
