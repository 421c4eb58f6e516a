"""What a phone sends, and what it is told of each item."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from grid.incidents import IncidentClass, Urgency
from grid.intake import LONGEST_CATEGORY, LONGEST_TEXT

ITEMS_MAX = 200
POINTS_MAX = 500
PHOTO_MAX_BASE64 = 2_800_000
"""2 MB of photo: phones reduce them to a tenth of that."""

Kind = Literal["start", "check_in", "track", "report", "photo", "alarm", "end"]


class Place(BaseModel):
    """Where the phone was, WGS 84."""

    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    accuracy_m: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 0


class Point(Place):
    """A place of a running patrol."""

    at: AwareDatetime


class Item(BaseModel):
    """One thing of the outbox. Which fields count depends on its kind."""

    model_config = ConfigDict(extra="forbid")

    client_id: UUID
    kind: Kind
    patrol_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    device_at: AwareDatetime
    stop: (
        Annotated[str, Field(pattern=r"^(checkpoint|requirement|risk):[0-9]{1,9}(#[2-9])?$")] | None
    ) = None
    code: Annotated[str, Field(max_length=300)] = ""
    place: Place | None = None
    incident_class: IncidentClass = IncidentClass.HAZARD
    category: Annotated[str, Field(max_length=LONGEST_CATEGORY)] = ""
    urgency: Urgency = Urgency.ROUTINE
    description: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    building_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    points: Annotated[list[Point], Field(max_length=POINTS_MAX)] = []
    report: UUID | None = None
    """The client id of the report a photo is of."""
    media_type: Literal["image/jpeg", "image/webp", "image/png"] = "image/jpeg"
    content: Annotated[str, Field(max_length=PHOTO_MAX_BASE64)] = ""
    """The photo, base64."""


class Batch(BaseModel):
    """Items in any order, some of them perhaps sent before."""

    sent_at: AwareDatetime
    """The phone's clock when it sent them: how far it is off is told from this."""
    items: Annotated[list[dict[str, Any]], Field(max_length=ITEMS_MAX)]


class Told(BaseModel):
    """What became of one item."""

    client_id: str
    state: Literal["stored", "conflict", "refused"]
    repeated: bool = False
    flags: list[str] = []
    zh: str = ""
    en: str = ""


class Answer(BaseModel):
    """One entry per item, in the order sent."""

    server_at: datetime
    skew_s: int
    results: list[Told]
