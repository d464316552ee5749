"""Every setting of the services: its variable, default and meaning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from trackrecord.kafka.config import kafka_settings
from trackrecord.redaction import hide_secrets, is_secret, remember_settings, remember_url
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings.per_strategy import capital_by_strategy, sessions_by_strategy

PREFIX = "TRACKRECORD_"

_URLS: Final = (
    "DATABASE_URL", "TRACKRECORD_API_DATABASE_URL", "GEMINI_BASE_URL", "ANTHROPIC_BASE_URL",
    "OPENAI_BASE_URL",
)  # fmt: skip
"""Settings in which a password may stand."""
_KEYS: Final = ("GEMINI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY")
"""Secrets whose names are not ours, for their makers' programs read them, too."""


class Settings(BaseModel):
    """The settings of one process, read from its environment once."""

    model_config = {"frozen": True, "extra": "forbid", "use_attribute_docstrings": True}

    kafka_bootstrap_servers: str = Field(
        default="127.0.0.1:9092", validation_alias="TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"
    )
    """Addresses of the Kafka brokers: host:port, several with commas."""
    database_url: str = Field(
        default="postgresql://127.0.0.1:5432/trackrecord", validation_alias="DATABASE_URL"
    )
    """Address of the database: postgresql://user:password@host:port/name."""
    database_schema: str = Field(
        default="public",
        pattern="^[a-z_][a-z0-9_]{0,62}$",
        validation_alias="TRACKRECORD_DATABASE_SCHEMA",
    )
    """The schema that holds the tables."""
    topic_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,64}$",
        validation_alias="TRACKRECORD_TOPIC_PREFIX",
    )
    """Text put before the name of every topic and consumer group."""
    topic_partitions: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=12, validation_alias="TRACKRECORD_TOPIC_PARTITIONS"
    )
    """How many partitions `trackrecord topics` gives a new topic; no more processes than that can
    share a stage."""
    topic_replication: Annotated[int, Field(ge=1, le=15)] = Field(
        default=1, validation_alias="TRACKRECORD_TOPIC_REPLICATION"
    )
    """How many copies of each partition `trackrecord topics` asks for; use 3 where there are three
    brokers or more."""
    home: Path = Field(default=Path(".trackrecord"), validation_alias="TRACKRECORD_HOME")
    """The folder that keeps the state of the local stack."""
    metrics_host: str = Field(default="127.0.0.1", validation_alias="TRACKRECORD_METRICS_HOST")
    """The address on which a stage serves /metrics, /healthz, /readyz and /status."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=0, validation_alias="TRACKRECORD_METRICS_PORT"
    )
    """The port on which a stage serves /metrics and the other pages; 0 picks a free one and logs
    it."""
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", validation_alias="TRACKRECORD_LOG_LEVEL"
    )
    """The lowest level of log lines that are written: debug, info, warning or error."""
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", validation_alias="TRACKRECORD_LOG_FORMAT"
    )
    """How log lines are written: json, console (readable), or auto, which is readable on a
    terminal and JSON elsewhere."""
    batch_size: Annotated[int, Field(ge=1, le=200_000)] = Field(
        default=10_000, validation_alias="TRACKRECORD_BATCH_SIZE"
    )
    """How many messages one transaction takes at most."""
    batch_wait_ms: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=20, validation_alias="TRACKRECORD_BATCH_WAIT_MS"
    )
    """How long a stage that has nothing to do waits for a message, in milliseconds."""
    session_timeout_ms: Annotated[int, Field(ge=1000, le=1_800_000)] = Field(
        default=10_000, validation_alias="TRACKRECORD_SESSION_TIMEOUT_MS"
    )
    """How many milliseconds a process may be silent before another gets its partitions."""
    max_poll_interval_ms: Annotated[int, Field(ge=1000, le=86_400_000)] = Field(
        default=300_000, validation_alias="TRACKRECORD_MAX_POLL_INTERVAL_MS"
    )
    """How many milliseconds one batch may take before another process gets its partitions."""
    dead_letters_in_a_row: Annotated[int, Field(ge=1)] = Field(
        default=1_000, validation_alias="TRACKRECORD_DEAD_LETTERS_IN_A_ROW"
    )
    """Stop a stage after this many refused messages in a row: so many mean that a publisher is
    broken."""
    dead_letters_window: Annotated[int, Field(ge=1)] = Field(
        default=10_000, validation_alias="TRACKRECORD_DEAD_LETTERS_WINDOW"
    )
    """How many recent messages the limit of the next setting looks at."""
    dead_letters_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5, validation_alias="TRACKRECORD_DEAD_LETTERS_SHARE"
    )
    """Stop a stage when more than this share of its recent messages was refused."""
    outbox_backlog: Annotated[int, Field(ge=1)] = Field(
        default=50_000, validation_alias="TRACKRECORD_OUTBOX_BACKLOG"
    )
    """How many events may wait for the broker's acknowledgement before a stage pauses reading."""
    halt_linger_seconds: Annotated[float, Field(ge=0, le=315_360_000)] = Field(
        default=0.0, validation_alias="TRACKRECORD_HALT_LINGER_SECONDS"
    )
    """How many seconds a halted stage goes on serving its metrics before it ends, so that
    monitoring sees that it halted."""
    backdated_after_seconds: Annotated[int, Field(ge=0)] = Field(
        default=300, validation_alias="TRACKRECORD_BACKDATED_AFTER_SECONDS"
    )
    """How many seconds clocks may differ. A signal that is older than this when the broker gets it
    is marked backdated; an exit that is older than its signal by more than this closes nothing."""
    day_timezone: str = Field(default="UTC", validation_alias="TRACKRECORD_DAY_TIMEZONE")
    """The time zone whose midnight ends a day of a record."""
    capital: str = Field(default="", validation_alias="TRACKRECORD_CAPITAL")
    """Starting capital of strategies, each in its own currency: momentum=10000,trend=5000,*=1000,
    where * stands for all others. Returns are then returns on that capital; without it they are
    those of single trades."""
    sessions: str = Field(default="weekdays", validation_alias="TRACKRECORD_SESSIONS")
    """Which days count as sessions: weekdays (252 a year) or every_day (365); also by strategy:
    weekdays,btc_trend=every_day."""
    trials: Annotated[int, Field(ge=1)] = Field(default=1, validation_alias="TRACKRECORD_TRIALS")
    """How many strategies or variants were tried in all, those that were given up included; never
    fewer than those on record."""
    outcome_policy: Literal["stop_first", "target_first", "open_proximity"] = Field(
        default="stop_first", validation_alias="TRACKRECORD_OUTCOME_POLICY"
    )
    """Which level counts when one bar reaches a signal's target and its stop: stop_first,
    target_first or open_proximity."""
    default_horizon_bars: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=20, validation_alias="TRACKRECORD_DEFAULT_HORIZON_BARS"
    )
    """After how many bars a signal without a horizon of its own expires."""
    publisher_features: str = Field(
        default="",
        pattern="^[A-Za-z0-9_ ]*(,[A-Za-z0-9_ ]+)*$",
        validation_alias="TRACKRECORD_PUBLISHER_FEATURES",
    )
    """Names of numbers in a signal's metadata.features that models learn from, separated by
    commas."""
    sell_means: Literal["short", "exit"] = Field(
        default="short", validation_alias="TRACKRECORD_SELL_MEANS"
    )
    """What SELL in a script's output does: short opens a short, exit closes the script's open
    long."""
    script_currency: Annotated[str, Field(pattern="^[A-Z0-9]{2,12}$")] = Field(
        default="USD", validation_alias="TRACKRECORD_SCRIPT_CURRENCY"
    )
    """The currency of a signal whose script prints none with its prices."""
    script_output_bytes: Annotated[int, Field(ge=1024, le=240 * 1024)] = Field(
        default=200 * 1024, validation_alias="TRACKRECORD_SCRIPT_OUTPUT_BYTES"
    )
    """How many bytes of a script's output are published; longer output is cut, with a marker."""
    script_timeout_seconds: Annotated[float, Field(gt=0)] = Field(
        default=300.0, validation_alias="TRACKRECORD_SCRIPT_TIMEOUT_SECONDS"
    )
    """How long `run-script` lets a script run, in seconds."""
    model: str = Field(
        default="default", min_length=1, max_length=128, validation_alias="TRACKRECORD_MODEL"
    )
    """Name of the model that is trained and judges signals."""
    trainer_new_outcomes: Annotated[int, Field(ge=1)] = Field(
        default=500, validation_alias="TRACKRECORD_TRAINER_NEW_OUTCOMES"
    )
    """Start a training after this many new outcomes."""
    trainer_every_seconds: Annotated[float, Field(ge=0)] = Field(
        default=0.0, validation_alias="TRACKRECORD_TRAINER_EVERY_SECONDS"
    )
    """Start a training this many seconds after the last one, if there are new outcomes; 0 for no
    schedule."""
    trainer_decay: bool = Field(default=True, validation_alias="TRACKRECORD_TRAINER_DECAY")
    """Start a training when the live model's Brier score or profit becomes worse."""
    trainer_drift: Annotated[float, Field(ge=0)] = Field(
        default=0.25, validation_alias="TRACKRECORD_TRAINER_DRIFT"
    )
    """Start a training when a feature's population stability index exceeds this; 0 to ignore
    drift."""
    trainer_look_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60.0, validation_alias="TRACKRECORD_TRAINER_LOOK_SECONDS"
    )
    """How often the trainer looks whether to train; new outcomes make it look up to ten times as
    often."""
    trainer_budget_seconds: Annotated[float, Field(ge=0)] = Field(
        default=45.0, validation_alias="TRACKRECORD_TRAINER_BUDGET_SECONDS"
    )
    """How many seconds a training searches for model settings; 0 to stop only by the number of
    trials."""
    trainer_trials: Annotated[int, Field(ge=0)] = Field(
        default=0, validation_alias="TRACKRECORD_TRAINER_TRIALS"
    )
    """How many model settings a training tries at most; 0 to stop only by time."""
    trainer_success: float = Field(default=0.0, validation_alias="TRACKRECORD_TRAINER_SUCCESS")
    """Net return above which a signal counts as a success, as a fraction."""
    trainer_cost: Annotated[float, Field(ge=0)] = Field(
        default=0.0, validation_alias="TRACKRECORD_TRAINER_COST"
    )
    """Cost of a trade as a fraction of its price, subtracted from a signal's return before it
    counts as a success."""
    trainer_dask: str = Field(
        default="",
        pattern=r"^((tcp|tls)://[^\s/]+:[0-9]{1,5})?$",
        validation_alias="TRACKRECORD_TRAINER_DASK",
    )
    """Address of a Dask scheduler whose workers fit the models, such as tcp://127.0.0.1:8786; it
    must be trusted. Empty: models are fitted on this machine."""
    trainer_stale_seconds: Annotated[float, Field(ge=1)] = Field(
        default=60.0, validation_alias="TRACKRECORD_TRAINER_STALE_SECONDS"
    )
    """Take over a training whose process has not reported for this many seconds."""
    trainer_attempts: Annotated[int, Field(ge=1)] = Field(
        default=3, validation_alias="TRACKRECORD_TRAINER_ATTEMPTS"
    )
    """How many times a training whose process was killed is started before it counts as failed."""
    api_host: str = Field(default="127.0.0.1", validation_alias="TRACKRECORD_API_HOST")
    """The address on which the HTTP API listens; one of this machine's own loopback, unless
    TRACKRECORD_JWT_SECRET is set."""
    api_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8070, validation_alias="TRACKRECORD_API_PORT"
    )
    """The port of the HTTP API; 0 picks a free one and logs it."""
    jwt_secret: str = Field(default="", validation_alias="TRACKRECORD_JWT_SECRET")
    """What the HTTP API signs tokens with, 32 bytes or more (`openssl rand -hex 32`). With it every
    request needs a login or a key; without it everybody may do everything who can reach it."""
    api_database_url: str = Field(default="", validation_alias="TRACKRECORD_API_DATABASE_URL")
    """Address of the database for the HTTP API, with the role that `trackrecord migrate --grant`
    has prepared; needed with TRACKRECORD_JWT_SECRET. Empty: DATABASE_URL."""
    api_pool: Annotated[int, Field(ge=1, le=200)] = Field(
        default=8, validation_alias="TRACKRECORD_API_POOL"
    )
    """How many sessions of the database the HTTP API reads with; exports have two of their own."""
    api_statement_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=20.0, validation_alias="TRACKRECORD_API_STATEMENT_SECONDS"
    )
    """After how many seconds the database ends a query of the HTTP API."""
    api_body_bytes: Annotated[int, Field(ge=1024, le=268_435_456)] = Field(
        default=8_388_608, validation_alias="TRACKRECORD_API_BODY_BYTES"
    )
    """How many bytes one request to the HTTP API may bring."""
    api_metrics_strategies: str = Field(
        default="", validation_alias="TRACKRECORD_API_METRICS_STRATEGIES"
    )
    """Names of the strategies whose results the HTTP API tells as metrics, separated by commas.
    Empty: those 50 with the most signals."""
    strategy_provider: Literal["offline", "gemini", "anthropic", "openai"] = Field(
        default="offline", validation_alias="TRACKRECORD_STRATEGY_PROVIDER"
    )
    """Who writes strategies where none is named: offline (the rules at hand, which ask nobody),
    gemini, anthropic or openai."""
    strategy_look_seconds: Annotated[float, Field(gt=0)] = Field(
        default=5.0, validation_alias="TRACKRECORD_STRATEGY_LOOK_SECONDS"
    )
    """How often strategy_gen looks for requests; one that comes over Kafka makes it look at
    once."""
    strategy_asking: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, validation_alias="TRACKRECORD_STRATEGY_ASKING"
    )
    """How many requests for strategies one process asks language models about at the same time."""
    strategy_stale_seconds: Annotated[float, Field(ge=1)] = Field(
        default=60.0, validation_alias="TRACKRECORD_STRATEGY_STALE_SECONDS"
    )
    """Take over a request for a strategy whose process has not reported for this many seconds."""
    strategy_proposals: bool = Field(
        default=False, validation_alias="TRACKRECORD_STRATEGY_PROPOSALS"
    )
    """Make strategies, without a language model, about the features that matter most to each new
    model that is promoted; they are drafts or validated, never active by themselves."""
    provider_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=120.0, validation_alias="TRACKRECORD_PROVIDER_SECONDS"
    )
    """How many seconds a language model has for one answer."""
    provider_tokens: Annotated[int, Field(ge=256, le=131_072)] = Field(
        default=8_192, validation_alias="TRACKRECORD_PROVIDER_TOKENS"
    )
    """How many tokens one answer of a language model may have, its thoughts included; one that is
    cut off there is asked for once more with four times as many."""
    gemini_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="GEMINI_API_KEY")
    """The key for Google's Gemini."""
    gemini_base_url: str = Field(default="", validation_alias="GEMINI_BASE_URL")
    """The address of Gemini's API, or of a gateway that speaks it. Empty: Google's own."""
    gemini_model: str = Field(
        default="gemini-3.8-flash", min_length=1, validation_alias="TRACKRECORD_GEMINI_MODEL"
    )
    """The model of Gemini that writes strategies."""
    anthropic_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias="ANTHROPIC_API_KEY"
    )
    """The key for Anthropic."""
    anthropic_base_url: str = Field(default="", validation_alias="ANTHROPIC_BASE_URL")
    """The address of Anthropic's API, or of a gateway that speaks it. Empty: Anthropic's own."""
    anthropic_model: str = Field(
        default="claude-sonnet-5-5", min_length=1, validation_alias="TRACKRECORD_ANTHROPIC_MODEL"
    )
    """The model of Anthropic that writes strategies."""
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    """The key for OpenAI, or for the server that OPENAI_BASE_URL names, if it wants one."""
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")
    """The address of OpenAI's API, or of any server that speaks it, with /v1:
    http://127.0.0.1:11434/v1. Empty: OpenAI's own."""
    openai_model: str = Field(
        default="gpt-5.4-mini", min_length=1, validation_alias="TRACKRECORD_OPENAI_MODEL"
    )
    """The model of OpenAI, or of that server, that writes strategies."""
    sandbox_least: Literal["process", "kernel", "namespaces"] = Field(
        default="process", validation_alias="TRACKRECORD_SANDBOX_LEAST"
    )
    """The isolation without which no strategy runs: process (a machine of its own in a process),
    kernel (the kernel refuses it files, network and processes besides) or namespaces (it sees none
    of them besides). `trackrecord strategy sandbox` tells what there is."""
    sandbox_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        default=1.0, validation_alias="TRACKRECORD_SANDBOX_SECONDS"
    )
    """How many seconds a strategy may compute for one decision, or for one instant of several
    symbols."""
    sandbox_memory_mb: Annotated[int, Field(ge=16, le=4096)] = Field(
        default=100, validation_alias="TRACKRECORD_SANDBOX_MEMORY_MB"
    )
    """How many megabytes a strategy may hold at once, its bars included."""
    kafka: dict[str, str] = Field(default_factory=dict, validation_alias="TRACKRECORD_KAFKA_*")
    """Any other setting of the Kafka client, dots as underscores:
    TRACKRECORD_KAFKA_SASL_MECHANISM."""

    @field_validator("database_url", "api_database_url")
    @classmethod
    def _is_postgres(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name == "api_database_url":
            return value
        if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        try:
            # Whoever has no driver has no use for the URL either.
            from psycopg2 import ProgrammingError  # noqa: PLC0415
            from psycopg2.extensions import parse_dsn  # noqa: PLC0415
        except ModuleNotFoundError:
            return value
        try:
            parse_dsn(value)
        except ProgrammingError as error:
            raise ValueError(str(error).strip().removeprefix("invalid dsn: ")) from None
        return value

    @field_validator("day_timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            raise ValueError("is not a time zone such as UTC or Asia/Kolkata") from None
        return value

    @model_validator(mode="after")
    def _search_ends(self) -> Self:
        if not self.trainer_budget_seconds and not self.trainer_trials:
            raise ValueError(
                "TRACKRECORD_TRAINER_BUDGET_SECONDS=0 has no end: set TRACKRECORD_TRAINER_TRIALS"
            )
        return self

    @field_validator("capital")
    @classmethod
    def _is_capital(cls, value: str) -> str:
        capital_by_strategy(value)
        return value

    @field_validator("sessions")
    @classmethod
    def _is_sessions(cls, value: str) -> str:
        sessions_by_strategy(value)
        return value

    def topic(self, name: str) -> str:
        """The name of a topic or group on the broker."""
        return self.topic_prefix + name


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: Names every variable that is wrong, and why, at once.
    """
    environ = os.environ if environ is None else environ
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    given: dict[str, Any] = {name: environ[name] for name in known if environ.get(name)}
    _remember_secrets(environ)
    try:
        kafka = kafka_settings(environ)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    given["TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"] = kafka.pop("bootstrap.servers")
    given["TRACKRECORD_KAFKA_*"] = kafka
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors(include_url=False)]
        raise ConfigurationError(
            f"{len(problems)} setting(s) cannot be used:\n" + "\n".join(sorted(problems))
        ) from None


def _remember_secrets(environ: Mapping[str, str]) -> None:
    """Before anything can go wrong with them: nothing that is said later shows them."""
    for name in _URLS:
        remember_url(environ.get(name, ""))
    ours = {
        name: value
        for name, value in environ.items()
        if (name.startswith((PREFIX, "PG")) or name in _KEYS) and is_secret(name)
    }
    remember_settings(ours)


def _problem(detail: ErrorDetails) -> str:
    words = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:  # of several together
        return f"  {words}"
    variable = str(detail["loc"][0])
    return hide_secrets(f"  {variable}={_shown(variable, detail['input'])}: {words}")


def _shown(variable: str, value: object) -> str:
    return str(value) if variable in _URLS else repr(value)
