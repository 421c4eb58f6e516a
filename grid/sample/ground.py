"""The sample community as plain shapes: outline, cells, zones, estates, buildings, walkways, places.

``draw(seed)`` is pure: the same seed draws the same ground, vertex for vertex. Shapes are given
in WGS 84 (``.shape``) as they are stored, measured in EPSG:4544 while being drawn.
"""

import random
from dataclasses import dataclass
from functools import lru_cache

import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from grid.communities import EstateKind
from grid.sample.buildings import (
    COMPOUNDS,
    GARDEN,
    IMPRESSION,
    WORKS,
    Compound,
    Footprint,
    Lane,
    erect,
    lanes,
)
from grid.sample.streets import (
    BLOCKS,
    RIVER_BANK,
    SNAP_M,
    STREETS,
    XY,
    Frame,
    cells,
    rounded,
)

RESIDENTS = {GARDEN: 6_156, IMPRESSION: 2_052, WORKS: 2_052}
"""10,260 residents, split 60/20/20."""

FENCE_M = 7.0
"""An estate reaches this far beyond its outermost lanes."""


@dataclass(frozen=True, slots=True)
class SampleEstate:
    """An estate, who guards it and its outline."""

    name: str
    kind: EstateKind
    employer: str | None
    shape: MultiPolygon


@dataclass(frozen=True, slots=True)
class SampleZone:
    """A patrol zone and the serials of its cells."""

    code: str
    name: str
    estate: str
    cells: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SampleBuilding:
    """A building with its counts; ``cell`` is the serial of the grid cell it stands in."""

    key: str
    estate: str | None
    number: str | None
    name: str | None
    use: str
    floors: int
    units: int
    households: int
    residents: int
    cell: int
    shape: Polygon
    door: Point


@dataclass(frozen=True, slots=True)
class SampleWalkway:
    """A walkable line between two junctions."""

    key: str
    kind: str
    name: str | None
    shape: LineString
    length_m: float


@dataclass(frozen=True, slots=True)
class SamplePlace:
    """A key place and, on the walk network nearest to it, its checkpoint."""

    key: str
    kind: str
    name: str
    estate: str | None
    cell: int
    shape: Point
    stop: Point
    dwell_min: int


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything that stands still in the sample community."""

    boundary: MultiPolygon
    cells: dict[int, MultiPolygon]
    zones: tuple[SampleZone, ...]
    estates: tuple[SampleEstate, ...]
    buildings: tuple[SampleBuilding, ...]
    walkways: tuple[SampleWalkway, ...]
    places: tuple[SamplePlace, ...]

    def building(self, estate: str, number: int) -> SampleBuilding:
        """Return one numbered building of an estate."""
        return next(b for b in self.buildings if b.estate == estate and b.number == str(number))

    def place(self, name: str) -> SamplePlace:
        """Return one key place by name."""
        return next(place for place in self.places if place.name == name)


ZONES = (
    SampleZone("Z1", "花园北巡区", GARDEN, (1,)),
    SampleZone("Z2", "花园西巡区", GARDEN, (4, 6)),
    SampleZone("Z3", "花园东巡区", GARDEN, (5, 7)),
    SampleZone("Z4", "印象西巡区", IMPRESSION, (2,)),
    SampleZone("Z5", "印象东巡区", IMPRESSION, (3,)),
    SampleZone("Z6", "老厂西巡区", WORKS, (8,)),
    SampleZone("Z7", "老厂东巡区", WORKS, (9,)),
)

ESTATES = (
    (GARDEN, EstateKind.PUBLIC_RENTAL, "嘉通物业"),
    (IMPRESSION, EstateKind.RESETTLEMENT, "嘉汇物业"),
    (WORKS, EstateKind.FACTORY_QUARTER, None),
)


def _plot(key: str) -> Compound:
    return next(compound for compound in COMPOUNDS if compound.key == key)


SQUARE: XY = _plot("garden-square").at(0.85, 0.80)
"""铸钢广场, on the plot that was left empty."""


def _civic() -> Footprint:
    """Return the community's service centre on the square, where the police room is."""
    plot = _plot("garden-square")
    west, east = plot.at(0.70, 0.945), plot.at(0.94, 0.945)
    middle = ((west[0] + east[0]) / 2, (west[1] + east[1]) / 2)
    hall = LineString([west, east]).buffer(6.5, cap_style="flat")
    return Footprint(
        key="sample-civic-1",
        estate=None,
        compound="garden-square",
        number=None,
        name="社区党群服务中心",
        use="public",
        floors=3,
        units=1,
        households=0,
        shape=hall,
        doors=((middle[0], middle[1] - 6.5),),
    )


