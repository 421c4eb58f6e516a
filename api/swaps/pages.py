"""Swaps on the phone and on the lead's page."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.leave.deciding import own_member
from api.members.waiting import waiting
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.swaps.deciding import close_lapsed, decide, record_swap
from api.swaps.showing import shown
from api.today import now, this_monday, today
from api.web import Db, page, see_other
from grid.cells import PatrolZone
from grid.errors import DomainError, NotFound
from grid.people import Member
from scheduling.conflicts import conflicts
from scheduling.demand import ShiftTemplate
from scheduling.exchange import PublishedWeek, begins_at
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion
from scheduling.swaps import (
    OPEN,
    Swap,
    SwapState,
    answer,
    own_patrol,
    propose,
    swaps_of_member,
    swaps_of_team,
    withdraw,
)

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Patroller = Annotated[Caller, allow(Role.PATROLLER)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]
Words = Annotated[str, Form(max_length=200)]
AHEAD_WEEKS = 6


# --- The lead -----------------------------------------------------------------------------------


def _lead_page(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    error: DomainError | None = None,
    said: str = "",
    settled: int | None = None,
) -> Response:
    settings = request.app.state.settings
    close_lapsed(db, caller, now(settings))
    rows = shown(db, swaps_of_team(db, caller.community_id), verdicts=True)
    done = next((row for row in rows if row.swap.id == settled), None)
    day = today(settings)
    broken = (
        [
            c
            for member in (done.asker, done.other)
            for c in conflicts(db, caller.community_id, day, member_id=member.id)
        ]
        if done
        else []
    )
    return page(
        request,
        caller,
        "swaps/swaps.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        done=done,
        broken=broken,
        accepted=[row for row in rows if row.swap.state == SwapState.ACCEPTED],
        proposed=[row for row in rows if row.swap.state == SwapState.PROPOSED],
        settled=[row for row in rows if row.swap.state not in OPEN],
        waiting=waiting(db, caller.community_id, day),
    )


@router.get("/swaps")
def swaps_page(
    request: Request,
    db: Db,
    caller: Lead,
    said: Annotated[str, Query(max_length=12)] = "",
    settled: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show what waits for the lead with what the rules say today, and what was settled."""
    return _lead_page(request, db, caller, said=said, settled=settled)


