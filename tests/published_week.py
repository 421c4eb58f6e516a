"""A published week of the sample community, made with little effort, for tests of what follows."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.communities import Community
from scheduling.core.solve import Effort, solve
from scheduling.found import found_demand
from scheduling.rosters import RosterState, RosterVersion
from scheduling.versions import store_draft
from scheduling.week import load_problem

WEEK = date(2026, 11, 30)
LITTLE = Effort(deterministic=0.05, seconds=3, workers=1)


def publish_week(session: Session, week: date = WEEK, effort: Effort = LITTLE) -> RosterVersion:
    """Publish a first roster of a week; how good it is does not matter here."""
    community = session.scalars(select(Community.id).order_by(Community.id)).first()
    assert community is not None
    found_demand(session, community)
    problem = load_problem(session, community, week)
    version = store_draft(session, community, problem, solve(problem, effort), by="maker")
    version.state = RosterState.PUBLISHED
    version.reviewed_by = version.published_by = "lead"
    session.flush()
    return version
