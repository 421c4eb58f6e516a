"""Found a community on an OpenStreetMap extract: everything a roster, a route and a map need.

The community is for a trial, and says so: its office and firms are called invented (虚构), its
households are marked as estimates, its incidents begin with 【试用虚构】.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape, to_shape
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry import shape as from_geojson
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from grid.cells import GridCell, PatrolZone
from grid.codes import cell_code
from grid.communities import Building, Community, Employer, Estate, ImportBatch, StreetOffice
from grid.coordinates import metric_srid
from grid.database import GEOGRAPHIC_SRID
from grid.drawing import accept_cells, propose_cells
from grid.errors import DomainError
from grid.founding.households import Estimate, estimate
from grid.founding.outline import EstateOutline, boundary_around, estates_of
from grid.founding.team import ZoneAsked, invent_team
from grid.founding.trial_incidents import Home, invent_incidents
from grid.imports.layers import Feature, Layer
from grid.imports.osm import OsmExtract, read_osm
from grid.incidents import Incident, IncidentState, Provenance
from grid.metric import Metric
from grid.people import Member
from grid.places import Checkpoint, KeyPlace
from grid.topology import Report, check
from grid.walkways import Walkway
from grid.working_calendar import seed_calendar
from grid.zones import draw_zones, zone_shapes

BATCH_KIND = "osm"
CELLS_PER_ZONE = (3, 5)
"""A trial's team is invented: fewer, larger zones than a real one's."""
EMPLOYERS = ("甲物业（虚构）", "乙物业（虚构）", "丙物业（虚构）")
CHECKPOINTS_PER_ZONE = 2
FENCE_REACH_M = 10.0
"""A gate this near an estate's outline is its gate."""
GATE_REACH_M = 60.0
"""A gate this far from every walkway is on no patrol's way."""
DWELL_MIN = {"gate": 2, "police_room": 3, "square": 6, "other": 3}


class NoBuildings(DomainError):
    """The extract has nothing to found a community on."""

    zh = "“{name}”里没有住宅楼栋，无法建立试用社区。请换一个包含居民小区建筑物的 OSM 提取文件。"
    en = "“{name}” holds no residential buildings, so no trial community can be founded on it. Use an OSM extract that includes housing."


class NoWalkways(DomainError):
    """The extract has no ways to walk on."""

    zh = "“{name}”里没有可步行的道路，无法安排巡逻。请换一个包含道路的 OSM 提取文件。"
    en = "“{name}” holds no walkable ways, so nothing can be patrolled. Use an OSM extract that includes roads and paths."


class CodeTaken(DomainError):
    """Another community has the code, or this one was founded on another file."""

    zh = "社区代码{code}已被“{name}”使用，且不是由这个文件建立的。请用 --code 换一个代码，或先运行 ./xunge reset。"
    en = "Code {code} belongs to “{name}”, which was not founded on this file. Choose another code, or run ./xunge reset first."
    status = 409


@dataclass(frozen=True)
class Founded:
    """What was founded, in numbers; ``created`` is False when it stood already."""

    community_id: int
    code: str
    name: str
    created: bool
    area_m2: float
    buildings: int
    households: int
    households_estimated: int
    """How many of the households are estimates from footprints."""
    estates: int
    cells: int
    zones: int
    walkways: int
    checkpoints: int
    members: int
    incidents: int
    report: Report

    def sentence(self, locale: str = "zh") -> str:
        """Say in one breath what stands there and what of it is estimated or invented."""
        share = self.households_estimated / self.households if self.households else 0.0
        if locale.startswith("en"):
            return (
                f"{self.name}: {self.area_m2 / 1e6:.1f} km², {self.buildings} buildings, "
                f"{self.households:,} households ({share:.0%} estimated from footprints), "
                f"{self.estates} estates, {self.cells} cells, {self.zones} zones, "
                f"{self.checkpoints} checkpoints; {self.members} members and {self.incidents} "
                "incidents are invented for trial. Map data © OpenStreetMap contributors, ODbL 1.0."
            )
        return (
            f"{self.name}：{self.area_m2 / 1e6:.1f}平方公里，{self.buildings}栋楼，"
            f"{self.households:,}户（{share:.0%}按建筑轮廓估算），{self.estates}个小区，"
            f"{self.cells}个网格，{self.zones}个巡区，{self.checkpoints}个必到点；"
            f"{self.members}名队员和{self.incidents}起事件为试用虚构。"
            "地图数据 © OpenStreetMap 贡献者，ODbL 1.0。"
        )


