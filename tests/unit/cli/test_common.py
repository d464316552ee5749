"""Does a command find its stack, and say what to start where there is none?"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.support.homes import home_in, running_in
from trackrecord.cli.common import DEFAULT_HOME, HomeOption, InputError, environment, load
from trackrecord.runtime.errors import UnreachableError

app = typer.Typer()


@app.command()
def where(home: HomeOption = DEFAULT_HOME) -> None:
    """Say it."""
    typer.echo(home)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder; nothing is set."""
    for name in ("TRACKRECORD_HOME", "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = tmp_path / "project" / "sub"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    return place


def home(*arguments: str, **environ: str) -> str:
    return CliRunner().invoke(app, arguments, env=environ).stdout.strip()


def test_the_home_of_a_command(folder: Path) -> None:
    assert home() == ".trackrecord"
    above = home_in(folder.parent)
    assert home() == str(above)
    assert home("--home", "named") == "named"
    assert home(TRACKRECORD_HOME="set") == "set"
    assert home(TRACKRECORD_HOME="") == str(above)
    assert home("--home", "named", TRACKRECORD_HOME="set") == "named"
    assert home("--home", ".trackrecord") == ".trackrecord"
    home_in(folder)
    assert home() == ".trackrecord"


@pytest.mark.parametrize("text", ["", "  "])
@pytest.mark.usefixtures("folder")
def test_an_empty_name_is_no_folder(text: str) -> None:
    result = CliRunner().invoke(app, ["--home", text])
    assert isinstance(result.exception, InputError)


def test_variables_for_other_databases_are_dropped_beside_a_local_one_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    place = home_in(folder)
    environment(place)
    monkeypatch.setenv("DATABASE_URL", "postgresql://mine")
    with running_in(place, "127.0.0.1:7"):
        environment(place)
        assert os.environ["PGSSLMODE"] == "require"
        monkeypatch.delenv("DATABASE_URL")
        assert environment(place)["DATABASE_URL"] == "postgresql://db"
        assert "PGSSLMODE" not in os.environ


@pytest.mark.parametrize("port", [9092, 5432])
def test_without_a_stack_it_is_said_what_to_start(folder: Path, port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            pytest.skip(f"somebody listens at the default port {port} of this machine")
    with pytest.raises(UnreachableError) as raised:
        load(DEFAULT_HOME, broker=port == 9092, database=port == 5432)
    words = str(raised.value)
    assert words.startswith("no broker at 127.0.0.1" if port == 9092 else "no database at postgres")
    assert f"nothing runs under {folder / '.trackrecord'}: start it with `trackrecord up`" in words
    variable = "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS" if port == 9092 else "DATABASE_URL"
    assert words.endswith(f"name another with --home, or name yours in {variable}")


@pytest.mark.usefixtures("folder")
def test_what_is_named_is_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    with pytest.raises(UnreachableError, match="see TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"):
        load(DEFAULT_HOME, broker=True)
