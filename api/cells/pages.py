"""Grid cells on a page: the list and the map, a proposal to look at and take, merge and split."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from api.accounts import Role
from api.cells.drawing import TARGETS, fingerprint, merge, split, take_proposal
from api.cells.picture import PicturedCell, cells_map
from api.i18n import translate
from api.permissions import Caller, allow
from api.places.ground import own_community
from api.today import next_monday, today
from api.web import Db, page, see_other
from grid.basemap import load_basemap
from grid.cell_figures import CellFigures, cell_figures
from grid.codes import COMMUNITY_DIGITS
from grid.communities import Community
from grid.drawing import DrawnCells, propose_cells
from grid.errors import DomainError
from grid.partition import HOUSEHOLDS_PER_CELL, Balance
from grid.topology import Report, check
from maps.folium_page import FRAME_POLICY, configure_assets

router = APIRouter()

Reader = Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE, Role.ADMIN, Role.AUDITOR)]
Drawer = Annotated[Caller, allow(Role.TEAM_LEAD, Role.ADMIN)]
Target = Annotated[int, Query(ge=TARGETS[0], le=TARGETS[1])]
Seed = Annotated[int, Query(ge=0, le=999)]
FINDINGS_SHOWN = 20


@router.get("/cells")
def cells_page(
    request: Request,
    db: Db,
    caller: Reader,
    day: date | None = None,
    ended: Annotated[int, Query(ge=0, le=999)] = 0,
    begun: Annotated[int, Query(ge=0, le=999)] = 0,
) -> Response:
    """Show the cells valid on a day, with what the check says; a lead merges and splits here."""
    return _cells(request, db, caller, day=day, ended=ended, begun=begun)


@router.get("/cells/map")
def cells_map_page(
    request: Request, db: Db, caller: Reader, day: date | None = None
) -> HTMLResponse:
    """Return the map of the cells of a day, for a sandboxed frame."""
    community = own_community(db, caller)
    shown = day or today(request.app.state.settings)
    return _map(
        request,
        db,
        community,
        [
            PicturedCell(
                _short(cell.code), cell.shape, cell.households, _notes(cell, caller.locale)
            )
            for cell in cell_figures(db, community.id, shown)
        ],
        translate(caller.locale, "%(name)s的网格", name=community.name),
        [translate(caller.locale, "%(day)s有效", day=shown.isoformat())],
        caller.locale,
    )


@router.get("/cells/proposal")
def proposal_page(
    request: Request,
    db: Db,
    caller: Drawer,
    target: Target = HOUSEHOLDS_PER_CELL,
    seed: Seed = 0,
) -> Response:
    """Show a proposed partition: its map, its figures, its check; nothing is stored."""
    return _proposal(request, db, caller, target=target, seed=seed)


@router.get("/cells/proposal/map")
def proposal_map(
    request: Request,
    db: Db,
    caller: Drawer,
    target: Target = HOUSEHOLDS_PER_CELL,
    seed: Seed = 0,
) -> HTMLResponse:
    """Return the map of a proposal, for a sandboxed frame."""
    community = own_community(db, caller)
    drawn = propose_cells(db, community.id, target=target, seed=seed)
    return _map(
        request,
        db,
        community,
        [
            PicturedCell(
                _short(cell.code),
                cell.shape,
                cell.households,
                (
                    cell.code,
                    translate(
                        caller.locale,
                        "%(households)s户 · %(buildings)s栋楼 · %(ha)s公顷",
                        households=f"{cell.households:,}",
                        buildings=cell.buildings,
                        ha=f"{cell.area_m2 / 10_000:.1f}",
                    ),
                ),
            )
            for cell in drawn.cells
        ],
        translate(caller.locale, "划分方案（尚未采用）"),
        [translate(caller.locale, "每格约%(n)s户", n=target)],
        caller.locale,
    )


@router.post("/cells/proposal")
def take(
    request: Request,
    db: Db,
    caller: Drawer,
    valid_from: Annotated[date, Form()],
    target: Annotated[int, Form(ge=TARGETS[0], le=TARGETS[1])],
    seed: Annotated[int, Form(ge=0, le=999)],
    seen: Annotated[str, Form(max_length=64)],
) -> Response:
    """Take the proposal that was looked at, from a day on."""
    community = own_community(db, caller)
    try:
        with db.begin_nested():
            edit, _ = take_proposal(
                db,
                community,
                valid_from,
                actor=caller.username,
                address=_address(request),
                target=target,
                seed=seed,
                seen=seen,
            )
    except DomainError as refusal:
        return _proposal(request, db, caller, target=target, seed=seed, error=refusal)
    return see_other(f"/cells?day={valid_from}&ended={len(edit.ended)}&begun={len(edit.begun)}")


@router.post("/cells/merge")
def merge_chosen(
    request: Request,
    db: Db,
    caller: Drawer,
    valid_from: Annotated[date, Form()],
    codes: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Merge the ticked cells from a day on."""
    community = own_community(db, caller)
    try:
        with db.begin_nested():
            edit = merge(
                db,
                community,
                codes or [],
                valid_from,
                actor=caller.username,
                address=_address(request),
            )
    except DomainError as refusal:
        return _cells(request, db, caller, error=refusal, ticked=codes or [], valid_from=valid_from)
    return see_other(f"/cells?day={valid_from}&ended={len(edit.ended)}&begun={len(edit.begun)}")