def found_from_osm(
    session: Session,
    path: Path,
    *,
    code: str,
    name: str,
    until: date,
    boundary: Polygon | MultiPolygon | None = None,
    seed: int = 0,
) -> Founded:
    """Found a community on an extract: boundary, estates, cells, zones, places, team, incidents.

    ``until`` is today: cells and zones hold since two years before it, incidents end before it.
    ``boundary`` (WGS 84) replaces the hull around the buildings. The same file and code again
    change nothing. Raises BadCommunityCode, CodeTaken, NoBuildings or what reading raises.
    """
    cell_code(code, 1)  # refuses a code that is no community's
    mark = f"{path.name} (sha256 {_digest(path)})"
    standing = session.scalar(select(Community).where(Community.code == code))
    if standing is not None:
        known = session.scalar(
            select(ImportBatch.id).where(
                ImportBatch.community_id == standing.id,
                ImportBatch.kind == BATCH_KIND,
                ImportBatch.filename == mark,
            )
        )
        if known is None:
            raise CodeTaken(code=code, name=standing.name)
        return _summary(session, standing, until, created=False)
    ground = _Ground(read_osm(path), path.name, boundary)
    since = date(until.year - 2, 1, 1)
    community = _community(session, ground, code, name)
    batch = ImportBatch(
        community_id=community.id,
        kind=BATCH_KIND,
        filename=mark,
        source_crs="EPSG:4326",
        rows=len(ground.footprints) + len(ground.walkways),
        imported_on=until,
    )
    session.add(batch)
    session.flush()
    employers = _estates(session, community, ground, batch.id)
    buildings = _buildings(session, community, ground, batch.id)
    _walkways(session, community, ground, batch.id)
    accept_cells(session, community.id, propose_cells(session, community.id, seed=seed), since)
    draw_zones(session, community.id, since, sizes=CELLS_PER_ZONE, seed=seed)
    square = _places(session, community, ground, since)
    _team(session, community, employers)
    _incidents(session, community, ground, buildings, square, until, seed)
    seed_calendar(session)
    session.flush()
    return _summary(session, community, until, created=True)


class _Ground:
    """The extract clipped to the community, in WGS 84 and in metres, with what is estimated."""

    def __init__(
        self, extract: OsmExtract, filename: str, boundary: Polygon | MultiPolygon | None
    ) -> None:
        if not extract.buildings.features:
            raise NoBuildings(name=filename)
        shapes = [f.shape for f in extract.buildings.features if f.shape is not None]
        lon = float(np.median([shape.centroid.x for shape in shapes]))
        self.metric = Metric(metric_srid(lon))
        standing = self._metric_of(extract.buildings)
        if boundary is None:
            self.boundary_m: BaseGeometry = boundary_around([shape for _, shape in standing])
            outline = self.metric.back(self.boundary_m)
        else:
            outline = boundary
            self.boundary_m = self.metric.to(boundary)
        self.boundary = MultiPolygon(shapely.get_parts(outline).tolist())
        shapely.prepare(self.boundary_m)
        inside = [
            (feature, shape)
            for feature, shape in standing
            if shapely.contains_properly(self.boundary_m, shapely.point_on_surface(shape))
        ]
        self.features: list[Feature] = [feature for feature, _ in inside]
        self.footprints: list[Any] = [shape for _, shape in inside]
        named = [(str(f.values["name"]), shape) for f, shape in self._metric_of(extract.estates)]
        areas = shapely.union_all([shapely.make_valid(shape) for _, shape in named])
        self.counts: list[Estimate] = [
            self._estimate(feature, shape, areas) for feature, shape in inside
        ]
        households = [count.households for count in self.counts]
        if not sum(households):
            raise NoBuildings(name=filename)
        self.estates: list[EstateOutline] = estates_of(
            self.footprints, households, named, self.boundary_m
        )
        ways = [
            (feature, line)
            for feature, line in self._metric_of(extract.walkways)
            if shapely.intersects(self.boundary_m, line)
        ]
        self.walkways = [feature for feature, _ in ways]
        self.network = _largest_network([line for _, line in ways])
        if self.network.is_empty:
            raise NoWalkways(name=filename)
        self.gates = [
            (feature, at)
            for feature, at in self._metric_of(extract.gates)
            if shapely.contains_properly(self.boundary_m, at)
        ]
        self.estate_of: dict[int, int] = {}
        self.estate_name: dict[int, str] = {}
        self.number: dict[int, str] = {}

    def _metric_of(self, layer: Layer) -> list[tuple[Feature, Any]]:
        return [(f, self.metric.to(f.shape)) for f in layer.features if f.shape is not None]

    def on_network(self, at: Point) -> Point:
        """Return the nearest place of the walk network inside the boundary."""
        return nearest_points(self.inside_network, at)[0]

    @cached_property
    def inside_network(self) -> BaseGeometry:
        """The walk network within the community."""
        return self.network.intersection(self.boundary_m)

    def heart(self) -> Point:
        """Return the place on the walk network that households have the least far to."""
        weights = np.array([count.households for count in self.counts], dtype=float)
        points = shapely.get_coordinates(shapely.point_on_surface(self.footprints))
        return self.on_network(Point(np.average(points, axis=0, weights=weights)))

    def homes_in(self, zone: BaseGeometry) -> list[Point]:
        """Return a point in each inhabited building of a zone."""
        points = shapely.point_on_surface(self.footprints)
        return [
            point
            for point, count in zip(points, self.counts, strict=True)
            if count.households and shapely.intersects(zone, point)
        ]

    def estate_at(self, at: Point) -> int | None:
        """Return the key of the estate at a place; gates stand on its fence."""
        for estate in self.estates:
            if estate.buildings and estate.shape.distance(at) <= FENCE_REACH_M:
                return self.estate_of.get(estate.buildings[0])
        return None

    @staticmethod
    def _estimate(feature: Feature, shape: BaseGeometry, areas: BaseGeometry) -> Estimate:
        floors, households = feature.values.get("floors"), feature.values.get("households")
        return estimate(
            shape.area,
            str(feature.values.get("use") or "unknown"),
            floors=floors if isinstance(floors, int) else None,
            households=households if isinstance(households, int) else None,
            in_estate=shapely.intersects(areas, shapely.point_on_surface(shape)),
        )


