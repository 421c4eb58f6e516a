"""The requirement pages: the list with what is planned for each, the prefilled form, withdrawal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import Row

from api.accounts import Role
from api.audit import record
from api.hotspots import words
from api.hotspots.findings import Finding, investigate, last_year
from api.i18n import translate
from api.permissions import Caller, allow
from api.requirements.outcome import RING_M, outcome
from api.requirements.words import change_words, effect_sentences, number, verdict_words
from api.sign_in.pages import client_address
from api.today import next_monday, now, this_monday, today
from api.web import Db, page, see_other
from grid.errors import DomainError, NotFound
from grid.incident_counts import Place, PlaceKind, load_places
from maps.effect import Against
from scheduling.requirements import (
    WEEKS_VALID,
    Asked,
    PlannedVisit,
    RequirementUnfit,
    find,
    listed,
    named,
    planned_visits,
    proposed,
    raise_requirement,
    withdraw,
)

router = APIRouter()

READERS = (Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR)
RAISERS = (Role.STREET_OFFICE, Role.TEAM_LEAD)
LONGEST_REASON = 500
RequirementId = Annotated[int, Path(ge=1, le=2**62)]


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement as the list shows it."""

    row: Row[Any]
    state: str
    """active, upcoming, ended, withdrawn."""
    visits: list[PlannedVisit]


def state_of(withdrawn: bool, valid_from: date, valid_to: date, day: date) -> str:
    """Return what a requirement is on a day."""
    if withdrawn:
        return "withdrawn"
    if valid_to <= day:
        return "ended"
    return "upcoming" if valid_from > day else "active"


@router.get("/requirements")
def list_page(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*READERS)],
    week: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """List requirements with the patrols of the coming week that can meet them."""
    day = today(request.app.state.settings)
    week_start = _week(week, day)
    planned = planned_visits(db, caller.community_id, week_start)
    lines = [
        Line(
            row,
            state_of(row.withdrawn, row.valid_from, row.valid_to, day),
            planned.get(row.id, []),
        )
        for row in listed(db, caller.community_id, day)
    ]
    states = {visit.state for visits in planned.values() for visit in visits}
    return page(
        request,
        caller,
        "requirements/requirements.html",
        lines=lines,
        week_start=week_start,
        week_end=week_start + timedelta(6),
        earlier=week_start - timedelta(7),
        later=week_start + timedelta(7),
        day_step=timedelta(1),
        roster_state=next(iter(states), ""),
        words=words,
        may_raise=caller.is_(*RAISERS),
    )


def _week(written: str, day: date) -> date:
    try:
        return this_monday(date.fromisoformat(written)) if written else next_monday(day)
    except (ValueError, OverflowError):
        return next_monday(day)


def _place(places: list[Place], written: str) -> Place | None:
    return next((one for one in places if f"{one.kind.value}:{one.id}" == written), None)


@router.get("/requirements/new")
def new_page(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*RAISERS)],
    place: Annotated[str, Query(max_length=40)] = "",
    category: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Show the form, prefilled from what last year's incidents say of the place."""
    return _form(request, db, caller, place, category)


def _finding(found: tuple[Finding, ...], place: Place, category: str) -> Finding | None:
    mine = [one for one in found if one.place.kind is place.kind and one.place.id == place.id]
    return next((one for one in mine if one.category == category), None)


def _form(
    request: Request,
    db: Db,
    caller: Caller,
    written_place: str,
    category: str,
    *,
    values: Mapping[str, object] | None = None,
    error: DomainError | None = None,
) -> Response:
    day = today(request.app.state.settings)
    places = load_places(db, caller.community_id, day)
    place = _place(places, written_place)
    if written_place and place is None:
        raise NotFound(thing="地点", name=written_place)
    found = investigate(db, caller.community_id, last_year(day), day)
    finding = _finding(found.findings, place, category) if place is not None else None
    return page(
        request,
        caller,
        "requirements/new.html",
        status_code=error.status if error else 200,
        places=[one for one in places if one.zone_id is not None],
        chosen=written_place,
        values=values or _prefilled(finding, found.question.until, category),
        finding=finding,
        categories=list(found.incidents.categories),
        words=words,
        error=error.sentence(caller.locale) if error else "",
    )


def _prefilled(finding: Finding | None, day: date, category: str) -> dict[str, object]:
    monday = next_monday(day)
    if finding is None:
        return {
            "category": category,
            "band_start": "19:00",
            "band_end": "21:00",
            "weekdays": [5, 6, 7],
            "visits": 2,
            "dwell": 10,
            "valid_from": monday,
            "valid_last": monday + timedelta(weeks=WEEKS_VALID, days=-1),
            "reason": "",
        }
    wanted = proposed(finding.as_hot_place(last_year(day)), day)
    return {
        "category": wanted.category,
        "band_start": _clock(wanted.band_start_min),
        "band_end": _clock(wanted.band_end_min),
        "weekdays": list(wanted.weekdays),
        "visits": wanted.visits_per_week,
        "dwell": wanted.dwell_min,
        "valid_from": wanted.valid_from,
        "valid_last": wanted.valid_to - timedelta(1),
        "reason": wanted.reason,
    }


