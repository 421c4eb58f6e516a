"""Leave on the phone and on the lead's page; wishes; and the list of conflicts."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.leave.deciding import broken_by, decide, enter, own_member, record_leave, withdraw
from api.members.waiting import waiting
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import now, today
from api.web import Db, page, see_other
from grid.errors import DomainError, NotFound
from grid.people import Member
from grid.team import serves
from scheduling.availability import add_wish, drop_wish, wishes_of
from scheduling.conflicts import Broken, conflicts
from scheduling.demand import ShiftTemplate
from scheduling.leave import Leave, ask_leave, leave_between, leave_of_member, waiting_leave

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Patroller = Annotated[Caller, allow(Role.PATROLLER)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]
Words = Annotated[str, Form(max_length=200)]
SHOWN_BACK_DAYS = 31
SHOWN_AHEAD_DAYS = 120


def _lead_page(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    member_id: int | None = None,
    error: DomainError | None = None,
    settled: Leave | None = None,
    broken: Sequence[Broken] = (),
    said: str = "",
) -> Response:
    day = today(request.app.state.settings)
    asked = waiting_leave(db, caller.community_id)
    return page(
        request,
        caller,
        "leave/leave.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        settled=settled,
        broken=broken,
        asked=[(leave, member, broken_by(db, caller, leave)) for leave, member in asked],
        decided=leave_between(
            db,
            caller.community_id,
            day - timedelta(days=SHOWN_BACK_DAYS),
            day + timedelta(days=SHOWN_AHEAD_DAYS),
        ),
        members=db.scalars(
            select(Member)
            .where(Member.community_id == caller.community_id, serves(day))
            .order_by(Member.staff_number)
        ).all(),
        member_id=member_id,
        today=day,
        waiting=waiting(db, caller.community_id, day),
    )


@router.get("/leave")
def leave_page(
    request: Request,
    db: Db,
    caller: Lead,
    member: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    said: Annotated[str, Query(max_length=12)] = "",
    settled: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show what waits, with what it would break; what was decided; and the form to enter leave."""
    row = _own_communitys(db, caller, settled)
    return _lead_page(
        request,
        db,
        caller,
        member_id=member,
        said=said,
        settled=row,
        broken=broken_by(db, caller, row) if row and row.state == "approved" else (),
    )


def _own_communitys(db: Session, caller: Caller, leave_id: int | None) -> Leave | None:
    return db.scalar(
        select(Leave)
        .join(Member, Member.id == Leave.member_id)
        .where(Leave.id == (leave_id or 0), Member.community_id == caller.community_id)
    )


@router.get("/leave/conflicts")
def conflicts_page(request: Request, db: Db, caller: Lead) -> Response:
    """Show what of the published rosters does not hold from today on."""
    day = today(request.app.state.settings)
    return page(
        request,
        caller,
        "leave/conflicts.html",
        rows=conflicts(db, caller.community_id, day),
        waiting=waiting(db, caller.community_id, day),
    )


