"""The job that plans the walks of a published roster."""

from typing import Any

from api.audit import record
from api.jobs import Run, handler
from grid.database import transaction
from scheduling.versions import find_version
from scheduling.walks import plan_walks


@handler("routes.plan")
def plan(run: Run) -> dict[str, Any]:
    """Plan every patrol's walk of ``roster_version_id``; done again, it stores the same walks."""
    version_id = int(run.arguments["roster_version_id"])

    def told(done: int, total: int) -> None:
        run.progress(done / total, "规划路线", "Planning routes", done=done, total=total)

    with transaction(run.engine) as session:
        planned = plan_walks(session, run.community_id, version_id, told)
        week = find_version(session, run.community_id, version_id).week_start
        record(
            session,
            actor=run.asked_by,
            action="routes.plan",
            target=f"roster:{version_id}",
            community_id=run.community_id,
            details={"routes": planned},
        )
    return {"routes": planned, "next": f"/rosters?week={week.isoformat()}"}
