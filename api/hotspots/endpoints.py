"""Hotspots for programs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.accounts import Role
from api.hotspots.asked import Asked
from api.hotspots.findings import investigate
from api.hotspots.schemas import HotspotsOut
from api.permissions import Caller, allow
from api.today import today
from api.web import Db

router = APIRouter()


@router.get("/hotspots")
def read_hotspots(
    request: Request,
    db: Db,
    caller: Annotated[
        Caller, allow(Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR, Role.SERVICE)
    ],
    question: Asked,
    hot_only: bool = True,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=500)] = 100,
) -> HotspotsOut:
    """Return headline figures, hours, and the places with n ≥ 5, hot ones first."""
    found = investigate(db, caller.community_id, question, today(request.app.state.settings))
    return HotspotsOut.of(found, hot_only, page, per_page)
