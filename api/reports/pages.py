"""The reports' pages: a week's or a month's report to read, its pictures, and its Word file."""

from datetime import date, timedelta
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.permissions import Caller, allow
from api.reports.charts import hours_chart, map_chart, weeks_chart
from api.reports.digest import digests
from api.reports.figures import Kind, Report, collect
from api.reports.sections import period, sections, title
from api.reports.word import report_docx
from api.sign_in.pages import client_address
from api.today import today
from api.web import Db, page
from grid.basemap import load_basemap
from grid.errors import DomainError
from grid.incident_counts import PlaceKind, load_places

router = APIRouter()

READERS = (Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR)
Reader = Annotated[Caller, allow(*READERS)]
KindQuery = Annotated[Literal["week", "month"], Query()]
DayQuery = Annotated[date | None, Query(ge=date(2004, 1, 1), le=date(2100, 12, 31))]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def chosen_day(kind: Kind, day: date | None, now: date) -> date:
    """Return the day asked for, else one of the last whole week or month."""
    if day is not None:
        return day
    return now - timedelta(7) if kind == "week" else now.replace(day=1) - timedelta(1)


def pictures(session: Session, community_id: int, report: Report, now: date) -> dict[str, bytes]:
    """Return the report's pictures by name."""
    hot = {(one.place.kind, one.place.id) for one in report.hot}
    counted = dict(report.places)
    spots = [
        (place.lon, place.lat, counted[place.label], (place.kind, place.id) in hot)
        for place in load_places(session, community_id, now)
        if place.kind is not PlaceKind.CELL and place.label in counted
    ]
    base = load_basemap(session, community_id, now)
    return {
        "weeks": weeks_chart(report),
        "hours": hours_chart(report),
        "map": map_chart(report, base, spots),
    }


@router.get("/reports")
def report_page(
    request: Request, db: Db, caller: Reader, kind: KindQuery = "week", day: DayQuery = None
) -> Response:
    """Show the report of a week or month; without a day, of the last whole one."""
    now = today(request.app.state.settings)
    on = chosen_day(kind, day, now)
    error: DomainError | None = None
    try:
        report = collect(db, caller.community_id, kind, on, now)
    except DomainError as refusal:
        error = refusal
        report = collect(db, caller.community_id, kind, now, now)
    before = report.first - timedelta(1)
    after = report.first + timedelta(7 if kind == "week" else 32)
    return page(
        request,
        caller,
        "reports/report.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        kind=kind,
        report=report,
        title=title(report),
        period=period(report),
        sections=sections(report),
        before=before,
        after=after if after <= now else None,
        digests=digests(db, caller.community_id),
    )


@router.get("/reports/picture")
def report_picture(
    request: Request,
    db: Db,
    caller: Reader,
    name: Annotated[Literal["weeks", "hours", "map"], Query()],
    kind: KindQuery = "week",
    day: DayQuery = None,
) -> Response:
    """Return one picture of a report."""
    now = today(request.app.state.settings)
    report = collect(db, caller.community_id, kind, chosen_day(kind, day, now), now)
    return Response(
        pictures(db, caller.community_id, report, now)[name],
        media_type="image/png",
        headers={"Cache-Control": "private, max-age=60"},
    )


@router.get("/reports/word")
def report_word(
    request: Request, db: Db, caller: Reader, kind: KindQuery = "week", day: DayQuery = None
) -> Response:
    """Download the report as a Word file."""
    now = today(request.app.state.settings)
    report = collect(db, caller.community_id, kind, chosen_day(kind, day, now), now)
    made = report_docx(report, pictures(db, caller.community_id, report, now), caller.display_name)
    record(
        db,
        actor=caller.username,
        action="report.word",
        target=f"{kind} {report.first.isoformat()}",
        address=client_address(request),
        community_id=caller.community_id,
    )
    name = quote(f"{title(report)}.docx")
    return Response(
        made,
        media_type=DOCX,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )
