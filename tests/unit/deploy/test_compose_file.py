"""The compose file: what it promises to whoever starts it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from services import STAGES
from tests.unit.deploy.compose_file import DEPLOY, MissingVariableError, process, read
from trackrecord.access.store import database_role, reader_role
from trackrecord.runtime.settings import Settings, load_settings

ENVIRON = {
    "POSTGRES_PASSWORD": "p@ss/word",
    "GRAFANA_PASSWORD": "g",
    "API_ROLE_PASSWORD": "a@pi/role",
    "READER_ROLE_PASSWORD": "r",
    "TRACKRECORD_JWT_SECRET": "s" * 32,
}
OURS = ("prepare", "cli", "api", *STAGES)
"""The services whose containers are made from our image."""
OF_PROVIDERS = {
    str(field.validation_alias)
    for name, field in Settings.model_fields.items()
    if name.startswith(("gemini_", "anthropic_", "openai_", "provider_", "strategy_provider"))
}
"""Keys of language models and what belongs to them: only stages that ask one are given them."""
NOT_FOR_CONTAINERS = OF_PROVIDERS | {
    "TRACKRECORD_HOME",
    "TRACKRECORD_KAFKA_*",
    *(
        str(field.validation_alias)
        for name, field in Settings.model_fields.items()
        if name.startswith(("api_", "jwt_"))
    ),
}
"""A setting of the local stack, the open-ended family, which has a file of its own, and those of
the API, which are its container's alone."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = read(ENVIRON)["services"]
    return found


def test_there_is_one_service_per_stage(services: dict[str, Any]) -> None:
    for stage in STAGES:
        assert process(services[stage]).argv[-2:] == ["run", stage]


def test_passwords_have_no_default() -> None:
    for name in ENVIRON:
        rest = {other: value for other, value in ENVIRON.items() if other != name}
        with pytest.raises(MissingVariableError, match=f"{name}: set it in deploy/.env"):
            read(rest)


def test_passwords_stand_in_no_url(services: dict[str, Any]) -> None:
    for name in OURS:
        environment = process(services[name]).environment
        password = ENVIRON["API_ROLE_PASSWORD" if name == "api" else "POSTGRES_PASSWORD"]
        assert environment["PGPASSWORD"] == password
        assert password not in environment["DATABASE_URL"]


def test_the_api_gets_its_own_role_and_all_of_its_settings(services: dict[str, Any]) -> None:
    given = process(services["api"]).environment
    assert given["DATABASE_URL"].startswith(f"postgresql://{database_role.NAME}@")
    wanted = {str(field.validation_alias) for field in Settings.model_fields.values()}
    elsewhere = {"TRACKRECORD_HOME", "TRACKRECORD_KAFKA_*", "TRACKRECORD_API_DATABASE_URL"}
    elsewhere |= OF_PROVIDERS
    assert wanted - elsewhere <= set(given)
    assert set(given) - {"PGPASSWORD"} <= wanted, "no such setting"
    prepare = process(services["prepare"])
    assert f"--grant {database_role.NAME} --grant-reading {reader_role.NAME}" in prepare.argv[-1]
    assert prepare.environment["TRACKRECORD_API_ROLE_PASSWORD"] == given["PGPASSWORD"]
    grafana = services["grafana"]["environment"]["READER_ROLE_PASSWORD"]
    assert prepare.environment["TRACKRECORD_READER_ROLE_PASSWORD"] == grafana


def test_every_setting_of_the_stages_can_be_set(services: dict[str, Any]) -> None:
    wanted = {str(field.validation_alias) for field in Settings.model_fields.values()}
    for stage in STAGES:
        given = set(process(services[stage]).environment)
        assert wanted - NOT_FOR_CONTAINERS <= given, "add it to x-settings"
        assert given & OF_PROVIDERS == (OF_PROVIDERS if STAGES[stage].asks_models else set())
        assert given - {"PGPASSWORD"} <= wanted, "no such setting"


def test_settings_that_nobody_made_are_left_to_their_defaults(services: dict[str, Any]) -> None:
    given = process(services["signal_tracker"]).environment
    assert given["TRACKRECORD_BATCH_SIZE"] == ""
    chosen = read({**ENVIRON, "TRACKRECORD_BATCH_SIZE": "500"})["services"]["signal_tracker"]
    assert process(chosen).environment["TRACKRECORD_BATCH_SIZE"] == "500"


def test_stages_can_be_scaled(services: dict[str, Any]) -> None:
    for stage in STAGES:
        assert not {"container_name", "ports", "hostname"} & set(services[stage])


def test_stages_wait_for_what_they_need(services: dict[str, Any]) -> None:
    for stage in STAGES:
        assert services[stage]["depends_on"] == {
            "kafka": {"condition": "service_healthy"},
            "postgres": {"condition": "service_healthy"},
            "prepare": {"condition": "service_completed_successfully"},
        }


def test_a_stage_outlives_a_failover_and_one_that_halted_stays_until_somebody_looks(
    services: dict[str, Any],
) -> None:
    for stage in STAGES:
        assert services[stage]["restart"] == "on-failure"
        settings = load_settings(process(services[stage]).environment)
        assert settings.halt_linger_seconds > 365 * 86_400


def test_settings_of_the_kafka_client_reach_every_container(services: dict[str, Any]) -> None:
    for name in OURS:
        assert services[name]["env_file"] == [{"path": "kafka.env", "required": False}]
    other = read({**ENVIRON, "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": "b:1"})["services"]
    environment = process(other["extractor"]).environment
    assert environment["TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"] == "b:1"
    assert "kafka.env" in (DEPLOY / ".gitignore").read_text().splitlines()


def test_one_service_builds_the_image_that_all_use(services: dict[str, Any]) -> None:
    ours = {name: services[name] for name in OURS}
    assert [name for name, service in ours.items() if "build" in service] == ["prepare"]
    assert len({service["image"] for service in ours.values()}) == 1
    assert {services[name]["pull_policy"] for name in OURS[1:]} == {"never"}


def test_what_lies_in_memory_has_a_size(services: dict[str, Any]) -> None:
    for name in OURS:
        [temporary] = services[name]["tmpfs"]
        assert re.fullmatch(r"/tmp:size=\d+m,mode=1777", temporary)  # noqa: S108 - its mount


def test_what_is_published_is_published_on_loopback_only(services: dict[str, Any]) -> None:
    more = read(ENVIRON, "docker-compose.host.yml")["services"]
    ports = [
        port
        for service in [*services.values(), *more.values()]
        for port in service.get("ports", [])
    ]
    assert len(ports) == 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_service_is_limited_and_pinned(services: dict[str, Any]) -> None:
    for name, service in services.items():
        limits = service["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory"}, name
        assert re.search(r":v?\d+\.\d+\.?\d*", service["image"]), name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_our_containers_have_no_privileges_and_write_nowhere(services: dict[str, Any]) -> None:
    for name in OURS:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]


def test_data_lives_in_declared_volumes(services: dict[str, Any]) -> None:
    declared = set(read(ENVIRON)["volumes"])
    used = {
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == declared


def test_mounted_folders_exist(services: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]
    assert len(mounted) == 3
    assert all((DEPLOY / folder).is_dir() for folder in mounted)


def test_the_example_environment_names_what_must_be_set() -> None:
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    set_here = [line for line in lines if "=" in line and not line.startswith("#")]
    assert {line.split("=")[0] for line in set_here} == set(ENVIRON)


def test_the_image_checks_its_health_as_compose_does(services: dict[str, Any]) -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    found = re.search(r"^HEALTHCHECK[^\[]*CMD (\[.*\])$", text, re.MULTILINE | re.DOTALL)
    assert found
    own = yaml.safe_load(found[1].split("\n")[0])
    for stage in STAGES:
        assert process(services[stage]).health == own


def test_the_health_check_fails_where_nobody_listens(services: dict[str, Any]) -> None:
    check = process(services["extractor"]).health
    assert check
    assert check[0] == "python"
    done = subprocess.run(
        [sys.executable, *check[1:]],
        env={"TRACKRECORD_METRICS_PORT": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
