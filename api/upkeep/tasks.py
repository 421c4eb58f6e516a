"""The daily cleaning of the queue: what is done long ago is forgotten."""

from datetime import time
from typing import Any

from sqlalchemy import text

from api.daily import daily_kinds, every_day
from api.jobs import Run, handler
from grid.database import transaction

QUEUE_DAYS = 30
DAILY_RUN_DAYS = 90

_DONE_JOBS = text(
    """
    DELETE FROM procrastinate_jobs j
    WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
      AND NOT EXISTS (
        SELECT FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.at > now() - make_interval(days => :days))
    """
)
_DAILY_RUNS = text(
    """
    DELETE FROM job_run
    WHERE community_id = :community AND kind = ANY(:kinds)
      AND finished_at < now() - make_interval(days => :days)
    """
)


@handler("upkeep.clean")
def clean(run: Run) -> dict[str, Any]:
    """Forget the queue's jobs done a month ago, and daily runs of three months ago.

    Runs that people asked for stay: rosters and imports point at them.
    """
    run.progress(0.1, "清理已完成的任务", "Clearing finished jobs")
    with transaction(run.engine) as session:
        jobs = session.execute(_DONE_JOBS, {"days": QUEUE_DAYS})
        runs = session.execute(
            _DAILY_RUNS,
            {"community": run.community_id, "kinds": daily_kinds(), "days": DAILY_RUN_DAYS},
        )
        return {"jobs": jobs.rowcount, "runs": runs.rowcount}  # type: ignore[attr-defined]


every_day("upkeep.clean", at=time(3, 30))
