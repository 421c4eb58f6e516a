"""Patrol zones: contiguous groups of grid cells that one team walks in one shift.

Cells are grouped so that zones are alike in households and in metres to walk, and lie in one
estate where possible: a property guard patrols his employer's estate only.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grid.balance import balanced_groups
from grid.cells import PatrolZone, PatrolZoneCell
from grid.codes import reading_order
from grid.communities import Community, Estate
from grid.errors import DomainError, NotFound
from grid.shapes import Shape
from grid.topology import cells_on, touching

CELLS_PER_ZONE = (2, 4)
"""What one team can walk in a shift."""
METRES_PER_HOUSEHOLD = 12.0
"""Metres of walkway that count as one household in a zone's load."""
PART_ESTATE = 2.5
"""How much dearer it is to part two cells of one estate than two of different ones."""
ROUNDS_PER_ZONE = 400


class NoCells(DomainError):
    """There is nothing to group."""

    zh = "{day}没有有效的网格，无法划分巡区。请先导入网格，或生成划分方案。"
    en = "No grid cell is valid on {day}, so no zones can be drawn. Import cells, or propose a partition first."
    status = 409


class ZonesInUse(DomainError):
    """A zone of that very day is named by a roster or a requirement already."""

    zh = "巡区“{name}”从{day}起生效，并已用于排班或巡逻要求，不能在同一天重新划分。请选择更晚的日期。"
    en = "Zone “{name}” begins on {day} and rosters or requirements name it already, so it cannot be redrawn on that day. Choose a later one."
    status = 409


@dataclass(frozen=True)
class CellLoad:
    """What a cell weighs in a zone: households, metres to walk, and the estate it mostly lies in."""

    households: int
    walk_m: float
    estate_id: int | None = None

    @property
    def load(self) -> float:
        """Households, with the walking counted as households."""
        return self.households + self.walk_m / METRES_PER_HOUSEHOLD


def group_cells(
    cells: Sequence[CellLoad],
    borders: Mapping[tuple[int, int], float],
    *,
    sizes: tuple[int, int] = CELLS_PER_ZONE,
    zones: int | None = None,
    seed: int = 0,
) -> list[int]:
    """Return the zone of every cell, zones numbered from 0. Pure.

    ``borders`` are the metres two cells (by position, smaller first) share. Zones are contiguous,
    of ``sizes`` cells where the map allows, alike in load, within one estate where possible.
    """
    if not cells:
        return []
    if zones is None:
        zones = max(1, round(2 * len(cells) / sum(sizes)))
    dear = {
        (a, b): metres
        * (
            PART_ESTATE
            if cells[a].estate_id is not None and cells[a].estate_id == cells[b].estate_id
            else 1.0
        )
        for (a, b), metres in borders.items()
    }
    return balanced_groups(
        [cell.load for cell in cells],
        dear,
        zones,
        seed=seed,
        rounds=ROUNDS_PER_ZONE * zones,
        band=0.15,
        border_share=1.5,
        sizes=sizes,
    )


_LOADS = text(
    """
    WITH cell AS (
        SELECT id, code, boundary,
            ST_X(ST_Centroid(ST_Transform(boundary, :srid))) AS east,
            ST_Y(ST_Centroid(ST_Transform(boundary, :srid))) AS north
        FROM grid_cell
        WHERE community_id = :community AND valid_from <= :day
            AND (valid_to IS NULL OR valid_to > :day)
    )
    SELECT cell.id, cell.code, cell.east, cell.north,
        (
            SELECT COALESCE(sum(building.households), 0) FROM building
            WHERE building.community_id = :community
                AND ST_Covers(cell.boundary, ST_PointOnSurface(building.footprint))
        ) AS households,
        (
            SELECT COALESCE(
                sum(ST_Length(ST_Transform(ST_Intersection(walkway.line, cell.boundary), :srid))), 0
            )
            FROM walkway
            WHERE walkway.community_id = :community AND ST_Intersects(walkway.line, cell.boundary)
        ) AS walk_m,
        (
            SELECT estate.id FROM estate
            WHERE estate.community_id = :community AND ST_Intersects(estate.boundary, cell.boundary)
                AND (
                    SELECT COALESCE(sum(building.households), 0) FROM building
                    WHERE building.community_id = :community
                        AND ST_Covers(cell.boundary, ST_PointOnSurface(building.footprint))
                        AND (building.estate_id = estate.id OR (building.estate_id IS NULL
                            AND ST_Covers(estate.boundary, ST_PointOnSurface(building.footprint))))
                ) * 2 > (
                    SELECT COALESCE(sum(building.households), 0) FROM building
                    WHERE building.community_id = :community
                        AND ST_Covers(cell.boundary, ST_PointOnSurface(building.footprint))
                )
            ORDER BY estate.id LIMIT 1
        ) AS estate_id
    FROM cell
    ORDER BY cell.code
    """
)


