"""Structured logs: JSON lines for programs, readable lines for a terminal; always to stderr."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

from trackrecord.redaction import hide_secrets

LogFormat = Literal["auto", "json", "console"]


# A command that configures nothing keeps its stdout for data, too.
structlog.configure(logger_factory=lambda *_args: structlog.PrintLogger(sys.stderr))


def configure(stage: str, *, level: str = "info", style: LogFormat = "auto") -> None:
    """Set up logging for a process; every line carries its stage, time and level."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(stage=stage)


def _without_secrets(
    _logger: object, _method: str, line: structlog.types.EventDict
) -> structlog.types.EventDict:
    return {name: _hidden(value) for name, value in line.items()}


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, dict):
        return {name: _hidden(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]
    return value


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that names the module it speaks from."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return logger
