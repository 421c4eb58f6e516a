"""The team for programs: list, enter, change."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.members.leaving import close_accounts
from api.members.schemas import MemberChangeIn, MemberIn, MemberOut, member_out
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import today
from api.web import Db
from grid.cells import PatrolZone
from grid.communities import Employer
from grid.people import Force, Member
from grid.team import change, enter, find_member, listed

router = APIRouter()

Reader = Annotated[Caller, allow(Role.TEAM_LEAD, Role.SERVICE)]
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
MemberId = Annotated[int, Path(ge=1, le=2**63 - 1)]


def _out(db: Session, member: Member) -> MemberOut:
    firm = db.get(Employer, member.employer_id) if member.employer_id else None
    zone = db.get(PatrolZone, member.home_zone_id) if member.home_zone_id else None
    return member_out(member, firm.name if firm else None, zone.name if zone else None)


@router.get("/members")
def list_members(
    request: Request,
    db: Db,
    caller: Reader,
    force: Annotated[Force | None, Query()] = None,
    retired: bool = False,
) -> list[MemberOut]:
    """Return who serves (or, with ``retired``, who left), force by force."""
    day = today(request.app.state.settings)
    rows = listed(db, caller.community_id, day, force=force.value if force else "", retired=retired)
    return [member_out(member, firm, zone) for member, firm, zone in rows]


@router.get("/members/{member_id}")
def read_member(db: Db, caller: Reader, member_id: MemberId) -> MemberOut:
    """Return one member."""
    return _out(db, find_member(db, caller.community_id, member_id))


@router.post("/members", status_code=201)
def enter_member(request: Request, db: Db, caller: Lead, given: MemberIn) -> MemberOut:
    """Enter a new member."""
    member = enter(db, caller.community_id, given.facts())
    record(
        db,
        actor=caller.username,
        action="member.create",
        target=member.staff_number,
        address=client_address(request),
        community_id=caller.community_id,
        details={"force": member.force},
    )
    return _out(db, member)


@router.put("/members/{member_id}")
def change_member(
    request: Request, db: Db, caller: Lead, member_id: MemberId, given: MemberChangeIn
) -> MemberOut:
    """Change a member; on another revision than the stored one it is 409.

    The staff number stays as it is, and the telephone number where none is given.
    """
    member = find_member(db, caller.community_id, member_id)
    facts = given.facts()
    if "phone" not in given.model_fields_set:  # a reader only has it masked
        facts = replace(facts, phone=member.phone)
    changed = change(db, member, facts, given.revision)
    if changed:
        record(
            db,
            actor=caller.username,
            action="member.change",
            target=member.staff_number,
            address=client_address(request),
            community_id=caller.community_id,
            details={"columns": sorted(changed)},
        )
        close_accounts(db, member, today(request.app.state.settings), by=caller.username)
    return _out(db, member)
