"""Strategies that are made here: asked for, looked at, changed, activated, judged.

==============  ================================================================================
:mod:`.asking`  bodies and queries
:mod:`.lists`   lists, single strategies, versions, templates
:mod:`.logs`    requests and every attempt at them
:mod:`.generate`  from words to a strategy
:mod:`.code`    from code to a verdict, a version
:mod:`.changes`  properties, activation, archive, copies, the end
:mod:`.judge`   backtests
==============  ================================================================================
"""

from __future__ import annotations

from fastapi import APIRouter

from trackrecord.api.routes.generated import changes, code, generate, judge, lists, logs

router = APIRouter()
# What is fixed stands before what takes any strategy.
for _each in (
    lists.fixed, logs.router, generate.router, code.fixed, changes.fixed,
    lists.router, code.router, changes.router, judge.router,
):  # fmt: skip
    router.include_router(_each)