def _nursery() -> Footprint:
    plot = _plot("garden-south")
    west, east = plot.at(0.72, 0.125), plot.at(0.95, 0.125)
    middle = ((west[0] + east[0]) / 2, (west[1] + east[1]) / 2)
    wing = LineString([west, east]).buffer(7, cap_style="flat")
    return Footprint(
        "sample-civic-2", None, "garden-south", None, "铸钢幼儿园", "school", 3, 1, 0, wing,
        ((middle[0], middle[1] + 7),),
    )  # fmt: skip


def _paths() -> list[Lane]:
    """Return what is walked outside streets and compounds: promenade, park, square, sports field."""
    promenade = [(u + 15, v) for u, v in RIVER_BANK[2:-2]]
    found = [Lane("footway", LineString(promenade), "滨江步道")]
    for n in range(5, len(promenade) - 3, 7):
        u, v = promenade[n]
        found.append(Lane("steps", LineString([(u, v), (u + 34.5, v + 2)])))
    park = [
        [(130, 1036), (190, 1060), (280, 1072), (350, 1050), (418, 1040)],
        [(190, 1060), (230, 1040), (240, 1012)],
        [(280, 1072), (300, 1010), (330, 965)],
        [(420, 1000), (500, 1040), (600, 1060), (690, 1030), (756, 1000)],
        [(420, 960), (500, 960), (560, 985), (640, 965), (758, 940)],
        [(500, 1040), (515, 1000), (500, 960), (520, 895)],
        [(600, 1060), (625, 1010), (640, 965), (640, 885)],
    ]
    found += [Lane("path", LineString(rounded(line)), "北坡公园步道") for line in park]
    field = [(210, 812), (372, 800), (378, 880), (330, 905), (226, 912), (210, 880), (210, 812)]
    found.append(Lane("footway", LineString(field)))
    found.append(Lane("footway", LineString([(292, 806), (288, 780)])))
    found.append(Lane("footway", LineString([(378, 860), (424, 858)])))
    found.append(Lane("footway", LineString([(226, 912), (160, 925), (110, 930)])))
    plot = _plot("garden-square")
    corners = [plot.at(2 / 3, 2 / 3), plot.at(1, 2 / 3), plot.at(1, 1), plot.at(2 / 3, 1)]
    for corner in (corners[0], corners[1]):
        found.append(Lane("pedestrian", LineString([corner, SQUARE]), "铸钢广场"))
    yard = [(1392, 330), (1394, 560), (1390, 840), (1384, 1000)]
    found.append(Lane("path", LineString(yard), "铁路便道"))
    found.append(Lane("path", LineString([(770, 446), (1052, 448)]), "老厂料场路"))
    found.append(Lane("path", LineString([(1052, 444), (1104, 444)]), "老厂料场路"))
    found.append(Lane("path", LineString([(1376, 442), (1393, 442)])))
    found.append(Lane("path", LineString([(1376, 700), (1393, 700)])))
    found.append(Lane("footway", LineString([(1048, 960), (1108, 958)])))
    found.append(Lane("footway", LineString([(756, 960), (800, 960)])))
    return found


def _gates() -> list[Lane]:
    """Return the short ways from each compound's wall to the nearest street."""
    found = []
    streets = shapely.union_all([street.line for street in STREETS])
    for compound in COMPOUNDS:
        for across, up in compound.gates:
            wall = Point(compound.at(across, up))
            _, meets = nearest_points(wall, streets)
            found.append(Lane("service", LineString([wall, meets])))
    return found


def _walkways(
    frame: Frame, outline: BaseGeometry, drawn: list[Lane]
) -> list[tuple[Lane, LineString]]:
    """Node every line with every other; return each piece in EPSG:4544 with the lane it is of."""
    lines = [frame.metric(lane.line).intersection(outline) for lane in drawn]
    noded = shapely.union_all(lines, grid_size=SNAP_M)
    pieces = [piece for piece in noded.geoms if piece.length > 0]
    tree = shapely.STRtree(lines)
    found = []
    for piece in pieces:
        middle = piece.interpolate(0.5, normalized=True)
        near = tree.query(middle, predicate="dwithin", distance=0.05)
        # Where two lines run as one, the first drawn names it: streets come first.
        found.append((drawn[int(min(near))], piece))
    return sorted(found, key=lambda pair: tuple(pair[1].coords))


