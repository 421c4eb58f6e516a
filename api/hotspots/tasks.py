"""The job that computes hotspots, and raises what follows from them when asked to."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from api.audit import record
from api.hotspots.findings import Findings, investigate, last_year
from api.jobs import Run, handler
from api.settings import settings
from api.today import now, today
from grid.database import transaction
from scheduling.demand import PatrolRequirement
from scheduling.requirements import raise_from_hotspots


@handler("hotspots.compute")
def compute(run: Run) -> dict[str, Any]:
    """Count and test last year's incidents; with ``raise``, raise requirements from what is hot.

    Arguments: ``raise`` (bool), ``today`` (ISO day; the settings' day without it). A job taken up
    again raises nothing twice: a place with a requirement gets no second one.
    """
    day = _day(run)
    run.progress(0.1, "统计去年事件", "Counting last year's incidents")
    with transaction(run.engine) as session:
        found = investigate(session, run.community_id, last_year(day), day)
        run_result: dict[str, Any] = {
            "incidents": found.n,
            "places_tested": found.tested,
            "hot_places": len(found.hot),
            "next": "/hotspots",
        }
        if run.arguments.get("raise"):
            run.progress(0.6, "提出巡逻要求", "Raising requirements", hot_places=len(found.hot))
            raised = raise_for(session, run.community_id, found, day, run.asked_by)
            run_result |= {"raised": [row.id for row in raised], "next": "/requirements"}
    return run_result


def _day(run: Run) -> date:
    given = run.arguments.get("today")
    return date.fromisoformat(given) if given else today(settings())


def raise_for(
    session: Session, community_id: int, found: Findings, day: date, actor: str
) -> list[PatrolRequirement]:
    """Raise what follows from the findings and record each in the audit log."""
    raised = raise_from_hotspots(
        session,
        community_id,
        [one.as_hot_place(found.question) for one in found.hot],
        today=day,
        raised_by=actor,
        raised_at=now(settings()),
    )
    for row in raised:
        record(
            session,
            actor=actor,
            action="requirement.raise",
            target=f"requirement:{row.id}",
            community_id=community_id,
            details={"reason": row.reason},
        )
    return raised
