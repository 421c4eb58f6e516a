"""Ask for a week's roster: one job at a time per week."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit import record
from api.job_runs import JobRun, JobState
from api.jobs import ask, handlers
from scheduling.rosters import RosterVersion
from scheduling.week import as_monday, load_problem


def ask_for_roster(
    session: Session, community_id: int, week_start: date, *, by: str, seed: int = 1
) -> str:
    """Return the id of the job that solves the week: a running one, or a new one.

    A week that cannot be loaded is refused here and now. Raises NotAWeek or NothingToRoster.
    """
    week = as_monday(week_start)
    load_problem(session, community_id, week)
    under_way = session.scalar(
        select(JobRun.id).where(
            JobRun.kind == "roster.solve",
            JobRun.community_id == community_id,
            JobRun.state.in_([JobState.QUEUED, JobState.RUNNING]),
            JobRun.arguments["week_start"].astext == week.isoformat(),
        )
    )
    if under_way is not None:
        return under_way
    run_id = ask(
        session,
        "roster.solve",
        {"week_start": week.isoformat(), "seed": seed},
        community_id=community_id,
        asked_by=by,
    )
    record(
        session,
        actor=by,
        action="roster.ask",
        target=week.isoformat(),
        community_id=community_id,
        details={"job": run_id},
    )
    return run_id


def plan_routes_of(session: Session, version: RosterVersion, *, by: str) -> None:
    """Have the routes of a published roster planned, once per version."""
    if "routes.plan" in handlers():
        ask(
            session,
            "routes.plan",
            {"roster_version_id": version.id},
            community_id=version.community_id,
            asked_by=by,
            run_id=f"routes-of-version-{version.id}",
        )
