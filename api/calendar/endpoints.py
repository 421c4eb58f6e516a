"""The working calendar for programs."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api.accounts import Role
from api.permissions import Caller, allow
from api.web import Db
from grid.working_calendar import days_between

router = APIRouter()


class DayOut(BaseModel):
    """A day that is known; one of an unknown year is not listed."""

    day: date
    kind: str
    name: str | None
    source: str
    """chinesecalendar, edited, or assumed (only follows its weekday)."""


@router.get("/calendar/{year}")
def list_days(
    db: Db,
    caller: Annotated[
        Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR, Role.SERVICE)
    ],
    year: Annotated[int, Path(ge=1, le=2100)],
) -> list[DayOut]:
    """Return the known days of a year; none where the year is unknown."""
    found = days_between(db, date(year, 1, 1), date(year, 12, 31))
    return [DayOut.model_validate(found[day], from_attributes=True) for day in sorted(found)]
