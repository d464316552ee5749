"""What docker compose starts, and what Prometheus scrapes and misses: a part for each stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.generate.regions import put_lines
from trackrecord.stages import STAGES, StageEntry

COMPOSE = Path("deploy/docker-compose.yml")
SCRAPES = Path("deploy/prometheus/prometheus.yml")
RULES = Path("deploy/prometheus/rules.yml")
RULES_TEST = Path("deploy/prometheus/rules_test.yml")

_STOPPED = "signal_tracker"
"""The stage whose absence rules_test.yml plays."""

_METRICS_PORT = 9100


def writers() -> dict[Path, Callable[[str], str]]:
    """By file: what makes its text as it should be from its text as it is."""
    return {
        COMPOSE: lambda text: put_lines(text, "stages", _compose()),
        SCRAPES: lambda text: put_lines(text, "stages", _scrapes()),
        RULES: lambda text: put_lines(text, "stages", _missed()),
        RULES_TEST: lambda text: put_lines(text, "other stages are up", _others_up()),
    }


def _compose() -> str:
    return "\n".join(_service(name, stage) for name, stage in STAGES.items())


def _service(name: str, stage: StageEntry) -> str:
    service = f'{name}:\n  <<: *stage\n  command: ["run", "{name}"]\n'
    if stage.plane == "job":
        # Long work in one process, whatever else waits.
        keys = ""
        if stage.asks_models:
            keys = "  environment:\n    <<: [*settings, *providers]\n"
        return (
            "# Of several, each piece of work is done by one.\n"
            f'{service}{keys}  deploy:\n    resources:\n      limits:\n        cpus: "2"\n'
            "        memory: 2G\n"
        )
    return service


def _scrapes() -> str:
    return "\n".join(
        f"- job_name: {name}\n  dns_sd_configs:\n    - names: [{name}]\n      type: A\n"
        f"      port: {_METRICS_PORT}\n      refresh_interval: 10s\n"
        for name in STAGES
    )


def _missed() -> str:
    jobs = "|".join(STAGES)
    absent = "".join(f'    or absent(up{{job="{name}"}})\n' for name in STAGES)
    return f'expr: |\n  sum by (job) (up{{job=~"{jobs}"}}) == 0\n{absent}'


def _others_up() -> str:
    return "".join(
        f'- series: \'up{{job="{name}", instance="{name}:9100"}}\'\n  values: "1x25"\n'
        for name in STAGES
        if name != _STOPPED
    )
