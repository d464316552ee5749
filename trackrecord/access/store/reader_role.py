"""The role that Grafana reads the record with: it can change nothing, and sees no user's things."""

from __future__ import annotations

from typing import Final

from psycopg2.extensions import quote_ident

from trackrecord.access.store.database_role import ACCESS_TABLES, RoleRefusedError, grant_tables
from trackrecord.runtime.database import Cursor, rows

NAME: Final = "trackrecord_reader"
"""What the role is called where nobody chose another name."""

_KEPT_BACK: Final = frozenset({"dead_letters", "outbox", "model_files", *ACCESS_TABLES})
"""Bytes that anybody may have sent, files of models, and what belongs to users."""

_STATEMENT_SECONDS: Final = 30


def grant_reading(cursor: Cursor, name: str) -> None:
    """Let a role read the record, and take all else that it may do to this schema.

    To be repeated after each migration: a new table is nobody's but its owner's.

    Args:
        cursor: Of the tables' owner, inside a transaction.
        name: Of the role, which exists.

    Raises:
        RoleRefusedError: There is no such role, or it may do more than that by itself.
    """
    found = rows(
        cursor,
        "SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER')"
        " FROM pg_roles WHERE rolname = %s",
        (name,),
    )
    if not found:
        raise RoleRefusedError(f"there is no role {name}: make it with CREATE ROLE")
    if found[0][0]:
        raise RoleRefusedError(
            f"{name} is a superuser or a member of the tables' owner: it could write all of it"
        )
    grant_tables(cursor, name, lambda table: () if table in _KEPT_BACK else ("SELECT",))
    known = quote_ident(name, cursor)
    schema = quote_ident(rows(cursor, "SELECT current_schema()")[0][0], cursor)
    cursor.execute(f"ALTER ROLE {known} SET default_transaction_read_only = on")
    cursor.execute(f"ALTER ROLE {known} SET statement_timeout = '{_STATEMENT_SECONDS}s'")
    cursor.execute(f"ALTER ROLE {known} SET search_path = {schema}")
