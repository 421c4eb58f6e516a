"""Edit cells for a caller and record it: the edit and its audit entry stand or fall together."""

import hashlib
from collections.abc import Sequence
from datetime import date

import shapely
from shapely import LineString
from sqlalchemy.orm import Session

from api.audit import record
from grid.communities import Community
from grid.drawing import (
    DrawnCells,
    Edit,
    accept_cells,
    merge_cells,
    propose_cells,
    split_cell,
)
from grid.errors import Conflict
from grid.partition import HOUSEHOLDS_PER_CELL
from grid.zones import ZonesDrawn, draw_zones
from scheduling.succession import hand_over_demand

TARGETS = (100, 1000)
"""Households per cell that may be asked for."""


def fingerprint(drawn: DrawnCells) -> str:
    """Return what names a proposal: taking it takes what was looked at, and nothing else."""
    shapes = b"".join(shapely.to_wkb(cell.shape) for cell in drawn.cells)
    return hashlib.sha256(shapes).hexdigest()[:16]


def take_proposal(
    db: Session,
    community: Community,
    day: date,
    *,
    actor: str,
    address: str = "",
    target: int = HOUSEHOLDS_PER_CELL,
    seed: int = 0,
    seen: str | None = None,
) -> tuple[Edit, ZonesDrawn]:
    """Take the proposal of ``target`` and ``seed`` from ``day`` on, and draw new patrol zones.

    ``seen`` is the fingerprint of what the person looked at. Raises Conflict when the ground has
    changed since, and what proposing, accepting and drawing zones raise.
    """
    drawn = propose_cells(db, community.id, target=target, seed=seed)
    if seen is not None and seen != fingerprint(drawn):
        raise Conflict(
            what="楼栋、步行道或边界在您查看方案之后有改动，方案已不同",
            cure="重新查看新方案后再采用",
            what_en="Buildings, walkways or the boundary changed after you looked, and so did the proposal",
            cure_en="look at the new proposal, then take it",
        )
    edit = accept_cells(db, community.id, drawn, day)
    zones = draw_zones(db, community.id, day)
    handed = hand_over_demand(db, community.id, day)
    _record(
        db,
        community,
        edit,
        "cells.take",
        actor,
        address,
        target=target,
        zones=zones.begun,
        requirements_moved=handed.requirements,
    )
    return edit, zones


def merge(
    db: Session,
    community: Community,
    codes: Sequence[str],
    day: date,
    *,
    actor: str,
    address: str = "",
) -> Edit:
    """Merge cells from ``day`` on. Raises what grid.drawing.merge_cells raises."""
    edit = merge_cells(db, community.id, codes, day)
    _record(db, community, edit, "cells.merge", actor, address)
    return edit


def split(
    db: Session,
    community: Community,
    code: str,
    day: date,
    *,
    actor: str,
    address: str = "",
    line: LineString | None = None,
) -> Edit:
    """Split a cell from ``day`` on. Raises what grid.drawing.split_cell raises."""
    edit = split_cell(db, community.id, code, day, line=line)
    _record(db, community, edit, "cells.split", actor, address)
    return edit


def _record(
    db: Session,
    community: Community,
    edit: Edit,
    action: str,
    actor: str,
    address: str,
    **details: object,
) -> None:
    record(
        db,
        actor=actor,
        action=action,
        target=f"community:{community.code}",
        address=address,
        community_id=community.id,
        details={
            "from": edit.day.isoformat(),
            "ended": list(edit.ended),
            "begun": list(edit.begun),
            "incidents_moved": edit.incidents_moved,
            **{key: list(v) if isinstance(v, tuple) else v for key, v in details.items()},
        },
    )
