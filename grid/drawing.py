"""Draw grid cells: propose a partition, take it, then merge, split and move cells from a day on.

An edit ends the cells it changes and begins new ones on the same day. A border that moves keeps
the code (it is the same cell); a merged or split cell is another area and takes a new code, so
that figures of one code stay comparable over the years. New cells enter the patrol zone of the
cell they come from; incidents since that day move to the new cells.

Every edit is checked as a whole (:mod:`grid.topology`) and refused when it breaks the partition
where it was sound; what was broken before does not forbid repairing something else.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape, to_shape
from shapely import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import split
from sqlalchemy import delete, func, insert, or_, select, text, true
from sqlalchemy.orm import Session

from grid.cells import GridCell, PatrolZone, PatrolZoneCell
from grid.codes import new_codes
from grid.communities import Building, Community, Estate
from grid.database import GEOGRAPHIC_SRID
from grid.errors import DomainError, NotFound
from grid.metric import Metric
from grid.partition import (
    HOUSEHOLDS_PER_CELL,
    Balance,
    Proposal,
    propose,
)
from grid.topology import Cell, Finding, FindingKind, NoBoundary, Report, check, check_cells
from grid.walkways import Walkway

SLIT_M2 = 1.0
"""A hole this small between merged cells is a slit of their borders, not a courtyard."""
SPLITS_TRIED = 3
SMALLER_HALF = 0.2
"""A cell is not split by itself so that one side gets less than this share."""
EDGE_M = 0.05
"""A dividing line that ends this close to the cell's edge reaches it."""


class PartitionBroken(DomainError):
    """The edit would leave gaps, overlaps, cut buildings or zones apart."""

    zh = "没有保存：修改后{count}处不符合要求。{first}"
    en = "Not saved: the change would break {count} rule(s). {first_en}"
    status = 409


class CellsDoNotTouch(DomainError):
    """Merged cells must hang together."""

    zh = "网格{codes}没有共同边界（只有一点相接不算相连），不能合并。请选择相邻的网格。"
    en = "Cells {codes} share no border (a common point is none), so they cannot be merged. Choose neighbours."


class TooFewCells(DomainError):
    """Merging takes two."""

    zh = "合并至少需要两个不同的网格。请再选择一个相邻网格。"
    en = "Merging takes at least two different cells. Choose one more, beside the first."


class LineDoesNotDivide(DomainError):
    """The line does not run from edge to edge of the cell."""

    zh = "分割线没有把网格{code}分成两块。请让线的两端都越过网格边界。"
    en = "The line does not divide cell {code}. Let both its ends reach beyond the cell's border."


class CannotSplit(DomainError):
    """There is nothing along which to part the cell."""

    zh = "网格{code}里的楼栋太少，无法自动分成相近的两半。请用 ./xunge cells split --line 指定分割线，或导入修改后的网格。"
    en = "Cell {code} has too few buildings to be parted into like halves by itself. Give a line with ./xunge cells split --line, or import the changed cells."


class EditTooEarly(DomainError):
    """The cells have changed after that day already."""

    zh = "网格在{since}已有改动，不能从更早的{day}起再修改。请选择{since}或之后的日期。"
    en = "The cells have changed on {since}, so they cannot change from {day} any more. Choose {since} or later."
    status = 409


@dataclass(frozen=True)
class Edit:
    """What an edit did."""

    day: date
    ended: tuple[str, ...]
    begun: tuple[str, ...]
    incidents_moved: int
    report: Report


@dataclass(frozen=True)
class DrawnCell:
    """A proposed cell as it would be stored: shape in WGS 84."""

    code: str
    shape: Polygon
    households: int
    buildings: int
    area_m2: float


@dataclass(frozen=True)
class DrawnCells:
    """A proposed partition, with its balance and its check."""

    target: int
    seed: int
    cells: tuple[DrawnCell, ...]
    balance: Balance
    report: Report


