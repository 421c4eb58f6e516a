"""Versions of a week's roster: stored as drafts, found again, and who walks what in each."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from grid.cells import PatrolZone
from grid.errors import NotFound
from grid.people import Member
from scheduling.core.check import Report, check
from scheduling.core.plan import RosterPlan, write_plan
from scheduling.core.problem import RosterProblem, write_problem
from scheduling.demand import PatrolType, ShiftTemplate
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion
from scheduling.week import plan_of, problem_of


def store_draft(
    session: Session,
    community_id: int,
    problem: RosterProblem,
    plan: RosterPlan,
    *,
    by: str,
    job_id: str | None = None,
    made_from: int | None = None,
    what_if: str | None = None,
) -> RosterVersion:
    """Store a plan as the week's next draft, with what the checker says of it.

    The same ``job_id`` stores once: a second time the first version is returned as it is. Only
    patrols that are walked become patrol rows; the plan itself holds the others. A what-if (its
    title) has none: nobody walks by it. ``made_from`` is the version it comes from. The caller
    commits.
    """
    if job_id is not None:
        done = session.scalar(select(RosterVersion).where(RosterVersion.job_id == job_id))
        if done is not None:
            return done
    week_start = date.fromisoformat(problem.week_start)
    # Two jobs of one week number their versions one after the other.
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"roster {community_id} {week_start}"},
    )
    number = session.scalar(
        select(func.coalesce(func.max(RosterVersion.number), 0)).where(
            RosterVersion.community_id == community_id, RosterVersion.week_start == week_start
        )
    )
    version = RosterVersion(
        community_id=community_id,
        week_start=week_start,
        number=(number or 0) + 1,
        state=RosterState.DRAFT,
        problem=json.loads(write_problem(problem)),
        plan=json.loads(write_plan(plan)),
        job_id=job_id,
        violations=_hard(check(problem, plan)),
        created_by=by,
        created_at=datetime.now(UTC),
        what_if=what_if is not None,
        title=what_if or "",
        made_from_id=made_from,
    )
    if what_if is None:
        version.patrols = patrol_rows(session, community_id, week_start, problem, plan)
    session.add(version)
    session.flush()
    return version


def _hard(report: Report) -> int:
    """Count what forbids publishing: broken rules, and figures that do not agree."""
    return len(report.violations) + len(report.mismatches)


def patrol_rows(
    session: Session, community_id: int, week_start: date, problem: RosterProblem, plan: RosterPlan
) -> list[Patrol]:
    """Return the rows of the patrols that are walked, not stored yet."""

    def ids(model: type, code: str) -> dict[str, int]:
        rows = session.execute(
            select(getattr(model, code), model.id).where(model.community_id == community_id)  # type: ignore[attr-defined]
        )
        return {key: found for key, found in rows}

    members = ids(Member, "staff_number")
    shift_ids, type_ids = ids(ShiftTemplate, "code"), ids(PatrolType, "code")
    shifts = {s.key: s for s in problem.shifts}
    zones = {
        (zone.code, zone.valid_from.isoformat()): zone.id
        for zone in session.scalars(
            select(PatrolZone)
            .where(
                PatrolZone.community_id == community_id,
                PatrolZone.valid_from <= week_start + timedelta(days=6),
                (PatrolZone.valid_to.is_(None)) | (PatrolZone.valid_to > week_start),
            )
            .order_by(PatrolZone.valid_from)
        )
    }

    def zone_id(key: str) -> int:
        code, _, since = key.rpartition("@")
        if code:
            return zones[code, since]
        return next(found for (code, _), found in zones.items() if code == key)

    return [
        Patrol(
            key=patrol.key,
            day=week_start + timedelta(days=patrol.day),
            shift_template_id=shift_ids[patrol.shift],
            zone_id=zone_id(patrol.zone),
            patrol_type_id=type_ids[patrol.type],
            start_min=shifts[patrol.shift].start_min,
            end_min=shifts[patrol.shift].end_min,
            empty_seats=sum(seat.member is None for seat in patrol.seats),
            assignments=[
                Assignment(member_id=members[seat.member], seat=n, leader=seat.leader)
                for n, seat in enumerate(patrol.seats)
                if seat.member is not None
            ],
        )
        for patrol in plan.patrols
        if patrol.walked
    ]


def find_version(session: Session, community_id: int, version_id: int) -> RosterVersion:
    """Return a version of this community. Raises NotFound."""
    version = session.scalar(
        select(RosterVersion).where(
            RosterVersion.id == version_id, RosterVersion.community_id == community_id
        )
    )
    if version is None:
        raise NotFound(thing="排班表", name=version_id)
    return version


def versions_of(
    session: Session, community_id: int, week_start: date, *, sent_only: bool = False
) -> Sequence[RosterVersion]:
    """Return a week's versions, the newest first; on demand without drafts still worked on."""
    statement = (
        select(RosterVersion)
        .where(RosterVersion.community_id == community_id, RosterVersion.week_start == week_start)
        .order_by(RosterVersion.number.desc())
    )
    if sent_only:
        statement = statement.where(sent())
    return session.scalars(statement).all()


def sent() -> ColumnElement[bool]:
    """Return what holds for versions that were sent for review, or are further on."""
    return (RosterVersion.state != RosterState.DRAFT) | RosterVersion.submitted_at.is_not(None)


def shown_first(versions: Sequence[RosterVersion]) -> RosterVersion | None:
    """Return the version a reader means: the published one, else the newest that is no what-if."""
    published = [v for v in versions if v.state in {RosterState.PUBLISHED, RosterState.LOCKED}]
    real = [v for v in versions if not v.what_if]
    return next(iter((*published, *real, *versions)), None)


def report_of(version: RosterVersion) -> Report:
    """Check a stored version anew."""
    return check(problem_of(version), plan_of(version))
