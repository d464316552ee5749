"""Tokens: short-lived ones that say who bears them, and opaque ones that stand for a login.

An access token is a JSON Web Token, signed with HMAC-SHA256 and nothing else, good for a quarter of
an hour. A refresh token and a browser's session are random texts of which only a digest is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import jwt

from trackrecord.errors import TrackrecordError

ACCESS_FOR: Final = timedelta(minutes=15)
REFRESH_FOR: Final = timedelta(days=30)
"""After this long without a refresh, a login ends."""
LOGIN_FOR: Final = timedelta(days=90)
"""After this long it ends in any case."""
SESSION_FOR: Final = timedelta(days=7)
"""How long a browser stays logged in."""

SECRET_BYTES: Final = 32

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "trackrecord"
_NEEDED: Final = ("iss", "aud", "sub", "sid", "iat", "exp")
_LONGEST: Final = 2_000


class WeakSecretError(TrackrecordError, ValueError):
    """A secret is too short to sign with."""


class TokenRefusedError(TrackrecordError):
    """A token is not one of ours, or not good any more."""


@dataclass(frozen=True)
class Bearer:
    """Whom an access token names.

    Attributes:
        user_id: The user.
        login_id: The login that it belongs to: when that ends, so does the token.
    """

    user_id: UUID
    login_id: UUID


class AccessTokens:
    """Writes and reads the tokens of one installation."""

    def __init__(self, secret: str, place: str) -> None:
        """Sign with a secret.

        Args:
            secret: At least 32 bytes.
            place: What tells one installation from another that has the same secret.

        Raises:
            WeakSecretError: The secret is shorter.
        """
        self._secret = secret.encode("utf-8", "surrogatepass")
        if len(self._secret) < SECRET_BYTES:
            raise WeakSecretError(
                f"has {len(self._secret)} bytes, and {SECRET_BYTES} are the least that is safe: "
                "make one with `openssl rand -hex 32`"
            )
        self._place = place

    def written(self, bearer: Bearer, now: datetime) -> str:
        """A token for a user's login, good from now on."""
        said = {
            "iss": _ISSUER,
            "aud": self._place,
            "sub": str(bearer.user_id),
            "sid": str(bearer.login_id),
            "iat": int(now.timestamp()),
            "exp": int((now + ACCESS_FOR).timestamp()),
        }
        return jwt.encode(said, self._secret, _ALGORITHM)

    def read(self, token: str, now: datetime) -> Bearer:
        """Whom a token names.

        Raises:
            TokenRefusedError: It was not signed here, was changed, is of another installation or
                of another algorithm, or is not good at this time.
        """
        if len(token) > _LONGEST:
            raise TokenRefusedError("the token is none of this API")
        try:
            said = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=self._place,
                issuer=_ISSUER,
                # Times are compared below, by the clock that is given.
                options={
                    "require": list(_NEEDED),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            bearer = Bearer(UUID(said["sub"]), UUID(said["sid"]))
            until = datetime.fromtimestamp(int(said["exp"]), now.tzinfo)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError):
            raise TokenRefusedError("the token is none of this API") from None
        if now >= until:
            raise TokenRefusedError("the token has expired: ask for another with the refresh token")
        return bearer


def opaque_token() -> str:
    """A random text of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of an opaque token or a key: it cannot be guessed, so that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
