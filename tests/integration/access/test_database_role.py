"""The role that the API connects as, and the policies that hold for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg2
import psycopg2.errors
import pytest

from trackrecord.access.store import claims, database_role, keys, users
from trackrecord.access.store.audit import COMMAND_LINE, Actor, note
from trackrecord.access.store.database_role import RoleRefusedError
from trackrecord.access.store.session import act_for
from trackrecord.access.store.users import User
from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.runtime import database
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

NOW = SYSTEM_CLOCK.now()
HASH = "$argon2id$of-a-test"
GUARDED = (
    "users", "logins", "refresh_tokens", "api_keys", "claims", "audit_log",
    "strategies", "strategy_requests", "generation_log",
)  # fmt: skip


@pytest.fixture
def owner(settings: Settings) -> Iterator[Cursor]:
    """A transaction of the tables' owner."""
    with database.session(settings, application="test") as cursor:
        yield cursor


@pytest.fixture
def people(settings: Settings, as_api: Settings) -> dict[str, User]:
    """An admin, an operator and two traders, each with a key and a private and a public name."""
    del as_api
    with database.session(settings, application="test") as cursor:
        found = {
            name: users.add(cursor, COMMAND_LINE, name, role, HASH, NOW)  # type: ignore[arg-type]
            for name, role in {
                "root": "admin",
                "olga": "operator",
                "alice": "trader",
                "bob": "trader",
            }.items()
        }
        for name, user in found.items():
            keys.make(cursor, COMMAND_LINE, user.user_id, f"{name}'s", ["read"], NOW)
            for kind in ("private", "public"):
                claims.give(cursor, COMMAND_LINE, f"{name}-{kind}", user.user_id, NOW)
            claims.set_public(cursor, COMMAND_LINE, f"{name}-public", public=True)
            cursor.execute(
                "INSERT INTO logins (login_id, user_id, kind, began_at, expires_at)"
                " VALUES (%s, %s, 'tokens', now(), now() + interval '1 day')",
                (str(uuid4()), str(user.user_id)),
            )
            cursor.execute(
                "INSERT INTO refresh_tokens SELECT sha256(login_id::text::bytea), login_id,"
                " user_id, now(), now() + interval '1 day' FROM logins WHERE user_id = %s",
                (str(user.user_id),),
            )
            _strategy_of(cursor, user)
    return found


def _strategy_of(cursor: Cursor, user: User) -> None:
    """A strategy that is a user's alone, with a version, the request for it, and an attempt."""
    values = {"user": str(user.user_id), "name": user.name, "id": str(uuid4())}
    for statement in (
        (
            "INSERT INTO strategies (strategy_id, owner, user_id, name, kind, status, created_at,"
            " changed_at)"
            " VALUES (%(id)s, %(name)s, %(user)s, 'plan', 'code', 'draft', now(), now())"
        ),
        (
            "INSERT INTO strategy_versions (strategy_id, version, is_valid, created_at)"
            " VALUES (%(id)s, 1, false, now())"
        ),
        (
            "INSERT INTO strategy_requests (request_id, owner, user_id, content, status,"
            " requested_at) VALUES (%(id)s, %(name)s, %(user)s, '{}', 'waiting', now())"
        ),
        (
            "INSERT INTO generation_log (attempt_id, request_id, number, owner, user_id, prompt,"
            " provider, status, asked_at)"
            " VALUES (%(id)s, %(id)s, 1, %(name)s, %(user)s, 'buy', 'offline', 'success', now())"
        ),
    ):
        cursor.execute(statement, values)


_VERSIONS_OF_OTHERS = """
    SELECT v::text FROM strategy_versions AS v
    JOIN strategies AS s USING (strategy_id) WHERE s.user_id <> %s ORDER BY 1
"""


def seen(cursor: Cursor, table: str) -> set[str]:
    """The user ids of the rows of a table that a session sees."""
    return {str(each) for (each,) in rows(cursor, f"SELECT user_id FROM {table}")}


def test_the_role_of_the_tests_could_not_bypass_a_policy(as_api: Settings) -> None:
    with database.session(as_api, application="test") as cursor:
        assert database_role.why_it_could_bypass(cursor) is None
        for table in (*GUARDED, "strategy_versions", "strategy_tries"):
            assert rows(cursor, "SELECT row_security_active(%s)", (table,)) == [(True,)]
        assert rows(
            cursor,
            "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication"
            " FROM pg_roles WHERE rolname = current_user",
        ) == [(False,)]


