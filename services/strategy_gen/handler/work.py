"""One request: made, judged where it can be, and written with its event."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.strategy_gen import store
from services.strategy_gen.handler.sessions import Sessions
from services.strategy_gen.metrics import INTERRUPTED, REQUEST_SECONDS, REQUESTS, TOKENS
from services.strategy_gen.rows import Ended
from trackrecord.catalogue.bars import read_history
from trackrecord.catalogue.judging import How, judge, kept_of
from trackrecord.catalogue.laboratory import Laboratory
from trackrecord.catalogue.life import EVERY_SYMBOL, StrategyRefusedError
from trackrecord.catalogue.making import Refused, Tools, make, provider_of
from trackrecord.catalogue.store import tries
from trackrecord.catalogue.store.attempts import AttemptTable
from trackrecord.catalogue.store.requests import Request, SupersededRequestError
from trackrecord.catalogue.store.rows import Made
from trackrecord.clock import Clock, backoff
from trackrecord.providers.attempts import INTERRUPTED as MAY_BE_BILLED
from trackrecord.providers.choice import NAMES, OFFLINE
from trackrecord.runtime.errors import BadContentError, PassingError
from trackrecord.runtime.jobs import describe
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.settings import Settings
from trackrecord.sandbox.isolation import SandboxError
from trackrecord.strategies.backtest import Settings as HowJudged
from trackrecord.strategies.contract import Problem
from trackrecord.strategies.drive import StrategyFaultError
from trackrecord.strategies.history import BadBarsError
from trackrecord.strategies.tries import Run, code_identity

_log = get_logger(__name__)

_MOST_EPOCHS: Final = 5
"""How often a request is taken up, if each worker ends in its middle."""
_MOST_JUDGED: Final = 50
"""Symbols on which a strategy is judged as soon as it is made; on more, when somebody asks."""
_PATIENCE: Final = 300.0
"""Seconds in which to write what came of a request: a language model has been paid for it."""


@dataclass(frozen=True)
class Work:
    """How requests are worked upon.

    Attributes:
        settings: Of the process.
        sessions: Of the database.
        clock: What tells it the time.
        metrics: Those of the stage.
        stopping: Set once the process is to end.
    """

    settings: Settings
    sessions: Sessions
    clock: Clock
    metrics: Metrics
    stopping: threading.Event

    def do(self, request: Request, laboratory: Laboratory) -> None:
        """Make what a request asks for, and write what came of it.

        Raises:
            PassingError: The database is away; a later turn, here or elsewhere, takes it up again.
        """
        provider = provider_of(request.asked, self.settings)
        self.write(request, Ended(self._made(request, provider, laboratory), provider))

    def write(self, request: Request, ended: Ended, within: float = _PATIENCE) -> None:
        """Write the end of a request, unless somebody else has it; nothing is written twice.

        Args:
            request: As it was taken up.
            ended: What came of it.
            within: Seconds to try, while the database is away.

        Raises:
            PassingError: It is away for longer.
        """
        waits, until = backoff(), self.clock.monotonic() + within
        while True:
            try:
                with self.sessions.transaction() as cursor:
                    written = store.finish(cursor, self.settings, request, ended, self.clock.now())
                    spent = store.tokens(cursor, request.request_id)
            except SupersededRequestError as error:
                # Or the answer to a commit was lost, and this is the second time.
                _log.info("a request has ended elsewhere", id=request.request_id, why=str(error))
                return
            except BadContentError as error:
                words = f"the database refuses what was made: {error}"
                ended = Ended(_failed(ended.provider, words), ended.provider)
            except PassingError as error:
                if self.clock.monotonic() > until or self.stopping.is_set():
                    raise
                _log.warning("will try again to write what came of it", reason=str(error))
                self.clock.sleep(next(waits))
            else:
                self._count(request, written, spent)
                return

    def interrupted(self, request: Request) -> None:
        """Write that a request ended with its worker, while a language model was asked."""
        with self.sessions.transaction() as cursor:
            store.was_asked(cursor, request, self.clock.now())
        provider = provider_of(request.asked, self.settings)
        self.metrics.count(INTERRUPTED)
        self.write(request, Ended(_failed(provider, MAY_BE_BILLED), provider), within=2.0)

    def _made(self, request: Request, provider: str, laboratory: Laboratory) -> Made | Refused:
        if request.epoch > 1:
            with self.sessions.transaction() as cursor:
                asked = store.was_asked(cursor, request, self.clock.now())
            if asked and provider != OFFLINE:
                self.metrics.count(INTERRUPTED)
                return _failed(provider, MAY_BE_BILLED)
        if request.epoch > _MOST_EPOCHS:
            return _failed(provider, f"its process ended in each of {request.epoch - 1} attempts")
        log = AttemptTable(
            self.sessions.transaction, request_id=request.request_id, user_id=request.user_id
        )
        try:
            made = make(request.asked, Tools(self.settings, log, laboratory, self.clock))
            return self._judged(request, made, laboratory)
        except OSError as error:
            raise PassingError(f"an attempt cannot be logged: {error}") from error
        except PassingError:
            raise
        except SandboxError as error:
            return _failed(provider, f"strategies cannot be validated here: {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the request has failed of it
            _log.exception("a request failed", id=request.request_id)
            return _failed(provider, describe(error))

    def _judged(
        self, request: Request, made: Made | Refused, laboratory: Laboratory
    ) -> Made | Refused:
        """The version with what a backtest says, where it has symbols and these have bars."""
        asked = request.asked
        symbols = asked.symbols
        if not isinstance(made, Made) or not made.is_valid or not symbols:
            return made
        if len(symbols) > _MOST_JUDGED or EVERY_SYMBOL in symbols:
            return made
        # An instant look: intervals are worked out when somebody asks for a backtest.
        how = How(settings=HowJudged(resamples=0))
        try:
            with self.sessions.transaction() as cursor:
                history = read_history(cursor, symbols, asked.timeframe)

            def counted(parameters: Sequence[str]) -> int:
                run = Run(request.owner, code_identity(made.code or ""), tuple(parameters))
                with self.sessions.transaction() as cursor:
                    return tries.note_and_count(cursor, run, self.clock.now())

            report = judge(made, {}, history, counted, lambda: laboratory.executor, how)
        except (BadBarsError, StrategyRefusedError) as error:
            _log.info("not judged", id=request.request_id, reason=str(error))
            return made
        except StrategyFaultError as error:
            problem = Problem(None, error.fault.code, str(error))
            return replace(made, is_valid=False, problems=[*made.problems, problem._asdict()])
        return replace(made, backtest=kept_of(report, self.clock.now()))

    def _count(self, request: Request, ended: Ended, spent: int) -> None:
        # Anybody may ask for a provider by any name.
        provider = ended.provider if ended.provider in NAMES else "unknown"
        seconds = (self.clock.now() - request.requested_at).total_seconds()
        self.metrics.count(REQUESTS, provider=provider, outcome=ended.outcome)
        self.metrics.observe(REQUEST_SECONDS, max(seconds, 0.0), provider=provider)
        if spent:
            self.metrics.count(TOKENS, spent, provider=provider)
        _log.info(
            "a request has ended", id=request.request_id, owner=request.owner, provider=provider,
            outcome=ended.outcome, seconds=round(seconds, 3),
            why=ended.made.why if isinstance(ended.made, Refused) else None,
        )  # fmt: skip


def _failed(provider: str, words: str) -> Refused:
    return Refused(provider, [Problem(None, "failed", words)._asdict()], failed=True)
