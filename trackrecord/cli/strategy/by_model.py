"""A strategy from a sentence by a language model, each question of which is kept in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trackrecord.cli.common import InputError, notes

if TYPE_CHECKING:
    from trackrecord.providers.attempts import Question
    from trackrecord.providers.generation import ModelsStrategy
    from trackrecord.runtime.settings import Settings
    from trackrecord.strategies.contract import Problem

OWNER: Final = "local"
"""Whose the attempts of the command line are."""


def ask_model(
    name: str,
    sentence: str,
    validate: Callable[[str], Sequence[Problem]],
    settings: Settings,
    home: Path,
) -> ModelsStrategy:
    """Ask the language model of a provider, and say so while it is waited for.

    Args:
        name: Of the provider.
        sentence: What the strategy is to do.
        validate: What is wrong with a source.
        settings: Keys, models and limits.
        home: Where the log of attempts is.

    Raises:
        ConfigurationError: There is no such provider, or it has no key.
        InputError: The log cannot be written, so nobody was asked.
    """
    from trackrecord.providers.attempt_file import AttemptFile
    from trackrecord.providers.choice import budget_of, provider_named
    from trackrecord.providers.generation import MOST_ATTEMPTS, generate_with
    from trackrecord.strategies.prelude import PRELUDE

    def asking(question: Question) -> None:
        notes.print(
            f"trackrecord strategy: asking {question.provider} ({question.model}), attempt "
            f"{question.number} of {MOST_ATTEMPTS}"
        )

    model = provider_named(name, settings)
    log = AttemptFile(home)
    try:
        found = generate_with(
            model,
            sentence,
            validate,
            log,
            owner=OWNER,
            budget=budget_of(settings),
            prelude=PRELUDE,
            asking=asking,
        )
    except OSError as error:
        raise InputError(
            f"the attempt cannot be written to {log.path} ({error.strerror}), so nobody was asked"
        ) from None
    if found.not_logged:
        notes.print(f"trackrecord strategy: the log of attempts lacks an end: {found.not_logged}")
    return found