@dataclass(frozen=True)
class ZonesDrawn:
    """What drawing zones did: the zones that ended and those that began, by code."""

    ended: tuple[str, ...]
    begun: tuple[str, ...]


def draw_zones(
    session: Session,
    community_id: int,
    day: date,
    *,
    sizes: tuple[int, int] = CELLS_PER_ZONE,
    seed: int = 0,
) -> ZonesDrawn:
    """Group the cells of a community valid on ``day`` into new zones from that day on.

    Zones that held until then end. A zone belongs to the estate that most of its cells with
    households lie in, if there is one. Raises NotFound or NoCells.
    """
    community = session.get(Community, community_id)
    if community is None:
        raise NotFound(thing="社区", name=community_id)
    rows = session.execute(
        _LOADS, {"community": community_id, "day": day, "srid": community.metric_srid}
    ).all()
    if not rows:
        raise NoCells(day=day)
    # Whole metres: the order in which PostgreSQL adds lengths must not decide between zones.
    loads = [CellLoad(int(row.households), round(row.walk_m), row.estate_id) for row in rows]
    place = {row.code: n for n, row in enumerate(rows)}
    shared = touching(session, cells_on(session, community_id, day), community.metric_srid)
    borders = {
        (min(place[a], place[b]), max(place[a], place[b])): round(metres)
        for (a, b), metres in shared.items()
    }
    groups = group_cells(loads, borders, sizes=sizes, seed=seed)
    members = [[n for n, g in enumerate(groups) if g == group] for group in range(max(groups) + 1)]
    centres = [
        (
            sum(float(rows[n].east) for n in inside) / len(inside),
            sum(float(rows[n].north) for n in inside) / len(inside),
        )
        for inside in members
    ]
    ended = _end_zones(session, community_id, day)
    members = [members[position] for position in reading_order(centres)]
    estates = [_estate_of([loads[n] for n in inside]) for inside in members]
    names = _names(session, estates)
    codes = _codes(session, community_id, len(members))
    for inside, estate_id, name, code in zip(members, estates, names, codes, strict=True):
        zone = PatrolZone(
            community_id=community_id, estate_id=estate_id, code=code, name=name, valid_from=day
        )
        session.add(zone)
        session.flush()
        session.execute(
            insert(PatrolZoneCell),
            [{"zone_id": zone.id, "cell_id": rows[n].id} for n in inside],
        )
    session.execute(_MOVE_HOMES, {"community": community_id, "day": day})
    return ZonesDrawn(ended, tuple(codes))


