"""Special events as a page of the team lead."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.accounts import Role
from api.cover.forms import Chosen, Short, band, clock, whole
from api.cover.recording import record_edit
from api.permissions import Caller, allow
from api.today import now, today
from api.web import Db, page, see_other
from grid.cells import PatrolZone
from grid.errors import DomainError, NotFound
from grid.team import zones_on
from scheduling.cover import types_of
from scheduling.demand import PatrolType
from scheduling.events import (
    IMPORTANCE,
    EventFacts,
    SpecialEvent,
    active_shifts,
    cancel_event,
    change_event,
    enter_event,
    events_between,
    find_event,
    shifts_over,
)

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]
SHOWN_BACK_DAYS = 60
SHOWN_AHEAD_DAYS = 730


class NotADate(DomainError):
    """A day that cannot be read."""

    zh = "请填写日期，例如 2027-02-03。"
    en = "Give the dates, like 2027-02-03."


@dataclass(frozen=True)
class EventForm:
    """An event as typed."""

    name: Short = ""
    zone_id: Chosen = ""
    first_day: Chosen = ""
    last_day: Chosen = ""
    start: Chosen = "19:00"
    end: Chosen = "22:00"
    patrol_type_id: Chosen = ""
    minimum: Chosen = "1"
    ideal: Chosen = "1"
    importance: Chosen = str(IMPORTANCE)
    note: Annotated[str, Form(max_length=300)] = ""

    def facts(self) -> EventFacts:
        """Return what the form says. Raises NotADate or NotAClockTime."""
        try:
            first = date.fromisoformat(self.first_day)
            last = date.fromisoformat(self.last_day or self.first_day)
        except ValueError as error:
            raise NotADate() from error
        start, end = band(self.start, self.end)
        return EventFacts(
            name=self.name.strip(),
            zone_id=whole(self.zone_id, 0),
            first_day=first,
            last_day=last,
            band_start_min=start,
            band_end_min=end,
            patrol_type_id=whole(self.patrol_type_id, 0),
            minimum=whole(self.minimum, -1),
            ideal=whole(self.ideal, -1),
            importance=whole(self.importance, 0),
            note=self.note.strip(),
        )


def form_of(row: SpecialEvent) -> EventForm:
    """Return a stored event as the form shows it."""
    return EventForm(
        name=row.name,
        zone_id=str(row.zone_id),
        first_day=row.first_day.isoformat(),
        last_day=row.last_day.isoformat(),
        start=clock(row.band_start_min),
        end=clock(row.band_end_min),
        patrol_type_id=str(row.patrol_type_id),
        minimum=str(row.minimum),
        ideal=str(row.ideal),
        importance=str(row.importance),
        note=row.note,
    )


def _page(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    edited: SpecialEvent | None = None,
    form: EventForm | None = None,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    day = today(request.app.state.settings)
    shifts = active_shifts(db, caller.community_id)
    events = events_between(
        db,
        caller.community_id,
        day - timedelta(days=SHOWN_BACK_DAYS),
        day + timedelta(days=SHOWN_AHEAD_DAYS),
        cancelled=True,
    )
    return page(
        request,
        caller,
        "cover/events.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        rows=[
            (
                event,
                db.get_one(PatrolZone, event.zone_id),
                db.get_one(PatrolType, event.patrol_type_id),
                shifts_over(event, shifts),
            )
            for event in events
        ],
        edited=edited,
        form=form or (form_of(edited) if edited else EventForm()),
        zones=zones_on(db, caller.community_id, day),
        types=[t for t in types_of(db, caller.community_id) if t.active],
        today=day,
    )


@router.get("/cover/events")
def events_page(
    request: Request,
    db: Db,
    caller: Lead,
    edit: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    said: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """Show what is coming with the shifts that get more patrols, and the form."""
    edited = find_event(db, caller.community_id, edit) if edit else None
    return _page(request, db, caller, edited=edited, said=said)


@router.post("/cover/events")
def enter(
    request: Request, db: Db, caller: Lead, form: Annotated[EventForm, Depends()]
) -> Response:
    """Enter an event."""
    settings = request.app.state.settings
    try:
        row = enter_event(
            db,
            caller.community_id,
            form.facts(),
            by=caller.username,
            now=now(settings),
            today=today(settings),
        )
    except DomainError as refusal:
        return _page(request, db, caller, form=form, error=refusal)
    record_edit(
        request, db, caller, "event.create", row.name,
        id=row.id, zone_id=row.zone_id, days=[row.first_day.isoformat(), row.last_day.isoformat()],
    )  # fmt: skip
    return see_other("/cover/events?said=saved")


@router.post("/cover/events/{event_id}")
def change(
    request: Request,
    db: Db,
    caller: Lead,
    event_id: Key,
    form: Annotated[EventForm, Depends()],
) -> Response:
    """Change an event that is not over."""
    edited = find_event(db, caller.community_id, event_id)
    try:
        changed = change_event(
            db, caller.community_id, event_id, form.facts(), today=today(request.app.state.settings)
        )
    except DomainError as refusal:
        return _page(request, db, caller, edited=edited, form=form, error=refusal)
    if changed:
        record_edit(request, db, caller, "event.change", edited.name, id=edited.id, changed=changed)
    return see_other("/cover/events?said=saved")


@router.post("/cover/events/{event_id}/{step}")
def take_step(request: Request, db: Db, caller: Lead, event_id: Key, step: str) -> Response:
    """Cancel an event, or take the cancelling back."""
    find_event(db, caller.community_id, event_id)
    if step not in {"cancel", "restore"}:
        raise NotFound(thing="步骤", name=step)
    try:
        row = cancel_event(
            db,
            caller.community_id,
            event_id,
            cancelled=step == "cancel",
            today=today(request.app.state.settings),
        )
    except DomainError as refusal:
        return _page(request, db, caller, error=refusal)
    record_edit(request, db, caller, f"event.{step}", row.name, id=row.id)
    return see_other(f"/cover/events?said={step}")
