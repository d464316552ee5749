"""What the routes work with, put together once for an app."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from trackrecord.api.changes import Changes
from trackrecord.api.cursors import Cursors
from trackrecord.api.ends import Ends
from trackrecord.api.guard import Access
from trackrecord.api.ingest import Ingest
from trackrecord.api.pool import Pool
from trackrecord.api.reading import Reading
from trackrecord.api.workshop import Workshop
from trackrecord.clock import Clock
from trackrecord.runtime.settings import Settings


@dataclass(frozen=True)
class Parts:
    """The collaborators of an app.

    Attributes:
        settings: Of the process.
        clock: What tells the time.
        pool: What routes read with.
        writes: What routes write with.
        exports: What exports read with, which take long.
        reading: What is read.
        ingest: The way in for events.
        changes: What streams are told.
        ends: Where topics end.
        cursors: Where the next page begins.
        workshop: Where strategies are made and tried.
        access: How it is known who asks; None: nobody needs to say.
    """

    settings: Settings
    clock: Clock
    pool: Pool
    writes: Pool
    exports: Pool
    reading: Reading
    ingest: Ingest
    changes: Changes
    ends: Ends
    cursors: Cursors
    workshop: Workshop
    access: Access | None = None


def parts_of(request: Request) -> Parts:
    """Those of the app that a request came to."""
    parts: Parts = request.app.state.parts
    return parts
