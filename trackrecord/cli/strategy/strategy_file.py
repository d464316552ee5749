"""The strategy that a command is given: its code, and the rule that made it, where it is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.cli.common import InputError, PolicyOption
from trackrecord.errors import TrackrecordError
from trackrecord.strategies.source import Source, parameter_values, read_source

if TYPE_CHECKING:
    from trackrecord.strategies.contract import Problem
    from trackrecord.strategies.drive import Strategy
    from trackrecord.strategies.rules.model import Rule


class RefusedStrategyError(TrackrecordError):
    """A strategy breaks its contract; the message says all that does."""


@dataclass(frozen=True)
class Loaded:
    """A strategy, and what its parameters are set to.

    Attributes:
        file: Where it was read.
        source: What it declares.
        values: Those that were set, checked.
        rule: What the code was made from; None where it was written by hand or changed since.
        reads_as: The rule in words.
    """

    file: Path
    source: Source
    values: Mapping[str, Any]
    rule: Rule | None = None
    reads_as: str | None = None


def text_of(file: Path) -> str:
    """The code of a strategy's file: Python, or what ``strategy generate --json`` answered.

    Raises:
        InputError: It cannot be read.
    """
    return read_file(file)[0]


def load(file: Path, given: Mapping[str, Any], *, as_code: bool = False) -> Loaded:
    """Read a strategy.

    Args:
        file: Its code, or what ``strategy generate --json`` answered.
        given: Values of its parameters.
        as_code: Run it in the sandbox, whatever made it.

    Raises:
        InputError: The file cannot be read, or a value is not one of its parameters'.
        RefusedStrategyError: It breaks the contract.
    """
    code, told = read_file(file)
    source = read_source(code)
    if isinstance(source, list):
        raise RefusedStrategyError(_told(source))
    values = parameter_values(source, given)
    if isinstance(values, list):
        raise InputError("; ".join(problem.message for problem in values))
    from trackrecord.strategies.recognise import recognise

    found = None if as_code else recognise(code, told.get("rule"))
    rule, reads_as = (None, None) if found is None else found
    return Loaded(file, source, {name: values[name] for name in given}, rule, reads_as)


def read_file(file: Path) -> tuple[str, dict[str, Any]]:
    """The code of a strategy's file, and what else was told of it, where it is JSON.

    Raises:
        InputError: It cannot be read.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no file {file}") from None
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    if file.suffix.lower() != ".json":
        return text, {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not JSON: {error}") from None
    if not isinstance(told, dict) or not isinstance(told.get("code"), str):
        raise InputError(f'{file} has no "code": is it what `strategy generate --json` answered?')
    return told["code"], told


@contextmanager
def runner(loaded: Loaded, policy: PolicyOption) -> Iterator[Strategy]:
    """What leads a strategy through bars: a rule in columns, other code in the sandbox.

    Raises:
        RefusedStrategyError: Code that no rule made does not pass validation: it may decide by
            something else than the bars that it is handed, so that a backtest says nothing of it.
        InputError: There is no sandbox, or less isolation than the settings ask for.
    """
    if loaded.rule is not None:
        from trackrecord.strategies.rule_answers import columnar
        from trackrecord.strategies.rules.parameters import with_parameters

        rule = loaded.rule
        yield columnar(lambda values: with_parameters(rule, values), loaded.values, policy)
        return
    from trackrecord.cli.strategy.reading import dry_run_bars
    from trackrecord.runtime.settings import load_settings
    from trackrecord.sandbox.from_settings import executor_of
    from trackrecord.sandbox.isolation import SandboxError
    from trackrecord.strategies.drive import Code
    from trackrecord.strategies.validation import validate

    try:
        with executor_of(load_settings()) as executor:
            rows, _ = dry_run_bars(None)
            checked = validate(loaded.source.code, executor, rows, parameters=loaded.values)
            if checked.problems:
                raise RefusedStrategyError(_told(checked.problems))
            yield Code(executor, loaded.source.code, loaded.source.sides, policy)
    except SandboxError as error:
        raise InputError(str(error)) from None


def _told(problems: Sequence[Problem]) -> str:
    return "; ".join(
        (f"line {problem.line}: " if problem.line else "") + problem.message for problem in problems
    )