_MOVE_HOMES = text(
    """
    UPDATE member SET home_zone_id = (
        SELECT now_zone.id FROM patrol_zone_cell was
        JOIN grid_cell was_cell ON was_cell.id = was.cell_id
        JOIN grid_cell now_cell ON now_cell.community_id = was_cell.community_id
            AND ST_Intersects(now_cell.boundary, was_cell.boundary)
            AND now_cell.valid_from <= :day
            AND (now_cell.valid_to IS NULL OR now_cell.valid_to > :day)
        JOIN patrol_zone_cell now ON now.cell_id = now_cell.id
        JOIN patrol_zone now_zone ON now_zone.id = now.zone_id
            AND now_zone.valid_from <= :day
            AND (now_zone.valid_to IS NULL OR now_zone.valid_to > :day)
        WHERE was.zone_id = member.home_zone_id
        GROUP BY now_zone.id
        ORDER BY sum(ST_Area(ST_Intersection(now_cell.boundary, was_cell.boundary))) DESC,
            now_zone.code
        LIMIT 1
    )
    FROM patrol_zone old
    WHERE member.community_id = :community AND old.id = member.home_zone_id AND old.valid_to <= :day
    """
)
"""A member whose home zone has ended is at home in the zone that now holds most of its ground."""


def _end_zones(session: Session, community_id: int, day: date) -> tuple[str, ...]:
    """End the zones that hold on a day, and those left without a cell on it."""
    held = session.scalars(
        select(PatrolZone)
        .where(
            PatrolZone.community_id == community_id,
            PatrolZone.valid_from <= day,
            or_(PatrolZone.valid_to.is_(None), PatrolZone.valid_to > day),
        )
        .order_by(PatrolZone.code)
    ).all()
    for zone in held:
        if zone.valid_from < day:
            zone.valid_to = day
            continue
        # A zone that began on this very day never held: it goes, unless something was built on it.
        try:
            with session.begin_nested():
                session.execute(delete(PatrolZone).where(PatrolZone.id == zone.id))
        except IntegrityError as error:
            raise ZonesInUse(name=zone.name, day=day) from error
        session.expunge(zone)
    session.flush()
    return tuple(zone.code for zone in held)


def _estate_of(cells: Sequence[CellLoad]) -> int | None:
    """Return the estate that holds most of a zone's households."""
    held: Counter[int | None] = Counter()
    for cell in cells:
        held[cell.estate_id] += cell.households
    total = sum(held.values())
    estate, count = max(held.items(), key=lambda item: (item[1], item[0] or 0))
    return estate if total and 2 * count > total else None


def _names(session: Session, estates: Sequence[int | None]) -> list[str]:
    """Return zones' names: their estate's, numbered where an estate has several."""
    titles = dict(
        session.execute(
            select(Estate.id, Estate.name).where(Estate.id.in_({e for e in estates if e}))
        )
        .tuples()
        .all()
    )
    counts, numbers = Counter(estates), Counter[int | None]()
    names = []
    for estate in estates:
        numbers[estate] += 1
        title = titles.get(estate, "") if estate is not None else ""
        if title and counts[estate] == 1:
            names.append(f"{title}巡区")
        else:
            names.append(f"{title}第{numbers[estate]}巡区")
    return names


def _codes(session: Session, community_id: int, count: int) -> list[str]:
    """Return the next zone codes (Z1, Z2 …); a code that was used stays with its zone."""
    used = session.scalars(select(PatrolZone.code).where(PatrolZone.community_id == community_id))
    first = 1 + max((int(code[1:]) for code in used if code[1:].isdigit()), default=0)
    return [f"Z{number}" for number in range(first, first + count)]


# --- Where is this? -------------------------------------------------------------------------------

_ZONE_OF_POINT = text(
    """
    SELECT patrol_zone.id FROM grid_cell
    JOIN patrol_zone_cell ON patrol_zone_cell.cell_id = grid_cell.id
    JOIN patrol_zone ON patrol_zone.id = patrol_zone_cell.zone_id
    WHERE grid_cell.community_id = :community
        AND ST_Covers(grid_cell.boundary, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326))
        AND grid_cell.valid_from <= :day AND (grid_cell.valid_to IS NULL OR grid_cell.valid_to > :day)
        AND patrol_zone.valid_from <= :day
        AND (patrol_zone.valid_to IS NULL OR patrol_zone.valid_to > :day)
    ORDER BY grid_cell.code LIMIT 1
    """
)

