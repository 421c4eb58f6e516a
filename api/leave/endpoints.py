"""Leave and conflicts for programs: list, enter, decide."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy import select

from api.accounts import Role
from api.leave.deciding import decide, enter
from api.leave.schemas import ConflictOut, DecisionIn, LeaveIn, LeaveOut, leave_out
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import now, today
from api.web import Db
from grid.errors import NotFound
from grid.people import Member
from scheduling.conflicts import conflicts
from scheduling.leave import leave_between, waiting_leave

router = APIRouter()

Reader = Annotated[Caller, allow(Role.TEAM_LEAD, Role.SERVICE)]
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]


@router.get("/leave")
def list_leave(request: Request, db: Db, caller: Reader) -> list[LeaveOut]:
    """Return what waits, and what was decided from a month ago to a year ahead."""
    day = today(request.app.state.settings)
    decided = leave_between(
        db, caller.community_id, day - timedelta(days=31), day + timedelta(days=366)
    )
    asked = waiting_leave(db, caller.community_id)
    return [leave_out(leave, member.staff_number) for leave, member in [*asked, *decided]]


@router.post("/leave", status_code=201)
def enter_leave(request: Request, db: Db, caller: Lead, given: LeaveIn) -> LeaveOut:
    """Enter leave for a member: approved at once; the published patrols it breaks come back."""
    settings = request.app.state.settings
    member_id = db.scalar(
        select(Member.id).where(
            Member.community_id == caller.community_id, Member.staff_number == given.staff_number
        )
    )
    if member_id is None:
        raise NotFound(thing="队员", name=given.staff_number)
    leave, member, broken = enter(
        db,
        caller,
        member_id,
        given.first_day,
        given.last_day,
        reason=given.reason,
        today=today(settings),
        now=now(settings),
        address=client_address(request),
    )
    return leave_out(leave, member.staff_number, list(broken))


@router.post("/leave/{leave_id}/decision")
def decide_leave(
    request: Request,
    db: Db,
    caller: Lead,
    leave_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    given: DecisionIn,
) -> LeaveOut:
    """Approve leave or refuse it; decided already is 409."""
    leave, member, broken = decide(
        db,
        caller,
        leave_id,
        approve=given.approve,
        decision=given.decision,
        now=now(request.app.state.settings),
        address=client_address(request),
    )
    return leave_out(leave, member.staff_number, list(broken))


@router.get("/conflicts")
def list_conflicts(request: Request, db: Db, caller: Reader) -> list[ConflictOut]:
    """Return what of the published rosters does not hold from today on, and where to settle it."""
    found = conflicts(db, caller.community_id, today(request.app.state.settings))
    return [ConflictOut.model_validate(c) for c in found]
