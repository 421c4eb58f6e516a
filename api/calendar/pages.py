"""The working calendar: a month at a time, each day edited with a reason and undone."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.accounts import Role
from api.cover.recording import record_edit
from api.permissions import Caller, allow
from api.today import now, today
from api.web import Db, page, see_other
from grid.calendar import DayKind
from grid.errors import DomainError, NotFound
from grid.working_calendar import (
    assumed_year,
    days_between,
    edit_day,
    edits_between,
    noticed_years,
    undo_edit,
    unknown_year,
)

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Month = Annotated[str, Query(max_length=7)]


def _month(text: str, day: date) -> date:
    """Return the first day of the month named ``2026-12``, or of today's."""
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return day.replace(day=1)
    return found if 2004 <= found.year <= 2100 else day.replace(day=1)


def _page(
    request: Request,
    db: Session,
    caller: Caller,
    month: date,
    *,
    chosen: date | None = None,
    typed: tuple[str, str, str] | None = None,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    day = today(request.app.state.settings)
    last = month.replace(day=monthrange(month.year, month.month)[1])
    start = month - timedelta(days=month.weekday())
    known = days_between(db, month, last)
    edits = edits_between(db, month, last)
    undoable = {}
    for edit in reversed(edits):
        if edit.undone_at is None:
            undoable[edit.day] = edit.id
    unknown = unknown_year(db, month, last)
    chosen = chosen if chosen and month <= chosen <= last else None
    now_there = known.get(chosen) if chosen else None
    return page(
        request,
        caller,
        "cover/calendar.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        month=month,
        before=month - timedelta(days=1),
        after=last + timedelta(days=1),
        weeks=[
            [start + timedelta(days=7 * week + n) for n in range(7)]
            for week in range(((last - start).days // 7) + 1)
        ],
        known=known,
        reasons={e.day: e.reason for e in reversed(edits) if e.undone_at is None},
        edits=edits,
        undoable=set(undoable.values()),
        warning=unknown.sentence(caller.locale) if unknown else None,
        assumed=assumed_year(db, month.year),
        last_noticed=noticed_years()[-1],
        chosen=chosen,
        form=typed
        or (
            now_there.kind if now_there else DayKind.WORKDAY.value,
            (now_there.name or "") if now_there else "",
            "",
        ),
        today=day,
    )


@router.get("/cover/calendar")
def calendar_page(
    request: Request,
    db: Db,
    caller: Lead,
    month: Month = "",
    day: Annotated[str, Query(max_length=10)] = "",
    said: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """Show a month, its edits, and the form for the chosen day."""
    try:
        chosen = date.fromisoformat(day) if day else None
    except ValueError:
        chosen = None
    first = _month(month or day[:7], today(request.app.state.settings))
    return _page(request, db, caller, first, chosen=chosen, said=said)


@router.post("/cover/calendar")
def edit(
    request: Request,
    db: Db,
    caller: Lead,
    day: Annotated[date, Form()],
    kind: Annotated[DayKind, Form()],
    name: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Say what a day is, with the reason."""
    try:
        made = edit_day(
            db,
            day,
            kind,
            name,
            reason=reason,
            by=caller.username,
            now=now(request.app.state.settings),
        )
    except DomainError as refusal:
        month = _month(day.isoformat()[:7], today(request.app.state.settings))
        return _page(
            request, db, caller, month, chosen=day, typed=(kind.value, name, reason), error=refusal
        )
    record_edit(
        request, db, caller, "calendar.edit", day.isoformat(),
        before=[made.kind_before, made.name_before], now=[made.kind, made.name], reason=made.reason,
    )  # fmt: skip
    return see_other(f"/cover/calendar?month={day:%Y-%m}&said=saved")


@router.post("/cover/calendar/edits/{edit_id}/undo")
def undo(
    request: Request,
    db: Db,
    caller: Lead,
    edit_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> Response:
    """Make a day what it was before its latest edit."""
    moment, day = now(request.app.state.settings), today(request.app.state.settings)
    try:
        undone = undo_edit(db, edit_id, by=caller.username, now=moment)
    except NotFound:
        raise
    except DomainError as refusal:
        month = _month(str(refusal.facts.get("day", ""))[:7], day)
        return _page(request, db, caller, month, error=refusal)
    record_edit(
        request, db, caller, "calendar.undo", undone.day.isoformat(),
        before=[undone.kind, undone.name], now=[undone.kind_before, undone.name_before],
    )  # fmt: skip
    return see_other(f"/cover/calendar?month={undone.day:%Y-%m}&said=undone")
