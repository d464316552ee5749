"""The event that the trainer publishes: a training and its result."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trackrecord.events.base import Event, EventType
from trackrecord.events.types import Count, Identifier, Name, Number, Text, UtcTime


class ModelTrained(Event):
    """A training run ended, in success or in failure."""

    event_type: ClassVar[EventType] = "model_trained"
    key_field: ClassVar[str] = "model"
    identity: ClassVar[tuple[str, ...]] = ("training_id",)

    training_id: Identifier
    """This run."""
    model: Name
    """The model that was trained."""
    version: Name | None = None
    """The version that the run made; none where it failed."""
    status: Literal["completed", "failed"]
    """How the run ended."""
    promoted: bool = Field(strict=True)
    """Whether the new version is the champion from now on."""
    trained_at: UtcTime
    """When the run ended."""
    duration_seconds: Annotated[Number, Field(ge=0)]
    """How long it took, in seconds."""
    data_points: Count
    """Outcomes that it learned from."""
    metrics: dict[Name, Number | None] = Field(default_factory=dict)
    """Measured on the untouched last stretch, by name; null where undefined."""
    feature_importances: dict[Name, Number] = Field(default_factory=dict)
    """Share of each feature in the model's decisions."""
    champion_version: Name | None = None
    """The version that serves after this run."""
    reason: Text | None = None
    """Why it was promoted or not."""
    error: Text | None = None
    """What went wrong, where the run failed."""
