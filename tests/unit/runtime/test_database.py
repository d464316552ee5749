"""What an error of the driver means, by its SQLSTATE."""

from __future__ import annotations

import psycopg2
import psycopg2.errors
import pytest

from trackrecord.runtime import database
from trackrecord.runtime.errors import BadContentError, FatalError, PassingError
from trackrecord.runtime.settings import load_settings


def error_of(code: str) -> psycopg2.Error:
    """An error as the driver raises it for a code of the server."""
    raised = psycopg2.errors.lookup(code)("words")
    raised.__setstate__({"pgcode": code})  # type: ignore[no-untyped-call]
    return raised


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("08006", PassingError),  # connection failure
        ("40001", PassingError),  # serialization failure
        ("40P01", PassingError),  # deadlock
        ("53100", PassingError),  # disk full
        ("53300", PassingError),  # too many connections
        ("55P03", PassingError),  # lock not available
        ("57P01", PassingError),  # admin shutdown
        ("57P03", PassingError),  # cannot connect now
        ("25P03", PassingError),  # idle in transaction
        ("22003", BadContentError),  # numeric out of range
        ("22021", BadContentError),  # NUL or broken encoding
        ("22P02", BadContentError),  # invalid text representation
        ("23505", BadContentError),  # unique violation
        ("23514", BadContentError),  # check violation
        ("21000", BadContentError),  # the same row twice
        ("54000", BadContentError),  # index row too large
        ("42P01", FatalError),  # undefined table
        ("42703", FatalError),  # undefined column
        ("42501", FatalError),  # insufficient privilege
        ("XX000", FatalError),  # internal error
    ],
)
def test_what_must_happen_next_follows_from_the_code(code: str, means: type[Exception]) -> None:
    assert type(database.classify(error_of(code))) is means


@pytest.mark.parametrize(
    "error",
    [
        psycopg2.OperationalError("server closed the connection unexpectedly"),
        psycopg2.InterfaceError("connection already closed"),
        psycopg2.DatabaseError(""),
    ],
)
def test_a_broken_connection_says_no_code_and_passes(error: psycopg2.Error) -> None:
    found = database.classify(error)
    assert type(found) is PassingError
    assert str(found)


@pytest.mark.parametrize("code", ["42P01", "42703", "3F000"])
def test_tables_that_are_missing_or_old_name_the_command_that_makes_them(code: str) -> None:
    assert "trackrecord migrate" in str(database.classify(error_of(code)))


def test_no_database_is_passing_and_its_message_hides_the_password() -> None:
    settings = load_settings({"DATABASE_URL": "postgresql://ada:s3cret@127.0.0.1:1/x"})
    with pytest.raises(PassingError, match=r"no database at postgresql://ada:\*\*\*@") as caught:
        database.connect(settings, application="test")
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
