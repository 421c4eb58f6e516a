"""The desk's jobs: solve the rest anew with the fewest changes, and solve a what-if."""

from typing import Any

from sqlalchemy import select

from api.audit import record
from api.jobs import Run, handler
from api.rosters.tasks import Told
from grid.database import transaction
from scheduling.core.plan import RosterPlan
from scheduling.core.problem import RosterProblem
from scheduling.core.resolve import against
from scheduling.core.solve import Effort, solve
from scheduling.core.what_if import Question, asked
from scheduling.desk import problem_now
from scheduling.rosters import RosterVersion
from scheduling.versions import find_version, store_draft
from scheduling.week import plan_of, problem_of

QUESTION = set(Question.__dataclass_fields__)


def _effort(given: dict[str, Any]) -> Effort:
    return Effort(
        deterministic=float(given.get("deterministic", 16)),
        seconds=float(given.get("seconds", 90)),
        seed=int(given.get("seed", 1)),
        workers=int(given.get("workers", 2)),
    )


def _done(run: Run) -> int | None:
    """Return the version this job has stored already, when it is taken up again."""
    with transaction(run.engine) as session:
        return session.scalar(select(RosterVersion.id).where(RosterVersion.job_id == run.id))


@handler("roster.resolve")
def resolve(run: Run) -> dict[str, Any]:
    """Solve the rest of the draft ``version_id``: locks stay, and as much else as can be."""
    source_id = int(run.arguments["version_id"])
    done = _done(run)
    if done is None:
        run.progress(0.0, "读取排班表", "Loading the roster")
        with transaction(run.engine) as session:
            source = find_version(session, run.community_id, source_id)
            problem = against(problem_now(session, source), plan_of(source))
        plan = solve(problem, _effort(run.arguments), Told(run))
        done = _stored(run, problem, plan, source_id, None)
    return {"next": f"/rosters/{done}/desk", "roster_version_id": done}


@handler("roster.what_if")
def what_if(run: Run) -> dict[str, Any]:
    """Solve the week of ``version_id`` as if something were different; lay both side by side."""
    source_id = int(run.arguments["version_id"])
    done = _done(run)
    if done is None:
        run.progress(0.0, "读取排班表", "Loading the roster")
        given = {key: value for key, value in run.arguments.items() if key in QUESTION}
        with transaction(run.engine) as session:
            source = find_version(session, run.community_id, source_id)
            problem, title = asked(problem_of(source), Question(**given))
        plan = solve(problem, _effort(run.arguments), Told(run))
        done = _stored(run, problem, plan, source_id, title)
    return {"next": f"/rosters/{source_id}/compare?with={done}", "roster_version_id": done}


def _stored(
    run: Run, problem: RosterProblem, plan: RosterPlan, source_id: int, title: str | None
) -> int:
    """Store the version and record it; return its id."""
    with transaction(run.engine) as session:
        version = store_draft(
            session, run.community_id, problem, plan, by=run.asked_by, job_id=run.id,
            made_from=source_id, what_if=title,
        )  # fmt: skip
        record(
            session,
            actor=run.asked_by,
            action="roster.generate",
            target=f"{version.week_start.isoformat()} #{version.number}",
            community_id=run.community_id,
            details={"job": run.id, "made_from": source_id, "what_if": title or ""},
        )
        return version.id
