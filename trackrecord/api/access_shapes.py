"""What answers about users, keys and claims look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from trackrecord.api.shapes import Answer


class Tokens(Answer):
    """What a login gives to a program."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    """Seconds."""
    refresh_token: str
    """Good once, for the next of both."""


class Session(Answer):
    """Who is logged in."""

    name: str


class Me(Answer):
    """Who asks."""

    name: str
    role: Literal["viewer", "trader", "operator", "admin"]
    permissions: list[str]
    key: dict[str, Any] | None
    """Which one, where it is a key."""


class Key(BaseModel):
    """What is known of a key."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    key_id: UUID
    name: str
    prefix: str
    """How it begins."""
    scopes: list[Literal["publish", "read", "manage"]]
    names: list[str] | None
    account: Literal["live", "paper", "backtest", "imported"] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None


class Keys(Answer):
    """Keys that are good."""

    keys: list[Key]


class OneKey(Answer, Key):
    """One key."""


class NewKey(OneKey):
    """A key, which is shown this once."""

    key: str


class Claim(BaseModel):
    """Whose a name is."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str
    user: str | None
    """Null: not for whoever asks to know."""
    public: bool
    how: Literal["published", "given"]
    claimed_at: datetime
    yours: bool


class Claims(Answer):
    """One page of names that are somebody's."""

    claims: list[Claim]
    next: str | None


class OneClaim(Answer, Claim):
    """Whose one name is."""


class User(BaseModel):
    """A user."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    user_id: UUID
    name: str
    role: Literal["viewer", "trader", "operator", "admin"]
    created_at: datetime
    password_set_at: datetime | None
    disabled_at: datetime | None
    """Since when the user may do nothing."""


class Users(Answer):
    """One page of users."""

    users: list[User]
    next: str | None


class OneUser(Answer, User):
    """One user."""


class Audit(Answer):
    """One page of what was changed, the latest first."""

    entries: list[dict[str, Any]]
    next: str | None
