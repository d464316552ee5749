"""What a supervisor is asked to bring up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from trackrecord.local.state import KAFKA, StageSpec


@dataclass(frozen=True)
class Orders:
    """What a supervisor is to bring up.

    Attributes:
        home: The stack's folder.
        stages: Stages, started last and all at once.
        prepare: Commands run one after the other between the servers and the stages.
        restart: Whether what dies is started again.
        ports: Ports asked for ``kafka`` and ``postgres``.
        topic_prefix: Passed on as ``TRACKRECORD_TOPIC_PREFIX``.
        timeout: Seconds for the servers, for each command, and for the stages to get ready.
        broker: ``kafka`` or ``mock``.
        owner: Process id and creation time of a process with which the stack is to end.
    """

    home: str
    stages: list[StageSpec] = field(default_factory=list)
    prepare: list[list[str]] = field(default_factory=list)
    restart: bool = True
    ports: dict[str, int | None] = field(default_factory=dict)
    topic_prefix: str = ""
    timeout: float = 60.0
    broker: str = KAFKA
    owner: tuple[int, float] | None = None

    @classmethod
    def from_json(cls, text: str) -> Orders:
        """Read orders as `stack.up` writes them."""
        value: dict[str, Any] = json.loads(text)
        value["stages"] = [StageSpec(**stage) for stage in value["stages"]]
        if value["owner"] is not None:
            value["owner"] = tuple(value["owner"])
        return cls(**value)
