"""The settings of the Kafka client, as the client that reads hints takes them.

All other clients are librdkafka's, and so are the names of the settings. Whatever says how and as
whom a broker is reached is translated; what cannot be is refused by its variable's name, not left
out in silence.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from trackrecord.kafka.config import variable_of
from trackrecord.runtime.errors import ConfigurationError

_TRANSLATED: Final = frozenset(
    {
        "security.protocol",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.username",
        "sasl.password",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.key.location",
        "ssl.key.pem",
        "ssl.key.password",
        "ssl.crl.location",
        "ssl.cipher.suites",
        "ssl.endpoint.identification.algorithm",
        "enable.ssl.certificate.verification",
    }
)
_DECISIVE: Final = ("security.", "sasl.", "ssl.", "enable.ssl.", "enable.sasl.")
"""What the names of settings begin with that say whether a broker can be reached at all."""

_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def unused(settings: Mapping[str, str]) -> list[str]:
    """The variables of settings that the reader of hints does without; other clients use them."""
    return [variable_of(name) for name in sorted(settings) if name not in _TRANSLATED]


def credentials(settings: Mapping[str, str]) -> Any:
    """How and as whom the broker is reached, as Faust takes it; None for plain text.

    Args:
        settings: Of the Kafka client, by librdkafka's names.

    Raises:
        ConfigurationError: It cannot be reached so; the variable is named.
    """
    import faust  # noqa: PLC0415 - it takes a moment, and most commands need it not

    protocol = settings.get("security.protocol", "PLAINTEXT").upper()
    if protocol == "PLAINTEXT":
        return None
    unknown = [
        variable_of(name)
        for name in sorted(settings)
        if name.startswith(_DECISIVE) and name not in _TRANSLATED
    ]
    if unknown:
        raise ConfigurationError(
            f"this stage cannot reach a broker by {', '.join(unknown)}: use PLAINTEXT, SSL, or "
            "SASL with PLAIN or SCRAM, and certificates as PEM"
        )
    context = _ssl_context(settings) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    mechanism = settings.get("sasl.mechanism", settings.get("sasl.mechanisms", "GSSAPI")).upper()
    if protocol not in {"SASL_PLAINTEXT", "SASL_SSL"} or mechanism not in _MECHANISMS:
        raise ConfigurationError(
            f"this stage reaches a broker by PLAINTEXT, SSL, or SASL with PLAIN or SCRAM, and not "
            f"by {protocol} with {mechanism}"
        )
    return faust.SASLCredentials(
        mechanism=mechanism,
        username=settings.get("sasl.username"),
        password=settings.get("sasl.password"),
        ssl_context=context,
    )


def _ssl_context(settings: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        name = "ssl.ca.location"
        if "ssl.ca.location" in settings or "ssl.ca.pem" in settings:
            context = _trusting(settings)
        name = "ssl.crl.location"
        if name in settings:
            context.load_verify_locations(cafile=settings[name])
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        name = "ssl.cipher.suites"
        if name in settings:
            context.set_ciphers(settings[name])
        name = "ssl.certificate.location"
        _show_certificate(context, settings)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"{variable_of(name)} cannot be used: {words}") from None
    if settings.get("ssl.endpoint.identification.algorithm", "https").lower() == "none":
        context.check_hostname = False
    if settings.get("enable.ssl.certificate.verification", "true").lower() in {"false", "f", "0"}:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(settings: Mapping[str, str]) -> ssl.SSLContext:
    """A context that trusts these authorities, and not those of the system."""
    location, data = settings.get("ssl.ca.location"), settings.get("ssl.ca.pem")
    if location is not None and Path(location).is_dir():
        return ssl.create_default_context(capath=location, cadata=data)
    return ssl.create_default_context(cafile=location, cadata=data)


def _show_certificate(context: ssl.SSLContext, settings: Mapping[str, str]) -> None:
    """Have a context show our certificate; Python takes it, and its key, from files only."""
    with tempfile.TemporaryDirectory() as folder:
        paths = dict.fromkeys(("certificate", "key"), "")
        for part in paths:
            paths[part] = settings.get(f"ssl.{part}.location", "")
            if text := settings.get(f"ssl.{part}.pem"):
                file = Path(folder) / part
                file.touch(mode=0o600)
                file.write_text(text)
                paths[part] = str(file)
        if paths["certificate"]:
            context.load_cert_chain(
                paths["certificate"], paths["key"] or None, settings.get("ssl.key.password")
            )
