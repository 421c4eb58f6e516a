"""Steps of a swap with their record: what both sides and the lead did is kept and can be read."""

from datetime import datetime

from sqlalchemy.orm import Session

from api.audit import record
from api.permissions import Caller
from scheduling.swaps import Done, Swap, approve, let_lapse, people_of, refuse


def record_swap(
    session: Session, caller: Caller, action: str, swap: Swap, address: str, **more: object
) -> None:
    """Record a step."""
    asker, other = people_of(session, swap)
    record(
        session,
        actor=caller.username,
        action=f"swap.{action}",
        target=f"swap:{swap.id}",
        address=address,
        community_id=swap.community_id,
        details={
            "week": swap.week_start.isoformat(),
            "asker": asker.staff_number,
            "asker_patrol": swap.asker_patrol,
            "other": other.staff_number,
            "other_patrol": swap.other_patrol,
            **more,
        },
    )


def close_lapsed(session: Session, caller: Caller, now: datetime) -> None:
    """Close what can no longer come about, and record it as nobody's doing."""
    for swap in let_lapse(session, caller.community_id, now):
        _record_lapse(session, swap)


def _record_lapse(session: Session, swap: Swap) -> None:
    record(
        session,
        actor="system",
        action="swap.lapse",
        target=f"swap:{swap.id}",
        community_id=swap.community_id,
        details={"state": swap.state, "why": swap.decision},
    )


def decide(
    session: Session,
    caller: Caller,
    swap_id: int,
    *,
    accept: bool,
    decision: str,
    now: datetime,
    address: str,
) -> Done | Swap:
    """Approve a swap, which publishes the week anew, or refuse it with a reason."""
    if not accept:
        swap = refuse(
            session, caller.community_id, swap_id, decision=decision, by=caller.username, now=now
        )
        record_swap(session, caller, "refuse", swap, address)
        return swap
    done = approve(session, caller.community_id, swap_id, by=caller.username, now=now)
    record_swap(
        session,
        caller,
        "approve",
        done.swap,
        address,
        version=done.version.id,
        number=done.version.number,
    )
    for fallen in done.obsolete:
        _record_lapse(session, fallen)
    return done
