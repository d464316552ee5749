"""When the API lets nobody in."""

from __future__ import annotations

import pytest

from tests.integration.api.conftest import settings_of
from tests.support.guarded import ME, SECRET, Guarded, owner
from tests.support.servers import Services
from tests.support.serving import served
from trackrecord.access.store import logins
from trackrecord.api.pool import Pool
from trackrecord.api.server import run
from trackrecord.runtime.database import rows
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings
from trackrecord.testing import scratch_schema

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("no_failed_logins")]


def test_a_listener_that_others_can_reach_needs_a_secret_of_32_bytes() -> None:
    beyond = {"api_host": "0.0.0.0", "api_port": 0}  # noqa: S104 - it must not
    with pytest.raises(ConfigurationError, match="TRACKRECORD_JWT_SECRET"):
        run(Settings().model_copy(update=beyond))
    for short in ("x", "x" * 31):
        with pytest.raises(ConfigurationError, match=r"TRACKRECORD_JWT_SECRET.*32 are the least"):
            run(Settings().model_copy(update={**beyond, "jwt_secret": short}))


def test_it_answers_nobody_while_its_role_could_pass_over_the_policies(services: Services) -> None:
    settings = settings_of(services, TRACKRECORD_JWT_SECRET=SECRET)
    with scratch_schema(settings), served(settings) as api:
        answer = api.client.get("/api/v1/signals", headers={"x-api-key": "tr_" + "x" * 43})
        assert "could see what is not" in str(api.problem(answer, 503)["detail"])
        assert "could see what is not" in api.client.get("/readyz").text
        assert api.client.get("/healthz").status_code == 200


def test_when_all_sessions_are_in_use_nobody_is_let_in(asked: Guarded) -> None:
    pool: Pool = asked.server.config.app.state.parts.pool  # type: ignore[union-attr]
    taken = [pool.connection() for _ in range(pool.size)]
    for each in taken:
        each.__enter__()
    try:
        asked.problem(asked.people["alice"].get(ME), 503)
        asked.problem(asked.people["alice"].get("/api/v1/signals"), 503)
    finally:
        for each in taken:
            each.__exit__(None, None, None)
    assert asked.people["alice"].get(ME).status_code == 200


def test_logins_that_nothing_is_kept_of_any_more_are_not_missed(
    asked: Guarded, settings: Settings
) -> None:
    assert asked.login("vera").status_code == 200
    with owner(settings) as cursor:
        assert logins.owner_of_refresh(cursor, "none") is None
        assert rows(cursor, "SELECT count(*) FROM logins") != [(0,)]
