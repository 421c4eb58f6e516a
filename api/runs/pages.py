"""The page of a background job: how far it is, and a button to stop and keep the best."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.accounts import Role
from api.audit import record
from api.job_runs import JobRun, JobState
from api.jobs import request_stop
from api.permissions import Caller, allow
from api.web import Db, page, see_other
from grid.errors import NotFound

router = APIRouter()

WATCHERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.ADMIN)
STAGES = {
    JobState.QUEUED: ("排队中，等待后台进程领取", "Queued, waiting for a worker"),
    JobState.RUNNING: ("进行中", "Running"),
    JobState.DONE: ("已完成", "Done"),
    JobState.FAILED: ("未完成", "Did not finish"),
}


def find_run(db: Db, caller: Caller, run_id: str) -> JobRun:
    """Return a job of the caller's community."""
    row = db.get(JobRun, run_id)
    if row is None or (row.community_id != caller.community_id and not caller.is_(Role.ADMIN)):
        raise NotFound(thing="任务", name=run_id)
    return row


def told(row: JobRun, locale: str) -> dict[str, object]:
    """Return what a person is shown of a job."""
    stage = row.progress.get("en" if locale == "en" else "zh") if row.state == "running" else None
    error = row.result.get("error_en") if locale == "en" and row.error else row.error
    fraction = row.progress.get("fraction", 0.0)
    return {
        "percent": 100 if row.state == "done" else round(100 * float(str(fraction))),
        "stage": stage or STAGES[JobState(row.state)][locale == "en"],
        "error": error,
        "numbers": {
            name: value
            for name, value in row.progress.items()
            if name not in {"fraction", "zh", "en"} and value is not None
        },
    }


@router.get("/jobs/{run_id}")
def job_page(
    request: Request, db: Db, run_id: str, caller: Annotated[Caller, allow(*WATCHERS)]
) -> Response:
    """Show one job; a finished one goes on to its result."""
    row = find_run(db, caller, run_id)
    if row.state == JobState.DONE and row.result.get("next"):
        return see_other(str(row.result["next"]))
    return page(request, caller, "runs/run.html", run=row, told=told(row, caller.locale))


@router.get("/jobs/{run_id}/progress")
def job_progress(
    request: Request, db: Db, run_id: str, caller: Annotated[Caller, allow(*WATCHERS)]
) -> Response:
    """Return the part of the page that changes; tell the browser to go on when it is done."""
    row = find_run(db, caller, run_id)
    headers = {}
    if row.state == JobState.DONE and row.result.get("next"):
        headers["HX-Redirect"] = str(row.result["next"])
    return page(
        request,
        caller,
        "runs/progress.html",
        headers=headers,
        run=row,
        told=told(row, caller.locale),
    )


@router.post("/jobs/{run_id}/stop")
def stop_job(db: Db, run_id: str, caller: Annotated[Caller, allow(*WATCHERS)]) -> Response:
    """Ask the job to finish now with the best it has."""
    row = find_run(db, caller, run_id)
    request_stop(db, row.id)
    record(
        db,
        actor=caller.username,
        action="job.stop",
        target=row.id,
        community_id=row.community_id,
    )
    return see_other(f"/jobs/{run_id}")