def test_every_table_with_a_user_s_id_has_policies(owner: Cursor) -> None:
    found = rows(
        owner,
        "SELECT c.relname, c.relrowsecurity FROM pg_class AS c JOIN pg_attribute AS a"
        " ON a.attrelid = c.oid WHERE a.attname = 'user_id' AND c.relkind = 'r'"
        " AND c.relnamespace = current_schema()::regnamespace ORDER BY 1",
    )
    assert found == [(name, True) for name in sorted(GUARDED)]


def test_a_role_that_could_bypass_is_told_to_be_one(owner: Cursor) -> None:
    why = database_role.why_it_could_bypass(owner)
    assert why is not None
    name = rows(owner, "SELECT current_user")[0][0]
    with pytest.raises(RoleRefusedError):
        database_role.grant(owner, name)
    with pytest.raises(RoleRefusedError):
        database_role.make(owner, name, "x")
    with pytest.raises(RoleRefusedError, match="no role"):
        database_role.grant(owner, "nobody_is_called_so")


def test_the_functions_that_look_at_all_rows_are_few_have_a_fixed_path_and_are_not_public(
    settings: Settings, owner: Cursor
) -> None:
    found = rows(
        owner,
        "SELECT proname, proconfig, has_function_privilege('public', oid, 'EXECUTE')"
        " FROM pg_proc WHERE prosecdef AND pronamespace = current_schema()::regnamespace"
        " ORDER BY 1",
    )
    assert [name for name, _, _ in found] == [
        "access_find_key", "access_find_refresh", "access_find_session", "access_find_user",
        "access_hidden", "access_reader", "access_role", "strategy_copied",
    ]  # fmt: skip
    for _, config, public in found:
        assert config == [f"search_path=pg_catalog, {settings.database_schema}, pg_temp"]
        assert not public


def test_views_are_read_with_the_rights_of_whoever_reads(owner: Cursor) -> None:
    found = rows(
        owner,
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v'"
        " AND relnamespace = current_schema()::regnamespace",
    )
    assert found
    for name, options in found:
        assert "security_invoker=true" in (options or []), name


@pytest.mark.parametrize("table", GUARDED)
def test_a_session_for_nobody_sees_no_row_but_public_names(
    people: dict[str, User], as_api: Settings, table: str
) -> None:
    with database.session(as_api, application="test") as cursor:
        found = rows(cursor, f"SELECT count(*) FROM {table}")
        assert found == [(len(people) if table == "claims" else 0,)]


@pytest.mark.parametrize(
    "table",
    [
        "users", "logins", "refresh_tokens", "api_keys", "strategies", "strategy_requests",
        "generation_log",
    ],
)  # fmt: skip
def test_a_user_sees_own_rows_alone(people: dict[str, User], as_api: Settings, table: str) -> None:
    for name in ("alice", "olga"):
        with database.session(as_api, application="test") as cursor:
            act_for(cursor, people[name].user_id)
            assert seen(cursor, table) == {str(people[name].user_id)}
            assert not rows(cursor, "SELECT FROM audit_log")


