"""Models: which there are, how they were trained, and whether they were right."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer, unchanged, version_of
from trackrecord.api.cursors import time_of
from trackrecord.api.parts import Parts, parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Paged, PathName, Text
from trackrecord.api.shapes import Calibration, Models, Outcomes, TrainingLog
from trackrecord.api.who import Reader, Who
from trackrecord.reports.calibration_keeper import read_calibrations
from trackrecord.reports.model_lists import read_models, read_training_log
from trackrecord.reports.models import calibration_of

router = APIRouter(prefix=VERSION_ONE, tags=["models"])


class _Logged(Paged):
    model: Text | None = None
    """Only of this one."""


class _Calibrated(Asked):
    strategy: Text | None = None
    """Only of this one's signals."""


@router.get("/outcomes", response_model=Outcomes, operation_id="outcomes")
def outcomes(request: Request, who: Who, asked: Annotated[Asked, Query()]) -> Response:
    """What became of signals on the bars that followed, by policy and strategy."""
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "outcomes", view=who.view)
        if same := unchanged(request, version):
            return same
        content = parts.reading.outcomes(cursor, who.hidden)
    return answer(content, as_of=as_of, version=version)


@router.get("/models", response_model=Models, operation_id="list_models")
def list_models(request: Request, who: Who, asked: Annotated[Paged, Query()]) -> Response:
    """Models that were trained, the newest first, with their metrics and when they served."""
    parts = parts_of(request)
    after = _after(parts, who, "models", asked)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "models", view=who.view)
        if same := unchanged(request, version):
            return same
        found = read_models(cursor, after, asked.limit + 1)
    following = None
    if len(found) > asked.limit:
        last = found[asked.limit - 1]
        keys = (last["created_at"], last["version"])
        following = parts.cursors.of(who.whose).written("models", asked.filters(), keys)
    content = {"models": found[: asked.limit], "next": following}
    return answer(content, as_of=as_of, version=version)


@router.get("/models/training-log", response_model=TrainingLog, operation_id="training_log")
def training_log(request: Request, who: Who, asked: Annotated[_Logged, Query()]) -> Response:
    """Training runs that ended, in success or not, the latest first."""
    parts = parts_of(request)
    after = _after(parts, who, "training-log", asked)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "models", view=who.view)
        if same := unchanged(request, version):
            return same
        found = read_training_log(cursor, asked.model, after, asked.limit + 1)
    following = None
    if len(found) > asked.limit:
        last = found[asked.limit - 1]
        keys = (last["finished_at"], last["training_id"])
        following = parts.cursors.of(who.whose).written("training-log", asked.filters(), keys)
    content = {"runs": found[: asked.limit], "next": following}
    return answer(content, as_of=as_of, version=version)


@router.get("/models/{version}/calibration", response_model=Calibration, operation_id="calibration")
def calibration(
    request: Request, who: Who, version: PathName, asked: Annotated[_Calibrated, Query()]
) -> Response:
    """What a version of the model said when it was judged and since, and what happened.

    Of the version that serves and of the newest it is worked out beside, as `judged_as_of` says;
    of one strategy, or for who may not see all of them, when it is asked for.
    """
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        kept = None
        if asked.strategy is None and not who.hidden:
            kept = read_calibrations(cursor, parts.settings, version).get(version)
        known: dict[str, Any] | None = None
        if kept is None:
            etag = parts.reading.version(cursor, "models", "outcomes", view=who.view)
            worked_out_at = as_of
        else:
            worked_out_at, known = kept
            etag = version_of(version, worked_out_at, who.view)
        if same := unchanged(request, etag):
            return same
        found = known or calibration_of(cursor, parts.settings, version, asked.strategy, who.hidden)
    if found is None:
        raise not_found(f"there is no version {version!r} of the model")
    found["model_version"] = found.pop("version")
    return answer({**found, "judged_as_of": worked_out_at}, as_of=as_of, version=etag)


def _after(parts: Parts, who: Reader, of: str, asked: Paged) -> tuple[datetime, str] | None:
    if asked.cursor is None:
        return None
    at, name = parts.cursors.of(who.whose).read(of, asked.filters(), asked.cursor, 2)
    return time_of(at), str(name)