def _largest_network(lines: Sequence[LineString]) -> BaseGeometry:
    """Return the walkways that hang together in the largest net: a stop elsewhere is unreachable."""
    parent: dict[tuple[float, float], tuple[float, float]] = {}

    def root(node: tuple[float, float]) -> tuple[float, float]:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    # OSM ways that meet share a node, so equal coordinates are a junction.
    for line in lines:
        corners = [(x, y) for x, y in line.coords]
        for corner in corners[1:]:
            parent[root(corner)] = root(corners[0])
    reach: Counter[tuple[float, float]] = Counter()
    for line in lines:
        reach[root(line.coords[0])] += round(line.length)
    if not reach:
        return MultiPolygon()
    main = max(reach, key=lambda top: (reach[top], top))
    return shapely.union_all([line for line in lines if root(line.coords[0]) == main])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _geo(shape: BaseGeometry) -> WKBElement:
    return from_shape(shape, srid=GEOGRAPHIC_SRID)


def _multi(shape: BaseGeometry) -> MultiPolygon:
    return MultiPolygon(shapely.get_parts(shape).tolist())


def _community(session: Session, ground: _Ground, code: str, name: str) -> Community:
    session.execute(
        upsert(StreetOffice)
        .values(code=code[:9], name="试用街道办（虚构）")
        .on_conflict_do_nothing()
    )
    office = session.scalars(select(StreetOffice).where(StreetOffice.code == code[:9])).one()
    community = Community(
        street_office_id=office.id,
        code=code,
        name=name,
        boundary=_geo(ground.boundary),
        metric_srid=ground.metric.srid,
    )
    session.add(community)
    session.flush()
    return community


def _estates(
    session: Session, community: Community, ground: _Ground, batch_id: int
) -> dict[int, str]:
    """Store estates, each kept by one of a few invented firms; return estate id → firm."""
    firms = [Employer(community_id=community.id, name=name) for name in EMPLOYERS]
    session.add_all(firms)
    session.flush()
    kept: dict[int, str] = {}
    for number, estate in enumerate(ground.estates):
        firm = firms[number % len(firms)]
        row = Estate(
            community_id=community.id,
            employer_id=firm.id,
            name=estate.name,
            boundary=_geo(ground.metric.back(estate.shape)),
            batch_id=batch_id,
        )
        session.add(row)
        session.flush()
        kept[row.id] = firm.name
        for building in estate.buildings:
            ground.estate_of[building] = row.id
            ground.estate_name[building] = estate.name
    return kept


