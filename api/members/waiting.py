"""What waits for the lead: counts beside the tabs of the team's pages."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grid.people import Member
from scheduling.conflicts import conflicts
from scheduling.leave import Leave, LeaveState
from scheduling.swaps import Swap, SwapState


@dataclass(frozen=True)
class Waiting:
    """How much waits."""

    leave: int
    swaps: int
    conflicts: int


def waiting(session: Session, community_id: int, today: date) -> Waiting:
    """Count the leave and swaps to decide, and the conflicts in published rosters."""
    leave = session.scalar(
        select(func.count())
        .select_from(Leave)
        .join(Member, Member.id == Leave.member_id)
        .where(Member.community_id == community_id, Leave.state == LeaveState.ASKED)
    )
    swaps = session.scalar(
        select(func.count())
        .select_from(Swap)
        .where(Swap.community_id == community_id, Swap.state == SwapState.ACCEPTED)
    )
    return Waiting(leave or 0, swaps or 0, len(conflicts(session, community_id, today)))
