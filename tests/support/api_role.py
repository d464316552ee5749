"""The role that the HTTP API connects as, made for a test run, and sessions of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from trackrecord.access.store import database_role
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings


@contextmanager
def api_role(url: str) -> Iterator[str]:
    """A role of its own on the server of a database, gone at the end.

    Yields:
        The URL of that database for the role.
    """
    name, password = f"trackrecord_api_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            database_role.make(cursor, name, password)
            try:
                parts = urlsplit(url)
                host = parts.netloc.rpartition("@")[2]
                yield urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))
            finally:
                cursor.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


def granted(settings: Settings, role_url: str) -> Settings:
    """The settings of a schema whose tables the role may use, connecting as the role."""
    with database.session(settings, application="test") as cursor:
        database_role.grant(cursor, urlsplit(role_url).username or "")
    return settings.model_copy(update={"database_url": role_url})
