"""The job that solves a week: live progress, stop early and keep the best, one version per job."""

from typing import Any

from sqlalchemy import select

from api.audit import record
from api.jobs import Run, handler
from api.rosters.board import LEVELS
from grid.database import transaction
from scheduling.core.solve import Effort, Step, solve
from scheduling.rosters import RosterVersion
from scheduling.versions import store_draft
from scheduling.week import as_monday, load_problem

ENGLISH = {
    "locks": "locks",
    "cover_minimum": "minimum cover",
    "requirements": "requirements from hotspots",
    "cover_ideal": "ideal cover",
    "staggering": "staggering and gaps",
    "changes": "fewest changes",
    "fairness": "equal load",
    "preferences": "home zones and wishes",
}


class Told:
    """Hands the search's steps to the job."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def report(self, step: Step) -> None:
        """Show the level, its cost and bound, and the empty seats."""
        if step.level is None:
            zh, en = "已有首个合法排班，开始优化", "A first legal roster stands; improving it"
        else:
            zh = f"正在优化：{LEVELS[step.level]}"
            en = f"Improving: {ENGLISH[step.level]}"
        self._run.progress(
            step.fraction,
            zh,
            en,
            cost=step.cost,
            bound=step.bound,
            gap=f"{step.gap:.1%}",
            empty_seats=step.empty_seats,
            seconds=step.seconds,
        )

    def should_stop(self) -> bool:
        """Say whether somebody pressed stop."""
        return self._run.stop_requested()


@handler("roster.solve")
def solve_week(run: Run) -> dict[str, Any]:
    """Solve the week ``week_start`` and store a draft.

    Further arguments: ``deterministic`` (effort), ``seconds`` (cap), ``seed``, ``workers``. A job
    taken up again after its version was stored finds that version.
    """
    given = run.arguments
    week_start = as_monday(str(given["week_start"]))
    effort = Effort(
        deterministic=float(given.get("deterministic", 16)),
        seconds=float(given.get("seconds", 90)),
        seed=int(given.get("seed", 1)),
        workers=int(given.get("workers", 2)),
    )
    run.progress(0.0, "读取本周数据", "Loading the week")
    with transaction(run.engine) as session:
        done = session.scalar(select(RosterVersion).where(RosterVersion.job_id == run.id))
        if done is not None:
            return result_of(done)
        problem = load_problem(session, run.community_id, week_start)
    plan = solve(problem, effort, Told(run))
    with transaction(run.engine) as session:
        version = store_draft(
            session, run.community_id, problem, plan, by=run.asked_by, job_id=run.id
        )
        record(
            session,
            actor=run.asked_by,
            action="roster.generate",
            target=f"{week_start.isoformat()} #{version.number}",
            community_id=run.community_id,
            details={"job": run.id, "empty_seats": len(plan.empty_seats)},
        )
        return result_of(version)


def result_of(version: RosterVersion) -> dict[str, Any]:
    """Return what a finished job tells."""
    return {
        "next": f"/rosters?week={version.week_start.isoformat()}&version={version.id}",
        "roster_version_id": version.id,
        "number": version.number,
        "violations": version.violations,
    }
