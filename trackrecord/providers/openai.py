"""OpenAI, and every server that speaks its chat completions (Ollama, vLLM, llama.cpp ...)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from trackrecord.providers.call import Access, accepted, ask_within, count, maker, text_of
from trackrecord.providers.failures import not_understood, odd_end
from trackrecord.providers.provider import Answer, Budget, Ending, Prompt

_ENDINGS: Final[dict[object, Ending]] = {
    "stop": "finished",
    "length": "truncated",
    "content_filter": "refused",
    # Of other servers.
    "eos": "finished",
    "eos_token": "finished",
    "end_turn": "finished",
    "max_tokens": "truncated",
}
_MAKERS_HOSTS: Final = ("openai.com", "azure.com")
"""Whose newer models refuse ``max_tokens``; other servers may know nothing else."""


@dataclass(frozen=True)
class OpenAIProvider:
    """Asks by the official client; any server with a base URL of its own will do."""

    access: Access
    name: str = "openai"

    def __post_init__(self) -> None:
        """Find out at once whether it can be used.

        Raises:
            ConfigurationError: The client is not installed, or a setting cannot be used.
        """
        accepted(self.access)
        maker("openai", "openai")

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.access.model

    def ask(self, prompt: Prompt, budget: Budget) -> Answer:
        """Ask once, within a budget."""

        def send(http: Any) -> Answer:
            client = maker("openai", "openai").OpenAI(
                api_key=self.access.key,
                base_url=self.access.base_url,
                max_retries=0,
                timeout=budget.seconds,
                http_client=http,
            )
            host = urlsplit(str(client.base_url)).hostname or ""
            limit = "max_completion_tokens" if host.endswith(_MAKERS_HOSTS) else "max_tokens"
            return _read(
                client.chat.completions.create(
                    model=self.model,
                    messages=[
                        {"role": "system", "content": prompt.instructions},
                        {"role": "user", "content": prompt.request},
                    ],
                    **{limit: budget.tokens},
                )
            )

        return ask_within(self.access, budget, send)


def _read(reply: Any) -> Answer:
    choices = getattr(reply, "choices", None)
    if not isinstance(choices, list) or not choices:
        return not_understood("openai", "no choice")
    message = getattr(choices[0], "message", None)
    reason = getattr(choices[0], "finish_reason", None)
    text = text_of(getattr(message, "content", None))
    refusal = text_of(getattr(message, "refusal", None))
    usage = getattr(reply, "usage", None)
    ending: Ending = "refused" if refusal.strip() else _ENDINGS.get(reason, "failed")
    error = None
    if refusal or ending == "refused":
        error = f"the model refuses: {refusal or 'its filter has stopped the answer'}"
    elif ending == "truncated":
        error = "the answer was cut off at its limit of tokens"
    elif ending == "failed":
        error = odd_end(reason)
    elif not text.strip():
        ending, error = "failed", "the answer is empty"
    return Answer(
        ending,
        text=text,
        model=text_of(getattr(reply, "model", None)),
        input_tokens=count(getattr(usage, "prompt_tokens", None)),
        output_tokens=count(getattr(usage, "completion_tokens", None)),
        error=error,
    )