def propose_cells(
    session: Session,
    community_id: int,
    *,
    target: int = HOUSEHOLDS_PER_CELL,
    seed: int = 0,
) -> DrawnCells:
    """Propose a partition of a community from its buildings and walkways; stores nothing.

    The same ground, target and seed give the same cells. Raises NotFound, NoBoundary or
    NothingToPartition.
    """
    community = _community(session, community_id)
    ground = _Ground.of(session, community)
    boundary = ground.metric(to_shape(community.boundary))
    proposal = propose(
        boundary,
        ground.footprints,
        ground.households,
        ground.walkways,
        ground.estates,
        target=target,
        seed=seed,
    )
    codes = new_codes(community.code, _centres(proposal), _used(session, community_id))
    drawn = tuple(
        DrawnCell(
            code=code,
            shape=ground.geographic(cell.boundary),
            households=cell.households,
            buildings=len(cell.buildings),
            area_m2=cell.boundary.area,
        )
        for code, cell in zip(codes, proposal.cells, strict=True)
    )
    report = check_cells(
        session,
        to_shape(community.boundary),
        [Cell(cell.code, cell.shape) for cell in drawn],
        srid=community.metric_srid,
        community_id=community_id,
    )
    return DrawnCells(target, seed, drawn, proposal.balance, report)


def accept_cells(session: Session, community_id: int, drawn: DrawnCells, day: date) -> Edit:
    """Store a proposed partition from ``day`` on; the cells that held until then end.

    Patrol zones are regrouped by :func:`grid.zones.draw_zones`, not here. Raises PartitionBroken,
    EditTooEarly.
    """
    if not drawn.report.sound:
        raise _broken(drawn.report.findings)
    _lock(session, community_id, day)
    before = _valid(session, community_id, day)
    _end(session, before, day)
    names = _names(session, community_id, len(drawn.cells))
    for cell, name in zip(drawn.cells, names, strict=True):
        session.add(_row(community_id, cell.code, name, cell.shape, day))
    session.flush()
    moved = _move_incidents(session, community_id, day)
    return Edit(
        day=day,
        ended=tuple(row.code for row in before),
        begun=tuple(cell.code for cell in drawn.cells),
        incidents_moved=moved,
        report=drawn.report,
    )


def merge_cells(
    session: Session, community_id: int, codes: Sequence[str], day: date, *, name: str | None = None
) -> Edit:
    """Merge neighbouring cells into one new cell from ``day`` on.

    Raises TooFewCells, NotFound, CellsDoNotTouch, EditTooEarly or PartitionBroken.
    """
    wanted = list(dict.fromkeys(codes))
    if len(wanted) < 2:
        raise TooFewCells()
    community = _community(session, community_id)
    _lock(session, community_id, day)
    rows = _named(session, community_id, wanted, day)
    metric = Metric(community.metric_srid)
    shape = shapely.union_all([metric.to(to_shape(row.boundary)) for row in rows])
    shape = _without_slits(shape)
    if not isinstance(shape, Polygon) and all(
        len(shapely.get_parts(to_shape(row.boundary))) == 1 for row in rows
    ):
        raise CellsDoNotTouch(codes="、".join(wanted))
    [code] = new_codes(community.code, [(0.0, 0.0)], _used(session, community_id))
    largest = max(rows, key=lambda row: (_households_in(session, row), row.code))
    new = {code: (name or largest.name, metric.back(shape))}
    return _exchange(session, community, rows, new, day)


def split_cell(
    session: Session,
    community_id: int,
    code: str,
    day: date,
    *,
    line: LineString | None = None,
) -> Edit:
    """Split a cell into new cells from ``day`` on: along ``line`` (WGS 84), or by households.

    Without a line the cell is parted along its walkways into two of like households. Raises
    NotFound, LineDoesNotDivide, CannotSplit, EditTooEarly or PartitionBroken (which also says
    when the line cuts a building).
    """
    community = _community(session, community_id)
    _lock(session, community_id, day)
    [row] = _named(session, community_id, [code], day)
    metric = Metric(community.metric_srid)
    shape = metric.to(to_shape(row.boundary))
    parts = (
        _halves(session, community, row, shape)
        if line is None
        else _divided(shape, metric.to(line), code)
    )
    codes = new_codes(
        community.code,
        [part.centroid.coords[0] for part in parts],
        _used(session, community_id),
    )
    letters = "甲乙丙丁戊己庚辛壬癸"
    new = {
        new_code: (f"{row.name}{letters[n % 10]}", metric.back(part))
        for n, (new_code, part) in enumerate(sorted(zip(codes, parts, strict=True), key=_first))
    }
    return _exchange(session, community, [row], new, day)


