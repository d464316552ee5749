"""Errors as the person at the terminal reads them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import psycopg2
import pytest
import typer
from confluent_kafka import KafkaError, KafkaException
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from trackrecord.cli.ending import words_for
from trackrecord.cli.main import app
from trackrecord.events import InvalidEventError
from trackrecord.local.errors import PartsUnavailable, StackFailed
from trackrecord.runtime.errors import ConfigurationError, PassingError


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("words"), PassingError("words"), InvalidEventError("words"),
        StackFailed("words"), PartsUnavailable("words"),
    ],
)  # fmt: skip
def test_our_own_errors_speak_for_themselves(error: Exception) -> None:
    assert words_for(error) == "words"


def test_an_error_of_the_database_is_put_in_words() -> None:
    error = psycopg2.OperationalError("server closed the connection unexpectedly")
    assert words_for(error) == "server closed the connection unexpectedly"


def test_a_setting_that_the_client_does_not_take_is_named_by_its_variable() -> None:
    said = KafkaError(
        KafkaError._INVALID_ARG,  # noqa: SLF001 - its name
        'No such configuration property: "no.such"',
    )
    words = words_for(KafkaException(said))
    assert words is not None
    assert "TRACKRECORD_KAFKA_NO_SUCH" in words


def test_an_error_of_the_broker_is_put_in_words() -> None:
    code = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001 - its name
    words = words_for(KafkaException(KafkaError(code, "all are down")))
    assert words == "the broker: all are down"


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), RuntimeError("x")])
def test_a_mistake_of_the_program_s_is_not_hidden(error: Exception) -> None:
    assert words_for(error) is None


def _commands(
    group: TyperGroup, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, (*path, name))
        else:
            assert isinstance(command, TyperCommand)
            yield (*path, name), command


_ROOT = typer.main.get_command(app)
assert isinstance(_ROOT, TyperGroup)
_HELPS = [pytest.param(path, command, id=" ".join(path)) for path, command in _commands(_ROOT)]


@pytest.mark.parametrize(("path", "command"), _HELPS)
def test_help_shows_every_word_that_was_written(
    path: tuple[str, ...], command: TyperCommand
) -> None:
    """JSON in brackets and defaults in brackets look like markup, which would be swallowed."""
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "300"}).stdout
    shown = " ".join(shown.replace("│", " ").split())
    written = inspect.getdoc(command.callback)
    assert written is not None
    assert [word for word in written.split() if word not in shown] == []
    for parameter in command.params:
        words = " ".join((getattr(parameter, "help", None) or "").split())
        assert words in shown, parameter.name