def _decide(
    request: Request, db: Session, caller: Caller, swap_id: int, *, accept: bool, decision: str
) -> Response:
    try:
        decide(
            db,
            caller,
            swap_id,
            accept=accept,
            decision=decision,
            now=now(request.app.state.settings),
            address=client_address(request),
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _lead_page(request, db, caller, error=refusal)
    return see_other(f"/swaps?said={'approved' if accept else 'refused'}&settled={swap_id}")


@router.post("/swaps/{swap_id}/approve")
def approve_form(request: Request, db: Db, caller: Lead, swap_id: Key) -> Response:
    """Approve a swap: the week is published anew with it."""
    return _decide(request, db, caller, swap_id, accept=True, decision="")


@router.post("/swaps/{swap_id}/refuse")
def refuse_form(
    request: Request, db: Db, caller: Lead, swap_id: Key, decision: Words = ""
) -> Response:
    """Refuse a swap, with the reason both read."""
    return _decide(request, db, caller, swap_id, accept=False, decision=decision)


# --- On the phone -------------------------------------------------------------------------------


def _my_page(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    settings = request.app.state.settings
    close_lapsed(db, caller, now(settings))
    who = own_member(db, caller)
    mine = swaps_of_member(db, who.id)
    rows = shown(db, mine)
    pending = {(s.week_start, s.asker_patrol) for s in mine if s.asker_id == who.id and s.state in OPEN}  # fmt: skip
    return page(
        request,
        caller,
        "swaps/mine.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        who=who,
        incoming=[r for r in rows if r.other.id == who.id and r.swap.state == SwapState.PROPOSED],
        others=[
            r for r in rows if not (r.other.id == who.id and r.swap.state == SwapState.PROPOSED)
        ],
        patrols=[
            (patrol, zone, shift, (week, patrol.key) in pending)
            for patrol, week, zone, shift in _coming(request, db, who)
        ],
    )


def _coming(request: Request, db: Session, who: Member) -> list[tuple[Patrol, object, str, str]]:
    """Return the member's published patrols that have not begun and may still be changed."""
    settings = request.app.state.settings
    first = this_monday(today(settings))
    rows = db.execute(
        select(Patrol, RosterVersion.week_start, PatrolZone.name, ShiftTemplate.name)
        .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
        .join(Assignment, Assignment.patrol_id == Patrol.id)
        .join(PatrolZone, PatrolZone.id == Patrol.zone_id)
        .join(ShiftTemplate, ShiftTemplate.id == Patrol.shift_template_id)
        .where(
            Assignment.member_id == who.id,
            RosterVersion.state == RosterState.PUBLISHED,
            RosterVersion.week_start.between(first, first + timedelta(weeks=AHEAD_WEEKS)),
        )
        .order_by(Patrol.day, Patrol.start_min)
    )
    moment = now(settings)
    return [
        (patrol, week, zone, shift)
        for patrol, week, zone, shift in rows
        if begins_at(patrol.day, patrol.start_min) > moment
    ]


@router.get("/my/swaps")
def my_swaps(
    request: Request,
    db: Db,
    caller: Patroller,
    said: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """Show what is proposed to the caller, what they proposed, and the patrols they may offer."""
    return _my_page(request, db, caller, said=said)


@router.get("/my/swaps/new")
def new_swap(
    request: Request,
    db: Db,
    caller: Patroller,
    patrol: Annotated[int, Query(ge=1, le=2**62)],
) -> Response:
    """Show with whom one of the caller's patrols can be exchanged by the rules."""
    who = own_member(db, caller)
    mine, version = own_patrol(db, caller.community_id, who.id, patrol)
    choices = PublishedWeek(db, version).choices(
        who.staff_number, mine.key, now(request.app.state.settings)
    )
    ids = {
        number: key
        for number, key in db.execute(
            select(Member.staff_number, Member.id).where(Member.community_id == caller.community_id)
        )
    }
    return page(
        request,
        caller,
        "swaps/new.html",
        patrol=mine,
        zone=db.get_one(PatrolZone, mine.zone_id),
        shift=db.get_one(ShiftTemplate, mine.shift_template_id),
        gifts=[(ids[c.member], c) for c in choices if c.patrol is None],
        trades=[(ids[c.member], c) for c in choices if c.patrol is not None],
    )


@router.post("/my/swaps")
def propose_form(
    request: Request,
    db: Db,
    caller: Patroller,
    patrol: Annotated[int, Form(ge=1, le=2**62)],
    to: Annotated[str, Form(max_length=200, pattern=r"^\d{1,18}(:.+)?$")],
    note: Words = "",
) -> Response:
    """Propose a swap: ``to`` is the other's id, and after a colon the key of their patrol."""
    who = own_member(db, caller)
    other, _, key = to.partition(":")
    try:
        swap = propose(
            db,
            who,
            patrol,
            int(other),
            other_patrol=key or None,
            note=note,
            by=caller.username,
            now=now(request.app.state.settings),
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _my_page(request, db, caller, error=refusal)
    record_swap(db, caller, "propose", swap, client_address(request))
    return see_other("/my/swaps?said=proposed")


def _mine(
    request: Request, db: Session, caller: Caller, action: str, said: str, swap: Swap
) -> Response:
    record_swap(db, caller, action, swap, client_address(request))
    return see_other(f"/my/swaps?said={said}")


@router.post("/my/swaps/{swap_id}/answer")
def answer_form(
    request: Request,
    db: Db,
    caller: Patroller,
    swap_id: Key,
    accept: Annotated[bool, Form()],
    reason: Words = "",
) -> Response:
    """Accept or decline what another proposed."""
    who = own_member(db, caller)
    try:
        swap = answer(
            db,
            who,
            swap_id,
            accept=accept,
            reason=reason,
            now=now(request.app.state.settings),
        )
    except NotFound:
        raise
    except DomainError as refusal:
        return _my_page(request, db, caller, error=refusal)
    said = "accepted" if accept else "declined"
    return _mine(request, db, caller, "accept" if accept else "decline", said, swap)


@router.post("/my/swaps/{swap_id}/withdraw")
def withdraw_form(request: Request, db: Db, caller: Patroller, swap_id: Key) -> Response:
    """Take one's own proposal back."""
    who = own_member(db, caller)
    try:
        swap = withdraw(db, who, swap_id, now=now(request.app.state.settings))
    except NotFound:
        raise
    except DomainError as refusal:
        return _my_page(request, db, caller, error=refusal)
    return _mine(request, db, caller, "withdraw", "withdrawn", swap)