def replace_cells(
    session: Session, community_id: int, shapes: Mapping[str, BaseGeometry], day: date
) -> Edit:
    """Give cells new borders (WGS 84) from ``day`` on; they keep their codes and zones.

    All cells whose border moves are given together. Raises NotFound, EditTooEarly or
    PartitionBroken.
    """
    community = _community(session, community_id)
    _lock(session, community_id, day)
    rows = _named(session, community_id, list(shapes), day)
    new = {row.code: (row.name, shapes[row.code]) for row in rows}
    return _exchange(session, community, rows, new, day)


def move_area(session: Session, community_id: int, area: BaseGeometry, to: str, day: date) -> Edit:
    """Give an area (WGS 84), such as a block, to cell ``to`` from ``day`` on.

    It is taken from whichever cells hold it. Raises NotFound, EditTooEarly or PartitionBroken.
    """
    community = _community(session, community_id)
    metric = Metric(community.metric_srid)
    taken = metric.to(area)
    shapes: dict[str, BaseGeometry] = {}
    for row in _valid(session, community_id, day):
        shape = metric.to(to_shape(row.boundary))
        if row.code == to:
            boundary = metric.to(to_shape(community.boundary))
            shapes[to] = metric.back(_without_slits(shape.union(taken.intersection(boundary))))
        elif shape.intersection(taken).area > SLIT_M2:
            shapes[row.code] = metric.back(shape.difference(taken))
    if to not in shapes:
        raise NotFound(thing="网格", name=to)
    return replace_cells(session, community_id, shapes, day)


# --- How an edit is carried out -------------------------------------------------------------------


def _exchange(
    session: Session,
    community: Community,
    old: Sequence[GridCell],
    new: Mapping[str, tuple[str, BaseGeometry]],
    day: date,
) -> Edit:
    """End ``old`` and begin ``new`` on ``day``, in a savepoint that a broken partition undoes."""
    before = check(session, community.id, day)
    ended = tuple(row.code for row in old)
    shapes = [(to_shape(row.boundary), _zones_of(session, row, day)) for row in old]
    with session.begin_nested():
        _end(session, old, day)
        rows = [_row(community.id, code, name, shape, day) for code, (name, shape) in new.items()]
        session.add_all(rows)
        session.flush()
        links = []
        for row, (_, shape) in zip(rows, new.values(), strict=True):
            _, zones = max(shapes, key=lambda pair: pair[0].intersection(shape).area)
            links += [{"zone_id": zone, "cell_id": row.id} for zone in zones]
        if links:
            session.execute(insert(PatrolZoneCell), links)
        session.expire_all()
        report = check(session, community.id, day)
        worse = _worse(before, report, set(ended) | set(new))
        if worse:
            raise _broken(worse)
        moved = _move_incidents(session, community.id, day)
    return Edit(day, ended, tuple(new), moved, report)


def _worse(before: Report, after: Report, touched: set[str]) -> list[Finding]:
    """Return what is wrong now and was not before."""

    def key(finding: Finding) -> tuple[Any, ...]:
        return finding.kind, tuple(c for c in finding.codes if c not in touched), finding.label

    left = Counter(key(finding) for finding in before.findings)
    found = []
    for finding in after.findings:
        if left[key(finding)] > 0:
            left[key(finding)] -= 1
        else:
            found.append(finding)
    return found


def _broken(findings: Sequence[Finding]) -> PartitionBroken:
    order = list(FindingKind)
    worst = sorted(findings, key=lambda f: (order.index(f.kind), -f.amount))
    return PartitionBroken(
        count=len(worst), first=worst[0].sentence("zh"), first_en=worst[0].sentence("en")
    )


def _end(session: Session, rows: Sequence[GridCell], day: date) -> None:
    """End cells on a day; a cell that began on that very day never held, and goes."""
    for row in rows:
        if row.valid_from == day:
            session.execute(delete(GridCell).where(GridCell.id == row.id))
            session.expunge(row)
        else:
            row.valid_to = day
    session.flush()


_MOVE_INCIDENTS = text(
    """
    UPDATE incident SET cell_id = (
        SELECT grid_cell.id FROM grid_cell
        WHERE grid_cell.community_id = incident.community_id
            AND ST_Covers(grid_cell.boundary, incident.location)
            AND grid_cell.valid_from <= CAST(occurred_at AT TIME ZONE 'Asia/Shanghai' AS date)
            AND (grid_cell.valid_to IS NULL
                OR grid_cell.valid_to > CAST(occurred_at AT TIME ZONE 'Asia/Shanghai' AS date))
        ORDER BY grid_cell.code LIMIT 1
    )
    WHERE community_id = :community AND location IS NOT NULL
        AND CAST(occurred_at AT TIME ZONE 'Asia/Shanghai' AS date) >= :day
        AND NOT EXISTS (
            SELECT FROM grid_cell
            WHERE grid_cell.id = incident.cell_id
                AND grid_cell.valid_from <= CAST(occurred_at AT TIME ZONE 'Asia/Shanghai' AS date)
                AND (grid_cell.valid_to IS NULL
                    OR grid_cell.valid_to
                        > CAST(occurred_at AT TIME ZONE 'Asia/Shanghai' AS date))
        )
    """
)


def _move_incidents(session: Session, community_id: int, day: date) -> int:
    """Give incidents since a day the cell that holds on their own day; return how many moved."""
    result = session.execute(_MOVE_INCIDENTS, {"community": community_id, "day": day})
    return int(getattr(result, "rowcount", 0))


def _halves(
    session: Session, community: Community, row: GridCell, shape: BaseGeometry
) -> list[Polygon]:
    ground = _Ground.of(session, community, within=row.boundary)
    # Half the households each; where nobody lives, half of what is built.
    built = [max(1, round(footprint.area)) for footprint in ground.footprints]
    for weights in (ground.households, built):
        if len([weight for weight in weights if weight]) < 2:
            continue
        for seed in range(SPLITS_TRIED):
            proposal = propose(
                shape,
                ground.footprints,
                weights,
                ground.walkways,
                ground.estates,
                target=max(1, round(sum(weights) / 2)),
                seed=seed,
                open_ground=False,
            )
            halves = [cell.households for cell in proposal.cells]
            if len(halves) == 2 and min(halves) >= SMALLER_HALF * sum(halves):
                return [cell.boundary for cell in proposal.cells]
    raise CannotSplit(code=row.code)


def _divided(shape: BaseGeometry, line: LineString, code: str) -> list[Polygon]:
    """Divide a metric shape by a metric line, whose ends may fall a hair short of the edge."""
    ends = shapely.get_coordinates(line)
    for first, second in ((0, 1), (-1, -2)):
        step = ends[first] - ends[second]
        length = float(np.hypot(*step))
        if length > 0 and shape.boundary.distance(shapely.Point(ends[first])) < EDGE_M:
            ends[first] += step / length * 2 * EDGE_M
    divider = LineString(ends)
    if len(shapely.get_parts(shape)) != 1 or not divider.is_simple:
        raise LineDoesNotDivide(code=code)
    polygon = shapely.get_parts(shape)[0]
    parts = [part for part in split(polygon, divider).geoms if part.area > SLIT_M2]
    if len(parts) < 2:
        raise LineDoesNotDivide(code=code)
    return parts


def _without_slits(shape: BaseGeometry) -> BaseGeometry:
    """Fill the hair-fine holes that two borders drawn twice leave between them."""
    parts = []
    for part in shapely.get_parts(shape):
        rings = [ring for ring in part.interiors if Polygon(ring).area > SLIT_M2]
        parts.append(Polygon(part.exterior, rings))
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


