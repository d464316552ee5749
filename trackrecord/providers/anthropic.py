"""Anthropic's models by the official client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from trackrecord.providers.call import Access, accepted, ask_within, count, maker, text_of
from trackrecord.providers.failures import not_understood, odd_end
from trackrecord.providers.provider import Answer, Budget, Ending, Prompt

_ENDINGS: Final[dict[object, Ending]] = {
    "end_turn": "finished",
    "stop_sequence": "finished",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refused",
}
_WORDS: Final = {
    "truncated": "the answer was cut off at its limit of tokens",
    "refused": "the model refuses to answer",
}


@dataclass(frozen=True)
class AnthropicProvider:
    """Asks by the official client."""

    access: Access
    name: str = "anthropic"

    def __post_init__(self) -> None:
        """Find out at once whether it can be used.

        Raises:
            ConfigurationError: The client is not installed, or a setting cannot be used.
        """
        accepted(self.access)
        maker("anthropic", "anthropic")

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.access.model

    def ask(self, prompt: Prompt, budget: Budget) -> Answer:
        """Ask once, within a budget."""

        def send(http: Any) -> Answer:
            client = maker("anthropic", "anthropic").Anthropic(
                api_key=self.access.key,
                base_url=self.access.base_url,
                max_retries=0,
                timeout=budget.seconds,
                http_client=http,
            )
            return _read(
                client.messages.create(
                    model=self.model,
                    system=prompt.instructions,
                    messages=[{"role": "user", "content": prompt.request}],
                    max_tokens=budget.tokens,
                    # Its own guess of how long so many tokens take refuses larger budgets.
                    timeout=budget.seconds,
                )
            )

        return ask_within(self.access, budget, send)


def _read(reply: Any) -> Answer:
    blocks = getattr(reply, "content", None)
    if not isinstance(blocks, list):
        return not_understood("anthropic", "no content")
    texts = [
        text_of(getattr(each, "text", None))
        for each in blocks
        if getattr(each, "type", None) == "text"
    ]
    text = "".join(texts)
    reason = getattr(reply, "stop_reason", None)
    usage = getattr(reply, "usage", None)
    ending = _ENDINGS.get(reason, "failed")
    error = _WORDS.get(ending)
    if ending == "failed":
        error = odd_end(reason)
    elif ending == "finished" and not text.strip():
        ending, error = "failed", "the answer is empty"
    return Answer(
        ending,
        text=text,
        model=text_of(getattr(reply, "model", None)),
        input_tokens=count(
            getattr(usage, "input_tokens", None),
            getattr(usage, "cache_creation_input_tokens", None),
            getattr(usage, "cache_read_input_tokens", None),
        ),
        output_tokens=count(getattr(usage, "output_tokens", None)),
        error=error,
    )
