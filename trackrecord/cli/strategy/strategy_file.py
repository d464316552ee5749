"""The strategy that a command is given: its code, and the rule that made it, where it is known."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trackrecord.cli.common import InputError, PolicyOption
from trackrecord.errors import TrackrecordError
from trackrecord.strategies.source import Source, parameter_values, read_source

if TYPE_CHECKING:
    from trackrecord.strategies.contract import Problem
    from trackrecord.strategies.drive import Strategy
    from trackrecord.strategies.rules.model import Rule

_LONGEST_WORDS: Final = 5_000
"""Characters of a code's first words that are read as a rule."""


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
    return _read(file)[0]


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
    code, told = _read(file)
    source = read_source(code)
    if isinstance(source, list):
        raise RefusedStrategyError(_told(source))
    values = parameter_values(source, given)
    if isinstance(values, list):
        raise InputError("; ".join(problem.message for problem in values))
    rule, reads_as = (None, None) if as_code else _rule(code, told)
    return Loaded(file, source, {name: values[name] for name in given}, rule, reads_as)


def _read(file: Path) -> tuple[str, dict[str, Any]]:
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


def _rule(code: str, told: Mapping[str, Any]) -> tuple[Rule | None, str | None]:
    """The rule that makes just this code: as it was told, or as the code's first words read.

    Then bars need no sandbox. A code that was changed since is none that its words make.
    """
    from trackrecord.strategies.generate import generate
    from trackrecord.strategies.rules.as_json import from_json
    from trackrecord.strategies.rules.code import code as code_of
    from trackrecord.strategies.rules.words import rule_words

    if told.get("rule") is not None:
        with suppress(ValueError):
            rule = from_json(told["rule"])
            if code_of(rule) == code:
                return rule, rule_words(rule)
    words = ast.get_docstring(ast.parse(code)) or ""
    if 0 < len(words) <= _LONGEST_WORDS:
        made = generate(" ".join(words.split()))
        if made.code == code:
            return made.rule, made.reads_as
    return None, None


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
