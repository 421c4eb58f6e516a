"""Shifts, patrol types and cover for programs."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from api.accounts import Role
from api.cover.recording import record_edit
from api.permissions import Caller, allow
from api.today import today
from api.web import Db
from scheduling.cover import (
    CoverFacts,
    ShiftFacts,
    cover_of,
    save_cover,
    save_shift,
    shifts_of,
    types_of,
)
from scheduling.demand import ShiftTemplate
from scheduling.duties import load_matrix

router = APIRouter()

Reader = Annotated[Caller, allow(Role.TEAM_LEAD, Role.SERVICE)]
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
"""A whole number that the database holds; whether it makes sense is said in a sentence."""


class ShiftIn(BaseModel):
    """What is said of a shift."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=40)
    start_min: Whole = Field(description="minutes from midnight")
    end_min: Whole = Field(description="past 1440 is the next day")
    weekdays: list[int] = Field(default=[1, 2, 3, 4, 5, 6, 7], max_length=7)

    def facts(self) -> ShiftFacts:
        """Return the facts."""
        return ShiftFacts(**self.model_dump() | {"weekdays": tuple(self.weekdays)})


class ShiftOut(BaseModel):
    """A shift."""

    id: int
    code: str
    name: str
    start_min: int
    end_min: int
    weekdays: list[int]
    active: bool


class TypeOut(BaseModel):
    """A patrol type, with the seats the duty matrix gives it."""

    id: int
    code: str
    name: str
    enforcement: bool
    duties: list[str]
    seats: list[dict[str, object]]
    active: bool


class CoverIn(BaseModel):
    """What is said of the usual cover of a zone in a shift."""

    model_config = ConfigDict(extra="forbid")

    zone_id: int = Field(ge=1, le=2**62)
    shift_template_id: int = Field(ge=1, le=2**62)
    patrol_type_id: int = Field(ge=1, le=2**62)
    weekdays: list[int] = Field(max_length=7)
    minimum: Whole = 1
    ideal: Whole = 1
    importance: Whole = 5


class CoverOut(CoverIn):
    """A cover demand."""

    id: int
    zone: str
    shift: str
    type: str


def _shift_out(row: ShiftTemplate) -> ShiftOut:
    return ShiftOut.model_validate(row, from_attributes=True)


@router.get("/shifts")
def list_shifts(db: Db, caller: Reader) -> list[ShiftOut]:
    """Return the shifts, those in use first."""
    return [_shift_out(row) for row in shifts_of(db, caller.community_id)]


@router.post("/shifts", status_code=201)
def enter_shift(request: Request, db: Db, caller: Lead, given: ShiftIn) -> ShiftOut:
    """Enter a shift."""
    row, changed = save_shift(db, caller.community_id, given.facts())
    record_edit(request, db, caller, "shift.save", row.code, changed=changed)
    return _shift_out(row)


@router.put("/shifts/{shift_id}")
def change_shift(request: Request, db: Db, caller: Lead, shift_id: Key, given: ShiftIn) -> ShiftOut:
    """Change a shift; stored rosters keep theirs."""
    row, changed = save_shift(db, caller.community_id, given.facts(), shift_id)
    if changed:
        record_edit(request, db, caller, "shift.save", row.code, changed=changed)
    return _shift_out(row)


@router.get("/patrol-types")
def list_types(db: Db, caller: Reader) -> list[TypeOut]:
    """Return the patrol types as the next roster seats them."""
    matrix = load_matrix(db, caller.community_id)
    return [
        TypeOut(
            id=row.id,
            code=row.code,
            name=row.name,
            enforcement=row.enforcement,
            duties=row.duties,
            seats=[
                {
                    "forces": list(s.forces),
                    "leader": s.leader,
                    "qualifications": list(s.qualifications),
                    "required": s.required,
                }
                for s in matrix.seats(row)
            ],
            active=row.active,
        )
        for row in types_of(db, caller.community_id)
    ]


@router.get("/cover")
def list_cover(request: Request, db: Db, caller: Reader) -> list[CoverOut]:
    """Return the usual cover, zone by zone."""
    rows = cover_of(db, caller.community_id, today(request.app.state.settings))
    return [
        CoverOut(
            **{name: getattr(row, name) for name in CoverIn.model_fields},
            id=row.id,
            zone=zone.name,
            shift=shift.name,
            type=kind.name,
        )
        for row, zone, shift, kind in rows
    ]


@router.post("/cover", status_code=201)
def enter_cover(request: Request, db: Db, caller: Lead, given: CoverIn) -> dict[str, int]:
    """Enter a cover demand."""
    facts = CoverFacts(**given.model_dump() | {"weekdays": tuple(given.weekdays)})
    row, changed = save_cover(db, caller.community_id, facts)
    record_edit(request, db, caller, "cover.save", str(row.id), changed=changed)
    return {"id": row.id}
