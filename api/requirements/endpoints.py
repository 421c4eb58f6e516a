"""Patrol requirements for programs."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.accounts import Role
from api.permissions import Caller, allow
from api.requirements.pages import state_of
from api.today import today
from api.web import Db
from scheduling.requirements import listed

router = APIRouter()


class RequirementOut(BaseModel):
    """A patrol requirement and what it was raised on."""

    id: int
    place: str
    building_id: int | None
    key_place_id: int | None
    cell_id: int | None
    zone_id: int
    zone: str
    category: str | None
    band_start_min: int = Field(description="minutes from midnight")
    band_end_min: int = Field(description="past 1440 is the next day")
    weekdays: list[int] = Field(description="ISO weekdays, 1 = Monday")
    visits_per_week: int
    dwell_min: int
    valid_from: date
    valid_to: date = Field(description="the first day on which it no longer holds")
    reason: str
    evidence: dict[str, object]
    raised_by: str
    raised_at: datetime
    state: str = Field(description="upcoming, active, ended, withdrawn")


class RequirementsOut(BaseModel):
    """One page of requirements."""

    items: list[RequirementOut]
    total: int
    page: int
    pages: int


@router.get("/requirements")
def read_requirements(
    request: Request,
    db: Db,
    caller: Annotated[
        Caller, allow(Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR, Role.SERVICE)
    ],
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RequirementsOut:
    """Return requirements, those that hold first."""
    day = today(request.app.state.settings)
    rows = listed(db, caller.community_id, day)
    shown = rows[(page - 1) * per_page : page * per_page]
    return RequirementsOut(
        items=[
            RequirementOut(
                **{
                    name: row._mapping[name]
                    for name in RequirementOut.model_fields
                    if name != "state"
                },
                state=state_of(row.withdrawn, row.valid_from, row.valid_to, day),
            )
            for row in shown
        ],
        total=len(rows),
        page=page,
        pages=max(1, -(-len(rows) // per_page)),
    )
