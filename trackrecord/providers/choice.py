"""Which provider writes strategies, by its name and the settings."""

from __future__ import annotations

from typing import Final

from trackrecord.providers.anthropic import AnthropicProvider
from trackrecord.providers.call import Access
from trackrecord.providers.gemini import GeminiProvider
from trackrecord.providers.openai import OpenAIProvider
from trackrecord.providers.provider import Budget, Provider
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings

OFFLINE: Final = "offline"
"""The rules at hand, which ask nobody."""
NAMES: Final = (OFFLINE, "gemini", "anthropic", "openai")

_NO_KEY: Final = "none"
"""What a server of one's own is given where there is no key: its client wants one."""


def provider_named(name: str, settings: Settings) -> Provider:
    """The provider of a name, ready to be asked.

    Args:
        name: One of :data:`NAMES`, but not ``offline``, which is no language model.
        settings: Keys, base URLs and models.

    Raises:
        ConfigurationError: There is none of this name, its client is not installed, or it has no
            key or one that cannot be used.
    """
    if name == "gemini":
        key, url, model = settings.gemini_api_key, settings.gemini_base_url, settings.gemini_model
        return GeminiProvider(Access(name, model, key.get_secret_value().strip(), url or None))
    if name == "anthropic":
        key, url = settings.anthropic_api_key, settings.anthropic_base_url
        model = settings.anthropic_model
        return AnthropicProvider(Access(name, model, key.get_secret_value().strip(), url or None))
    if name == "openai":
        key, url, model = settings.openai_api_key, settings.openai_base_url, settings.openai_model
        secret = key.get_secret_value().strip() or (_NO_KEY if url else "")
        return OpenAIProvider(Access(name, model, secret, url or None))
    raise ConfigurationError(f"there is no provider {name!r}: choose from {', '.join(NAMES)}")


def budget_of(settings: Settings) -> Budget:
    """What one question may cost, by the settings."""
    return Budget(settings.provider_tokens, settings.provider_seconds)
