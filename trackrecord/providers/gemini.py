"""Google's Gemini by the official client."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

from trackrecord.providers.call import Access, accepted, ask_within, count, maker, text_of
from trackrecord.providers.failures import not_understood, odd_end
from trackrecord.providers.provider import Answer, Budget, Ending, Prompt

_FINISHED: Final = "STOP"
_TRUNCATED: Final = {"MAX_TOKENS", "CONTINUATION"}
_REFUSED: Final = {
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "ESCALATION",
    "PUP_LIMITED_DISABLED", "MODEL_ARMOR",
}  # fmt: skip


@dataclass(frozen=True)
class GeminiProvider:
    """Asks by the official client."""

    access: Access
    name: str = "gemini"

    def __post_init__(self) -> None:
        """Find out at once whether it can be used.

        Raises:
            ConfigurationError: The client is not installed, or a setting cannot be used.
        """
        accepted(self.access)
        maker("google.genai", "gemini")
        # A reason that it does not know yet is told in the answer; it prints that, too.
        warnings.filterwarnings("ignore", module=r"google\.genai")

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.access.model

    def ask(self, prompt: Prompt, budget: Budget) -> Answer:
        """Ask once, within a budget."""

        def send(http: Any) -> Answer:
            genai = maker("google.genai", "gemini")
            options = {"httpx_client": http, "timeout": max(1, round(budget.seconds * 1000))}
            if self.access.base_url is not None:
                options["base_url"] = self.access.base_url
            # Without a name of its own the client would be closed while it is in use.
            client = genai.Client(
                api_key=self.access.key,
                vertexai=False,
                http_options=genai.types.HttpOptions(**options),
            )
            return _read(
                client.models.generate_content(
                    model=self.model,
                    contents=prompt.request,
                    config=genai.types.GenerateContentConfig(
                        system_instruction=prompt.instructions,
                        max_output_tokens=budget.tokens,
                    ),
                )
            )

        return ask_within(self.access, budget, send)


def _read(reply: Any) -> Answer:
    usage = getattr(reply, "usage_metadata", None)
    model = text_of(getattr(reply, "model_version", None))
    asked = count(getattr(usage, "prompt_token_count", None))
    spent = count(
        getattr(usage, "candidates_token_count", None),
        getattr(usage, "thoughts_token_count", None),
    )
    candidates = getattr(reply, "candidates", None) or []
    blocked = _name(getattr(getattr(reply, "prompt_feedback", None), "block_reason", None))
    if blocked and not candidates:
        words = f"the question was blocked ({blocked})"
        return Answer("refused", "", model, asked, spent, error=words)
    if not candidates:
        return not_understood("gemini", "no candidate")
    parts = getattr(getattr(candidates[0], "content", None), "parts", None) or []
    text = "".join(
        text_of(getattr(part, "text", None)) for part in parts if not getattr(part, "thought", None)
    )
    reason = _name(getattr(candidates[0], "finish_reason", None))
    ending, error = _ended(reason, text)
    return Answer(ending, text, model, asked, spent, error=error)


def _ended(reason: str, text: str) -> tuple[Ending, str | None]:
    if reason in _TRUNCATED:
        return "truncated", "the answer was cut off at its limit of tokens"
    if reason in _REFUSED:
        return "refused", f"the model has stopped its answer ({reason})"
    if reason != _FINISHED:
        return "failed", odd_end(reason)
    return ("finished", None) if text.strip() else ("failed", "the answer is empty")


def _name(reason: object) -> str:
    """A reason of the client's, or one that it does not know yet, as the wire has it."""
    return str(getattr(reason, "value", reason) or "")[:80]
