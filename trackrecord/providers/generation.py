"""Ask a language model for a strategy: at most three times, each of them logged.

An answer that was cut off is asked for once more with a larger budget, one that is broken goes
back with its problems. A refusal, a limit, a time-out or a failure is recorded and told: asking
again would cost without cause, or press where the other side has said no.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.providers.attempts import INTERRUPTED, AttemptLog, Question, Result, Status
from trackrecord.providers.blocks import find_code, unfinished
from trackrecord.providers.prompt import first_prompt, repair_prompt, unfit
from trackrecord.providers.provider import Answer, Budget, Ending, Prompt, Provider
from trackrecord.strategies.contract import Problem
from trackrecord.strategies.provenance import Provenance, marked

MOST_ATTEMPTS: Final = 3
LARGER: Final = 4
"""Times the tokens of the budget that an answer gets which was cut off."""
MOST_TOKENS: Final = 65_536
"""Tokens that even a larger budget does not pass."""

_UNCHECKED: Final = "its validation has not come to an end"

_FACT: Final = re.compile(r"^#[ \t]*(reads as|assumes|not done):[ \t]*(.*\S)", re.MULTILINE)
_REFUSED: Final = re.compile(r"^\W*REFUSED:[ \t]*(.*)", re.MULTILINE)
_MOST_FACTS: Final = 30
_LONGEST_FACT: Final = 500


@dataclass(frozen=True)
class ModelsStrategy:
    """What a language model made of a sentence.

    Attributes:
        status: ``validated`` where the code passed and nothing of the sentence was left out,
            ``draft`` where there is code and something is open, else ``refused``.
        code: The strategy, with the mark of who wrote it; None where there is none.
        parameters: As the code declares them.
        reads_as: What the code does by the word of the model, which nobody has checked.
        assumptions: What the model says that it chose.
        not_understood: Words of the sentence that the model says it left out.
        problems: What is wrong with the code, or why there is none.
        provider: Who was asked.
        model: The model that was asked.
        seconds: Of all attempts together.
        tokens: Of all attempts, questions and answers; None where the provider never says.
        asked_at: When the first was asked, in UTC; bars before it may be remembered.
        attempts: Their ids in the log, in order.
        ending: How the last answer ended; None where nobody was asked.
        retry_after: Seconds after which the provider wants to be asked again, if it says so.
        not_logged: Why the end of an attempt could not be logged, else None.
    """

    status: Literal["validated", "draft", "refused"]
    code: str | None
    parameters: dict[str, Any]
    reads_as: str
    assumptions: list[str]
    not_understood: list[str]
    problems: list[Problem]
    provider: str
    model: str
    seconds: float
    tokens: int | None
    asked_at: datetime | None = None
    attempts: list[str] = field(default_factory=list)
    ending: Ending | None = None
    retry_after: float | None = None
    not_logged: str | None = None

    @property
    def unreachable(self) -> bool:
        """Whether it has no code because the provider could not be asked, or did not answer."""
        return self.code is None and self.ending in {"rate_limited", "timed_out", "failed"}

    def as_json(self) -> dict[str, Any]:
        """What ``strategy generate --json`` prints."""
        found = dict(vars(self))
        found["problems"] = [each._asdict() for each in self.problems]
        found["asked_at"] = None if self.asked_at is None else self.asked_at.isoformat()
        return found


@dataclass
class _Draft:
    """The best that has come so far."""

    code: str | None = None
    problems: list[Problem] = field(default_factory=list)


def generate_with(
    provider: Provider,
    sentence: str,
    validate: Callable[[str], Sequence[Problem]],
    log: AttemptLog,
    *,
    owner: str = "",
    budget: Budget | None = None,
    prelude: str = "",
    parameters_of: Callable[[str], Mapping[str, Any]] | None = None,
    asking: Callable[[Question], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> ModelsStrategy:
    """Ask a provider for a strategy until one passes, three times at most.

    Args:
        provider: Who is asked.
        sentence: What the strategy is to do.
        validate: What is wrong with a source; nothing where it is good.
        log: Keeps every attempt.
        owner: Who asks.
        budget: What each question may cost.
        prelude: Source of the functions that a strategy may call without an import.
        parameters_of: Reads the declared parameters of a source that passed or nearly did; by
            default the literal ``PARAMETERS``.
        asking: Told of each question before it is asked, for who waits.
        clock: Tells when.

    Raises:
        OSError: An attempt cannot be logged, so it was not made.
    """
    if problem := unfit(sentence):
        return _told(provider, _Draft(problems=[problem]), [], None, clock)
    run = _Run(provider, sentence, validate, log, owner, prelude, asking, clock)
    answer = run.work(budget or Budget())
    read = parameters_of or declared_parameters
    return _told(provider, run.best, run.asked, answer, clock, read, run.not_logged)


class _Run:
    """The attempts at one strategy."""

    def __init__(
        self,
        provider: Provider,
        sentence: str,
        validate: Callable[[str], Sequence[Problem]],
        log: AttemptLog,
        owner: str,
        prelude: str,
        asking: Callable[[Question], None] | None,
        clock: Clock,
    ) -> None:
        self.best = _Draft()
        self.asked: list[tuple[Question, Answer]] = []
        self.not_logged: str | None = None
        self._provider = provider
        self._sentence = sentence
        self._validate = validate
        self._log = log
        self._owner = owner
        self._prelude = prelude
        self._asking = asking
        self._clock = clock
        self._generation_id = str(uuid4())

    def work(self, budget: Budget) -> Answer:
        """Attempt until one passes or another makes no sense; the last answer."""
        prompt = first_prompt(self._sentence, self._prelude)
        enlarged = False
        while True:
            answer, draft = self._attempt(prompt, budget)
            whole = answer.ending == "finished"
            self.best = _better(self.best, draft)
            if (
                len(self.asked) == MOST_ATTEMPTS
                or self.not_logged
                or (whole and not draft.problems)
            ):
                return answer
            if answer.ending == "truncated" and not enlarged:
                enlarged = True
                tokens = max(budget.tokens, min(MOST_TOKENS, budget.tokens * LARGER))
                budget = replace(budget, tokens=tokens)
            elif whole and not _is_refusal(answer.text):
                prompt = repair_prompt(
                    self._sentence, self._prelude, draft.code or "", draft.problems
                )
            else:
                return answer

    def _attempt(self, prompt: Prompt, budget: Budget) -> tuple[Answer, _Draft]:
        question = Question(
            attempt_id=str(uuid4()),
            generation_id=self._generation_id,
            number=len(self.asked) + 1,
            owner=self._owner,
            sentence=self._sentence,
            instructions=prompt.instructions,
            request=prompt.request,
            provider=self._provider.name,
            model=self._provider.model,
            most_tokens=budget.tokens,
            most_seconds=budget.seconds,
            asked_at=self._clock.now(),
        )
        self._log.asking(question)
        if self._asking is not None:
            self._asking(question)
        try:
            answer = self._provider.ask(prompt, budget)
        except BaseException:
            self._end(question, Result("failure", error=INTERRUPTED))
            raise
        answer, code = _with_code(answer)
        self.asked.append((question, answer))
        if code is not None:
            # It is billed, and what follows runs a stranger's code: first it is kept.
            unchecked = replace(_result(answer, code, [], "partial"), error=_UNCHECKED)
            self._end(question, unchecked)
        problems = self._problems(answer, code)
        status: Status = "success" if not problems else "partial" if code else "failure"
        self._end(question, _result(answer, code, problems, status))
        # Half a strategy is none, and what is no text can be neither sent back nor saved.
        usable = code is not None and answer.ending == "finished" and _no_text(code) is None
        return answer, _Draft(code if usable else None, problems)

    def _problems(self, answer: Answer, code: str | None) -> list[Problem]:
        if answer.ending != "finished":
            return [Problem(None, answer.ending, answer.error or "the answer is not whole")]
        if code is None:
            refused = _REFUSED.search(answer.text)
            if refused:
                return [Problem(None, "refused", refused[1][:_LONGEST_FACT] or "the model refuses")]
            return [
                Problem(
                    None,
                    "no_code",
                    "the answer holds no block of Python with def execute_strategy(...)",
                )
            ]
        if (place := _no_text(code)) is not None:
            line = code.count("\n", 0, place) + 1
            words = f"a character that is no text (U+{ord(code[place]):04X})"
            return [Problem(line, "syntax", f"the code holds {words}")]
        return list(self._validate(code))

    def _end(self, question: Question, result: Result) -> None:
        try:
            self._log.ended(question.attempt_id, replace(result, ended_at=self._clock.now()))
        except OSError as error:
            # The answer is there and paid for; it is handed on, and no other is asked for.
            self.not_logged = error.strerror or str(error)


def _better(before: _Draft, now: _Draft) -> _Draft:
    """What to hand on: the code with fewer problems, the later of two as good."""
    if before.code is None:
        return now
    if now.code is None:
        # What came before stays; why there is nothing better is told with it.
        return _Draft(before.code, [*before.problems, *now.problems])
    return now if len(now.problems) <= len(before.problems) else before


def _with_code(answer: Answer) -> tuple[Answer, str | None]:
    """The code of an answer; one that ends inside it was cut off, whatever the provider says."""
    found = find_code(answer.text) if answer.text else None
    cut = unfinished(answer.text) if found is None else not found.whole
    if answer.ending == "finished" and cut:
        words = "the answer ends in the middle of the code"
        answer = replace(answer, ending="truncated", error=words)
    return answer, None if found is None else found.code


def _is_refusal(text: str) -> bool:
    return find_code(text) is None and _REFUSED.search(text) is not None


def _no_text(code: str) -> int | None:
    """Where the first character stands that no source can hold: NUL, or half of a pair."""
    return next(
        (at for at, sign in enumerate(code) if sign == "\0" or "\ud800" <= sign <= "\udfff"), None
    )


def _result(answer: Answer, code: str | None, problems: list[Problem], status: Status) -> Result:
    error = answer.error
    if error is None and problems:
        error = problems[0].message
    return Result(
        status,
        ending=answer.ending,
        error=error,
        answer=answer.text,
        code=code,
        problems=[each._asdict() for each in problems],
        answered_by=answer.model or None,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        seconds=round(answer.seconds, 3),
        retry_after=answer.retry_after,
    )


def _told(
    provider: Provider,
    best: _Draft,
    asked: list[tuple[Question, Answer]],
    last: Answer | None,
    clock: Clock,
    read: Callable[[str], Mapping[str, Any]] | None = None,
    not_logged: str | None = None,
) -> ModelsStrategy:
    facts = _facts(best.code or "")
    counts = [
        number
        for _, answer in asked
        for number in (answer.input_tokens, answer.output_tokens)
        if number is not None
    ]
    status: Literal["validated", "draft", "refused"] = "draft"
    if best.code is None:
        status = "refused"
    elif not best.problems and not facts["not done"]:
        status = "validated"
    first = asked[0][0].asked_at if asked else clock.now()
    code = best.code
    return ModelsStrategy(
        status=status,
        code=None
        if code is None
        else marked(code, Provenance(provider.name, provider.model, first)),
        parameters={} if code is None or read is None else dict(read(code)),
        reads_as=" ".join(facts["reads as"]),
        assumptions=facts["assumes"],
        not_understood=facts["not done"],
        problems=best.problems,
        provider=provider.name,
        model=provider.model,
        seconds=round(sum(answer.seconds for _, answer in asked), 3),
        tokens=sum(counts) if counts else None,
        asked_at=first if asked else None,
        attempts=[question.attempt_id for question, _ in asked],
        ending=None if last is None else last.ending,
        retry_after=None if last is None else last.retry_after,
        not_logged=not_logged,
    )


def _facts(code: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"reads as": [], "assumes": [], "not done": []}
    for kind, words in _FACT.findall(code)[:_MOST_FACTS]:
        if words.strip(" .").lower() not in {"nothing", "none", "n/a", "-", ""}:
            found[kind].append(words[:_LONGEST_FACT])
    return found


def declared_parameters(code: str) -> dict[str, Any]:
    """The literal ``PARAMETERS`` of a source; none where there is no such thing.

    Nothing is run, and no source raises.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is the model's
            tree = ast.parse(code)
        for node in tree.body:
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                targets, value = [node.target], node.value
            else:
                continue
            if any(isinstance(each, ast.Name) and each.id == "PARAMETERS" for each in targets):
                found = dict(ast.literal_eval(value))
                return {str(name): declared for name, declared in found.items()}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return {}
    return {}
