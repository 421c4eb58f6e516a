"""Swaps for programs: list and decide."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.accounts import Role
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.swaps.deciding import decide
from api.swaps.schemas import SwapDecisionIn, SwapOut, swap_out
from api.swaps.showing import shown
from api.today import now
from api.web import Db
from scheduling.swaps import find_swap, swaps_of_team

router = APIRouter()


@router.get("/swaps")
def list_swaps(
    db: Db, caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.SERVICE)]
) -> list[SwapOut]:
    """Return the latest hundred proposals, and what the rules say of the open ones today."""
    return [
        swap_out(row) for row in shown(db, swaps_of_team(db, caller.community_id), verdicts=True)
    ]


@router.post("/swaps/{swap_id}/decision")
def decide_swap(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD)],
    swap_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    given: SwapDecisionIn,
) -> SwapOut:
    """Approve a swap, which publishes the week anew, or refuse it; settled or locked is 409."""
    decide(
        db,
        caller,
        swap_id,
        accept=given.approve,
        decision=given.decision,
        now=now(request.app.state.settings),
        address=client_address(request),
    )
    return swap_out(shown(db, [find_swap(db, caller.community_id, swap_id)])[0])
