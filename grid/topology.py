"""Check a partition: cells that cover their community once, zones that hang together.

One check, done set-based by PostGIS in the community's metric system (topology.sql beside), for
the cells stored on a day and equally for cells that are only proposed. The result is a
:class:`Report` of typed findings, each with its sentence in Chinese and English.

Tolerances: a gap, an overlap or a part outside the boundary below 1 m² is not a finding (survey
coordinates do not bear more); their sum is, when it exceeds 1 m² per cell. Two cells touch when
they share at least 1 m of border; a common point is no contact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import shapely
from geoalchemy2.shape import to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from grid.cells import GridCell, PatrolZone, PatrolZoneCell
from grid.communities import Community
from grid.errors import DomainError, NotFound

TOLERANCE_M2 = 1.0
"""A smaller gap, overlap or part outside is the survey's noise."""
SLIVER_M2 = 100.0
SLIVER_WIDTH_M = 3.0
"""A cell, or a part of one, smaller or thinner than this is a slip of drawing."""
SHARED_BUILDING = 0.1
"""A building of which a second cell holds more than this share stands in two cells."""
CONTACT_M = 1.0
"""Metres of common border that make two cells neighbours."""
BORDER_WIDTH_M = 0.01
"""Two borders this close are the same border: a vertex on one side only moves it by millimetres."""

