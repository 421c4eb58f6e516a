"""The desk for its page: the board, what every drop would do, edits, locks, undo and redo."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.accounts import Role
from api.audit import record
from api.desk.schemas import BoardOut, EditIn, LockIn, TargetsOut, board_out, targets_out
from api.permissions import Caller, allow
from api.rosters.pages import VersionId
from api.sign_in.pages import client_address
from api.web import Db
from scheduling.core.consequences import targets_of_member, targets_of_seat
from scheduling.core.desk import EditIncomplete
from scheduling.desk import Desk, open_desk

router = APIRouter(prefix="/rosters/{version_id}/desk")

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
PatrolKey = Annotated[str | None, Query(max_length=200)]
SeatNumber = Annotated[int | None, Query(ge=0, le=50)]
MemberKey = Annotated[str | None, Query(max_length=100)]


def _changed(
    request: Request, db: Db, caller: Caller, desk: Desk, action: str, details: dict[str, object]
) -> BoardOut:
    """Record a change of the desk and return the new board."""
    version = desk.version
    record(
        db,
        actor=caller.username,
        action=f"desk.{action}",
        target=f"{version.week_start.isoformat()} #{version.number}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"version": version.id, **details},
    )
    return board_out(desk)


@router.get("")
def board(db: Db, caller: Lead, version_id: VersionId) -> BoardOut:
    """Return everything on the desk."""
    return board_out(open_desk(db, caller.community_id, version_id))


@router.get("/targets")
def targets(
    db: Db,
    caller: Lead,
    version_id: VersionId,
    patrol: PatrolKey = None,
    seat: SeatNumber = None,
    member: MemberKey = None,
) -> TargetsOut:
    """Return what dropping an assignment, or a free member, on every seat would do."""
    desk = open_desk(db, caller.community_id, version_id)
    if patrol is not None and seat is not None:
        return targets_out(targets_of_seat(desk.roll, patrol, seat))
    if member is not None:
        return targets_out(targets_of_member(desk.roll, member))
    raise EditIncomplete(what="选中的席位或队员", what_en="which seat or member is picked up")


@router.post("/edits")
def edit(request: Request, db: Db, caller: Lead, version_id: VersionId, asked: EditIn) -> BoardOut:
    """Move, swap, place or remove; refused with the sentence of every rule against it."""
    desk = open_desk(db, caller.community_id, version_id, to_edit=True)
    desk.edit(asked.edit(), by=caller.username)
    return _changed(request, db, caller, desk, asked.kind, asked.model_dump(exclude_none=True))


@router.post("/locks")
def lock(request: Request, db: Db, caller: Lead, version_id: VersionId, asked: LockIn) -> BoardOut:
    """Lock whoever sits in a seat there, or unlock the seat."""
    desk = open_desk(db, caller.community_id, version_id, to_edit=True)
    desk.set_lock(asked.patrol, asked.seat, asked.locked, by=caller.username)
    action = "lock" if asked.locked else "unlock"
    return _changed(request, db, caller, desk, action, {"patrol": asked.patrol, "seat": asked.seat})


@router.post("/undo")
def undo(request: Request, db: Db, caller: Lead, version_id: VersionId) -> BoardOut:
    """Take the last edit back."""
    desk = open_desk(db, caller.community_id, version_id, to_edit=True)
    taken = desk.undo()
    return _changed(request, db, caller, desk, "undo", {"edit": taken.number, "kind": taken.kind})


@router.post("/redo")
def redo(request: Request, db: Db, caller: Lead, version_id: VersionId) -> BoardOut:
    """Make the edit that was last taken back again."""
    desk = open_desk(db, caller.community_id, version_id, to_edit=True)
    made = desk.redo()
    return _changed(request, db, caller, desk, "redo", {"edit": made.number, "kind": made.kind})
