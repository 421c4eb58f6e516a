"""Leave as pages and programs decide it: the act, its record, and the conflicts that follow."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from api.audit import record
from api.permissions import Caller
from grid.errors import NotFound
from grid.people import Member
from grid.team import find_member
from scheduling.conflicts import Broken, would_break
from scheduling.leave import Leave, decide_leave, enter_leave, withdraw_leave


def own_member(session: Session, caller: Caller) -> Member:
    """Return the member behind a patroller's account. Raises NotFound."""
    if caller.member_id is None:
        raise NotFound(thing="队员", name=caller.username)
    return find_member(session, caller.community_id, caller.member_id)


def record_leave(
    session: Session, caller: Caller, action: str, leave: Leave, member: Member, address: str
) -> None:
    """Record what was done; the reason, which may be a matter of health, stays out of the log."""
    record(
        session,
        actor=caller.username,
        action=f"leave.{action}",
        target=f"leave:{leave.id}",
        address=address,
        community_id=caller.community_id,
        details={
            "member": member.staff_number,
            "first_day": leave.first_day.isoformat(),
            "last_day": leave.last_day.isoformat(),
        },
    )


def decide(
    session: Session,
    caller: Caller,
    leave_id: int,
    *,
    approve: bool,
    decision: str,
    now: datetime,
    address: str,
) -> tuple[Leave, Member, Sequence[Broken]]:
    """Approve or refuse leave; return it with the published patrols that now break."""
    leave, member = decide_leave(
        session,
        caller.community_id,
        leave_id,
        approve=approve,
        decision=decision,
        by=caller.username,
        now=now,
    )
    record_leave(session, caller, "approve" if approve else "refuse", leave, member, address)
    return leave, member, broken_by(session, caller, leave) if approve else []


def enter(
    session: Session,
    caller: Caller,
    member_id: int,
    first: date,
    last: date,
    *,
    reason: str,
    today: date,
    now: datetime,
    address: str,
) -> tuple[Leave, Member, Sequence[Broken]]:
    """Enter leave as the lead; return it with the published patrols that now break."""
    member = find_member(session, caller.community_id, member_id)
    leave = enter_leave(
        session, member, first, last, reason=reason, by=caller.username, today=today, now=now
    )
    record_leave(session, caller, "enter", leave, member, address)
    return leave, member, broken_by(session, caller, leave)


def withdraw(
    session: Session,
    caller: Caller,
    leave_id: int,
    *,
    now: datetime,
    address: str,
    member_id: int | None = None,
) -> tuple[Leave, Member]:
    """Take leave back, as the member (``member_id``) or as the lead."""
    leave, member = withdraw_leave(
        session,
        caller.community_id,
        leave_id,
        by=caller.username,
        now=now,
        member_id=member_id,
    )
    record_leave(session, caller, "withdraw", leave, member, address)
    return leave, member


def broken_by(session: Session, caller: Caller, leave: Leave) -> Sequence[Broken]:
    """Return the published patrols that leave breaks, or would."""
    return would_break(
        session, caller.community_id, leave.member_id, leave.first_day, leave.last_day
    )