def _buildings(
    session: Session, community: Community, ground: _Ground, batch_id: int
) -> dict[str, int]:
    """Store buildings with their estimates, numbered within their estate; return key → id."""
    numbers: Counter[int] = Counter()
    rows = []
    for n, (feature, count) in enumerate(zip(ground.features, ground.counts, strict=True)):
        estate_id = ground.estate_of.get(n)
        if estate_id is not None and count.households:
            numbers[estate_id] += 1
            ground.number[n] = str(numbers[estate_id])
        rows.append(
            {
                "community_id": community.id,
                "estate_id": estate_id,
                "source_key": str(feature.values["source_key"]),
                "number": ground.number.get(n),
                "name": feature.values.get("name"),
                "use": _use(str(feature.values.get("use") or "unknown"), count),
                "floors": count.floors,
                "households": count.households,
                "residents": count.residents,
                "counts_estimated": count.estimated,
                "footprint": _geo(_multi(feature.shape)),
                "batch_id": batch_id,
            }
        )
    stored = session.execute(insert(Building).returning(Building.source_key, Building.id), rows)
    return {key: building_id for key, building_id in stored}


def _use(use: str, count: Estimate) -> str:
    """Return a use the product knows: an unlabelled building is taken for what was estimated."""
    if use != "unknown":
        return use
    return "residential" if count.households else "other"


def _walkways(session: Session, community: Community, ground: _Ground, batch_id: int) -> None:
    session.execute(
        insert(Walkway),
        [
            {
                "community_id": community.id,
                "source_key": str(f.values["source_key"]),
                "kind": str(f.values["kind"]),
                "name": f.values.get("name"),
                "line": _geo(f.shape),
                "batch_id": batch_id,
            }
            for f in ground.walkways
        ],
    )


@dataclass(frozen=True)
class _Stop:
    key: str
    kind: str
    name: str
    at: Point


def _places(
    session: Session, community: Community, ground: _Ground, since: date
) -> tuple[float, float]:
    """Store key places and checkpoints on the walk network; return the square's lon, lat.

    Gates come from the map. A police room, a square and, where a zone has too few stops, more
    stops among its homes are invented.
    """
    heart = ground.heart()
    stops = [
        _Stop(str(f.values["source_key"]), "gate", str(f.values["name"]), at)
        for f, at in ground.gates
        if ground.network.distance(at) <= GATE_REACH_M
    ]
    stops.append(_Stop("trial:police_room", "police_room", "社区警务室（虚构）", heart))
    square = ground.on_network(Point(heart.x + 60.0, heart.y))
    stops.append(_Stop("trial:square", "square", "小广场（虚构）", square))
    for shape in zone_shapes(session, community.id, since):
        zone = ground.metric.to(from_geojson(shape.geometry))
        ways = ground.network.intersection(zone)
        if ways.is_empty:
            continue
        here = [s.at for s in stops if shapely.intersects(zone, ground.on_network(s.at))]
        for number in range(1, CHECKPOINTS_PER_ZONE + 1 - len(here)):
            at = _far_from(here, ways, ground.homes_in(zone))
            here.append(at)
            stops.append(
                _Stop(f"trial:{shape.id}:{number}", "other", f"{shape.label}{number}号点", at)
            )
    for number, stop in enumerate(stops, start=1):
        place = KeyPlace(
            community_id=community.id,
            estate_id=ground.estate_at(stop.at),
            source_key=stop.key,
            kind=stop.kind,
            name=stop.name,
            location=_geo(ground.metric.back(stop.at)),
        )
        session.add(place)
        session.flush()
        session.add(
            Checkpoint(
                community_id=community.id,
                key_place_id=place.id,
                code=f"C{number:02d}",
                name=stop.name,
                location=_geo(ground.metric.back(ground.on_network(stop.at))),
                dwell_min=DWELL_MIN[stop.kind],
            )
        )
    lonlat = ground.metric.back(square)
    return lonlat.x, lonlat.y


def _far_from(here: Sequence[Point], ways: BaseGeometry, homes: Sequence[Point]) -> Point:
    """Return a stop on a zone's ways, near homes and away from the stops it has."""
    beside = [nearest_points(ways, home)[0] for home in homes] or [
        line.interpolate(0.5, normalized=True) for line in _lines(ways)
    ]
    if not here:
        middle = ways.centroid
        return min(beside, key=lambda p: (p.distance(middle), p.x, p.y))
    return max(beside, key=lambda p: (min(p.distance(other) for other in here), p.x, p.y))


def _lines(shape: BaseGeometry) -> list[LineString]:
    return [part for part in shapely.get_parts(shape) if isinstance(part, LineString)]


