"""Every error as ``application/problem+json`` (RFC 9457), and how the document names them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from trackrecord.errors import TrackrecordError
from trackrecord.redaction import hide_secrets
from trackrecord.runtime.errors import (
    BadContentError,
    FatalError,
    PassingError,
    TooSlowError,
    UnreachableError,
)
from trackrecord.runtime.logs import get_logger

_log = get_logger(__name__)

CONTENT_TYPE: Final = "application/problem+json"

RETRY_SECONDS: Final = 2
"""After how long a client may ask again where something is away."""

_KINDS: Final[Mapping[int, str]] = {
    400: "unreadable",
    401: "who-are-you",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    415: "wrong-content-type",
    422: "invalid",
    429: "too-many",
    500: "fault",
    503: "away",
}
"""What the type of a problem is called, by its status."""

_MEANINGS: Final[Mapping[int, str]] = {
    400: "What was sent cannot be read: broken JSON, a cursor that is none of ours.",
    401: "Nobody says who they are, or a token or key is not good any more.",
    403: "Whoever asks may not, or a page of another site has had it sent.",
    404: "There is no such thing.",
    405: "The path does not know the method.",
    409: "It cannot be done as things stand; the detail says what to do first.",
    413: "The body is larger than may be.",
    415: "The body is of a type that is not read here.",
    422: "A value breaks a rule; `errors` names each field.",
    429: "Too many at once; `Retry-After` says when to ask again.",
    500: "A fault of ours; the log has it.",
    503: "Database or broker are away, or busy; `Retry-After` says when to ask again.",
}

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "Names the kind of problem."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "description": "The status of HTTP."},
        "detail": {"type": "string", "description": "What is wrong, for a person."},
        "errors": {
            "type": "array",
            "description": "Each value that breaks a rule.",
            "items": {
                "type": "object",
                "required": ["reason"],
                "properties": {
                    "field": {"type": "string", "description": "Its name."},
                    "event": {
                        "type": "integer",
                        "description": "Which event of a batch, from 1.",
                    },
                    "reason": {"type": "string", "description": "What is wrong with it."},
                },
            },
        },
    },
}
"""What a problem looks like, as JSON Schema."""


class ProblemError(TrackrecordError):
    """A request cannot be answered as it was asked.

    Attributes:
        status: Of HTTP.
        errors: Of single values: ``field``, ``event`` (its number in a batch) and ``reason``.
        headers: For the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say what is wrong, for a person."""
        super().__init__(detail)
        self.status = status
        self.errors = errors
        self.headers = dict(headers or {})


class ExhaustedError(PassingError):
    """All sessions of the database are in use, and none became free in time."""


def not_found(words: str) -> ProblemError:
    """There is no such thing."""
    return ProblemError(404, words)


def invalid(field: str, reason: str) -> ProblemError:
    """One value breaks a rule."""
    return ProblemError(422, f"{field}: {reason}", errors=[{"field": field, "reason": reason}])


def problem(
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as an answer; secrets and lone surrogates never leave the process."""
    kind = _KINDS.get(status, "other")
    content: dict[str, Any] = {
        "type": f"urn:trackrecord:problem:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _plain(hide_secrets(detail)),
    }
    if errors:
        content["errors"] = [
            {
                name: _plain(value) if isinstance(value, str) else value
                for name, value in one.items()
            }
            for one in errors
        ]
    said = dict(headers or {})
    if status in {429, 503}:
        said.setdefault("Retry-After", str(RETRY_SECONDS))
    return Response(orjson.dumps(content), status, said, CONTENT_TYPE)


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def answer_problems(app: FastAPI) -> None:
    """Have an app answer every error as a problem."""

    async def ours(_request: Request, error: Exception) -> Response:
        return problem_of(error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            # A path may stand in several routes, and the first of them does not know the others.
            headers["Allow"] = ", ".join(_methods(request)) or headers.get("Allow", "")
        return problem(error.status_code, _of_http(error, headers), headers=headers)

    async def invalid_request(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
        return _of_validation(error)

    app.add_exception_handler(ProblemError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid_request)
    for kind in (PassingError, UnreachableError, FatalError, BadContentError, Exception):
        app.add_exception_handler(kind, ours)


def problem_of(error: Exception) -> Response:
    """What is answered where something was raised."""
    if isinstance(error, ProblemError):
        return problem(error.status, str(error), error.errors, error.headers)
    if isinstance(error, PassingError | UnreachableError | FatalError):
        return problem(503, _of_absence(error))
    if isinstance(error, BadContentError):
        return problem(400, f"the database cannot read a value: {error}")
    _log.error("a fault", reason=f"{type(error).__name__}: {error}")
    return problem(500, "a fault of ours, which the log has")


def _of_http(error: HTTPException, headers: Mapping[str, str]) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "there is no such path; /api/v1/openapi.json names all"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"the path does not know this method; it knows {headers['Allow'] or 'another'}"
    return str(error.detail)


def _methods(request: Request) -> list[str]:
    """The methods that the document says of the path of a request, whichever routes know them."""
    paths = request.app.openapi()["paths"]
    asked = request.scope["path"]
    # Some are in the document with a last slash, and answered without it, too.
    spelt = (asked, f"{asked}/")
    # What stands there as it is goes before what takes any name, as among the routes.
    found = [each for each in spelt if each in paths] or [
        template for template in paths if any(_fits(template, path) for path in spelt)
    ]
    return sorted({method.upper() for each in found for method in paths[each]})


def _fits(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None


def _of_absence(error: Exception) -> str:
    if isinstance(error, ExhaustedError):
        return str(error)
    if isinstance(error, TooSlowError):
        return "the database took too long for it; ask for less, or again later"
    _log.warning("away", reason=str(error))
    return str(error)


def _of_validation(error: RequestValidationError) -> Response:
    errors = []
    if any(detail["type"] == "json_invalid" for detail in error.errors()):
        return problem(400, "not readable JSON")
    for detail in error.errors():
        place = [str(part) for part in detail["loc"][1:]]
        words = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "missing":
            words = "is missing"
        elif detail["type"] == "extra_forbidden":
            words = "is not known here"
        errors.append({"field": ".".join(place) or str(detail["loc"][0]), "reason": words})
    words = "; ".join(f"{each['field']}: {each['reason']}" for each in errors[:5])
    return problem(422, words, errors)


def document(openapi: dict[str, Any]) -> None:
    """Name the problems that every operation may answer with, in the OpenAPI document."""
    components = openapi.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    for path in openapi["paths"].values():
        for operation in path.values():
            for status in _KINDS:
                said: dict[str, Any] = {
                    "description": _MEANINGS[status],
                    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                if status in {429, 503}:
                    said["headers"] = {
                        "Retry-After": {
                            "description": "Seconds",
                            "schema": {"type": "string", "pattern": "^[0-9]+$"},
                        }
                    }
                operation["responses"][str(status)] = said
