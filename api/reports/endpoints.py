"""The figures of a report for programs: the same that its page and its Word file show."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.accounts import Role
from api.permissions import Caller, allow
from api.reports.figures import Counted, collect
from api.reports.pages import DayQuery, KindQuery, chosen_day
from api.reports.sections import sections, title
from api.today import today
from api.web import Db

router = APIRouter()


class CountedOut(BaseModel):
    """A count with its bases."""

    name: str
    n: int
    before: int = Field(description="the same number of days just before")
    before_significant: bool
    year: int | None = Field(description="the same days a year before")
    year_significant: bool | None


class SectionOut(BaseModel):
    """A part of the report as it is printed."""

    title: str
    paragraphs: list[str]
    heads: list[str]
    rows: list[list[str]]


class ReportOut(BaseModel):
    """A report."""

    title: str
    kind: str
    first: date
    until: date = Field(description="the day after the last")
    total: CountedOut
    classes: list[CountedOut]
    matrix: list[list[int]] = Field(description="7 × 24, Monday first")
    patrols: int
    person_hours: float
    sections: list[SectionOut]


def _counted(one: Counted) -> CountedOut:
    return CountedOut(
        name=one.name,
        n=one.n,
        before=one.before.base,
        before_significant=one.before.significant,
        year=one.year.base if one.year else None,
        year_significant=one.year.significant if one.year else None,
    )


@router.get("/reports")
def read_report(
    request: Request,
    db: Db,
    caller: Annotated[
        Caller, allow(Role.STREET_OFFICE, Role.TEAM_LEAD, Role.AUDITOR, Role.SERVICE)
    ],
    kind: KindQuery = "week",
    day: DayQuery = None,
) -> ReportOut:
    """Return the report of the week or month a day lies in; without a day, of the last whole one."""
    now = today(request.app.state.settings)
    report = collect(db, caller.community_id, kind, chosen_day(kind, day, now), now)
    return ReportOut(
        title=title(report),
        kind=report.kind,
        first=report.first,
        until=report.until,
        total=_counted(report.total),
        classes=[_counted(one) for one in report.classes],
        matrix=[list(row) for row in report.matrix],
        patrols=report.duty.patrols,
        person_hours=report.duty.person_hours,
        sections=[
            SectionOut(
                title=s.title, paragraphs=list(s.paragraphs), heads=list(s.heads),
                rows=[list(row) for row in s.rows],
            )
            for s in sections(report)
        ],
    )  # fmt: skip