def _team(session: Session, community: Community, employers: Mapping[int, str]) -> None:
    """Store an invented team, sized to the zones."""
    zones = session.scalars(
        select(PatrolZone).where(PatrolZone.community_id == community.id).order_by(PatrolZone.id)
    ).all()
    asked = [ZoneAsked(z.code, employers.get(z.estate_id or 0)) for z in zones]
    zone_ids = {zone.code: zone.id for zone in zones}
    firm_ids = dict(
        session.execute(
            select(Employer.name, Employer.id).where(Employer.community_id == community.id)
        )
        .tuples()
        .all()
    )
    session.execute(
        insert(Member),
        [
            {
                "community_id": community.id,
                "staff_number": member.staff_number,
                "name": member.name,
                "force": member.force,
                "employer_id": firm_ids.get(member.employer or ""),
                "home_zone_id": zone_ids[member.zone],
                "qualifications": list(member.qualifications),
                "contract": member.contract,
                "max_minutes_week": member.max_minutes_week,
                "max_patrols_week": member.max_patrols_week,
                "max_nights_week": member.max_nights_week,
                "days_off": list(member.days_off),
            }
            for member in invent_team(asked)
        ],
    )


def _incidents(
    session: Session,
    community: Community,
    ground: _Ground,
    buildings: Mapping[str, int],
    square: tuple[float, float],
    until: date,
    seed: int,
) -> None:
    """Store the invented incidents, each with its building and the cell of its day."""
    homes = []
    for n, (feature, count) in enumerate(zip(ground.features, ground.counts, strict=True)):
        point = feature.shape.representative_point() if feature.shape is not None else Point()
        label = f"{ground.estate_name.get(n, '')}{ground.number[n]}栋" if n in ground.number else ""
        named = label or str(feature.values.get("name") or "社区内楼栋")
        homes.append(
            Home(str(feature.values["source_key"]), named, point.x, point.y, count.households)
        )
    drawn = invent_incidents(homes, square, until, seed=seed)
    cells = _cells_at(session, community.id, [(one.lon, one.lat) for one in drawn])
    session.execute(
        insert(Incident),
        [
            {
                "community_id": community.id,
                "source": one.source,
                "ticket_number": one.ticket_number,
                "incident_class": one.incident_class,
                "category": one.category,
                "urgency": one.urgency,
                "state": IncidentState.CLOSED,
                "description": one.description,
                "address": one.address,
                "location": _geo(Point(one.lon, one.lat)),
                "provenance": Provenance.ADDRESS if one.building else Provenance.GIVEN,
                "building_id": buildings.get(one.building or ""),
                "cell_id": cell,
                "occurred_at": one.occurred_at,
                "reported_at": one.reported_at,
                "closed_at": one.closed_at,
            }
            for one, cell in zip(drawn, cells, strict=True)
        ],
    )


def _cells_at(
    session: Session, community_id: int, places: Sequence[tuple[float, float]]
) -> list[int | None]:
    """Return the cell at each place; all of a founded community's cells hold alike."""
    rows = session.scalars(select(GridCell).where(GridCell.community_id == community_id)).all()
    tree = shapely.STRtree([to_shape(row.boundary) for row in rows])
    found: list[int | None] = [None] * len(places)
    points = shapely.points(np.asarray(places).reshape(-1, 2))
    for place, cell in zip(*tree.query(points, predicate="intersects"), strict=True):
        found[int(place)] = rows[int(cell)].id
    return found


def _summary(session: Session, community: Community, day: date, *, created: bool) -> Founded:
    def count(table: Any, *where: Any) -> int:  # noqa: ANN401 - any mapped class
        return int(
            session.scalar(
                select(func.count())
                .select_from(table)
                .where(table.community_id == community.id, *where)
            )
            or 0
        )

    def households(*where: Any) -> int:  # noqa: ANN401
        return int(
            session.scalar(
                select(func.coalesce(func.sum(Building.households), 0)).where(
                    Building.community_id == community.id, *where
                )
            )
            or 0
        )

    report = check(session, community.id, day)
    return Founded(
        community_id=community.id,
        code=community.code,
        name=community.name,
        created=created,
        area_m2=report.boundary_m2,
        buildings=count(Building),
        households=households(),
        households_estimated=households(Building.counts_estimated),
        estates=count(Estate),
        cells=report.cells,
        zones=count(PatrolZone, PatrolZone.valid_to.is_(None)),
        walkways=count(Walkway),
        checkpoints=count(Checkpoint),
        members=count(Member),
        incidents=count(Incident),
        report=report,
    )
