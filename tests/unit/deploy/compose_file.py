"""The compose file as docker reads it: variables put in, and each service's process."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[3] / "deploy"

_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?:(?P<operator>:?[-?])(?P<operand>[^}]*))?\})"
)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class MissingVariableError(Exception):
    """A variable that the file demands is not set; its text is the file's own."""


@dataclass(frozen=True)
class Process:
    """What a container runs.

    Attributes:
        argv: Entrypoint and command.
        environment: All that it is given.
        health: The command that says whether it is ready; None where there is no check.
        grace_seconds: How long it may take to end after SIGTERM.
    """

    argv: list[str]
    environment: dict[str, str]
    health: list[str] | None
    grace_seconds: float


def read(environ: Mapping[str, str], name: str = "docker-compose.yml") -> dict[str, Any]:
    """The file with its variables put in.

    Raises:
        MissingVariableError: One that must be set is not.
    """
    content: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    resolved: dict[str, Any] = _resolve(content, environ)
    return resolved


def image_entrypoint() -> list[str]:
    """The image's, from the Dockerfile."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    words = [line.removeprefix("ENTRYPOINT ") for line in lines if line.startswith("ENTRYPOINT ")]
    entrypoint: list[str] = yaml.safe_load(words[-1])
    return entrypoint


def process(service: Mapping[str, Any]) -> Process:
    """What the container of a service runs."""
    entrypoint = _words(service.get("entrypoint")) or image_entrypoint()
    check = service.get("healthcheck", {})
    test = check.get("test")
    return Process(
        argv=entrypoint + _words(service.get("command")),
        environment={name: str(value) for name, value in service["environment"].items()},
        health=_health(test) if test else None,
        grace_seconds=seconds(service.get("stop_grace_period", "10s")),
    )


def seconds(text: str) -> float:
    """A duration such as ``1m30s``."""
    return sum(
        float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[smh])", text)
    )


def _health(test: list[str]) -> list[str]:
    return ["/bin/sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]


def _words(command: str | list[str] | None) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else list(command or [])


def _resolve(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _resolve(each, environ) for name, each in value.items()}
    if isinstance(value, list):
        return [_resolve(each, environ) for each in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, environ), value)
    return value


def _value(found: re.Match[str], environ: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "$"
    value = environ.get(found["name"])
    operator = found["operator"] or ""
    if value is None or (operator.startswith(":") and not value):
        if operator.endswith("?"):
            raise MissingVariableError(f"{found['name']}: {found['operand']}")
        return found["operand"] if operator.endswith("-") else ""
    return value
