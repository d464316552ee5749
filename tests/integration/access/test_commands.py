"""``trackrecord users``, ``keys`` and ``claims`` at a terminal."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import Result
from typer.testing import CliRunner

from trackrecord.access import passwords
from trackrecord.access.store import claims, identities, users
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.cli.main import app
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime import database
from trackrecord.runtime.database import rows
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

HOSTILE = "\x1b[2J\u202eevil"
NOW = SYSTEM_CLOCK.now()


class Terminal:
    """Commands on the tables of a test."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._environ = {
            "DATABASE_URL": settings.database_url,
            "TRACKRECORD_DATABASE_SCHEMA": settings.database_schema,
        }

    def run(self, *words: str, code: int = 0, said: str | None = None) -> Result:
        result = CliRunner().invoke(app, list(words), input=said, env=self._environ)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result

    def json(self, *words: str, said: str | None = None) -> Any:
        return json.loads(self.run(*words, "--json", said=said).stdout)


@pytest.fixture
def terminal(settings: Settings) -> Terminal:
    return Terminal(settings)


def test_users_are_added_listed_changed_and_disabled(terminal: Terminal) -> None:
    assert "no users yet" in terminal.run("users", "list").stdout
    made = terminal.json("users", "add", "Alice", "--role", "admin", "--generate")
    assert (made["name"], made["role"]) == ("alice", "admin")
    with database.session(terminal.settings, application="test") as cursor:
        [(hashed,)] = rows(cursor, "SELECT password_hash FROM users")
    assert passwords.fits(made["password"], hashed)
    terminal.run("users", "add", "bob", "--role", "trader", said="correct horse\n")
    terminal.run("users", "role", "bob", "operator")
    terminal.run("users", "password", "bob", said="another horse\n")
    terminal.run("users", "disable", "bob")
    found = {each["name"]: each for each in terminal.json("users", "list")}
    assert (found["bob"]["role"], found["bob"]["disabled_at"] is None) == ("operator", False)
    assert "password_hash" not in found["bob"]
    terminal.run("users", "enable", "bob")
    assert "bob" in terminal.run("users", "list").stdout
    with database.session(terminal.settings, application="test") as cursor:
        log = rows(cursor, "SELECT actor, action, subject, details::text FROM audit_log")
    assert {actor for actor, *_ in log} == {"command line"}
    assert len(log) == 6
    assert not any("horse" in str(each) for each in log)


@pytest.mark.parametrize(
    ("words", "said", "reason"),
    [
        (("users", "add", "alice"), "correct horse\n", "already"),
        (("users", "add", "carol"), "short\n", "10 to 256"),
        (("users", "add", HOSTILE), "correct horse\n", "name has"),
        (("users", "role", "nobody", "admin"), None, "no user 'nobody'"),
        (("users", "disable", "alice"), None, "only admin"),
        (("keys", "create", "nobody", "bot", "--scope", "read"), None, "no user"),
        (("keys", "create", "alice", HOSTILE, "--scope", "read"), None, "name has"),
        (("keys", "create", "alice", "b", "--scope", "read", "--only", "x"), None, "scope publish"),
        (("keys", "revoke", "0c6f2b0e-6f4c-4d0a-9a53-7f1f5d0a4c11"), None, "no key"),
        (("claims", "give", "momentum", "nobody"), None, "no user"),
        (("claims", "give", HOSTILE, "alice"), None, "control character"),
        (("claims", "release", HOSTILE), None, "nobody's"),
        (("claims", "publish", "momentum"), None, "nobody's"),
    ],
)
def test_what_cannot_be_is_a_line_and_exit_code_1(
    terminal: Terminal, words: tuple[str, ...], said: str | None, reason: str
) -> None:
    terminal.run("users", "add", "alice", "--role", "admin", said="correct horse\n")
    result = terminal.run(*words, code=1, said=said)
    assert reason in result.output
    assert result.output.count("\n") == 1
    assert "\x1b" not in result.output
    assert "\u202e" not in result.output


@pytest.mark.parametrize(
    "words",
    [
        ("users", "add", "alice", "--role", "king"),
        ("users", "role", "alice", "root"),
        ("keys", "create", "alice", "bot"),
        ("keys", "create", "alice", "bot", "--scope", "everything"),
        ("keys", "create", "alice", "bot", "--scope", "publish", "--account", "dream"),
        ("keys", "revoke", "tr_abc"),
    ],
)
def test_what_was_mistyped_is_exit_code_2(terminal: Terminal, words: tuple[str, ...]) -> None:
    terminal.run(*words, code=2)


def test_a_key_is_printed_once_and_good_until_it_is_revoked(terminal: Terminal) -> None:
    terminal.run("users", "add", "alice", "--role", "trader", said="correct horse\n")
    assert "no keys" in terminal.run("keys", "list").stdout
    made = terminal.json(
        "keys", "create", "alice", "my bot", "--scope", "publish", "--scope", "read",
        "--only", "momentum", "--account", "paper", "--days", "30",
    )  # fmt: skip
    with database.session(terminal.settings, application="test") as cursor:
        known = identities.of_api_key(cursor, made["key"], NOW)
    assert known is not None
    assert known.name == "alice"
    shown = terminal.run("keys", "list", "--user", "alice").stdout
    assert made["prefix"] in shown
    assert made["key"] not in shown
    assert "momentum" in shown
    terminal.run("keys", "revoke", made["key_id"])
    assert terminal.json("keys", "list") == []
    assert len(terminal.json("keys", "list", "--all")) == 1
    with database.session(terminal.settings, application="test") as cursor:
        assert identities.of_api_key(cursor, made["key"], NOW) is None


def test_names_are_given_shown_hidden_and_released(terminal: Terminal) -> None:
    terminal.run("users", "add", "alice", "--role", "trader", said="correct horse\n")
    assert "nobody's" in terminal.run("claims", "list").stdout
    assert "its user and operators" in terminal.run("claims", "give", "m", "alice").stdout
    assert terminal.json("claims", "publish", "m")["public"] is True
    assert "its user" in terminal.run("claims", "hide", "m").stdout
    assert [each["name"] for each in terminal.json("claims", "list", "--user", "alice")] == ["m"]
    terminal.run("claims", "release", "m")
    assert terminal.json("claims", "list") == []


def test_names_from_outside_are_shown_as_text(terminal: Terminal) -> None:
    """A name that holds what a terminal takes as a command, as it may stand in the table."""
    with database.session(terminal.settings, application="test") as cursor:
        alice = users.add(cursor, COMMAND_LINE, "alice", "trader", None, NOW)
        claims.give(cursor, COMMAND_LINE, HOSTILE, alice.user_id, NOW)
    for words in (("claims", "list"), ("claims", "list", "--json"), ("claims", "hide", HOSTILE)):
        shown = terminal.run(*words).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "evil" in shown


def test_migrate_gives_a_role_what_the_api_needs(terminal: Terminal, role_url: str) -> None:
    name = urlsplit(role_url).username or ""
    terminal.run("migrate", "--grant", name)
    as_api = terminal.settings.model_copy(update={"database_url": role_url})
    with database.session(as_api, application="test") as cursor:
        assert rows(cursor, "SELECT count(*) FROM signals") == [(0,)]
    result = CliRunner().invoke(
        app,
        ["migrate", "--grant", "nobody_is_called_so"],
        env={
            "DATABASE_URL": terminal.settings.database_url,
            "TRACKRECORD_DATABASE_SCHEMA": terminal.settings.database_schema,
        },
    )
    assert result.exit_code != 0
    assert "no role" in str(result.exception)
