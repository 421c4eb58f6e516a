"""The week's roster as a page: the table, what is short, how fair it is, and its versions."""

from datetime import date, timedelta
from tempfile import SpooledTemporaryFile
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response

from api.accounts import Role
from api.audit import record
from api.permissions import Caller, allow
from api.rosters.board import FORCES, LEVELS, STATES, Board
from api.rosters.excel import roster_workbook
from api.rosters.generate import ask_for_roster, plan_routes_of
from api.sign_in.pages import client_address
from api.today import next_monday, this_monday, today
from api.web import Db, page, see_other
from grid.errors import DomainError, NotFound
from scheduling.publish import lock, publish, review
from scheduling.rosters import RosterState, RosterVersion
from scheduling.versions import find_version, shown_first, versions_of
from scheduling.week import NotAWeek, as_monday, plan_of, problem_of

router = APIRouter()

READERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR)
VersionId = Annotated[int, Path(ge=1, le=2**63 - 1)]
PUBLIC = {RosterState.PUBLISHED, RosterState.LOCKED}


def readable(db: Db, caller: Caller, version_id: int) -> RosterVersion:
    """Return a version the caller may read: the street office reads what is published."""
    version = find_version(db, caller.community_id, version_id)
    if caller.is_(Role.STREET_OFFICE) and version.state not in PUBLIC:
        raise NotFound(thing="排班表", name=version_id)
    return version


@router.get("/rosters")
def week_page(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*READERS)],
    week: str | None = None,
    version: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Show one version of a week: the one named, else the published, else the newest."""
    day = today(request.app.state.settings)
    try:
        monday = _week(week, day)
    except NotAWeek as refusal:
        return _week_page(request, db, caller, this_monday(day), None, error=refusal)
    return _week_page(request, db, caller, monday, version)


def _week(given: str | None, day: date) -> date:
    if not given:
        return this_monday(day)
    try:
        found = date.fromisoformat(given)
    except ValueError as error:
        raise NotAWeek(value=given) from error
    # Any day names its week: a date picker lets people choose whichever they like.
    return as_monday(this_monday(found))


def _week_page(
    request: Request,
    db: Db,
    caller: Caller,
    monday: date,
    version_id: int | None,
    *,
    error: DomainError | None = None,
) -> Response:
    versions = versions_of(
        db, caller.community_id, monday, published_only=caller.is_(Role.STREET_OFFICE)
    )
    chosen = readable(db, caller, version_id) if version_id else shown_first(versions)
    day = today(request.app.state.settings)
    board = Board(problem_of(chosen), plan_of(chosen)) if chosen else None
    return page(
        request,
        caller,
        "rosters/week.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        monday=monday,
        sunday=monday + timedelta(days=6),
        iso=monday.isocalendar(),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        this_week=this_monday(day),
        next_week=next_monday(day),
        versions=versions,
        version=chosen,
        board=board,
        FORCES=FORCES,
        LEVELS=LEVELS,
        STATES=STATES,
    )


@router.post("/rosters/generate")
def generate_roster(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD)],
    week: Annotated[str, Form(max_length=10)],
) -> Response:
    """Ask for a week's roster and go to its live progress."""
    day = today(request.app.state.settings)
    try:
        run_id = ask_for_roster(db, caller.community_id, _week(week, day), by=caller.username)
    except NotAWeek as refusal:
        return _week_page(request, db, caller, this_monday(day), None, error=refusal)
    except DomainError as refusal:
        return _week_page(request, db, caller, _week(week, day), None, error=refusal)
    return see_other(f"/jobs/{run_id}")


@router.post("/rosters/{version_id}/{step}")
def take_step(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD)],
    version_id: VersionId,
    step: str,
) -> Response:
    """Review, publish or lock a version."""
    version = find_version(db, caller.community_id, version_id)
    try:
        done = change_state(db, caller, version_id, step, client_address(request))
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _week_page(request, db, caller, version.week_start, version_id, error=refusal)
    return see_other(f"/rosters?week={done.week_start.isoformat()}&version={done.id}")


def change_state(db: Db, caller: Caller, version_id: int, step: str, address: str) -> RosterVersion:
    """Take one step of a version's life and record it. Raises NotFound or a conflict."""
    if step == "review":
        version = review(db, caller.community_id, version_id, by=caller.username)
    elif step == "publish":
        version = publish(db, caller.community_id, version_id, by=caller.username)
        plan_routes_of(db, version, by=caller.username)
    elif step == "lock":
        version = lock(db, caller.community_id, version_id)
    else:
        raise NotFound(thing="步骤", name=step)
    record(
        db,
        actor=caller.username,
        action=f"roster.{step}",
        target=f"{version.week_start.isoformat()} #{version.number}",
        address=address,
        community_id=caller.community_id,
        details={"version": version.id, "own_draft": version.created_by == caller.username},
    )
    return version


@router.get("/rosters/{version_id}/excel")
def roster_excel(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*READERS)],
    version_id: VersionId,
) -> Response:
    """Return the 排班表 as a workbook; the export is recorded."""
    version = readable(db, caller, version_id)
    with SpooledTemporaryFile() as file:
        roster_workbook(db, version).save(file)
        file.seek(0)
        content = file.read()
    record(
        db,
        actor=caller.username,
        action="roster.export",
        target=f"{version.week_start.isoformat()} #{version.number}",
        address=client_address(request),
        community_id=caller.community_id,
    )
    year, week, _ = version.week_start.isocalendar()
    name = f"排班表-{year}年第{week}周.xlsx"
    return Response(
        content,
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"},
    )