@router.post("/cells/{code}/split")
def split_one(
    request: Request,
    db: Db,
    caller: Drawer,
    code: str,
    valid_from: Annotated[date, Form()],
) -> Response:
    """Split a cell into two of like households from a day on."""
    community = own_community(db, caller)
    try:
        with db.begin_nested():
            edit = split(
                db,
                community,
                code,
                valid_from,
                actor=caller.username,
                address=_address(request),
            )
    except DomainError as refusal:
        return _cells(request, db, caller, error=refusal, valid_from=valid_from)
    return see_other(f"/cells?day={valid_from}&ended={len(edit.ended)}&begun={len(edit.begun)}")


def _cells(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    day: date | None = None,
    ended: int = 0,
    begun: int = 0,
    error: DomainError | None = None,
    ticked: list[str] | None = None,
    valid_from: date | None = None,
) -> Response:
    community = own_community(db, caller)
    now = today(request.app.state.settings)
    shown = day or now
    cells = cell_figures(db, community.id, shown)
    report: Report | None = None
    unchecked = ""
    try:
        report = check(db, community.id, shown)
    except DomainError as refusal:
        unchecked = refusal.sentence(caller.locale)
    return page(
        request,
        caller,
        "cells/cells.html",
        status_code=error.status if error else 200,
        community=community,
        cells=cells,
        balance=Balance.of(((c.households, c.area_m2) for c in cells), HOUSEHOLDS_PER_CELL),
        report=report,
        findings=_sentences(report, caller.locale),
        unchecked=unchecked,
        day=shown,
        today=now,
        next_monday=valid_from or max(next_monday(now), shown),
        may_draw=caller.is_(Role.TEAM_LEAD, Role.ADMIN),
        ended=ended,
        begun=begun,
        ticked=ticked or [],
        error=error.sentence(caller.locale) if error else "",
    )


def _proposal(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    target: int,
    seed: int,
    error: DomainError | None = None,
) -> Response:
    community = own_community(db, caller)
    drawn: DrawnCells | None = None
    try:
        drawn = propose_cells(db, community.id, target=target, seed=seed)
    except DomainError as refusal:
        error = error or refusal
    now = today(request.app.state.settings)
    held = cell_figures(db, community.id, now)
    return page(
        request,
        caller,
        "cells/proposal.html",
        status_code=error.status if error else 200,
        community=community,
        drawn=drawn,
        seen=fingerprint(drawn) if drawn else "",
        findings=_sentences(drawn.report if drawn else None, caller.locale),
        target=target,
        targets=TARGETS,
        seed=seed,
        next_monday=next_monday(now),
        estimated=any(cell.estimated for cell in held),
        held=len(held),
        error=error.sentence(caller.locale) if error else "",
    )


def _map(
    request: Request,
    db: Session,
    community: Community,
    cells: list[PicturedCell],
    title: str,
    paragraphs: list[str],
    locale: str,
) -> HTMLResponse:
    configure_assets(request.app.state.settings.offline_assets)
    base = load_basemap(db, community.id, today(request.app.state.settings))
    html = cells_map(base, cells, title=title, paragraphs=paragraphs, locale=locale)
    return HTMLResponse(html, headers={"content-security-policy": FRAME_POLICY})


def _notes(cell: CellFigures, locale: str) -> tuple[str, ...]:
    return (
        cell.name,
        cell.code,
        translate(
            locale,
            "%(households)s户 · %(buildings)s栋楼 · %(ha)s公顷",
            households=f"{cell.households:,}",
            buildings=cell.buildings,
            ha=f"{cell.area_m2 / 10_000:.1f}",
        ),
        cell.zone,
    )


def _sentences(report: Report | None, locale: str) -> list[str]:
    if report is None:
        return []
    return [finding.sentence(locale) for finding in report.findings[:FINDINGS_SHOWN]]


def _short(code: str) -> str:
    return code[COMMUNITY_DIGITS:].lstrip("0")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