# --- What is stored -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ground:
    """What a partition is drawn from, in metres."""

    metric: Callable[[BaseGeometry], Any]
    geographic: Callable[[BaseGeometry], Any]
    footprints: list[Any]
    households: list[int]
    walkways: list[tuple[str, LineString]]
    estates: list[Any]

    @classmethod
    def of(
        cls, session: Session, community: Community, within: WKBElement | None = None
    ) -> "_Ground":
        """Load buildings, walkways and estates, or only what meets ``within``."""
        metric = Metric(community.metric_srid)

        def near(column: Any) -> Any:  # noqa: ANN401
            return true() if within is None else func.ST_Intersects(column, within)

        held = (
            true()
            if within is None
            else func.ST_Covers(within, func.ST_PointOnSurface(Building.footprint))
        )
        buildings = session.execute(
            select(Building.footprint, Building.households)
            .where(Building.community_id == community.id, held)
            .order_by(Building.source_key)
        ).all()
        walkways = session.execute(
            select(Walkway.kind, Walkway.line)
            .where(Walkway.community_id == community.id, near(Walkway.line))
            .order_by(Walkway.source_key)
        ).all()
        estates = session.scalars(
            select(Estate.boundary)
            .where(
                Estate.community_id == community.id,
                Estate.boundary.is_not(None),
                near(Estate.boundary),
            )
            .order_by(Estate.name)
        ).all()
        return cls(
            metric=metric.to,
            geographic=metric.back,
            footprints=[metric.to(to_shape(shape)) for shape, _ in buildings],
            households=[count for _, count in buildings],
            walkways=[(kind, metric.to(to_shape(line))) for kind, line in walkways],
            estates=[metric.to(to_shape(shape)) for shape in estates if shape is not None],
        )


def _community(session: Session, community_id: int) -> Community:
    community = session.get(Community, community_id)
    if community is None:
        raise NotFound(thing="社区", name=community_id)
    if community.boundary is None:
        raise NoBoundary(name=community.name)
    return community


def _lock(session: Session, community_id: int, day: date) -> None:
    """Let one edit of a community's cells follow the other, in time as in days."""
    session.execute(select(Community.id).where(Community.id == community_id).with_for_update())
    latest = session.scalar(
        select(func.max(GridCell.valid_from)).where(GridCell.community_id == community_id)
    )
    if latest is not None and latest > day:
        raise EditTooEarly(since=latest, day=day)


def _valid(session: Session, community_id: int, day: date) -> list[GridCell]:
    return list(
        session.scalars(
            select(GridCell)
            .where(
                GridCell.community_id == community_id,
                GridCell.valid_from <= day,
                or_(GridCell.valid_to.is_(None), GridCell.valid_to > day),
            )
            .order_by(GridCell.code)
        )
    )


def _named(session: Session, community_id: int, codes: Sequence[str], day: date) -> list[GridCell]:
    rows = {row.code: row for row in _valid(session, community_id, day)}
    for code in codes:
        if code not in rows:
            raise NotFound(thing="网格", name=code)
    return [rows[code] for code in codes]


def _used(session: Session, community_id: int) -> list[str]:
    return list(session.scalars(select(GridCell.code).where(GridCell.community_id == community_id)))


def _names(session: Session, community_id: int, count: int) -> list[str]:
    """Return names for new cells, counted on from those the community has had."""
    had = len(_used(session, community_id))
    return [f"第{number}网格" for number in range(had + 1, had + count + 1)]


def _row(community_id: int, code: str, name: str, shape: BaseGeometry, day: date) -> GridCell:
    parts = MultiPolygon(shapely.get_parts(shape).tolist())
    return GridCell(
        community_id=community_id,
        code=code,
        name=name,
        boundary=from_shape(parts, srid=GEOGRAPHIC_SRID),
        valid_from=day,
    )


def _zones_of(session: Session, row: GridCell, day: date) -> list[int]:
    return list(
        session.scalars(
            select(PatrolZone.id)
            .join(PatrolZoneCell, PatrolZoneCell.zone_id == PatrolZone.id)
            .where(
                PatrolZoneCell.cell_id == row.id,
                PatrolZone.valid_from <= day,
                or_(PatrolZone.valid_to.is_(None), PatrolZone.valid_to > day),
            )
        )
    )


def _households_in(session: Session, row: GridCell) -> int:
    return int(
        session.scalar(
            select(func.coalesce(func.sum(Building.households), 0)).where(
                Building.community_id == row.community_id,
                func.ST_Covers(row.boundary, func.ST_PointOnSurface(Building.footprint)),
            )
        )
        or 0
    )


def _centres(proposal: Proposal) -> list[tuple[float, float]]:
    return [cell.boundary.centroid.coords[0] for cell in proposal.cells]


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]