_ZONE_OF_BUILDING = text(
    """
    SELECT patrol_zone.id FROM building
    JOIN grid_cell ON grid_cell.community_id = building.community_id
        AND ST_Intersects(grid_cell.boundary, building.footprint)
    JOIN patrol_zone_cell ON patrol_zone_cell.cell_id = grid_cell.id
    JOIN patrol_zone ON patrol_zone.id = patrol_zone_cell.zone_id
    WHERE building.community_id = :community AND building.id = :building
        AND grid_cell.valid_from <= :day AND (grid_cell.valid_to IS NULL OR grid_cell.valid_to > :day)
        AND patrol_zone.valid_from <= :day
        AND (patrol_zone.valid_to IS NULL OR patrol_zone.valid_to > :day)
    ORDER BY ST_Area(ST_Intersection(grid_cell.boundary, building.footprint)) DESC, grid_cell.code
    LIMIT 1
    """
)


def zone_of_point(
    session: Session, community_id: int, day: date, lon: float, lat: float
) -> int | None:
    """Return the id of the zone a point (WGS 84) lies in on a day, or None outside all."""
    where = {"community": community_id, "day": day, "lon": lon, "lat": lat}
    found: int | None = session.scalar(_ZONE_OF_POINT, where)
    return found


def zone_of_building(
    session: Session, community_id: int, day: date, building_id: int
) -> int | None:
    """Return the id of the zone that holds most of a building on a day, or None."""
    where = {"community": community_id, "day": day, "building": building_id}
    found: int | None = session.scalar(_ZONE_OF_BUILDING, where)
    return found


def zone_of_cell(session: Session, community_id: int, day: date, cell_id: int) -> int | None:
    """Return the id of the zone a cell belongs to on a day, or None.

    A cell that has ended by then is looked for by the place it was at.
    """
    found = session.scalar(
        select(PatrolZone.id)
        .join(PatrolZoneCell, PatrolZoneCell.zone_id == PatrolZone.id)
        .where(
            PatrolZone.community_id == community_id,
            PatrolZoneCell.cell_id == cell_id,
            PatrolZone.valid_from <= day,
            or_(PatrolZone.valid_to.is_(None), PatrolZone.valid_to > day),
        )
        .order_by(PatrolZone.code)
        .limit(1)
    )
    if found is not None:
        return found
    place = session.execute(_CELL_POINT, {"community": community_id, "cell": cell_id}).one_or_none()
    return (
        None if place is None else zone_of_point(session, community_id, day, place.lon, place.lat)
    )


_CELL_POINT = text(
    """
    SELECT ST_X(ST_PointOnSurface(boundary)) AS lon, ST_Y(ST_PointOnSurface(boundary)) AS lat
    FROM grid_cell WHERE community_id = :community AND id = :cell
    """
)

_ZONE_SHAPES = text(
    """
    SELECT patrol_zone.id, patrol_zone.code, patrol_zone.name,
        ST_AsGeoJSON(ST_Multi(ST_UnaryUnion(ST_Collect(grid_cell.boundary))), 8) AS shape
    FROM patrol_zone
    JOIN patrol_zone_cell ON patrol_zone_cell.zone_id = patrol_zone.id
    JOIN grid_cell ON grid_cell.id = patrol_zone_cell.cell_id
    WHERE patrol_zone.community_id = :community
        AND grid_cell.valid_from <= :day AND (grid_cell.valid_to IS NULL OR grid_cell.valid_to > :day)
        AND patrol_zone.valid_from <= :day
        AND (patrol_zone.valid_to IS NULL OR patrol_zone.valid_to > :day)
    GROUP BY patrol_zone.id
    ORDER BY patrol_zone.code
    """
)


def zone_shapes(session: Session, community_id: int, day: date) -> list[Shape]:
    """Return every zone valid on a day as the union of its cells (WGS 84), by code."""
    rows = session.execute(_ZONE_SHAPES, {"community": community_id, "day": day})
    return [
        Shape(geometry=json.loads(row.shape), label=row.name, kind="zone", id=row.id)
        for row in rows
    ]