def test_names_are_seen_by_their_user_and_those_who_see_all(
    people: dict[str, User], as_api: Settings
) -> None:
    public = {f"{name}-public" for name in people}
    private = {f"{name}-private" for name in people}
    for name, more in {
        "alice": {"alice-private"}, "bob": {"bob-private"}, "olga": private, "root": private
    }.items():  # fmt: skip
        with database.session(as_api, application="test") as cursor:
            act_for(cursor, people[name].user_id)
            assert {each.name for each in claims.listed(cursor)} == public | more
            [(hidden,)] = rows(
                cursor, "SELECT names FROM access_hidden(%s)", (str(people[name].user_id),)
            )
            assert set(hidden) == private - {f"{name}-private"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET role = 'admin'",
        "UPDATE users SET password_hash = 'x'",
        "UPDATE users SET disabled_at = now()",
        "INSERT INTO users (name, role) VALUES ('mallory', 'admin')",
        "UPDATE api_keys SET revoked_at = now()",
        (
            "INSERT INTO api_keys (user_id, name, prefix, key_hash, scopes, created_at)"
            " VALUES (%(bob)s, 'x', 'x', 'x', '{read}', now())"
        ),
        "UPDATE claims SET public = true",
        "UPDATE claims SET user_id = %(alice)s",
        "DELETE FROM claims",
        "INSERT INTO claims VALUES ('new', %(bob)s, true, 'given', now())",
        (
            "INSERT INTO claims VALUES ('bob-private', %(alice)s, true, 'given', now())"
            " ON CONFLICT (name) DO UPDATE SET user_id = excluded.user_id"
        ),
        "UPDATE logins SET ended_at = now()",
        "DELETE FROM refresh_tokens",
        (
            "INSERT INTO logins (user_id, kind, began_at, expires_at)"
            " VALUES (%(bob)s, 'tokens', now(), now())"
        ),
        "INSERT INTO audit_log (user_id, actor, action, subject) VALUES (%(bob)s, 'bob', 'x', 'x')",
        "DELETE FROM audit_log",
        "UPDATE audit_log SET actor = 'bob'",
        "UPDATE strategies SET public = true",
        "UPDATE strategies SET user_id = %(alice)s",
        "UPDATE strategies SET status = 'archived', deleted_at = now()",
        "DELETE FROM strategies",
        (
            "INSERT INTO strategies (strategy_id, owner, user_id, name, kind, status, created_at,"
            " changed_at) VALUES (gen_random_uuid(), 'bob', %(bob)s, 'x', 'code', 'draft', now(),"
            " now())"
        ),
        (
            "INSERT INTO strategy_versions (strategy_id, version, is_valid, created_at)"
            " SELECT strategy_id, 2, false, now() FROM strategies WHERE user_id = %(bob)s"
        ),
        "UPDATE strategy_versions SET backtest = '{}'",
        "UPDATE strategy_versions SET code = 'x', code_digest = 'x'",
        "DELETE FROM strategy_versions",
        "DELETE FROM strategy_tries",
        "UPDATE strategy_requests SET status = 'failed'",
        "UPDATE strategy_requests SET user_id = %(alice)s",
        (
            "INSERT INTO strategy_requests (request_id, owner, user_id, content, status,"
            " requested_at) VALUES ('x', 'bob', %(bob)s, '{}', 'waiting', now())"
        ),
        "UPDATE generation_log SET status = 'failure'",
        "DELETE FROM generation_log",
        "DELETE FROM outbox",
        "UPDATE outbox SET value = 'x'",
        "UPDATE signals SET price = 1",
        "DELETE FROM signals",
        "UPDATE dead_letters SET reason = 'x'",
        "TRUNCATE claims",
        "ALTER TABLE claims DISABLE ROW LEVEL SECURITY",
        "DROP TABLE claims",
        "CREATE TABLE mine (x int)",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "SET ROLE trackrecord",
        "SELECT password_hash FROM users",
        "SELECT key_hash FROM api_keys",
        "SELECT session_hash FROM logins",
    ],
)
def test_what_a_trader_s_session_tries_changes_nothing_of_others(
    people: dict[str, User], as_api: Settings, owner: Cursor, statement: str
) -> None:
    ids = {name: str(user.user_id) for name, user in people.items()}
    snapshot = {
        table: rows(owner, f"SELECT t::text FROM {table} AS t WHERE user_id <> %s ORDER BY 1",
                    (ids["alice"],))
        for table in GUARDED if table != "audit_log"
    }  # fmt: skip
    versions = rows(owner, _VERSIONS_OF_OTHERS, (ids["alice"],))
    assert len(versions) == len(people) - 1
    log = rows(owner, "SELECT t::text FROM audit_log AS t ORDER BY 1")
    roles = rows(owner, "SELECT role FROM users WHERE name = 'alice'")
    owner.connection.rollback()
    try:
        with database.session(as_api, application="test") as cursor:
            act_for(cursor, people["alice"].user_id)
            cursor.execute(statement, ids)
            if cursor.description:
                assert not cursor.fetchall()
    except psycopg2.Error as error:
        # Refused by the database: a right is missing, or a policy.
        assert (error.pgcode or "")[:2] in {"42", "22"}, error  # noqa: PT017
    for table, before in snapshot.items():
        assert rows(owner, f"SELECT t::text FROM {table} AS t WHERE user_id <> %s ORDER BY 1",
                    (ids["alice"],)) == before  # fmt: skip
    assert rows(owner, _VERSIONS_OF_OTHERS, (ids["alice"],)) == versions
    assert rows(owner, "SELECT t::text FROM audit_log AS t ORDER BY 1") == log
    assert rows(owner, "SELECT role FROM users WHERE name = 'alice'") == roles


def test_what_is_public_is_read_by_all_with_all_that_it_was_until_it_is_deleted(
    people: dict[str, User], settings: Settings, as_api: Settings
) -> None:
    mine, hers = str(people["alice"].user_id), {str(people["bob"].user_id)}
    for change, also in (("public = true", hers), ("deleted_at = now()", set())):
        with database.session(settings, application="test") as cursor:
            cursor.execute(f"UPDATE strategies SET {change} WHERE owner = 'bob'")
        with database.session(as_api, application="test") as cursor:
            act_for(cursor, people["alice"].user_id)
            assert seen(cursor, "strategies") == {mine} | also
            assert len(rows(cursor, "SELECT FROM strategy_versions")) == 1 + len(also)
            # How it was asked for is nobody else's all the same.
            assert seen(cursor, "strategy_requests") == seen(cursor, "generation_log") == {mine}
            act_for(cursor, people["root"].user_id)
            assert len(seen(cursor, "strategies")) == len(people)


