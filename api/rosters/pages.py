"""The week's roster as a page, its versions side by side, and everything it goes out as."""

from collections.abc import Sequence
from datetime import date, timedelta
from tempfile import SpooledTemporaryFile
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response

from api.accounts import Role
from api.audit import record
from api.permissions import Caller, allow
from api.rosters.board import FORCES, LEVELS, STATES, Board
from api.rosters.generate import ask_for_roster, plan_routes_of
from api.rosters.paper import Paper
from api.rosters.reviewing import reviewers, signatures, waiting_for
from api.rosters.text import RosterText
from api.sign_in.pages import client_address
from api.today import next_monday, now, this_monday, today
from api.web import Db, page, see_other
from grid.errors import DomainError, NotFound
from scheduling.conflicts import conflicts, refuse_told_since
from scheduling.differences import OtherWeek, differences
from scheduling.publish import (
    authors_of,
    lock,
    mark_of,
    publish,
    review,
    send_back,
    submit,
    withdraw,
)
from scheduling.rosters import RosterState, RosterVersion
from scheduling.versions import find_version, shown_first, versions_of
from scheduling.week import NotAWeek, as_monday, plan_of, problem_of

router = APIRouter()

READERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR)
REVIEWING = (Role.TEAM_LEAD, Role.STREET_OFFICE)
LEAD_STEPS = {"submit", "publish", "withdraw", "lock"}
VersionId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Reader = Annotated[Caller, allow(*READERS)]
Reviewer = Annotated[Caller, allow(*REVIEWING)]
Seen = Annotated[str, Form(max_length=32)]


def readable(db: Db, caller: Caller, version_id: int) -> RosterVersion:
    """Return a version the caller may read: a draft of the lead's is nobody's until it is sent."""
    version = find_version(db, caller.community_id, version_id)
    working = version.state == RosterState.DRAFT and version.submitted_at is None
    if caller.is_(Role.STREET_OFFICE) and working:
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
        db, caller.community_id, monday, sent_only=caller.is_(Role.STREET_OFFICE)
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
        signed=signatures(db, chosen) if chosen else None,
        own=chosen is not None and caller.username in authors_of(db, chosen),
        seen=mark_of(chosen) if chosen else "",
        reviewers=reviewers(db, caller.community_id, chosen) if chosen else [],
        waiting=waiting_for(db, caller, day) if caller.is_(*REVIEWING) else [],
        broken=_broken(db, caller, chosen, day),
        FORCES=FORCES,
        LEVELS=LEVELS,
        STATES=STATES,
    )


def _broken(db: Db, caller: Caller, version: RosterVersion | None, day: date) -> int:
    """Count what of a published version does not hold any more: leave told since, leavers."""
    if version is None or not caller.is_(Role.TEAM_LEAD) or version.state != RosterState.PUBLISHED:
        return 0
    return sum(c.version_id == version.id for c in conflicts(db, caller.community_id, day))


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


@router.post("/rosters/{version_id}/review")
def review_step(
    request: Request, db: Db, caller: Reviewer, version_id: VersionId, seen: Seen = ""
) -> Response:
    """Review a version as somebody who neither made nor edited it."""
    return _step(request, db, caller, version_id, "review", seen=seen)


@router.post("/rosters/{version_id}/send-back")
def send_back_step(request: Request, db: Db, caller: Reviewer, version_id: VersionId) -> Response:
    """Take a sent or reviewed version back to a draft."""
    return _step(request, db, caller, version_id, "send-back")


@router.post("/rosters/{version_id}/{step}")
def take_step(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD)],
    version_id: VersionId,
    step: str,
) -> Response:
    """Send for review, publish, withdraw or lock a version."""
    if step not in LEAD_STEPS:
        raise NotFound(thing="步骤", name=step)
    return _step(request, db, caller, version_id, step)


def _step(
    request: Request, db: Db, caller: Caller, version_id: int, step: str, *, seen: str = ""
) -> Response:
    week = readable(db, caller, version_id).week_start
    try:
        with db.begin_nested():
            done = change_state(request, db, caller, version_id, step, seen=seen)
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _week_page(request, db, caller, week, version_id, error=refusal)
    shown = f"&version={done.id}"
    if caller.is_(Role.STREET_OFFICE) and step == "send-back":
        shown = ""  # it is the lead's own again
    return see_other(f"/rosters?week={week.isoformat()}{shown}")


def change_state(
    request: Request, db: Db, caller: Caller, version_id: int, step: str, *, seen: str = ""
) -> RosterVersion:
    """Take one step of a version's life and record it. Raises NotFound or a conflict."""
    community_id = readable(db, caller, version_id).community_id
    by, moment = caller.username, now(request.app.state.settings)
    if step in {"submit", "review", "publish"}:
        refuse_told_since(db, community_id, version_id, today(request.app.state.settings))
    if step == "submit":
        version = submit(db, community_id, version_id, by=by, now=moment)
    elif step == "review":
        version = review(db, community_id, version_id, by=by, seen=seen)
    elif step == "send-back":
        version = send_back(db, community_id, version_id)
    elif step == "publish":
        version = publish(db, community_id, version_id, by=by)
        plan_routes_of(db, version, by=by)
    elif step == "withdraw":
        version = withdraw(db, community_id, version_id, now=moment)
    else:
        version = lock(db, community_id, version_id)
    record(
        db,
        actor=by,
        action=f"roster.{step}",
        target=f"{version.week_start.isoformat()} #{version.number}",
        address=client_address(request),
        community_id=community_id,
        details={"version": version.id, "author": version.created_by},
    )
    return version


