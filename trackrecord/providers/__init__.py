"""Who writes strategies: the rules at hand, or a language model behind its maker's client.

:func:`~trackrecord.providers.generation.generate_with` asks a provider of
:func:`~trackrecord.providers.choice.provider_named`, and logs every attempt in an
:class:`~trackrecord.providers.attempts.AttemptLog`.
"""
