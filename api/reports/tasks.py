"""The job that makes the day's digest at 18:00."""

from datetime import date, time
from typing import Any

from api.daily import every_day
from api.jobs import Run, handler
from api.reports.digest import KIND, make_digest
from grid.database import transaction


@handler(KIND)
def digest(run: Run) -> dict[str, Any]:
    """Make the digest of the day ``today``; it is kept as the job's result."""
    run.progress(0.2, "汇总今日情况", "Summing up the day")
    with transaction(run.engine) as session:
        made = make_digest(session, run.community_id, date.fromisoformat(run.arguments["today"]))
    return {"day": made.day, "sentences": list(made.sentences)}


every_day(KIND, at=time(18, 0))