@router.get("/rosters/{version_id}/compare")
def compare_page(
    request: Request,
    db: Db,
    caller: Reader,
    version_id: VersionId,
    other: Annotated[int | None, Query(alias="with", ge=1, le=2**63 - 1)] = None,
) -> Response:
    """Lay two versions of a week side by side: who gained or lost what, and the figures."""
    version = readable(db, caller, version_id)
    versions = versions_of(
        db, caller.community_id, version.week_start, sent_only=caller.is_(Role.STREET_OFFICE)
    )
    if other:
        beside: RosterVersion | None = readable(db, caller, other)
    else:
        # Nothing was said but "compare": from what it came from to what it is.
        beside = _other_version(versions, version)
        version, beside = (beside, version) if beside else (version, None)
    if beside is not None and beside.week_start != version.week_start:
        raise OtherWeek(number=beside.number, week=beside.week_start.isoformat())
    found = (
        differences((problem_of(version), plan_of(version)), (problem_of(beside), plan_of(beside)))
        if beside
        else None
    )
    return page(
        request,
        caller,
        "rosters/compare.html",
        version=version,
        beside=beside,
        versions=versions,
        found=found,
        iso=version.week_start.isocalendar(),
        FORCES=FORCES,
        LEVELS=LEVELS,
        STATES=STATES,
    )


def _other_version(
    versions: Sequence[RosterVersion], version: RosterVersion
) -> RosterVersion | None:
    """Return what a version is compared with unless said: where it came from, else its neighbour."""
    others = [v for v in versions if v.id != version.id]
    source = [v for v in others if v.id == version.made_from_id]
    before = [v for v in others if v.number < version.number]
    return next(iter((*source, *before, *reversed(others))), None)


@router.get("/rosters/{version_id}/excel")
def roster_excel(request: Request, db: Db, caller: Reader, version_id: VersionId) -> Response:
    """Return the 排班表 as a workbook; the export is recorded."""
    from api.rosters.excel import roster_workbook

    version = readable(db, caller, version_id)
    with SpooledTemporaryFile() as file:
        roster_workbook(db, version).save(file)
        file.seek(0)
        content = file.read()
    _record_export(request, db, caller, version, "xlsx")
    return Response(
        content,
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers=_named(db, version, "xlsx", "attachment"),
    )


@router.get("/rosters/{version_id}/pdf")
def roster_pdf_file(request: Request, db: Db, caller: Reader, version_id: VersionId) -> Response:
    """Return the 排班表 as PDF, opened in the browser; the export is recorded."""
    # Laying out pages takes two seconds to import: only whoever wants a PDF pays for it.
    from api.rosters.pdf import roster_pdf

    version = readable(db, caller, version_id)
    content = roster_pdf(db, version)
    _record_export(request, db, caller, version, "pdf")
    return Response(
        content,
        media_type="application/pdf",
        headers=_named(db, version, "pdf", "inline")
        | {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


@router.get("/rosters/{version_id}/text")
def text_page(request: Request, db: Db, caller: Reader, version_id: VersionId) -> Response:
    """Show the roster as text to copy into the group chat, by day and as a whole."""
    version = readable(db, caller, version_id)
    words = RosterText(db, version)
    days = [version.week_start + timedelta(days=n) for n in range(len(words.board.problem.days))]
    return page(
        request,
        caller,
        "rosters/text.html",
        version=version,
        STATES=STATES,
        week=words.week(),
        days=[(n, day, words.day(n)) for n, day in enumerate(days)],
        today=today(request.app.state.settings),
    )


@router.get("/rosters/{version_id}/text.txt")
def plain_text(
    db: Db,
    caller: Reader,
    version_id: VersionId,
    day: Annotated[int | None, Query(ge=0, le=6)] = None,
) -> Response:
    """Return the text of the week, or of one of its days (0 is Monday), and nothing else."""
    words = RosterText(db, readable(db, caller, version_id))
    return PlainTextResponse(words.week() if day is None else words.day(day))


def _named(db: Db, version: RosterVersion, ending: str, how: str) -> dict[str, str]:
    name = quote(Paper(db, version).file_name(ending))
    return {"content-disposition": f"{how}; filename*=UTF-8''{name}"}


def _record_export(
    request: Request, db: Db, caller: Caller, version: RosterVersion, form: str
) -> None:
    record(
        db,
        actor=caller.username,
        action="roster.export",
        target=f"{version.week_start.isoformat()} #{version.number}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"form": form},
    )