def _clock(minutes: int) -> str:
    return f"{minutes % 1440 // 60:02d}:{minutes % 60:02d}"


def _minutes(written: str) -> int:
    hour, _, minute = written.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        raise RequirementUnfit(
            what=f"时间“{written}”无法识别", cure="请按 19:00 的格式填写",
            what_en=f"the time “{written}” cannot be read", cure_en="Write it as 19:00",
        )  # fmt: skip
    return int(hour) * 60 + int(minute)


@router.post("/requirements")
def raise_one(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*RAISERS)],
    place: Annotated[str, Form(max_length=40)],
    category: Annotated[str, Form(max_length=60)],
    band_start: Annotated[str, Form(max_length=5)],
    band_end: Annotated[str, Form(max_length=5)],
    visits: Annotated[int, Form(ge=1, le=21)],
    dwell: Annotated[int, Form(ge=1, le=60)],
    valid_from: Annotated[date, Form()],
    valid_last: Annotated[date, Form()],
    weekdays: Annotated[list[int] | None, Form()] = None,
    reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
) -> Response:
    """Raise a requirement; a refusal shows the form again with what was written."""
    day = today(request.app.state.settings)
    kind, _, number = place.partition(":")
    if kind not in {one.value for one in PlaceKind} or not number.isdigit() or len(number) > 18:
        raise NotFound(thing="地点", name=place)
    try:
        start, end = _minutes(band_start), _minutes(band_end)
        asked = Asked(
            kind=PlaceKind(kind),
            place_id=int(number),
            category=category.strip(),
            band_start_min=start,
            # An end before the start is on the next day.
            band_end_min=end if end > start else end + 1440,
            weekdays=tuple(sorted(set(weekdays or ()))),
            visits_per_week=visits,
            dwell_min=dwell,
            valid_from=valid_from,
            valid_to=valid_last + timedelta(1),
            reason=reason.strip(),
        )
        row = raise_requirement(
            db,
            caller.community_id,
            asked,
            evidence=_evidence(db, caller, asked, day),
            raised_by=caller.username,
            raised_at=now(request.app.state.settings),
            today=day,
        )
    except NotFound:
        raise
    except DomainError as refusal:
        written = {
            "category": category, "band_start": band_start, "band_end": band_end,
            "weekdays": weekdays or [], "visits": visits, "dwell": dwell,
            "valid_from": valid_from, "valid_last": valid_last, "reason": reason,
        }  # fmt: skip
        return _form(request, db, caller, place, category, values=written, error=refusal)
    record(
        db,
        actor=caller.username,
        action="requirement.raise",
        target=f"requirement:{row.id}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"place": place, "category": row.category, "reason": row.reason},
    )
    return see_other(f"/requirements#r{row.id}")


def _evidence(db: Db, caller: Caller, asked: Asked, day: date) -> dict[str, object]:
    question = last_year(day, category=asked.category)
    found = investigate(db, caller.community_id, question, day)
    for one in found.findings:
        if one.place.kind is asked.kind and one.place.id == asked.place_id:
            return one.as_hot_place(question).evidence()
    return {}


@router.get("/requirements/{requirement_id}")
def one_page(
    request: Request,
    db: Db,
    requirement_id: RequirementId,
    caller: Annotated[Caller, allow(*READERS)],
) -> Response:
    """Show one requirement: what was asked, planned and done, and whether it worked."""
    day = today(request.app.state.settings)
    row = find(db, caller.community_id, requirement_id)
    came = outcome(db, row, day)
    _ = partial(translate, caller.locale)
    rows: list[tuple[str, Against]] = []
    if came.effect is not None and came.other_hours is not None:
        rows = [
            (_("该地点，要求的时段"), came.effect.place),
            (_("周边 %(m)s 米，要求的时段", m=int(RING_M)), came.effect.ring),
            (_("该地点，其他时段"), came.other_hours),
        ]
    return page(
        request,
        caller,
        "requirements/requirement.html",
        r=named(db, caller.community_id, day, requirement_id),
        state=state_of(row.withdrawn, row.valid_from, row.valid_to, day),
        outcome=came,
        sentences=effect_sentences(came, _),
        verdicts=verdict_words(_),
        rows=rows,
        number=number,
        change_words=change_words,
        words=words,
        today=day,
        day_step=timedelta(1),
        may_raise=caller.is_(*RAISERS),
    )


@router.post("/requirements/{requirement_id}/withdraw")
def withdraw_one(
    request: Request,
    db: Db,
    requirement_id: RequirementId,
    caller: Annotated[Caller, allow(*RAISERS)],
) -> Response:
    """Withdraw a requirement: later rosters do without it."""
    row = withdraw(db, caller.community_id, requirement_id)
    record(
        db,
        actor=caller.username,
        action="requirement.withdraw",
        target=f"requirement:{row.id}",
        address=client_address(request),
        community_id=caller.community_id,
    )
    return see_other(f"/requirements#r{row.id}")
