"""The Kafka client's settings, as the reader of hints takes them."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.hint_connection import credentials, unused


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate and its key, whose password is ``pw``."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    file, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:pw", "-days", "2",
         "-subj", "/CN=broker", "-out", str(file), "-keyout", str(key)],
        check=True, capture_output=True,
    )  # fmt: skip
    return file, key


def context_of(**given: str) -> ssl.SSLContext:
    found = credentials({name.replace("_", "."): value for name, value in given.items()})
    context: ssl.SSLContext = found.context
    return context


def test_plain_text_needs_nothing() -> None:
    assert credentials({}) is None
    assert credentials({"ssl.keystore.location": "/x"}) is None


def test_certificates_come_as_files_or_as_texts(certificate: tuple[Path, Path]) -> None:
    file, key = certificate
    secret = {"ssl_key_password": "pw"}
    by_name = context_of(
        security_protocol="ssl", ssl_ca_location=str(file), ssl_certificate_location=str(file),
        ssl_key_location=str(key), **secret,
    )  # fmt: skip
    by_text = context_of(
        security_protocol="SSL", ssl_ca_pem=file.read_text(), ssl_certificate_pem=file.read_text(),
        ssl_key_pem=key.read_text(), **secret,
    )  # fmt: skip
    for context in (by_name, by_text):
        assert [each["subject"] for each in context.get_ca_certs()] == [
            ((("commonName", "broker"),),)
        ]
        assert context.check_hostname
    assert context_of(security_protocol="SSL", ssl_ca_location=str(file.parent))


def test_checks_that_are_turned_off_are_turned_off() -> None:
    name_only = context_of(security_protocol="SSL", ssl_endpoint_identification_algorithm="none")
    assert (name_only.check_hostname, name_only.verify_mode) == (False, ssl.CERT_REQUIRED)
    nothing = context_of(security_protocol="SSL", enable_ssl_certificate_verification="false")
    assert (nothing.check_hostname, nothing.verify_mode) == (False, ssl.CERT_NONE)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ssl.ca.location": "/nowhere"}, "TRACKRECORD_KAFKA_SSL_CA_LOCATION cannot be used: No"),
        ({"ssl.ca.pem": "garbage"}, "TRACKRECORD_KAFKA_SSL_CA_LOCATION cannot be used"),
        ({"ssl.certificate.pem": "garbage"}, "SSL_CERTIFICATE_LOCATION cannot be used"),
        ({"ssl.cipher.suites": "NONE-AT-ALL"}, "SSL_CIPHER_SUITES cannot be used"),
        ({"ssl.keystore.location": "/x"}, "cannot reach a broker by .*SSL_KEYSTORE_LOCATION"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}, "OAUTHBEARER"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(given: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        credentials({"security.protocol": "SSL", **given})


def test_what_only_other_clients_use_is_named() -> None:
    assert unused({"linger.ms": "5", "sasl.username": "ada"}) == ["TRACKRECORD_KAFKA_LINGER_MS"]
