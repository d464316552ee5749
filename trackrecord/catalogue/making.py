"""From a request to a strategy's version, by the rules at hand or by a language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from trackrecord.catalogue.laboratory import Laboratory
from trackrecord.catalogue.proposals import PROPOSER
from trackrecord.catalogue.store.rows import Made
from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.events import StrategyRequested
from trackrecord.providers.attempts import AttemptLog, Question, Result, Status
from trackrecord.providers.choice import OFFLINE, budget_of, provider_named
from trackrecord.providers.generation import declared_parameters, generate_with
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings
from trackrecord.strategies.contract import Problem
from trackrecord.strategies.generate import Generated, generate
from trackrecord.strategies.prelude import PRELUDE
from trackrecord.strategies.provenance import provenance
from trackrecord.strategies.recognise import recognise
from trackrecord.strategies.rules.as_json import to_json
from trackrecord.strategies.source import read_source

_LONGEST_DESCRIPTION: Final = 500
_FINDINGS: Final = "what the model {} found is not looked at: the words alone are"


@dataclass(frozen=True)
class Refused:
    """Why nothing was made.

    Attributes:
        provider: Who was asked.
        problems: Why there is no strategy, as validation tells problems; one at least.
        model: The language model that was asked; empty: none was.
        assumptions: What was taken for granted.
        not_understood: Words that nothing was made of.
        failed: Whether it could not be tried at all (no such provider, no key, no answer), rather
            than that there is nothing to make.
    """

    provider: str
    problems: Sequence[Mapping[str, Any]]
    model: str = ""
    assumptions: Sequence[str] = ()
    not_understood: Sequence[str] = ()
    failed: bool = False

    @property
    def why(self) -> str:
        """In one line."""
        return "; ".join(str(each["message"]) for each in self.problems)


@dataclass(frozen=True)
class Tools:
    """What making a strategy takes.

    Attributes:
        settings: Keys, models and limits.
        log: Keeps every attempt.
        laboratory: Validates.
        clock: Tells when.
        asking: Told of each question before it is asked, for who waits.
    """

    settings: Settings
    log: AttemptLog
    laboratory: Laboratory
    clock: Clock = SYSTEM_CLOCK
    asking: Callable[[Question], None] | None = field(default=None)


def provider_of(request: StrategyRequested, settings: Settings) -> str:
    """Who makes what a request asks for."""
    return request.provider or settings.strategy_provider


def make(request: StrategyRequested, tools: Tools) -> Made | Refused:
    """Make a version of what is asked for; nothing is kept but the attempts.

    Code by a language model is validated in full, as code by hand is.

    Args:
        request: What is asked for.
        tools: With what.

    Raises:
        OSError: An attempt cannot be logged, so it was not made.
        SandboxError: Nothing can be validated: there is less isolation than the settings ask for.
    """
    provider = provider_of(request, tools.settings)
    if provider == OFFLINE:
        return _by_rules(request, tools)
    try:
        return _by_model(provider, request, tools)
    except ConfigurationError as error:
        problem = Problem(None, "provider", str(error))
        return Refused(provider, [problem._asdict()], failed=True)


def version_of(
    code: str, laboratory: Laboratory, *, name: str = "", prompt: str = "", rule: object = None
) -> Made:
    """Code that somebody brings as a version; valid where nothing is wrong with it.

    Code that is just what a rule makes is one of a rule. Who wrote it is read from the mark at its
    end, where a language model did.

    Args:
        code: The source.
        laboratory: Validates it.
        name: What it is to be called.
        prompt: What it was made from, in words.
        rule: The rule that it is said to be made from, as JSON; None where nothing is said.
    """
    known = recognise(code, rule)
    problems = laboratory.of_code(code) if known is None else laboratory.of_rule(code)
    mark = provenance(code)
    return Made(
        kind="code" if known is None else "rule",
        name=name,
        code=code,
        is_valid=not problems,
        description=_description(prompt),
        rule=None if known is None else to_json(known[0]),
        declared=_declared(code),
        prompt=prompt,
        provider="" if mark is None else mark.provider,
        model="" if mark is None else mark.model or "unknown",
        asked_at=None if mark is None else mark.asked_at,
        reads_as="" if known is None else known[1],
        problems=_plain(problems),
    )


def version_of_rule(made: Generated, *, name: str = "", prompt: str = "") -> Made:
    """What was made of a sentence as a version; it has code."""
    return Made(
        kind="rule",
        name=name,
        code=made.code,
        is_valid=made.status == "validated",
        description=_description(prompt),
        rule=None if made.rule is None else to_json(made.rule),
        declared=made.parameters,
        prompt=prompt,
        provider=OFFLINE,
        reads_as=made.reads_as,
        assumptions=made.assumptions,
        not_understood=made.not_understood,
        problems=_plain(made.problems),
    )


def _by_rules(request: StrategyRequested, tools: Tools) -> Made | Refused:
    question = Question(
        attempt_id=str(uuid4()),
        generation_id=request.request_id,
        number=1,
        owner=request.owner,
        sentence=request.prompt,
        instructions="",
        request="",
        provider=OFFLINE,
        model="",
        most_tokens=0,
        most_seconds=0.0,
        asked_at=tools.clock.now(),
    )
    began = tools.clock.monotonic()
    made = generate(request.prompt, tools.laboratory.of_rule)
    problems = _plain(made.problems)
    status: Status = "failure" if made.code is None else "partial"
    if made.status == "validated":
        status = "success"
    result = Result(
        status,
        ending="finished",
        error=problems[0]["message"] if problems else None,
        code=made.code,
        problems=problems,
        input_tokens=0,
        output_tokens=0,
        seconds=round(tools.clock.monotonic() - began, 4),
        ended_at=tools.clock.now(),
    )
    # Nobody is asked, so nothing is lost that was not written down before.
    tools.log.asking(question)
    tools.log.ended(question.attempt_id, result)
    assumptions = [*made.assumptions]
    if request.model_version is not None and request.owner != PROPOSER:
        assumptions.append(_FINDINGS.format(request.model_version))
    if made.code is None:
        return Refused(
            OFFLINE,
            problems or _nothing(made.not_understood),
            assumptions=assumptions,
            not_understood=made.not_understood,
        )
    version = version_of_rule(made, name=request.name or "", prompt=request.prompt)
    return Made(**{**vars(version), "assumptions": assumptions})


def _by_model(provider: str, request: StrategyRequested, tools: Tools) -> Made | Refused:
    found = generate_with(
        provider_named(provider, tools.settings),
        request.prompt,
        tools.laboratory.of_code,
        tools.log,
        owner=request.owner,
        budget=budget_of(tools.settings),
        prelude=PRELUDE,
        asking=tools.asking,
        clock=tools.clock,
    )
    assumptions = list(found.assumptions)
    if request.model_version is not None:
        assumptions.append(_FINDINGS.format(request.model_version))
    problems = _plain(found.problems)
    if found.code is None:
        return Refused(
            provider,
            problems or _nothing(found.not_understood),
            model=found.model,
            assumptions=assumptions,
            not_understood=found.not_understood,
            failed=found.unreachable,
        )
    return Made(
        kind="code",
        name=request.name or "",
        code=found.code,
        is_valid=found.status == "validated",
        description=_description(request.prompt),
        declared=_declared(found.code),
        prompt=request.prompt,
        provider=provider,
        model=found.model,
        asked_at=found.asked_at,
        reads_as=found.reads_as,
        assumptions=assumptions,
        not_understood=found.not_understood,
        problems=problems,
    )


def _declared(code: str) -> dict[str, Any]:
    """The parameters of a code that keeps to the contract; none of any other."""
    return {} if isinstance(read_source(code), list) else declared_parameters(code)


def _nothing(not_understood: Sequence[str]) -> list[dict[str, Any]]:
    words = "nothing in it says when to buy or sell"
    if not_understood:
        words += f"; not understood: {', '.join(not_understood)[:500]}"
    return [Problem(None, "nothing", words)._asdict()]


def _plain(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    return [each._asdict() for each in problems]


def _description(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= _LONGEST_DESCRIPTION else f"{words[:_LONGEST_DESCRIPTION]}…"
