"""The page of the team's own rules: seen by the lead, changed by the lead, from the next roster on."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.cover.recording import record_edit
from api.house_rules.forms import read_rules
from api.permissions import Caller, allow
from api.rosters.board import FORCES
from api.today import next_monday, today
from api.web import Db, page, see_other
from grid.errors import DomainError
from grid.people import Member
from scheduling.cover import shifts_of
from scheduling.house_rules import (
    HouseRules,
    HouseRulesRow,
    as_document,
    house_rules,
    keep_house_rules,
    with_house_rules,
)
from scheduling.week import NothingToRoster, load_problem

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
SPARE_ROWS = 2


def _team(request: Request, db: Session, caller: Caller) -> list[Member]:
    day = today(request.app.state.settings)
    return list(
        db.scalars(
            select(Member)
            .where(
                Member.community_id == caller.community_id,
                (Member.active_to.is_(None)) | (Member.active_to > day),
            )
            .order_by(Member.force, Member.staff_number)
        )
    )


def _page(
    request: Request,
    db: Session,
    caller: Caller,
    rules: HouseRules,
    *,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    return page(
        request,
        caller,
        "house_rules/rules.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        rules=rules,
        row=db.get(HouseRulesRow, caller.community_id),
        shifts=[s for s in shifts_of(db, caller.community_id) if s.active],
        members=_team(request, db, caller),
        forces=FORCES,
        spare=SPARE_ROWS,
    )


@router.get("/cover/rules")
def rules_page(
    request: Request, db: Db, caller: Lead, said: Annotated[str, Query(max_length=12)] = ""
) -> Response:
    """Show the rules as they stand."""
    return _page(request, db, caller, house_rules(db, caller.community_id), said=said)


@router.post("/cover/rules")
async def save_rules(request: Request, db: Db, caller: Lead) -> Response:
    """Keep the rules; what contradicts itself is refused, and nothing is lost of what was kept."""
    form = await request.form(max_fields=1000)
    was = house_rules(db, caller.community_id)
    members = {m.staff_number for m in _team(request, db, caller)}
    shifts = {s.code for s in shifts_of(db, caller.community_id) if s.active}
    try:
        rules = read_rules(form, members, shifts)
        _refuse_contradictions(request, db, caller, rules)
    except DomainError as refusal:
        return _page(request, db, caller, was, error=refusal)
    keep_house_rules(db, caller.community_id, rules, by=caller.username, at=datetime.now(UTC))
    record_edit(
        request, db, caller, "house_rules.save", f"community:{caller.community_id}",
        was=as_document(was), now=as_document(rules),
    )  # fmt: skip
    return see_other("/cover/rules?said=saved")


def _refuse_contradictions(
    request: Request, db: Session, caller: Caller, rules: HouseRules
) -> None:
    """Try the rules on next week: a problem that exists can be solved."""
    monday = next_monday(today(request.app.state.settings))
    try:
        with_house_rules(load_problem(db, caller.community_id, monday), rules)
    except NothingToRoster:
        return
