"""The desk for its page: the board, what every drop would do, edits, locks, undo and redo."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import select

from api.accounts import Role
from api.audit import record
from api.desk.schemas import (
    BoardOut,
    ChoiceOut,
    ComparisonOut,
    DraftMade,
    EditIn,
    FixIn,
    FixOut,
    JobAsked,
    LockIn,
    ReplacementsOut,
    SickIn,
    TargetsOut,
    WhatIfIn,
    board_out,
    fix_out,
    named,
    targets_out,
)
from api.jobs import ask
from api.permissions import Caller, allow
from api.rosters.pages import VersionId
from api.sign_in.pages import client_address
from api.web import Db
from grid.member_words import masked_phone
from grid.people import Member
from scheduling.core.compare import compare
from scheduling.core.consequences import targets_of_member, targets_of_seat
from scheduling.core.desk import EditIncomplete
from scheduling.core.what_if import asked as ask_of
from scheduling.desk import Desk, copy_as_draft, open_desk
from scheduling.versions import find_version
from scheduling.week import plan_of, problem_of

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
    """Return everything on the desk; a version that is no draft can be read, not edited."""
    return board_out(Desk(db, find_version(db, caller.community_id, version_id)))


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


@router.get("/replacements")
def who_could_step_in(
    request: Request,
    db: Db,
    caller: Lead,
    version_id: VersionId,
    member: Annotated[str, Query(max_length=100)],
    patrol: PatrolKey = None,
    day: Annotated[int | None, Query(ge=0, le=41)] = None,
    phones: bool = False,
) -> list[ReplacementsOut]:
    """Return who could step in on one patrol, or from a day on, the best first.

    Telephone numbers are whole only when asked for, and that is recorded.
    """
    desk = open_desk(db, caller.community_id, version_id)
    if patrol is None and day is None:
        raise EditIncomplete(
            what="哪一次巡逻或从哪一天起", what_en="which patrol, or from which day"
        )
    days = range(day, len(desk.problem.days)) if day is not None else ()
    found = desk.replacements(member, patrol=patrol, days=tuple(days))
    rows = db.execute(
        select(Member.staff_number, Member.phone).where(Member.community_id == caller.community_id)
    )
    told = {number: phone if phones else masked_phone(phone) for number, phone in rows}
    if phones:
        record(
            db,
            actor=caller.username,
            action="member.phones",
            target=f"{desk.version.week_start.isoformat()} #{desk.version.number}",
            address=client_address(request),
            community_id=caller.community_id,
            details={"replaced": member},
        )
    names = {m.key: m.name for m in desk.problem.members}
    return [
        ReplacementsOut(
            patrol=slot.key,
            seat=seat,
            choices=[
                ChoiceOut(
                    member=c.member,
                    name=names[c.member],
                    phone=told.get(c.member),
                    cost_by_level=c.cost_by_level,
                    changes=len(c.changes),
                    zh=c.zh,
                    en=c.en,
                )
                for c in choices
            ],
        )
        for slot, seat, choices in found
    ]


@router.post("/sick")
def sick(request: Request, db: Db, caller: Lead, version_id: VersionId, told: SickIn) -> BoardOut:
    """Put a member on leave for some days and whoever is best in each seat that empties."""
    desk = open_desk(db, caller.community_id, version_id, to_edit=True)
    last = len(desk.problem.days) - 1
    days = range(min(told.from_day, last), min(told.to_day, last) + 1)
    desk.sick(told.member, tuple(days), by=caller.username)
    return _changed(request, db, caller, desk, "sick", told.model_dump())


@router.get("/fixes")
def fixes(
    db: Db,
    caller: Lead,
    version_id: VersionId,
    patrol: Annotated[str, Query(max_length=200)],
    seat: Annotated[int, Query(ge=0, le=50)],
) -> list[FixOut]:
    """Return the three cheapest fixes of an empty seat, each tried out."""
    desk = open_desk(db, caller.community_id, version_id)
    return [fix_out(fix) for fix in desk.fixes(patrol, seat)]


@router.post("/fixes")
def fix(request: Request, db: Db, caller: Lead, version_id: VersionId, asked: FixIn) -> BoardOut:
    """Make one of the fixes of an empty seat."""
    desk = open_desk(db, caller.community_id, version_id, to_edit=True)
    desk.fix(
        asked.kind, asked.patrol, asked.seat, member=asked.member, rule=asked.rule,
        dropped=asked.dropped, by=caller.username,
    )  # fmt: skip
    return _changed(request, db, caller, desk, "fix", asked.model_dump(exclude_none=True))


@router.post("/resolve", status_code=202)
def resolve(request: Request, db: Db, caller: Lead, version_id: VersionId) -> JobAsked:
    """Have the rest solved anew: locks stay, as little as can be changes, a new draft follows."""
    desk = open_desk(db, caller.community_id, version_id)
    return _asked(request, db, caller, desk, "roster.resolve", {})


@router.post("/what-if", status_code=202)
def what_if(
    request: Request, db: Db, caller: Lead, version_id: VersionId, question: WhatIfIn
) -> JobAsked:
    """Have the week solved as if something were different, beside the real one."""
    version = find_version(db, caller.community_id, version_id)
    desk = Desk(db, version)
    given = question.model_dump(exclude_none=True)
    ask_of(desk.problem, question.question())  # refused here and now where it makes no sense
    return _asked(request, db, caller, desk, "roster.what_if", given)


def _asked(
    request: Request, db: Db, caller: Caller, desk: Desk, kind: str, given: dict[str, object]
) -> JobAsked:
    version = desk.version
    run_id = ask(
        db,
        kind,
        {"version_id": version.id, **given},
        community_id=caller.community_id,
        asked_by=caller.username,
    )
    record(
        db,
        actor=caller.username,
        action=kind,
        target=f"{version.week_start.isoformat()} #{version.number}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"version": version.id, "job": run_id, **given},
    )
    return JobAsked(run_id=run_id, url=f"/jobs/{run_id}")


@router.post("/draft", status_code=201)
def copy(request: Request, db: Db, caller: Lead, version_id: VersionId) -> DraftMade:
    """Copy a version, published ones too, to a new draft that can be edited."""
    made = copy_as_draft(db, caller.community_id, version_id, by=caller.username)
    record(
        db,
        actor=caller.username,
        action="roster.copy",
        target=f"{made.week_start.isoformat()} #{made.number}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"version": made.id, "made_from": version_id},
    )
    return DraftMade(id=made.id, number=made.number, url=f"/rosters/{made.id}/desk")


@router.get("/compare")
def side_by_side(
    db: Db,
    caller: Lead,
    version_id: VersionId,
    other: Annotated[int, Query(alias="with", ge=1, le=2**63 - 1)],
) -> ComparisonOut:
    """Lay two versions of this community side by side."""
    one = find_version(db, caller.community_id, version_id)
    two = find_version(db, caller.community_id, other)
    return ComparisonOut(
        first=named(one),
        second=named(two),
        comparison=compare((problem_of(one), plan_of(one)), (problem_of(two), plan_of(two))),
    )