@router.post("/leave")
def enter_form(
    request: Request,
    db: Db,
    caller: Lead,
    member_id: Annotated[int, Form(ge=1, le=2**62)],
    first_day: Annotated[date, Form()],
    last_day: Annotated[date, Form()],
    reason: Words = "",
) -> Response:
    """Enter leave for a member: approved at once."""
    settings = request.app.state.settings
    try:
        leave, _, _ = enter(
            db,
            caller,
            member_id,
            first_day,
            last_day,
            reason=reason,
            today=today(settings),
            now=now(settings),
            address=client_address(request),
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _lead_page(request, db, caller, member_id=member_id, error=refusal)
    return see_other(f"/leave?said=entered&settled={leave.id}")


def _decide(
    request: Request, db: Session, caller: Caller, leave_id: int, *, approve: bool, decision: str
) -> Response:
    try:
        leave, _, _ = decide(
            db,
            caller,
            leave_id,
            approve=approve,
            decision=decision,
            now=now(request.app.state.settings),
            address=client_address(request),
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _lead_page(request, db, caller, error=refusal)
    return see_other(f"/leave?said={leave.state}&settled={leave.id}")


@router.post("/leave/{leave_id}/approve")
def approve_form(
    request: Request, db: Db, caller: Lead, leave_id: Key, decision: Words = ""
) -> Response:
    """Approve leave."""
    return _decide(request, db, caller, leave_id, approve=True, decision=decision)


@router.post("/leave/{leave_id}/refuse")
def refuse_form(
    request: Request, db: Db, caller: Lead, leave_id: Key, decision: Words = ""
) -> Response:
    """Refuse leave, with the reason the member reads."""
    return _decide(request, db, caller, leave_id, approve=False, decision=decision)


@router.post("/leave/{leave_id}/withdraw")
def lead_withdraws(request: Request, db: Db, caller: Lead, leave_id: Key) -> Response:
    """Take leave back that was approved or waits."""
    settings = request.app.state.settings
    try:
        leave, _ = withdraw(
            db, caller, leave_id, now=now(settings), address=client_address(request)
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _lead_page(request, db, caller, error=refusal)
    return see_other(f"/leave?said=withdrawn&settled={leave.id}")


# --- On the phone -------------------------------------------------------------------------------


def _my_page(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    who = own_member(db, caller)
    day = today(request.app.state.settings)
    return page(
        request,
        caller,
        "leave/mine.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        who=who,
        today=day,
        rows=leave_of_member(db, who.id),
        wishes=wishes_of(db, who.id, day),
        shifts=db.scalars(
            select(ShiftTemplate)
            .where(ShiftTemplate.community_id == caller.community_id, ShiftTemplate.active)
            .order_by(ShiftTemplate.start_min, ShiftTemplate.code)
        ).all(),
    )


@router.get("/my/leave")
def my_leave(
    request: Request,
    db: Db,
    caller: Patroller,
    said: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """Show the caller's own leave and wishes."""
    return _my_page(request, db, caller, said=said)


@router.post("/my/leave")
def ask_form(
    request: Request,
    db: Db,
    caller: Patroller,
    first_day: Annotated[date, Form()],
    last_day: Annotated[date, Form()],
    reason: Words = "",
) -> Response:
    """Ask for leave for oneself."""
    settings = request.app.state.settings
    who = own_member(db, caller)
    try:
        leave = ask_leave(
            db,
            who,
            first_day,
            last_day,
            reason=reason,
            by=caller.username,
            today=today(settings),
            now=now(settings),
        )
    except DomainError as refusal:
        return _my_page(request, db, caller, error=refusal)
    record_leave(db, caller, "ask", leave, who, client_address(request))
    return see_other("/my/leave?said=asked")


@router.post("/my/leave/{leave_id}/withdraw")
def member_withdraws(request: Request, db: Db, caller: Patroller, leave_id: Key) -> Response:
    """Take back one's own leave that is not decided yet."""
    who = own_member(db, caller)
    try:
        withdraw(
            db,
            caller,
            leave_id,
            now=now(request.app.state.settings),
            address=client_address(request),
            member_id=who.id,
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _my_page(request, db, caller, error=refusal)
    return see_other("/my/leave?said=withdrawn")


@router.post("/my/wishes")
def wish_form(
    request: Request,
    db: Db,
    caller: Patroller,
    day: Annotated[date, Form()],
    wants: Annotated[bool, Form()],
    weight: Annotated[int, Form(ge=1, le=10)] = 5,
    shift: Annotated[str, Form(max_length=19, pattern=r"^\d*$")] = "",
) -> Response:
    """Keep a wish for a day, or for one shift of it."""
    settings = request.app.state.settings
    who = own_member(db, caller)
    try:
        add_wish(
            db,
            who,
            day,
            wants=wants,
            weight=weight,
            shift_template_id=int(shift) if shift else None,
            today=today(settings),
            now=now(settings),
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _my_page(request, db, caller, error=refusal)
    _record_wish(request, db, caller, "wish.add", day)
    return see_other("/my/leave?said=wished#wishes")


@router.post("/my/wishes/{wish_id}/delete")
def drop_form(request: Request, db: Db, caller: Patroller, wish_id: Key) -> Response:
    """Delete one of one's own wishes."""
    wish = drop_wish(db, own_member(db, caller).id, wish_id)
    _record_wish(request, db, caller, "wish.delete", wish.day)
    return see_other("/my/leave?said=dropped#wishes")


def _record_wish(request: Request, db: Session, caller: Caller, action: str, day: date) -> None:
    record(
        db,
        actor=caller.username,
        action=action,
        target=day.isoformat(),
        address=client_address(request),
        community_id=caller.community_id,
    )
