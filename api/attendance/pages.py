"""The page of a week's patrols, planned against done."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.accounts import Role
from api.permissions import Caller, allow
from api.today import now, this_monday, today
from api.web import Db, page
from scheduling.attendance import week_done

router = APIRouter()


@router.get("/attendance")
def attendance_page(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE)],
    week: date | None = None,
) -> Response:
    """Show a week by zone; by member only to the team lead."""
    settings = request.app.state.settings
    monday = this_monday(min(max(week or today(settings), date(2000, 1, 3)), date(2100, 1, 1)))
    found = week_done(db, caller.community_id, monday, now(settings))
    if found and caller.role is not Role.TEAM_LEAD:
        found.members = []
    return page(
        request,
        caller,
        "attendance/week.html",
        monday=monday,
        before=monday - timedelta(7),
        after=monday + timedelta(7),
        done=found,
    )
