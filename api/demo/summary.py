"""The summary of one walk through the loop: one page that opens without a network."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.hotspots.findings import Findings
from api.hotspots.words import class_words, percent_words, sentence
from api.i18n import translate
from api.web import environment, weekday
from grid.incidents import Incident, MediationCase
from scheduling.core.plan import RosterPlan
from scheduling.core.problem import RosterProblem
from scheduling.requirements import listed, planned_visits
from scheduling.rosters import Patrol, PatrolRoute, RosterVersion

_chinese = partial(translate, "zh")


@dataclass(frozen=True)
class Satisfaction:
    """The answers to callbacks in a period: n asked, and the share that was satisfied."""

    asked: int
    satisfied: int

    @property
    def percent(self) -> float | None:
        """Satisfied ÷ asked in per cent; None where nobody was asked."""
        return 100 * self.satisfied / self.asked if self.asked else None


def write_summary(
    session: Session,
    version: RosterVersion,
    problem: RosterProblem,
    plan: RosterPlan,
    findings: Findings,
    path: Path,
) -> None:
    """Write what was found, asked, planned and proven, every figure with its base."""
    question = findings.question
    visits = planned_visits(session, version.community_id, version.week_start)
    routes = session.execute(
        select(func.count(), func.sum(PatrolRoute.length_m), func.sum(PatrolRoute.minutes))
        .select_from(PatrolRoute)
        .join(Patrol, Patrol.id == PatrolRoute.patrol_id)
        .where(Patrol.roster_version_id == version.id)
    ).one()
    mediations = session.execute(
        select(func.count(), func.count().filter(MediationCase.judicial_confirmation)).where(
            MediationCase.community_id == version.community_id
        )
    ).one()
    words = class_words(_chinese)
    html = (
        environment()
        .get_template("demo/summary.html")
        .render(
            findings=findings,
            first=question.first,
            last=question.until - timedelta(days=1),
            headlines=[
                (words[name], change, percent_words(change, _chinese))
                for name, change in findings.headlines.items()
            ],
            satisfaction=(
                _satisfaction(
                    session, version.community_id, question.base_first, question.base_until
                ),
                _satisfaction(session, version.community_id, question.first, question.until),
            ),
            mediations=mediations,
            hot=[(one, sentence(one, _chinese)) for one in findings.hot],
            requirements=[
                (row, visits.get(row.id, []))
                for row in listed(session, version.community_id, version.week_start)
            ],
            version=version,
            last_day=version.week_start + timedelta(days=6),
            problem=problem,
            plan=plan,
            empty_seats=_empty_seats(problem, plan, version.week_start),
            routes=routes,
        )
    )
    path.write_text(html, encoding="utf-8")


def _empty_seats(problem: RosterProblem, plan: RosterPlan, week_start: date) -> list[str]:
    """Say of each empty seat where and when it is, and why it stays empty."""
    patrols = {patrol.key: patrol for patrol in plan.patrols}
    zones = {zone.key: zone.name for zone in problem.zones}
    shifts = {shift.key: shift.name for shift in problem.shifts}
    found = []
    for empty in plan.empty_seats:
        patrol = patrols[empty.patrol]
        day = week_start + timedelta(days=patrol.day)
        where = f"{weekday(day)} {shifts[patrol.shift]} {zones[patrol.zone]}"
        found.append(f"{where}：{empty.zh}")
    return found


def _satisfaction(
    session: Session, community_id: int, first: object, until: object
) -> Satisfaction:
    local_day = func.date(func.timezone("Asia/Shanghai", Incident.occurred_at))
    asked, satisfied = session.execute(
        select(
            func.count(Incident.satisfied), func.count().filter(Incident.satisfied.is_(True))
        ).where(Incident.community_id == community_id, local_day >= first, local_day < until)
    ).one()
    return Satisfaction(asked, satisfied)
