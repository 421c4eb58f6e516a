"""The duty matrix as a grid, and the task card of a patrol, on screen and as PDF."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.cover.recording import record_edit
from api.duties.task_card import task_card
from api.i18n import word
from api.permissions import Caller, allow
from api.rosters.board import FORCES
from api.routes.walk import SHOWN
from api.web import Db, page, see_other
from grid.errors import Conflict, DomainError, NotFound
from grid.people import Force
from scheduling.core.composition import Part
from scheduling.cover import types_of
from scheduling.duties import (
    PARTS,
    Cells,
    CellUnknown,
    load_matrix,
    seats_in_words,
    seed_duties,
    set_cells,
)
from scheduling.rosters import Patrol
from scheduling.versions import find_version

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Walker = Annotated[Caller, allow(Role.PATROLLER, Role.TEAM_LEAD)]
Key = Annotated[int, Path(ge=1, le=2**63 - 1)]

KINDS = {
    "along": word("沿途（不限部位）"),
    "gate": word("出入口"),
    "garage": word("车库"),
    "fire_lane": word("消防通道"),
    "roof": word("楼顶"),
    "riverside": word("临河"),
    "square": word("广场"),
    "warehouse": word("仓库"),
    "police_room": word("警务室"),
    "other": word("其他"),
}
PART_WORDS: dict[Part, str] = {
    "required": word("必须"),
    "optional": word("可以"),
    "never": word("不参加"),
}


class NotPublished(Conflict):
    """Cards are printed of what people go by."""

    zh = "第 {number} 版排班还没有发布，不能打印任务卡。请先审核并发布。"
    en = "Version {number} is not published, so there are no task cards. Review and publish it."


class NobodyWalks(NotFound):
    """A day without patrols."""

    zh = "{day} 没有成行的巡逻，没有任务卡可打印。请选择另一天。"
    en = "No patrol is walked on {day}, so there are no task cards. Choose another day."


def _page(
    request: Request,
    db: Session,
    caller: Caller,
    duty_id: int | None,
    *,
    error: DomainError | None = None,
    said: str = "",
) -> Response:
    matrix = load_matrix(db, caller.community_id)
    shown = next((d for d in matrix.duties if d.id == duty_id), None)
    if duty_id is not None and shown is None:
        raise NotFound(thing="职责", name=duty_id)
    shown = shown or next(iter(matrix.duties), None)
    types = [t for t in types_of(db, caller.community_id) if t.active]
    return page(
        request,
        caller,
        "duties/matrix.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        said=said,
        matrix=matrix,
        duty=shown,
        carried=[(t, matrix.seats(t)) for t in types if shown and shown.code in t.duties],
        in_words=seats_in_words,
        forces=[f.value for f in Force],
        FORCES=FORCES,
        KINDS=KINDS,
        PARTS=PART_WORDS,
    )


@router.get("/cover/duties")
def matrix_page(
    request: Request,
    db: Db,
    caller: Lead,
    duty: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    said: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """Show one duty: kinds of place down, forces across, and the teams that come of it."""
    return _page(request, db, caller, duty, said=said)


@router.post("/cover/duties")
def seed(request: Request, db: Db, caller: Lead) -> Response:
    """Give a community without a matrix the usual one."""
    if seed_duties(db, caller.community_id):
        record_edit(request, db, caller, "duty.seed", "")
    return see_other("/cover/duties?said=seeded")


def read_cells(texts: list[str]) -> Cells:
    """Return cells written ``kind:force:part``. Raises CellUnknown."""
    parts: dict[str, Part] = {part: part for part in PARTS}
    found: dict[tuple[str, str], Part] = {}
    for text in texts:
        kind, _, rest = text.partition(":")
        force, _, part = rest.partition(":")
        if part not in parts:
            raise CellUnknown(cell=text[:60])
        found[kind, force] = parts[part]
    return found


@router.post("/cover/duties/{duty_id}")
def change_duty(
    request: Request,
    db: Db,
    caller: Lead,
    duty_id: Key,
    cell: Annotated[list[str], Form(max_length=100)],
) -> Response:
    """Set every cell of a duty; the next roster is made with the teams that come of it."""
    try:
        changed = set_cells(db, caller.community_id, duty_id, read_cells(cell))
    except NotFound:
        raise
    except DomainError as refusal:
        return _page(request, db, caller, duty_id, error=refusal)
    if changed:
        record_edit(request, db, caller, "duty.change", str(duty_id), changed=changed)
    return see_other(f"/cover/duties?duty={duty_id}&said={'saved' if changed else 'same'}")


@router.get("/patrols/{patrol_id}/card")
def card_page(request: Request, db: Db, caller: Walker, patrol_id: Key) -> Response:
    """Show a patrol's task card, ready to print on A5."""
    card = task_card(db, caller, patrol_id, str(request.base_url))
    return page(request, caller, "duties/card.html", card=card)


@router.get("/patrols/{patrol_id}/card.pdf")
def card_pdf(request: Request, db: Db, caller: Walker, patrol_id: Key) -> Response:
    """Return a patrol's task card as a PDF of A5; the export is recorded."""
    # Laying out pages takes two seconds to import: only whoever wants a PDF pays for it.
    from api.duties.card_pdf import task_card_pdf

    card = task_card(db, caller, patrol_id, str(request.base_url))
    record_edit(request, db, caller, "task_card.export", card.title, patrol=patrol_id)
    return _paper(task_card_pdf([card]), card.file_name)


@router.get("/rosters/{version_id}/task-cards")
def day_cards(
    request: Request,
    db: Db,
    caller: Lead,
    version_id: Key,
    day: Annotated[int, Query(ge=0, le=6)],
) -> Response:
    """Return the task cards of a published roster's day (0 is Monday) as one PDF. Recorded."""
    from api.duties.card_pdf import task_card_pdf

    version = find_version(db, caller.community_id, version_id)
    date = version.week_start + timedelta(days=day)
    patrols = db.scalars(
        select(Patrol.id)
        .where(Patrol.roster_version_id == version.id, Patrol.day == date, Patrol.assignments.any())
        .order_by(Patrol.start_min, Patrol.zone_id, Patrol.id)
    ).all()
    if version.state not in SHOWN:
        raise NotPublished(number=version.number)
    if not patrols:
        raise NobodyWalks(day=date.isoformat())
    cards = [task_card(db, caller, patrol, str(request.base_url)) for patrol in patrols]
    record_edit(request, db, caller, "task_card.export", date.isoformat(), cards=len(cards))
    return _paper(task_card_pdf(cards), f"任务卡-{date.isoformat()}.pdf")


def _paper(content: bytes, name: str) -> Response:
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "content-disposition": f"inline; filename*=UTF-8''{quote(name)}",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )
