"""Tokens: what is signed here is believed, for a quarter of an hour, and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.access.tokens import (
    ACCESS_FOR,
    AccessTokens,
    Bearer,
    TokenRefusedError,
    WeakSecretError,
    digest,
    opaque_token,
)

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
SECRET = "0123456789abcdef0123456789abcdef"
TOKENS = AccessTokens(SECRET, "here")
BEARER = Bearer(uuid4(), uuid4())
TICK = timedelta(seconds=1)


def said(**other: object) -> dict[str, object]:
    """What a token of ours says, with some of it said otherwise; None: left out."""
    usual: dict[str, object] = {
        "iss": "trackrecord",
        "aud": "here",
        "sub": str(BEARER.user_id),
        "sid": str(BEARER.login_id),
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + ACCESS_FOR).timestamp()),
    }
    return {name: value for name, value in (usual | other).items() if value is not None}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_token_names_its_user_and_login_until_it_expires() -> None:
    token = TOKENS.written(BEARER, NOW)
    assert TOKENS.read(token, NOW) == BEARER
    assert TOKENS.read(token, NOW + ACCESS_FOR - TICK) == BEARER
    with pytest.raises(TokenRefusedError, match="expired"):
        TOKENS.read(token, NOW + ACCESS_FOR)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "..",
        "a.b.c",
        "\ud800.\ud800.\ud800",
        "é" * 5000,
        # No signature at all, under each name for it that libraries have taken.
        *(f"{part({'alg': name, 'typ': 'JWT'})}.{part(said())}." for name in ("none", "None", "")),
        # Signed here, by another algorithm.
        jwt.encode(said(), SECRET * 2, "HS512"),
        jwt.encode(said(), SECRET * 2, "HS384"),
        # Signed elsewhere.
        jwt.encode(said(), SECRET[::-1], "HS256"),
        # Of another installation, or for another purpose.
        AccessTokens(SECRET, "elsewhere").written(BEARER, NOW),
        jwt.encode(said(iss="another"), SECRET, "HS256"),
        *(jwt.encode(said(**{name: None}), SECRET, "HS256") for name in said()),
        jwt.encode(said(sub="1"), SECRET, "HS256"),
        jwt.encode(said(sid=None, jti="x"), SECRET, "HS256"),
        jwt.encode(said(exp="never"), SECRET, "HS256"),
        jwt.encode(said(exp=10**30), SECRET, "HS256"),
    ],
)
def test_what_is_not_signed_here_for_here_is_refused(token: str) -> None:
    with pytest.raises(TokenRefusedError, match="none of this API"):
        TOKENS.read(token, NOW)


def test_the_algorithm_that_a_token_names_is_not_believed() -> None:
    """Signed with our secret and rightly, but as whoever sends it would like to have it read."""
    body = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(said())}"
    signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).digest()
    written = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    with pytest.raises(TokenRefusedError):
        TOKENS.read(f"{body}.{written}", NOW)


@given(st.data())
def test_a_token_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    token = TOKENS.written(BEARER, NOW)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_.="))
    changed = token[:place] + letter + token[place + 1 :]
    try:
        found = TOKENS.read(changed, NOW)
    except TokenRefusedError:
        return
    # The last letter of a signature holds bits that mean nothing.
    assert found == BEARER
    assert changed[:-1] == token[:-1]


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, "é" * 15])
def test_a_secret_of_fewer_than_32_bytes_is_an_error(secret: str) -> None:
    with pytest.raises(WeakSecretError, match="32 are the least"):
        AccessTokens(secret, "here")


def test_the_bytes_of_a_secret_count_and_not_its_letters() -> None:
    assert AccessTokens("é" * 16, "here").written(Bearer(UUID(int=1), UUID(int=2)), NOW)


def test_an_opaque_token_is_long_and_only_its_digest_is_kept() -> None:
    tokens = {opaque_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
    assert len({digest(each) for each in tokens}) == 100
    assert digest("\ud800") != digest("?")