def _main_network(pieces: list[tuple[Lane, LineString]]) -> list[tuple[Lane, LineString]]:
    """Leave out what cannot be reached on foot from the rest (a path's stump over the river)."""
    parent: dict[XY, XY] = {}

    def root(node: XY) -> XY:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for _, piece in pieces:
        parent[root(piece.coords[0])] = root(piece.coords[-1])
    reach: dict[XY, float] = {}
    for _, piece in pieces:
        top = root(piece.coords[0])
        reach[top] = reach.get(top, 0.0) + piece.length
    main = max(reach, key=lambda top: reach[top])
    return [(lane, piece) for lane, piece in pieces if root(piece.coords[0]) == main]


def _apportioned(total: int, weights: list[int]) -> list[int]:
    """Split ``total`` by weight into whole numbers that add up to it (largest remainders)."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    rest = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in rest[: total - sum(shares)]:
        shares[n] += 1
    return shares


@dataclass(frozen=True, slots=True)
class _Spot:
    kind: str
    name: str
    estate: str | None
    where: XY
    dwell_min: int = 2


def _spots() -> list[_Spot]:
    """Return the key places in the frame."""
    at = {compound.key: compound.at for compound in COMPOUNDS}
    return [
        _Spot("square", "铸钢广场", GARDEN, SQUARE, 6),
        _Spot("police_room", "社区警务室", None, at["garden-square"](0.74, 0.93), 3),
        _Spot("gate", "花园西门", GARDEN, at["garden-river"](0.0, 0.5)),
        _Spot("gate", "花园广场南门", GARDEN, at["garden-square"](0.5, 0.0)),
        _Spot("gate", "花园塔楼东门", GARDEN, at["garden-towers"](1.0, 0.4)),
        _Spot("gate", "花园南区东门", GARDEN, at["garden-south"](1.0, 0.6)),
        _Spot("gate", "花园北区正门", GARDEN, at["garden-north"](0.45, 0.0)),
        _Spot("garage", "花园塔楼地下车库", GARDEN, at["garden-towers"](0.34, 0.34), 4),
        _Spot("garage", "花园北区地下车库", GARDEN, at["garden-north"](0.66, 0.34), 4),
        _Spot("garage", "花园滨江非机动车库", GARDEN, at["garden-river"](0.34, 0.5), 3),
        _Spot("fire_lane", "花园滨江消防通道", GARDEN, at["garden-river"](0.5, 0.25)),
        _Spot("fire_lane", "花园南区消防通道", GARDEN, at["garden-south"](0.5, 0.75)),
        _Spot("roof", "花园13栋楼顶", GARDEN, at["garden-towers"](0.5, 0.5), 5),
        _Spot("roof", "花园45栋楼顶", GARDEN, at["garden-north"](0.5, 0.5), 5),
        _Spot("riverside", "滨江步道南段", None, (40, 120), 3),
        _Spot("riverside", "滨江步道亲水平台", None, (52, 400), 4),
        _Spot("riverside", "滨江步道北段", None, (95, 830), 3),
        _Spot("other", "铸钢学校门口", None, at["school"](1.0, 0.5), 4),
        _Spot("other", "北坡公园凉亭", None, (500, 1040), 3),
        _Spot("gate", "印象西区正门", IMPRESSION, at["impression-west"](0.5, 0.0)),
        _Spot("garage", "印象西区地下车库", IMPRESSION, at["impression-west"](0.34, 0.67), 4),
        _Spot("fire_lane", "印象西区消防通道", IMPRESSION, at["impression-west"](0.5, 0.67), 4),
        _Spot("other", "农贸市场门口", None, at["market"](0.2, 0.0), 4),
        _Spot("gate", "印象东区正门", IMPRESSION, at["impression-east"](0.5, 0.0)),
        _Spot("garage", "印象东区地下车库", IMPRESSION, at["impression-east"](0.66, 0.34), 4),
        _Spot("roof", "印象14栋楼顶", IMPRESSION, at["impression-east"](0.5, 0.567), 5),
        _Spot("warehouse", "冷链仓库", None, at["depot"](0.75, 0.0), 3),
        _Spot("gate", "老厂西区大门", WORKS, at["works-west"](1.0, 0.6)),
        _Spot("fire_lane", "老厂西区消防通道", WORKS, at["works-west"](0.5, 0.4)),
        _Spot("warehouse", "铸造车间闲置厂房", WORKS, at["works-foundry"](0.25, 0.5), 5),
        _Spot("other", "老厂料场", WORKS, at["works-foundry"](0.75, 0.5), 3),
        _Spot("gate", "老厂东区大门", WORKS, at["works-east"](0.0, 0.4)),
        _Spot("warehouse", "废旧物资仓库", WORKS, at["works-stores"](0.84, 0.5), 5),
        _Spot("other", "铁路便道口", None, (1393, 560), 3),
        _Spot("fire_lane", "老厂东区消防通道", WORKS, at["works-east"](0.5, 0.6)),
    ]


@lru_cache(maxsize=2)
def draw(seed: int) -> Ground:
    """Draw the sample community's ground."""
    rng = random.Random(f"ground {seed}")  # noqa: S311 - a drawing, no secret
    frame = Frame.fitted()
    cell_shapes = cells(frame)
    outline = shapely.union_all(list(cell_shapes.values()))

    footprints: list[Footprint] = []
    drawn = [Lane(street.kind, street.line, street.name) for street in STREETS]
    inner: list[Lane] = []
    for compound in COMPOUNDS:
        built = erect(compound, rng)
        inner += lanes(compound, built)
        footprints += built
    footprints += [_civic(), _nursery()]
    drawn += [*_paths(), *_gates(), *inner]
    pieces = _main_network(_walkways(frame, outline, drawn))
    network = shapely.union_all([piece for _, piece in pieces])

    def cell_of(point: Point) -> int:
        return next(serial for serial, shape in cell_shapes.items() if shape.covers(point))

    residents: dict[str, int] = {}
    for estate, total in RESIDENTS.items():
        homes = [f for f in footprints if f.estate == estate and f.households]
        shares = _apportioned(total, [f.households for f in homes])
        residents |= {f.key: share for f, share in zip(homes, shares, strict=True)}

    buildings = []
    for f in footprints:
        shape = shapely.set_precision(frame.metric(f.shape), SNAP_M)
        buildings.append(
            SampleBuilding(
                key=f.key,
                estate=f.estate,
                number=None if f.number is None else str(f.number),
                name=f.name,
                use=f.use,
                floors=f.floors,
                units=f.units,
                households=f.households,
                residents=residents.get(f.key, 0),
                cell=cell_of(shape.centroid),
                shape=frame.lonlat(shape),
                door=frame.lonlat(frame.metric(Point(f.doors[0]))),
            )
        )

    places = []
    for n, spot in enumerate(_spots(), start=1):
        point = frame.metric(Point(spot.where))
        stop, _ = nearest_points(network, point)
        places.append(
            SamplePlace(
                key=f"sample-place-{n:02d}",
                kind=spot.kind,
                name=spot.name,
                estate=spot.estate,
                cell=cell_of(point),
                shape=frame.lonlat(point),
                stop=frame.lonlat(stop),
                dwell_min=spot.dwell_min,
            )
        )

    estates = []
    for name, kind, employer in ESTATES:
        plots = [c.plot.buffer(FENCE_M, join_style="mitre") for c in COMPOUNDS if c.estate == name]
        area = frame.metric(shapely.union_all(plots)).intersection(outline)
        parts = area.geoms if isinstance(area, MultiPolygon) else [area]
        estates.append(SampleEstate(name, kind, employer, frame.lonlat(MultiPolygon(list(parts)))))

    cells_lonlat = {serial: frame.lonlat(shape) for serial, shape in cell_shapes.items()}
    return Ground(
        boundary=MultiPolygon([shapely.union_all(list(cells_lonlat.values()))]),
        cells={serial: MultiPolygon([shape]) for serial, shape in cells_lonlat.items()},
        zones=ZONES,
        estates=tuple(estates),
        buildings=tuple(buildings),
        walkways=tuple(
            SampleWalkway(
                f"sample-way-{n:04d}", lane.kind, lane.name, frame.lonlat(piece), piece.length
            )
            for n, (lane, piece) in enumerate(pieces, start=1)
        ),
        places=tuple(places),
    )


assert len(BLOCKS) == sum(len(zone.cells) for zone in ZONES)
