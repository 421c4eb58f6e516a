"""Rosters for programs: list, read, generate, review, publish, lock, check."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import func, select

from api.accounts import Role
from api.permissions import Caller, allow
from api.rosters.generate import ask_for_roster
from api.rosters.pages import PUBLIC, VersionId, change_state, readable
from api.rosters.schemas import (
    GenerateIn,
    JobAsked,
    VersionList,
    VersionOut,
    VersionWithPlan,
)
from api.sign_in.pages import client_address
from api.web import Db
from scheduling.core.check import Report
from scheduling.core.problem import RosterProblem
from scheduling.rosters import RosterVersion
from scheduling.versions import report_of
from scheduling.week import problem_of

router = APIRouter()

READERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR, Role.SERVICE)
Reader = Annotated[Caller, allow(*READERS)]
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]


@router.get("/rosters")
def list_versions(
    db: Db,
    caller: Reader,
    week_start: date | None = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=200)] = 50,
) -> VersionList:
    """Return a page of roster versions, the newest week and version first."""
    where = [RosterVersion.community_id == caller.community_id]
    if week_start is not None:
        where.append(RosterVersion.week_start == week_start)
    if caller.is_(Role.STREET_OFFICE):
        where.append(RosterVersion.state.in_(PUBLIC))
    total = db.scalar(select(func.count()).select_from(RosterVersion).where(*where)) or 0
    rows = db.scalars(
        select(RosterVersion)
        .where(*where)
        .order_by(RosterVersion.week_start.desc(), RosterVersion.number.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    return VersionList(
        items=[VersionOut.model_validate(row) for row in rows],
        total=total,
        page=page,
        pages=max(1, -(-total // per_page)),
        per_page=per_page,
    )


@router.get("/rosters/{version_id}")
def read_version(db: Db, caller: Reader, version_id: VersionId) -> VersionWithPlan:
    """Return one version with its plan."""
    return VersionWithPlan.model_validate(readable(db, caller, version_id))


@router.get("/rosters/{version_id}/problem")
def read_problem(db: Db, caller: Reader, version_id: VersionId) -> RosterProblem:
    """Return the problem a version answers."""
    return problem_of(readable(db, caller, version_id))


@router.get("/rosters/{version_id}/check")
def check_version(db: Db, caller: Reader, version_id: VersionId) -> Report:
    """Check a version anew, independently of the search that made it."""
    return report_of(readable(db, caller, version_id))


@router.post("/rosters", status_code=202)
def generate(
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.SERVICE)],
    wanted: GenerateIn,
) -> JobAsked:
    """Ask for a week's roster; a job under way for the week is returned as it is."""
    return JobAsked(
        job=ask_for_roster(
            db, caller.community_id, wanted.week_start, by=caller.username, seed=wanted.seed
        )
    )


@router.post("/rosters/{version_id}/review")
def review_version(request: Request, db: Db, caller: Lead, version_id: VersionId) -> VersionOut:
    """Mark a draft as reviewed."""
    return VersionOut.model_validate(
        change_state(db, caller, version_id, "review", client_address(request))
    )


@router.post("/rosters/{version_id}/publish")
def publish_version(request: Request, db: Db, caller: Lead, version_id: VersionId) -> VersionOut:
    """Publish a reviewed version; the week's published one goes back to reviewed."""
    return VersionOut.model_validate(
        change_state(db, caller, version_id, "publish", client_address(request))
    )


@router.post("/rosters/{version_id}/lock")
def lock_version(request: Request, db: Db, caller: Lead, version_id: VersionId) -> VersionOut:
    """Lock a published version for good."""
    return VersionOut.model_validate(
        change_state(db, caller, version_id, "lock", client_address(request))
    )
