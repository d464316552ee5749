"""The role that the HTTP API connects as: what it may, and how to tell that it may no more.

It owns nothing and is no superuser, so that the policies of the users' tables hold for it. It reads
what the stages have written; of the users' tables it reads neither passwords nor keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from psycopg2.extensions import encrypt_password, quote_ident

from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import Cursor, rows

NAME: Final = "trackrecord_api"
"""What the role is called where nobody chose another name."""

_ACCESS: Final = {
    "users": (
        "SELECT (user_id, name, role, password_set_at, created_at, disabled_at)",
        "INSERT (name, role, password_hash, password_set_at)",
        "UPDATE (role, password_hash, password_set_at, disabled_at)",
    ),
    "logins": (
        "SELECT (login_id, user_id, kind, began_at, expires_at, ended_at, ended_why)",
        "INSERT",
        "UPDATE (ended_at, ended_why)",
    ),
    "refresh_tokens": ("SELECT", "INSERT", "UPDATE (used_at)", "DELETE"),
    "api_keys": (
        (
            "SELECT (key_id, user_id, name, prefix, scopes, names, account, created_at, "
            "expires_at, last_used_at, revoked_at)"
        ),
        "INSERT",
        "UPDATE (last_used_at, revoked_at)",
    ),
    "claims": (
        "SELECT",
        "INSERT",
        "UPDATE (public, user_id, how, claimed_at, changed_at)",
        "DELETE",
    ),
    "login_attempts": ("SELECT", "INSERT", "DELETE"),
    "audit_log": ("SELECT", "INSERT (user_id, actor, action, subject, details, address)"),
    "strategies": (
        "SELECT",
        "INSERT",
        (
            "UPDATE (name, record_name, description, kind, status, public, version, parameters, "
            "symbols, timeframe, source, quantity, currency, takes_over, copied_from, changed_at, "
            "activated_at, suspended_at, suspended_why, deleted_at)"
        ),
    ),
    "strategy_versions": ("SELECT", "INSERT", "UPDATE (backtest)"),
    "strategy_tries": ("SELECT", "INSERT (at, owner, code, copied_from, parameters)"),
    "strategy_requests": (
        "SELECT",
        "INSERT",
        "UPDATE (status, error, strategy_id, answer, worker, epoch, beat_at, ended_at)",
    ),
    "generation_log": (
        "SELECT",
        "INSERT",
        (
            "UPDATE (status, ending, error, raw_answer, code, problems, answered_by, "
            "input_tokens, output_tokens, seconds, ended_at)"
        ),
    ),
}
"""Its rights on the users' tables, whose rows are chosen by policies."""

ACCESS_TABLES: Final = tuple(_ACCESS)
"""The users' tables."""

_WRITES: Final = {
    # Measures and calibrations are kept by the API; letters are sent again by it.
    "strategy_measures": ("INSERT", "UPDATE", "DELETE"),
    "kept_calibration": ("INSERT", "UPDATE"),
    "dead_letters": ("UPDATE (replayed_at)",),
    # What is asked for over HTTP is told as an event, in the same transaction.
    "outbox": ("INSERT",),
}

_FUNCTIONS: Final = (
    "access_find_user(text)", "access_find_key(bytea)", "access_find_refresh(bytea)",
    "access_find_session(bytea)", "access_reader(uuid, uuid)", "access_hidden(uuid)",
    "access_role()", "access_user()", "strategy_copied(uuid)",
)  # fmt: skip

_READABLE: Final = """
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    ORDER BY relname
"""

_FAULTS: Final = """
    SELECT r.rolsuper, r.rolbypassrls, r.rolcreaterole,
           (SELECT array_agg(c.relname ORDER BY c.relname) FROM pg_class AS c
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
              AND pg_has_role(current_user, c.relowner, 'MEMBER')),
           (SELECT array_agg(name) FROM unnest(%s) AS name
            WHERE to_regclass(quote_ident(name)) IS NOT NULL
              AND NOT row_security_active(quote_ident(name)))
    FROM pg_roles AS r WHERE r.rolname = current_user
"""
_WITH_POLICIES: Final = [name for name in _ACCESS if name != "login_attempts"]