def test_where_there_are_no_users_a_session_makes_and_changes_what_is_nobody_s(
    people: dict[str, User], as_api: Settings
) -> None:
    with database.session(as_api, application="test") as cursor:
        act_for(cursor, None)
        cursor.execute(
            "INSERT INTO strategies (strategy_id, owner, name, kind, status, created_at,"
            " changed_at) VALUES (%s, 'local', 'plan', 'code', 'draft', now(), now())",
            (str(uuid4()),),
        )
        cursor.execute("UPDATE strategies SET public = true")
        assert cursor.rowcount == 1
    with database.session(as_api, application="test") as cursor:
        act_for(cursor, people["alice"].user_id)
        cursor.execute("UPDATE strategies SET public = false WHERE owner = 'local'")
        assert cursor.rowcount == 0


def test_a_user_who_is_disabled_is_nobody(
    people: dict[str, User], settings: Settings, as_api: Settings
) -> None:
    with database.session(settings, application="test") as cursor:
        users.set_disabled(cursor, COMMAND_LINE, "olga", disabled=True, now=NOW)
    with database.session(as_api, application="test") as cursor:
        act_for(cursor, people["olga"].user_id)
        assert "bob-private" not in {each.name for each in claims.listed(cursor)}


def test_whom_a_session_acts_for_ends_with_its_transaction(
    people: dict[str, User], as_api: Settings
) -> None:
    with closing(database.connect(as_api, application="test")) as connection:
        with connection, connection.cursor() as cursor:
            act_for(cursor, people["alice"].user_id)
            assert seen(cursor, "users")
        with connection, connection.cursor() as cursor:
            assert not seen(cursor, "users")
        with connection.cursor() as cursor:
            act_for(cursor, people["alice"].user_id)
            connection.rollback()
            assert not seen(cursor, "users")


def test_an_id_that_is_none_opens_nothing(people: dict[str, User], as_api: Settings) -> None:
    del people
    with database.session(as_api, application="test") as cursor:
        act_for(cursor, UUID(int=0))
        assert not seen(cursor, "users")
        act_for(cursor, None)
        assert not seen(cursor, "users")


def test_an_admin_s_session_manages_users_and_reads_the_log(
    people: dict[str, User], as_api: Settings
) -> None:
    root = Actor("root", people["root"].user_id, "192.0.2.1")
    with database.session(as_api, application="test") as cursor:
        act_for(cursor, root.user_id)
        users.add(cursor, root, "carol", "viewer", HASH, NOW)
        users.set_role(cursor, root, "carol", "trader")
        users.set_password(cursor, root, "carol", HASH + "2", NOW)
        users.set_disabled(cursor, root, "bob", disabled=True, now=NOW)
        claims.give(cursor, root, "bob-private", people["alice"].user_id, NOW)
        claims.release(cursor, root, "bob-public")
        note(cursor, root, "looked", "around")
        found = rows(
            cursor,
            "SELECT actor, action, subject, address FROM audit_log WHERE user_id = %s"
            " ORDER BY audit_id",
            (str(root.user_id),),
        )
    assert [each[1:3] for each in found] == [
        ("user added", "carol"),
        ("role changed", "carol"),
        ("password changed", "carol"),
        ("user disabled", "bob"),
        ("name given", "bob-private"),
        ("name released", "bob-public"),
        ("looked", "around"),
    ]
    assert {each[3] for each in found} == {"192.0.2.1"}


def test_the_password_of_the_role_is_not_told_to_the_server(
    settings: Settings, role_url: str, owner: Cursor
) -> None:
    name = urlsplit(role_url).username or ""
    database_role.make(owner, name, "another password of it")
    owner.connection.rollback()
    written: list[str] = []

    class Noting(psycopg2.extensions.cursor):
        def execute(self, query: object, parameters: object = None) -> None:  # type: ignore[override]
            written.append(self.mogrify(query, parameters).decode())  # type: ignore[arg-type]
            super().execute(query, parameters)  # type: ignore[arg-type]

    with closing(psycopg2.connect(settings.database_url)) as connection:
        with connection.cursor(cursor_factory=Noting) as cursor:
            database_role.make(cursor, name, "another password of it")
        connection.rollback()
    assert any("SCRAM-SHA-256" in each for each in written)
    assert not any("another password" in each for each in written)
