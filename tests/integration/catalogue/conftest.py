"""A database with the users' tables, as its owner and as the API see it."""

from __future__ import annotations

from tests.integration.access.conftest import access, as_api, role_url

__all__ = ["access", "as_api", "role_url"]