class RoleRefusedError(TrackrecordError):
    """A role of the database is not one to serve others with."""


def make(cursor: Cursor, name: str, password: str) -> None:
    """Make the role, or give the one that is there this password and no rights on the server.

    Args:
        cursor: Of a role that may make others (CREATEROLE), in autocommit or a transaction.
        name: Of the role.
        password: The server is only told a digest of it (SCRAM).

    Raises:
        RoleRefusedError: That is the role of this session itself, or a superuser.
    """
    found = rows(
        cursor, "SELECT rolsuper, rolname = current_user FROM pg_roles WHERE rolname = %s", (name,)
    )
    if found and any(found[0]):
        raise RoleRefusedError(
            f"{name} owns the tables or may do everything here: name another role for the API"
        )
    known = quote_ident(name, cursor)
    verifier = encrypt_password(password, name, cursor.connection, "scram-sha-256")
    cursor.execute(
        f"{'ALTER' if found else 'CREATE'} ROLE {known} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"
        " NOREPLICATION NOBYPASSRLS PASSWORD %s",
        (verifier,),
    )


def grant(cursor: Cursor, name: str) -> None:
    """Give a role what the API needs of the tables of this schema, and take what it does not.

    To be repeated after each migration: a new table is nobody's but its owner's.

    Args:
        cursor: Of the tables' owner, inside a transaction.
        name: Of the role, which exists.

    Raises:
        RoleRefusedError: There is no such role, or it could pass over the policies.
    """
    found = rows(
        cursor,
        "SELECT rolsuper OR rolbypassrls OR pg_has_role(rolname, current_user, 'MEMBER')"
        " FROM pg_roles WHERE rolname = %s",
        (name,),
    )
    if not found:
        raise RoleRefusedError(f"there is no role {name}: make it with CREATE ROLE, or `up`")
    if found[0][0]:
        raise RoleRefusedError(
            f"{name} is a superuser, has BYPASSRLS or is a member of the tables' owner: policies "
            "would not hold for it"
        )
    grant_tables(
        cursor, name, lambda table: _ACCESS.get(table, ("SELECT", *_WRITES.get(table, ())))
    )
    known = quote_ident(name, cursor)
    for function in _FUNCTIONS:
        cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {known}")


def _rights(table: str) -> Sequence[str]:
    """What the API may do with a table."""
    return _ACCESS.get(table, ("SELECT", *_WRITES.get(table, ())))


def grant_tables(cursor: Cursor, name: str, rights: Callable[[str], Sequence[str]]) -> None:
    """Give a role its rights on each table and view of this schema, and take all others.

    Args:
        cursor: Of the tables' owner, inside a transaction.
        name: Of the role, which exists.
        rights: What it may, by the name of a table or view.
    """
    known = quote_ident(name, cursor)
    schema = quote_ident(rows(cursor, "SELECT current_schema()")[0][0], cursor)
    cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {known}")
    cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {known}")
    for (table,) in rows(cursor, _READABLE):
        for right in rights(table):
            cursor.execute(f"GRANT {right} ON {quote_ident(table, cursor)} TO {known}")


def why_it_could_bypass(cursor: Cursor) -> str | None:
    """Why policies would not hold for the role of this session; None: they do."""
    [(superuser, bypasses, makes_roles, owned, unguarded)] = rows(
        cursor, _FAULTS, (_WITH_POLICIES,)
    )
    if superuser:
        return "it is a superuser"
    if bypasses:
        return "it has BYPASSRLS"
    if makes_roles:
        return "it may make roles (CREATEROLE)"
    if owned:
        return f"it owns {', '.join(owned[:3])}"
    return f"no policy holds for it on {', '.join(unguarded)}" if unguarded else None