_CHECK = text(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


class FindingKind(StrEnum):
    """What can be wrong with a partition."""

    NO_CELLS = "no_cells"
    GAP = "gap"
    OVERLAP = "overlap"
    OUTSIDE = "outside"
    AREA_SUM = "area_sum"
    SLIVER = "sliver"
    CELL_IN_PIECES = "cell_in_pieces"
    BUILDING_IN_NO_CELL = "building_in_no_cell"
    BUILDING_IN_TWO_CELLS = "building_in_two_cells"
    ZONE_NOT_CONTIGUOUS = "zone_not_contiguous"
    ZONE_EMPTY = "zone_empty"
    CELL_IN_TWO_ZONES = "cell_in_two_zones"
    CELL_IN_NO_ZONE = "cell_in_no_zone"


_SENTENCES: dict[FindingKind, tuple[str, str]] = {
    FindingKind.NO_CELLS: (
        "这一天没有有效的网格。请导入网格，或生成划分方案。",
        "No cell is valid on this day. Import the cells, or have a partition proposed.",
    ),
    FindingKind.GAP: (
        "{between}有{amount:.1f}平方米空隙，不属于任何网格。请把空隙并入其中一个网格。",
        "There is a gap of {amount:.1f} m² {between_en}. Give it to one of the cells.",
    ),
    FindingKind.OVERLAP: (
        "网格{codes}重叠{amount:.1f}平方米。请修改其中一个网格的边界。",
        "Cells {codes_en} overlap by {amount:.1f} m². Move the border of one of them.",
    ),
    FindingKind.OUTSIDE: (
        "网格{codes}有{amount:.1f}平方米超出社区边界。请按社区边界裁剪。",
        "Cell {codes_en} sticks out of the community by {amount:.1f} m². Trim it to the boundary.",
    ),
    FindingKind.AREA_SUM: (
        "网格面积之和与社区面积相差{amount:.1f}平方米，由许多细小缝隙造成。请让相邻网格共用同一条边界线。",
        "The cells' areas and the community's differ by {amount:.1f} m² in many tiny slits. Let neighbouring cells share one border line.",
    ),
    FindingKind.SLIVER: (
        "网格{codes}有一块狭长碎片（{amount:.1f}平方米，宽约{label}米）。请并入相邻网格。",
        "Cell {codes_en} has a sliver of {amount:.1f} m², about {label} m wide. Join it to a neighbour.",
    ),
    FindingKind.CELL_IN_PIECES: (
        "网格{codes}分成{amount:.0f}块，互不相连。请改为一块，或拆成多个网格。",
        "Cell {codes_en} lies in {amount:.0f} pieces that do not touch. Make it one, or several cells.",
    ),
    FindingKind.BUILDING_IN_NO_CELL: (
        "楼栋“{label}”不在任何网格内。请扩大相邻网格，或检查楼栋坐标。",
        "Building “{label}” is in no cell. Widen a cell beside it, or check its coordinates.",
    ),
    FindingKind.BUILDING_IN_TWO_CELLS: (
        "楼栋“{label}”同时落在网格{codes}内（第二个占{amount:.0%}）。请让边界绕开这栋楼。",
        "Building “{label}” stands in cells {codes_en} (the second holds {amount:.0%}). Lead the border around it.",
    ),
    FindingKind.ZONE_NOT_CONTIGUOUS: (
        "巡区“{label}”不连片：网格{codes}与其余网格没有共同边界（只有一点相接不算相连）。请调整巡区的网格。",
        "Zone “{label}” is not contiguous: cells {codes_en} share no border with the rest (a common point is no contact). Change the zone's cells.",
    ),
    FindingKind.ZONE_EMPTY: (
        "巡区“{label}”在这一天没有有效的网格。请为它选择网格，或停用该巡区。",
        "Zone “{label}” has no valid cell on this day. Choose cells for it, or end the zone.",
    ),
    FindingKind.CELL_IN_TWO_ZONES: (
        "网格{codes}同时属于巡区“{label}”。请只保留一个。",
        "Cell {codes_en} belongs to several zones: {label}. Keep one of them.",
    ),
    FindingKind.CELL_IN_NO_ZONE: (
        "网格{codes}不属于任何巡区。请把它加入相邻的巡区。",
        "Cell {codes_en} belongs to no patrol zone. Add it to a zone beside it.",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, where, and how much."""

    kind: FindingKind
    codes: tuple[str, ...] = ()
    """The cells concerned; of a gap, its neighbours, the one along most of it first."""
    amount: float = 0.0
    """m²; of a building in two cells, the second cell's share; of pieces, their number."""
    label: str = ""
    """The building's or zone's name, or a sliver's width in metres."""
    lon: float | None = None
    lat: float | None = None

    def sentence(self, locale: str = "zh") -> str:
        """Return what is wrong and what to do, in ``zh`` or ``en``."""
        zh, en = _SENTENCES[self.kind]
        if len(self.codes) >= 2:
            between = f"网格{'、'.join(self.codes[:2])}之间"
            between_en = f"between cells {' and '.join(self.codes[:2])}"
        elif self.codes:
            between = f"网格{self.codes[0]}旁"
            between_en = f"beside cell {self.codes[0]}"
        else:
            between, between_en = "社区内", "in the community"
        return (en if locale.startswith("en") else zh).format(
            codes="、".join(self.codes),
            codes_en=" and ".join(self.codes),
            between=between,
            between_en=between_en,
            amount=self.amount,
            label=self.label,
        )


@dataclass(frozen=True)
class Report:
    """What the check of one partition found."""

    cells: int
    cells_m2: float
    boundary_m2: float
    findings: tuple[Finding, ...]
    ignored_m2: float
    """Gaps, overlaps and parts outside that are each below the tolerance, together."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def of_kind(self, kind: FindingKind) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.findings if finding.kind is kind]


@dataclass(frozen=True)
class Cell:
    """A cell to check: stored (with its key) or only proposed. The shape is in WGS 84."""

    code: str
    shape: BaseGeometry
    id: int | None = None


@dataclass(frozen=True)
class Zone:
    """A patrol zone to check, by the codes of its cells."""

    name: str
    cells: tuple[str, ...]


class NoBoundary(DomainError):
    """The community has no boundary to compare with."""

    zh = "社区“{name}”还没有边界，无法检查网格。请先导入或绘制社区边界。"
    en = "Community “{name}” has no boundary yet, so its cells cannot be checked. Import or draw it first."
    status = 409


def check(session: Session, community_id: int, day: date) -> Report:
    """Check the cells and zones of a community that are valid on ``day``.

    Raises NotFound or NoBoundary.
    """
    community = session.get(Community, community_id)
    if community is None:
        raise NotFound(thing="社区", name=community_id)
    if community.boundary is None:
        raise NoBoundary(name=community.name)
    return check_cells(
        session,
        to_shape(community.boundary),
        cells_on(session, community_id, day),
        srid=community.metric_srid,
        community_id=community_id,
        zones=zones_on(session, community_id, day),
    )


def check_cells(
    session: Session,
    boundary: BaseGeometry,
    cells: Sequence[Cell],
    *,
    srid: int,
    community_id: int | None = None,
    zones: Sequence[Zone] | None = None,
) -> Report:
    """Check cells against a boundary (both WGS 84), measured in ``srid``.

    With ``community_id`` its buildings are asked about too; with ``zones`` their contiguity, and
    that every cell is in one zone.
    """
    rows = (
        session.execute(
            _CHECK,
            {
                "boundary": shapely.to_wkb(boundary),
                **_arrays(cells),
                "community": community_id,
                "srid": srid,
                "sliver_m2": SLIVER_M2,
                "sliver_m": SLIVER_WIDTH_M,
                "share": SHARED_BUILDING,
                "width": BORDER_WIDTH_M,
                "contact": CONTACT_M,
            },
        )
        .mappings()
        .all()
    )
    measures = {row["kind"]: float(row["amount"]) for row in rows if "measure" in row["kind"]}
    findings = [] if cells else [Finding(FindingKind.NO_CELLS)]
    ignored = 0.0
    for row in rows:
        if row["kind"] in measures:
            continue
        kind = FindingKind(row["kind"])
        amount = float(row["amount"])
        if kind in _BY_AREA and amount <= TOLERANCE_M2:
            ignored += amount
            continue
        if cells:
            findings.append(
                Finding(kind, tuple(row["codes"]), amount, row["label"], row["lon"], row["lat"])
            )
    if cells and ignored > TOLERANCE_M2 * len(cells):
        findings.append(Finding(FindingKind.AREA_SUM, amount=ignored))
    if zones is not None and cells:
        findings += zone_findings(
            zones, [cell.code for cell in cells], touching(session, cells, srid)
        )
    return Report(
        cells=len(cells),
        cells_m2=measures["measure_cells"],
        boundary_m2=measures["measure_boundary"],
        findings=tuple(findings),
        ignored_m2=ignored,
    )


_BY_AREA = frozenset({FindingKind.GAP, FindingKind.OVERLAP, FindingKind.OUTSIDE})


def zone_findings(
    zones: Sequence[Zone], cells: Sequence[str], borders: Mapping[tuple[str, str], float]
) -> list[Finding]:
    """Find zones that are empty or not contiguous, and cells in no zone or in several.

    ``borders`` are the metres two cells share, as :func:`touching` returns them. Pure.
    """
    beside: dict[str, set[str]] = {code: set() for code in cells}
    for a, b in borders:
        beside[a].add(b)
        beside[b].add(a)
    findings = []
    homes: dict[str, list[str]] = {code: [] for code in cells}
    for zone in zones:
        inside = set(zone.cells) & set(cells)
        for code in inside:
            homes[code].append(zone.name)
        if not inside:
            findings.append(Finding(FindingKind.ZONE_EMPTY, label=zone.name))
            continue
        parts = sorted(contiguous_parts(inside, beside), key=lambda p: (-len(p), min(p)))
        if len(parts) > 1:
            apart = tuple(sorted(set().union(*parts[1:])))
            findings.append(Finding(FindingKind.ZONE_NOT_CONTIGUOUS, apart, len(parts), zone.name))
    for code, names in sorted(homes.items()):
        if len(names) > 1:
            label = "、".join(sorted(names))
            findings.append(Finding(FindingKind.CELL_IN_TWO_ZONES, (code,), len(names), label))
        elif not names and zones:
            findings.append(Finding(FindingKind.CELL_IN_NO_ZONE, (code,)))
    return findings


def contiguous_parts(places: set[str], beside: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the parts of a set of places that hang together by their borders."""
    left = set(places)
    parts = []
    while left:
        start = min(left)
        seen, stack = {start}, [start]
        while stack:
            for other in (beside[stack.pop()] & left) - seen:
                seen.add(other)
                stack.append(other)
        left -= seen
        parts.append(seen)
    return parts


_TOUCHING = text(
    """
    WITH cell AS MATERIALIZED (
        SELECT position, code,
            ST_CollectionExtract(
                ST_MakeValid(ST_Transform(ST_SetSRID(ST_GeomFromWKB(wkb), 4326), :srid)), 3
            ) AS shape
        FROM unnest(
            CAST(:codes AS text[]), CAST(:shapes AS bytea[]), CAST(:ids AS bigint[])
        ) WITH ORDINALITY AS given (code, wkb, id, position)
    )
    SELECT a.code AS a, b.code AS b, along.metres
    FROM cell a
    JOIN cell b ON a.position < b.position AND ST_DWithin(a.shape, b.shape, :width)
    CROSS JOIN LATERAL (
        SELECT ST_Length(
            ST_Intersection(ST_Boundary(b.shape), ST_Buffer(a.shape, :width))
        ) AS metres
    ) AS along
    WHERE along.metres >= :contact
    ORDER BY a.code, b.code
    """
)


def touching(session: Session, cells: Sequence[Cell], srid: int) -> dict[tuple[str, str], float]:
    """Return which cells are neighbours, as pairs of codes in the order given, with the metres shared."""
    rows = session.execute(
        _TOUCHING,
        {**_arrays(cells), "srid": srid, "width": BORDER_WIDTH_M, "contact": CONTACT_M},
    )
    return {(row.a, row.b): float(row.metres) for row in rows}


def cells_on(session: Session, community_id: int, day: date) -> list[Cell]:
    """Return the cells of a community that are valid on a day, by code."""
    rows = session.scalars(
        select(GridCell)
        .where(
            GridCell.community_id == community_id,
            GridCell.valid_from <= day,
            or_(GridCell.valid_to.is_(None), GridCell.valid_to > day),
        )
        .order_by(GridCell.code)
    )
    return [Cell(row.code, to_shape(row.boundary), row.id) for row in rows]


def zones_on(session: Session, community_id: int, day: date) -> list[Zone] | None:
    """Return the zones valid on a day with their cells valid on it, or None when there are none."""
    rows = session.execute(
        select(PatrolZone.id, PatrolZone.name, GridCell.code)
        .outerjoin(PatrolZoneCell, PatrolZoneCell.zone_id == PatrolZone.id)
        .outerjoin(
            GridCell,
            (GridCell.id == PatrolZoneCell.cell_id)
            & (GridCell.valid_from <= day)
            & or_(GridCell.valid_to.is_(None), GridCell.valid_to > day),
        )
        .where(
            PatrolZone.community_id == community_id,
            PatrolZone.valid_from <= day,
            or_(PatrolZone.valid_to.is_(None), PatrolZone.valid_to > day),
        )
        .order_by(PatrolZone.code, GridCell.code)
    ).all()
    names: dict[int, str] = {}
    cells: dict[int, list[str]] = {}
    for zone_id, name, code in rows:
        names[zone_id] = name
        cells.setdefault(zone_id, [])
        if code is not None:
            cells[zone_id].append(code)
    return [Zone(names[key], tuple(codes)) for key, codes in cells.items()] or None


def _arrays(cells: Sequence[Cell]) -> dict[str, list[Any]]:
    return {
        "codes": [cell.code for cell in cells],
        "shapes": [shapely.to_wkb(cell.shape) for cell in cells],
        "ids": [cell.id for cell in cells],
    }
