"""Special events for programs."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.accounts import Role
from api.cover.recording import record_edit
from api.permissions import Caller, allow
from api.today import now, today
from api.web import Db
from scheduling.events import EventFacts, enter_event, events_between

router = APIRouter()

Whole = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


class EventIn(BaseModel):
    """What is said of an event."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=60)
    zone_id: int = Field(ge=1, le=2**62)
    first_day: date
    last_day: date
    band_start_min: Whole = Field(description="minutes from midnight")
    band_end_min: Whole = Field(description="past 1440 is the next day")
    patrol_type_id: int = Field(ge=1, le=2**62)
    minimum: Whole = 1
    ideal: Whole = 1
    importance: Whole = 12
    note: str = Field(default="", max_length=300)


class EventOut(EventIn):
    """A special event."""

    id: int
    made_by: str
    cancelled: bool


@router.get("/events")
def list_events(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.SERVICE)],
    first: Annotated[date | None, Query()] = None,
    last: Annotated[date | None, Query()] = None,
) -> list[EventOut]:
    """Return the events of some days; from today on unless said."""
    start = first or today(request.app.state.settings)
    end = last or date.max - timedelta(days=1)
    rows = events_between(db, caller.community_id, start, end, cancelled=True)
    return [EventOut.model_validate(row, from_attributes=True) for row in rows]


@router.post("/events", status_code=201)
def enter(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD)],
    given: EventIn,
) -> EventOut:
    """Enter an event; the next roster adds its patrols."""
    settings = request.app.state.settings
    row = enter_event(
        db,
        caller.community_id,
        EventFacts(**given.model_dump()),
        by=caller.username,
        now=now(settings),
        today=today(settings),
    )
    record_edit(request, db, caller, "event.create", row.name, id=row.id, zone_id=row.zone_id)
    return EventOut.model_validate(row, from_attributes=True)
