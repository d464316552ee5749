"""The event of a script's run, with its output: what the extractor reads."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from trackrecord.events.base import Event, EventType
from trackrecord.events.types import FreeJson, Identifier, Name, Symbol, Text, UtcTime


class ScriptExecuted(Event):
    """A script ran to its end, and this is what it printed."""

    event_type: ClassVar[EventType] = "script_executed"
    key_field: ClassVar[str] = "script"
    identity: ClassVar[tuple[str, ...]] = ("execution_id",)

    execution_id: Identifier
    """This run."""
    script: Name
    """The script's name; its runs make one record."""
    program: Annotated[Text, Field(max_length=1024)] | None = None
    """What was started: a path or a command line."""
    symbol: Symbol | None = None
    """The instrument that the script was asked about, where it was asked about one."""
    started_at: UtcTime
    """When the run began."""
    finished_at: UtcTime
    """When it ended."""
    exit_code: int = Field(strict=True, ge=-(2**31), le=2**31 - 1)
    """What it returned to the system; 0 is success, negative is the signal that ended it."""
    output: Text
    """What it printed, standard output and standard error, cut with a marker if too long."""
    parameters: FreeJson | None = None
    """What it was given."""
