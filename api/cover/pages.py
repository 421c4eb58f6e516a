"""Shifts, patrol types and the usual cover as pages of the team lead."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.accounts import Role
from api.cover.forms import (
    SEAT_ROWS,
    CoverForm,
    Days,
    ShiftForm,
    clock,
    read_type,
)
from api.cover.recording import record_edit
from api.permissions import Caller, allow
from api.rosters.board import FORCES
from api.today import today
from api.web import Db, page, see_other
from grid.errors import DomainError, NotFound
from grid.team import zones_on
from scheduling.cover import (
    cover_of,
    delete_cover,
    delete_shift,
    delete_type,
    find_cover,
    find_shift,
    find_type,
    retire_shift,
    retire_type,
    save_cover,
    save_shift,
    save_type,
    shifts_of,
    types_of,
)
from scheduling.demand import CoverDemand, PatrolType, ShiftTemplate
from scheduling.duties import load_matrix, seats_in_words

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]
Edited = Annotated[int | None, Query(ge=1, le=2**62)]
Said = Annotated[str, Query(max_length=12)]
Ticks = Annotated[list[str] | None, Form(max_length=60)]


# --- Shifts -------------------------------------------------------------------------------------


def _shifts(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    edited: ShiftTemplate | None = None,
    form: ShiftForm | None = None,
    weekdays: list[int] | None = None,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    if form is None and edited is not None:
        form = ShiftForm(edited.name, clock(edited.start_min), clock(edited.end_min))
        weekdays = edited.weekdays
    return page(
        request,
        caller,
        "cover/shifts.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        rows=shifts_of(db, caller.community_id),
        edited=edited,
        form=form or ShiftForm(),
        weekdays=[1, 2, 3, 4, 5, 6, 7] if form is None else weekdays or [],
    )


@router.get("/cover/shifts")
def shifts_page(
    request: Request, db: Db, caller: Lead, edit: Edited = None, said: Said = ""
) -> Response:
    """Show the shifts, and the form for one."""
    edited = find_shift(db, caller.community_id, edit) if edit else None
    return _shifts(request, db, caller, edited=edited, said=said)


def _save_shift(
    request: Request,
    db: Session,
    caller: Caller,
    shift_id: int | None,
    form: ShiftForm,
    weekdays: list[int] | None,
) -> Response:
    edited = find_shift(db, caller.community_id, shift_id) if shift_id else None
    try:
        row, changed = save_shift(db, caller.community_id, form.facts(weekdays), shift_id)
    except DomainError as refusal:
        return _shifts(
            request, db, caller, edited=edited, form=form, weekdays=weekdays, error=refusal
        )
    if changed:
        record_edit(request, db, caller, "shift.save", row.code, changed=changed)
    return see_other("/cover/shifts?said=saved")


@router.post("/cover/shifts")
def enter_shift(
    request: Request,
    db: Db,
    caller: Lead,
    form: Annotated[ShiftForm, Depends()],
    weekday: Days = None,
) -> Response:
    """Enter a shift."""
    return _save_shift(request, db, caller, None, form, weekday)


@router.post("/cover/shifts/{shift_id}")
def change_shift(
    request: Request,
    db: Db,
    caller: Lead,
    shift_id: Key,
    form: Annotated[ShiftForm, Depends()],
    weekday: Days = None,
) -> Response:
    """Change a shift: rosters made afterwards have it, stored ones keep theirs."""
    return _save_shift(request, db, caller, shift_id, form, weekday)


@router.post("/cover/shifts/{shift_id}/{step}")
def step_shift(request: Request, db: Db, caller: Lead, shift_id: Key, step: str) -> Response:
    """Retire a shift, bring it back, or delete one that nothing used."""
    community = caller.community_id
    edited = find_shift(db, community, shift_id)
    if step not in {"retire", "return", "delete"}:
        raise NotFound(thing="步骤", name=step)
    try:
        if step == "delete":
            row = delete_shift(db, community, shift_id)
        else:
            row = retire_shift(db, community, shift_id, active=step == "return")
    except DomainError as refusal:
        return _shifts(request, db, caller, edited=edited, error=refusal)
    record_edit(request, db, caller, f"shift.{step}", row.code, name=row.name)
    return see_other(f"/cover/shifts?said={step}")


# --- Patrol types -------------------------------------------------------------------------------


def _types(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    edited: PatrolType | None = None,
    typed: PatrolType | None = None,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    matrix = load_matrix(db, caller.community_id)
    return page(
        request,
        caller,
        "cover/types.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        rows=[
            (row, matrix.seats(row), matrix.parts(row.duties) if row.duties else {})
            for row in types_of(db, caller.community_id)
        ],
        matrix=matrix,
        edited=edited,
        form=typed or edited or PatrolType(name="", enforcement=False, composition=[], duties=[]),
        seat_rows=range(SEAT_ROWS),
        in_words=seats_in_words,
        FORCES=FORCES,
    )


@router.get("/cover/types")
def types_page(
    request: Request, db: Db, caller: Lead, edit: Edited = None, said: Said = ""
) -> Response:
    """Show the patrol types with what the duty matrix makes of them, and the form for one."""
    edited = find_type(db, caller.community_id, edit) if edit else None
    return _types(request, db, caller, edited=edited, said=said)


def _save_type(
    request: Request,
    db: Session,
    caller: Caller,
    type_id: int | None,
    name: str,
    *,
    enforcement: bool,
    seats: list[str],
    flags: list[str],
    duties: list[str],
) -> Response:
    edited = find_type(db, caller.community_id, type_id) if type_id else None
    facts = read_type(name, enforcement=enforcement, seats=seats, flags=flags, duties=duties)
    try:
        row, changed = save_type(db, caller.community_id, facts, type_id)
    except DomainError as refusal:
        typed = PatrolType(
            name=facts.name,
            enforcement=facts.enforcement,
            composition=[dict(seat) for seat in facts.composition],
            duties=list(facts.duties),
        )
        return _types(request, db, caller, edited=edited, typed=typed, error=refusal)
    if changed:
        record_edit(request, db, caller, "patrol_type.save", row.code, changed=changed)
    return see_other("/cover/types?said=saved")


@router.post("/cover/types")
def enter_type(
    request: Request,
    db: Db,
    caller: Lead,
    name: Annotated[str, Form(max_length=40)] = "",
    enforcement: Annotated[bool, Form()] = False,
    seat: Ticks = None,
    flag: Ticks = None,
    duty: Ticks = None,
) -> Response:
    """Enter a patrol type."""
    return _save_type(
        request, db, caller, None, name,
        enforcement=enforcement, seats=seat or [], flags=flag or [], duties=duty or [],
    )  # fmt: skip


@router.post("/cover/types/{type_id}")
def change_type(
    request: Request,
    db: Db,
    caller: Lead,
    type_id: Key,
    name: Annotated[str, Form(max_length=40)] = "",
    enforcement: Annotated[bool, Form()] = False,
    seat: Ticks = None,
    flag: Ticks = None,
    duty: Ticks = None,
) -> Response:
    """Change a patrol type: rosters made afterwards have it, stored ones keep theirs."""
    return _save_type(
        request, db, caller, type_id, name,
        enforcement=enforcement, seats=seat or [], flags=flag or [], duties=duty or [],
    )  # fmt: skip


@router.post("/cover/types/{type_id}/{step}")
def step_type(request: Request, db: Db, caller: Lead, type_id: Key, step: str) -> Response:
    """Retire a patrol type, bring it back, or delete one that nothing used."""
    community = caller.community_id
    edited = find_type(db, community, type_id)
    if step not in {"retire", "return", "delete"}:
        raise NotFound(thing="步骤", name=step)
    try:
        if step == "delete":
            row = delete_type(db, community, type_id)
        else:
            day = today(request.app.state.settings)
            row = retire_type(db, community, type_id, active=step == "return", today=day)
    except DomainError as refusal:
        return _types(request, db, caller, edited=edited, error=refusal)
    record_edit(request, db, caller, f"patrol_type.{step}", row.code, name=row.name)
    return see_other(f"/cover/types?said={step}")


# --- Cover --------------------------------------------------------------------------------------


def _cover(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    edited: CoverDemand | None = None,
    form: CoverForm | None = None,
    weekdays: list[int] | None = None,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    day = today(request.app.state.settings)
    if form is None and edited is not None:
        values = (
            edited.zone_id, edited.shift_template_id, edited.patrol_type_id,
            edited.minimum, edited.ideal, edited.importance,
        )  # fmt: skip
        form, weekdays = CoverForm(*map(str, values)), edited.weekdays
    rows = cover_of(db, caller.community_id, day)
    held = [(c, s) for c, _, s, t in rows if s.active and t.active]
    return page(
        request,
        caller,
        "cover/cover.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        rows=rows,
        least=sum(c.minimum * len(set(c.weekdays) & set(s.weekdays)) for c, s in held),
        ideal=sum(c.ideal * len(set(c.weekdays) & set(s.weekdays)) for c, s in held),
        edited=edited,
        form=form or CoverForm(),
        weekdays=[1, 2, 3, 4, 5, 6, 7] if form is None else weekdays or [],
        zones=zones_on(db, caller.community_id, day),
        shifts=[s for s in shifts_of(db, caller.community_id) if s.active],
        types=[t for t in types_of(db, caller.community_id) if t.active],
    )


@router.get("/cover")
def cover_page(
    request: Request, db: Db, caller: Lead, edit: Edited = None, said: Said = ""
) -> Response:
    """Show the usual cover zone by zone, and the form for one row."""
    edited = find_cover(db, caller.community_id, edit) if edit else None
    return _cover(request, db, caller, edited=edited, said=said)


def _save_cover(
    request: Request,
    db: Session,
    caller: Caller,
    cover_id: int | None,
    form: CoverForm,
    weekdays: list[int] | None,
) -> Response:
    edited = find_cover(db, caller.community_id, cover_id) if cover_id else None
    try:
        row, changed = save_cover(db, caller.community_id, form.facts(weekdays), cover_id)
    except DomainError as refusal:
        return _cover(
            request, db, caller, edited=edited, form=form, weekdays=weekdays, error=refusal
        )
    if changed:
        record_edit(request, db, caller, "cover.save", str(row.id), changed=changed)
    return see_other("/cover?said=saved")


@router.post("/cover")
def enter_cover(
    request: Request,
    db: Db,
    caller: Lead,
    form: Annotated[CoverForm, Depends()],
    weekday: Days = None,
) -> Response:
    """Enter a cover demand."""
    return _save_cover(request, db, caller, None, form, weekday)


@router.post("/cover/demands/{cover_id}")
def change_cover(
    request: Request,
    db: Db,
    caller: Lead,
    cover_id: Key,
    form: Annotated[CoverForm, Depends()],
    weekday: Days = None,
) -> Response:
    """Change a cover demand."""
    return _save_cover(request, db, caller, cover_id, form, weekday)


@router.post("/cover/demands/{cover_id}/delete")
def drop_cover(request: Request, db: Db, caller: Lead, cover_id: Key) -> Response:
    """Delete a cover demand."""
    row = find_cover(db, caller.community_id, cover_id)
    facts = {
        key: getattr(row, key)
        for key in (
            "zone_id",
            "shift_template_id",
            "patrol_type_id",
            "weekdays",
            "minimum",
            "ideal",
        )
    }
    delete_cover(db, caller.community_id, cover_id)
    record_edit(request, db, caller, "cover.delete", str(cover_id), was=facts)
    return see_other("/cover?said=delete")
