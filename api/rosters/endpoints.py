"""Rosters for programs: list, read, compare, check, generate, and the steps of a version."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import func, select

from api.accounts import Role
from api.permissions import Caller, allow
from api.rosters.generate import ask_for_roster
from api.rosters.pages import REVIEWING, VersionId, change_state, readable
from api.rosters.schemas import (
    GenerateIn,
    JobAsked,
    VersionList,
    VersionOut,
    VersionWithPlan,
)
from api.web import Db
from scheduling.core.check import Report
from scheduling.core.problem import RosterProblem
from scheduling.differences import Differences, OtherWeek, differences
from scheduling.rosters import RosterVersion
from scheduling.versions import report_of, sent
from scheduling.week import plan_of, problem_of

router = APIRouter()

READERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR, Role.SERVICE)
Reader = Annotated[Caller, allow(*READERS)]
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Reviewer = Annotated[Caller, allow(*REVIEWING)]


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
        where.append(sent())
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


@router.get("/rosters/{version_id}/compare")
def compare_versions(
    db: Db,
    caller: Reader,
    version_id: VersionId,
    other: Annotated[int, Query(alias="with", ge=1, le=2**63 - 1)],
) -> Differences:
    """Return what differs between two versions of a week, from the first to ``with``."""
    before, after = readable(db, caller, version_id), readable(db, caller, other)
    if before.week_start != after.week_start:
        raise OtherWeek(number=after.number, week=after.week_start.isoformat())
    return differences((problem_of(before), plan_of(before)), (problem_of(after), plan_of(after)))


@router.post("/rosters/{version_id}/submit")
def submit_version(request: Request, db: Db, caller: Lead, version_id: VersionId) -> VersionOut:
    """Send a draft for review: from now on the street office reads it."""
    return VersionOut.model_validate(change_state(request, db, caller, version_id, "submit"))


@router.post("/rosters/{version_id}/review")
def review_version(
    request: Request,
    db: Db,
    caller: Reviewer,
    version_id: VersionId,
    seen: Annotated[str, Query(max_length=32)] = "",
) -> VersionOut:
    """Mark a draft as reviewed, by somebody who neither made nor edited it."""
    return VersionOut.model_validate(
        change_state(request, db, caller, version_id, "review", seen=seen)
    )


@router.post("/rosters/{version_id}/send-back")
def send_back_version(
    request: Request, db: Db, caller: Reviewer, version_id: VersionId
) -> VersionOut:
    """Take a sent or reviewed version back to a draft."""
    return VersionOut.model_validate(change_state(request, db, caller, version_id, "send-back"))


@router.post("/rosters/{version_id}/publish")
def publish_version(request: Request, db: Db, caller: Lead, version_id: VersionId) -> VersionOut:
    """Publish a reviewed version; the week's published one goes back to reviewed."""
    return VersionOut.model_validate(change_state(request, db, caller, version_id, "publish"))


@router.post("/rosters/{version_id}/withdraw")
def withdraw_version(request: Request, db: Db, caller: Lead, version_id: VersionId) -> VersionOut:
    """Take a published version back to reviewed, while none of its patrols has begun."""
    return VersionOut.model_validate(change_state(request, db, caller, version_id, "withdraw"))


@router.post("/rosters/{version_id}/lock")
def lock_version(request: Request, db: Db, caller: Lead, version_id: VersionId) -> VersionOut:
    """Lock a published version for good."""
    return VersionOut.model_validate(change_state(request, db, caller, version_id, "lock"))
