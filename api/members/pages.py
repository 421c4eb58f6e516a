"""The team's pages: the list, one member, entering, changing, retiring."""

from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.members.entering import Entered, entered_of, facts_entered, read_entered
from api.members.export import team_workbook
from api.members.importing import XLSX, router
from api.members.leaving import close_accounts
from api.members.waiting import waiting
from api.permissions import Caller, allow
from api.rosters.board import FORCES
from api.sign_in.pages import client_address
from api.today import today
from api.web import Db, page, see_other
from grid.errors import DomainError
from grid.member_words import masked_phone, write_weekdays, write_windows
from grid.people import Force, Member
from grid.team import (
    bring_back,
    change,
    counts,
    employers,
    enter,
    find_member,
    listed,
    retire,
    zones_on,
)
from scheduling.availability import wishes_of
from scheduling.conflicts import conflicts
from scheduling.leave import leave_of_member

__all__ = ["router"]

# The import's routes come first: /members/{member_id} would take “import” for a key.

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Reader = Annotated[Caller, allow(Role.TEAM_LEAD, Role.AUDITOR)]
MemberId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Typed = Annotated[Entered, Depends(read_entered)]


@router.get("/members")
def team_page(
    request: Request,
    db: Db,
    caller: Reader,
    force: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=40)] = "",
    retired: bool = False,
    phones: bool = False,
) -> Response:
    """Show the team force by force; telephone numbers whole only when asked, and that is recorded."""
    day = today(request.app.state.settings)
    words = q.replace("\x00", "").strip()
    rows = listed(
        db,
        caller.community_id,
        day,
        force=force if force in set(Force) else "",
        words=words,
        retired=retired,
    )
    phones = phones and caller.is_(Role.TEAM_LEAD)
    if phones:
        _record(request, db, caller, "member.phones", f"{len(rows)}")
    return page(
        request,
        caller,
        "members/members.html",
        rows=rows,
        counts=counts(db, caller.community_id, day),
        force=force,
        words=words,
        retired=retired,
        phones=phones,
        today=day,
        FORCES=FORCES,
        mask=masked_phone,
        weekdays=write_weekdays,
        windows=write_windows,
        waiting=waiting(db, caller.community_id, day),
    )


def _record(
    request: Request,
    db: Session,
    caller: Caller,
    action: str,
    target: str,
    **details: object,
) -> None:
    record(
        db,
        actor=caller.username,
        action=action,
        target=target,
        address=client_address(request),
        community_id=caller.community_id,
        details=details,
    )


@router.get("/members/export")
def export_team(request: Request, db: Db, caller: Lead, phones: bool = False) -> Response:
    """Return the team as a workbook; it can be changed and imported again. Recorded."""
    day = today(request.app.state.settings)
    rows = listed(db, caller.community_id, day)
    _record(request, db, caller, "member.export", f"{len(rows)}", phones=phones)
    name = quote(f"队员-{day.isoformat()}.xlsx")
    return Response(
        team_workbook([(m, firm, zone) for m, firm, zone in rows], phones=phones),
        media_type=XLSX,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _form(
    request: Request,
    db: Session,
    caller: Caller,
    form: Entered,
    member: Member | None,
    *,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    day = today(request.app.state.settings)
    return page(
        request,
        caller,
        "members/member.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        form=form,
        member=member,
        phone=masked_phone(member.phone) if member else "",
        gone=bool(member and member.active_to and member.active_to <= day),
        today=day,
        firms=employers(db, caller.community_id),
        zones=zones_on(db, caller.community_id, day),
        FORCES=FORCES,
        conflicts=conflicts(db, caller.community_id, day, member_id=member.id) if member else [],
        leave=leave_of_member(db, member.id, 10) if member else [],
        wishes=wishes_of(db, member.id, day) if member else [],
        waiting=waiting(db, caller.community_id, day),
    )


@router.get("/members/new")
def new_form(request: Request, db: Db, caller: Lead) -> Response:
    """Show the empty form."""
    return _form(request, db, caller, Entered(), None)


@router.post("/members")
def enter_member(request: Request, db: Db, caller: Lead, form: Typed) -> Response:
    """Enter a new member."""
    try:
        member = enter(db, caller.community_id, facts_entered(form))
    except DomainError as refusal:
        return _form(request, db, caller, form, None, error=refusal)
    _record(request, db, caller, "member.create", member.staff_number, force=member.force)
    return see_other(f"/members/{member.id}?said=entered")


@router.get("/members/{member_id}")
def member_page(
    request: Request,
    db: Db,
    caller: Lead,
    member_id: MemberId,
    said: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """Show one member: the form, leave, wishes, and what of a published roster does not hold."""
    member = find_member(db, caller.community_id, member_id)
    return _form(request, db, caller, entered_of(member, caller.locale), member, said=said)


@router.post("/members/{member_id}")
def change_member(
    request: Request, db: Db, caller: Lead, member_id: MemberId, form: Typed
) -> Response:
    """Change a member; a form that was opened before somebody else's change is refused."""
    member = find_member(db, caller.community_id, member_id)
    revision = int(form.revision) if form.revision.isdecimal() and len(form.revision) < 9 else 0
    try:
        changed = change(db, member, facts_entered(form, member), revision)
    except DomainError as refusal:
        return _form(request, db, caller, form, member, error=refusal)
    if changed:
        _record(request, db, caller, "member.change", member.staff_number, columns=sorted(changed))
        close_accounts(db, member, today(request.app.state.settings), by=caller.username)
    return see_other(f"/members/{member.id}?said={'changed' if changed else 'same'}")


@router.post("/members/{member_id}/retire")
def retire_member(
    request: Request,
    db: Db,
    caller: Lead,
    member_id: MemberId,
    day: Annotated[date, Form()],
) -> Response:
    """Let a member serve no longer from a day on; the history stays."""
    member = find_member(db, caller.community_id, member_id)
    try:
        retire(db, member, day)
    except DomainError as refusal:
        return _form(request, db, caller, entered_of(member, caller.locale), member, error=refusal)
    _record(request, db, caller, "member.retire", member.staff_number, day=day.isoformat())
    close_accounts(db, member, today(request.app.state.settings), by=caller.username)
    return see_other(f"/members/{member.id}?said=retired")


@router.post("/members/{member_id}/return")
def return_member(request: Request, db: Db, caller: Lead, member_id: MemberId) -> Response:
    """Let a retired member serve again; a closed account is opened by the administrator."""
    member = find_member(db, caller.community_id, member_id)
    bring_back(db, member)
    _record(request, db, caller, "member.return", member.staff_number)
    return see_other(f"/members/{member.id}?said=returned")
