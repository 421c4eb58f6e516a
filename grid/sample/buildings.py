"""The sample's estates: where its buildings stand, and the lanes between them.

A compound is a four-sided plot filled with rows of slab buildings, with towers, or with factory
halls; its lanes run along the rows and its spurs reach each unit's door. All in the frame
(metres), and all from one seed.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from shapely.affinity import rotate, translate
from shapely.geometry import LineString, Point, Polygon, box
from shapely.ops import unary_union

from grid.sample.streets import XY

Quad = tuple[XY, XY, XY, XY]
"""Corners in the order south-west, south-east, north-east, north-west."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """One building of the sample, in the frame; counts only, never persons."""

    key: str
    estate: str | None
    compound: str
    number: int | None
    name: str | None
    use: str
    floors: int
    units: int
    households: int
    shape: Polygon
    doors: tuple[XY, ...]
    """Where one enters, one point per unit."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A walkable line inside a compound, in the frame."""

    kind: str
    line: LineString
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Compound:
    """A plot and how it is built on."""

    key: str
    estate: str | None
    quad: Quad
    rows: int
    columns: int
    build: str
    """slab, tower or hall."""
    floors: tuple[int, ...]
    depth_m: float
    fill: float
    """How much of a plot's width a slab takes."""
    first_number: int = 0
    flats_per_floor: int = 2
    leave_empty: frozenset[tuple[int, int]] = frozenset()
    gates: tuple[tuple[float, float], ...] = ((0.5, 0.0), (0.5, 1.0))
    """Places on the wall, as fractions across and up, where the lanes meet a street."""
    names: tuple[str, ...] = field(default=())

    def at(self, across: float, up: float) -> XY:
        """Return the frame point at fractions of the plot's width and depth."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.quad
        south = (ax + (bx - ax) * across, ay + (by - ay) * across)
        north = (dx + (cx - dx) * across, dy + (cy - dy) * across)
        return (
            south[0] + (north[0] - south[0]) * up,
            south[1] + (north[1] - south[1]) * up,
        )

    @property
    def plot(self) -> Polygon:
        """The plot's outline."""
        return Polygon(self.quad)


GARDEN, IMPRESSION, WORKS = "铸钢花园", "铸钢印象", "铸钢老厂区"

COMPOUNDS: tuple[Compound, ...] = (
    Compound(
        "garden-square", GARDEN, ((96, 312), (384, 306), (376, 540), (160, 530)), 3, 3, "slab",
        (7, 6, 7), 13.5, 0.80, first_number=1, flats_per_floor=2,
        leave_empty=frozenset({(2, 2)}), gates=((0.5, 0.0), (1.0, 0.5), (0.55, 1.0)),
    ),
    Compound(
        "garden-towers", GARDEN, ((428, 306), (722, 308), (712, 556), (418, 548)), 3, 3, "tower",
        (12, 11, 11), 24, 0.42, first_number=9, flats_per_floor=4,
        gates=((0.0, 0.5), (1.0, 0.4), (0.6, 1.0)),
    ),
    Compound(
        "garden-river", GARDEN, ((96, 22), (384, 16), (388, 264), (78, 256)), 4, 3, "slab",
        (6, 6, 5), 13, 0.80, first_number=18, gates=((0.0, 0.5), (1.0, 0.6), (0.4, 1.0)),
    ),
    Compound(
        "garden-south", GARDEN, ((426, 14), (706, 16), (720, 262), (430, 260)), 4, 3, "slab",
        (6, 7, 6), 13, 0.80, first_number=30, leave_empty=frozenset({(0, 2)}),
        gates=((0.0, 0.4), (1.0, 0.6), (0.5, 1.0)),
    ),
    Compound(
        "garden-north", GARDEN, ((436, 604), (716, 606), (738, 846), (444, 868)), 3, 3, "tower",
        (12, 11, 12), 24, 0.42, first_number=41, flats_per_floor=4,
        gates=((0.0, 0.5), (0.45, 0.0), (1.0, 0.5)),
    ),
    Compound(
        "impression-west", IMPRESSION, ((772, 606), (1058, 594), (1052, 848), (786, 844)), 3, 3,
        "slab", (7, 6, 7), 15, 0.78, first_number=1, gates=((0.5, 0.0), (0.0, 0.6), (0.5, 1.0)),
    ),
    Compound(
        "impression-east", IMPRESSION, ((1106, 592), (1384, 594), (1376, 836), (1100, 848)), 3, 3,
        "slab", (6, 7, 6), 15, 0.78, first_number=10, gates=((0.5, 0.0), (0.0, 0.5), (0.5, 1.0)),
    ),
    Compound(
        "works-west", WORKS, ((772, 22), (1030, 24), (1040, 296), (776, 292)), 5, 2, "slab",
        (4, 4, 5), 12, 0.84, first_number=1, gates=((0.0, 0.4), (1.0, 0.6), (0.5, 1.0)),
    ),
    Compound(
        "works-east", WORKS, ((1080, 26), (1344, 40), (1366, 294), (1084, 296)), 5, 2, "slab",
        (4, 4, 3), 12, 0.84, first_number=11, leave_empty=frozenset({(4, 1)}),
        gates=((0.0, 0.4), (0.0, 0.8), (0.5, 1.0)),
    ),
    Compound(
        "works-foundry", WORKS, ((770, 346), (1050, 350), (1058, 540), (764, 548)), 2, 2, "hall",
        (1,), 58, 0.82, gates=((0.0, 0.5), (0.5, 0.0), (0.5, 1.0)),
        names=("铸造一车间", "铸造二车间", "机修车间", "老厂办公楼"),
    ),
    Compound(
        "works-stores", WORKS, ((1090, 350), (1376, 346), (1384, 536), (1102, 538)), 2, 3, "hall",
        (1,), 52, 0.80, gates=((0.0, 0.5), (0.5, 0.0)),
        names=("一号库房", "二号库房", "废旧物资仓库", "轧钢车间", "三号库房", "职工俱乐部"),
    ),
    Compound(
        "school", None, ((176, 604), (384, 602), (398, 770), (178, 790)), 3, 1, "hall",
        (4,), 15, 0.52, gates=((1.0, 0.5), (0.5, 0.0)),
        names=("铸钢学校教学楼", "铸钢学校实验楼", "铸钢学校综合楼"),
    ),
    Compound(
        "market", None, ((796, 900), (1050, 902), (1046, 1010), (800, 1014)), 1, 3, "hall",
        (2,), 46, 0.78, gates=((0.0, 0.5), (0.6, 0.0), (1.0, 0.5)),
        names=("农贸市场", "社区卫生服务中心", "便民超市"),
    ),
    Compound(
        "depot", None, ((1104, 896), (1374, 888), (1368, 1000), (1108, 1010)), 1, 2, "hall",
        (1,), 40, 0.55, gates=((0.0, 0.5), (0.6, 0.0)), names=("公交首末站", "冷链仓库"),
    ),
)  # fmt: skip

USES = {
    "school": "school",
    "market": "commercial",
    "depot": "commercial",
    "works-foundry": "industrial",
    "works-stores": "industrial",
}


def _bar(centre: XY, along: XY, length_m: float, depth_m: float) -> Polygon:
    """Return a rectangle about ``centre`` whose long side follows the unit vector ``along``."""
    angle = math.degrees(math.atan2(along[1], along[0]))
    upright = box(-length_m / 2, -depth_m / 2, length_m / 2, depth_m / 2)
    return translate(rotate(upright, angle, origin=(0, 0)), *centre)


def _stepped(centre: XY, along: XY, length_m: float, depth_m: float, units: int) -> Polygon:
    """Return a slab whose stairwells stand out a little on the entrance side, as slabs do."""
    across = (-along[1], along[0])
    parts = [_bar(centre, along, length_m, depth_m)]
    for unit in range(units):
        shift = (unit + 0.5) / units * length_m - length_m / 2
        stairwell = (
            centre[0] + along[0] * shift + across[0] * (depth_m / 2),
            centre[1] + along[1] * shift + across[1] * (depth_m / 2),
        )
        parts.append(_bar(stairwell, along, 5.0, 2.4))
    return unary_union(parts)


def _cross(centre: XY, along: XY, side_m: float) -> Polygon:
    """Return a tower's plan: four wings about a core."""
    return unary_union(
        [
            _bar(centre, along, side_m * 1.25, side_m * 0.62),
            _bar(centre, along, side_m * 0.62, side_m * 1.12),
        ]
    )


def _direction(a: XY, b: XY) -> XY:
    length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
    return ((b[0] - a[0]) / length, (b[1] - a[1]) / length)


def _places(compound: Compound) -> Iterator[tuple[int, int, int]]:
    """Yield (n, row from the north, column) of each building, in the order of their numbers."""
    n = 0
    for row in reversed(range(compound.rows)):
        for column in range(compound.columns):
            if (row, column) not in compound.leave_empty:
                yield n, row, column
                n += 1


def erect(compound: Compound, rng: random.Random) -> list[Footprint]:
    """Return the compound's buildings, numbered row by row from its north-west corner."""
    built: list[Footprint] = []
    for n, row, column in _places(compound):
        # Slabs stand close to the lane at their doors, with the sunny gap behind them.
        stand = 0.70 if compound.build == "slab" else 0.48
        across, up = (column + 0.5) / compound.columns, (row + stand) / compound.rows
        west = compound.at(column / compound.columns, up)
        east = compound.at((column + 1) / compound.columns, up)
        width = ((east[0] - west[0]) ** 2 + (east[1] - west[1]) ** 2) ** 0.5
        along = _direction(west, east)
        side = (-along[1], along[0])
        centre = compound.at(across, up)
        centre = (centre[0] + rng.uniform(-1.5, 1.5), centre[1] + rng.uniform(-1.5, 1.5))
        floors = compound.floors[(row + column) % len(compound.floors)]
        length = width * compound.fill * rng.uniform(0.94, 1.0)
        if compound.build == "slab":
            units = 4 if length > 80 else 3
            shape = _stepped(centre, along, length, compound.depth_m, units)
            households = units * floors * compound.flats_per_floor
            door = compound.depth_m / 2 + 1.2
            doors = tuple(
                (
                    centre[0] + along[0] * shift + side[0] * door,
                    centre[1] + along[1] * shift + side[1] * door,
                )
                for shift in ((unit + 0.5) / units * length - length / 2 for unit in range(units))
            )
        elif compound.build == "tower":
            units, side_m = 1, compound.depth_m
            shape = _cross(centre, along, side_m)
            households = floors * compound.flats_per_floor
            doors = ((centre[0] + side[0] * side_m * 0.56, centre[1] + side[1] * side_m * 0.56),)
        else:
            units, households = 1, 0
            shape = _bar(centre, along, length, compound.depth_m * rng.uniform(0.9, 1.0))
            reach = compound.depth_m / 2
            doors = ((centre[0] + side[0] * reach, centre[1] + side[1] * reach),)
        homes = compound.build != "hall"
        built.append(
            Footprint(
                key=f"sample-{compound.key}-{n + 1}",
                estate=compound.estate,
                compound=compound.key,
                number=compound.first_number + n if homes else None,
                name=compound.names[n] if not homes else None,
                use="residential" if homes else USES[compound.key],
                floors=floors,
                units=units,
                households=households,
                shape=shape,
                doors=doors,
            )
        )
    return built


def lanes(compound: Compound, built: list[Footprint]) -> list[Lane]:
    """Return the compound's lanes along its rows and between its columns, and a spur to each door."""
    drawn: list[Lane] = []
    rows, columns = compound.rows, compound.columns
    along_rows: list[LineString] = []
    for row in range(rows + 1):
        line = LineString([compound.at(c / columns, row / rows) for c in range(columns + 1)])
        along_rows.append(line)
        drawn.append(Lane("service" if row in {0, rows} else "footway", line))
    for column in sorted({0, columns // 2 + columns % 2, columns}):
        line = LineString([compound.at(column / columns, r / rows) for r in range(rows + 1)])
        drawn.append(Lane("service" if column in {0, columns} else "footway", line))
    spots = {n: (row, column) for n, row, column in _places(compound)}
    for n, footprint in enumerate(built):
        row, _ = spots[n]
        lane = along_rows[row + 1]
        for door in footprint.doors:
            meets = lane.interpolate(lane.project(Point(door)))
            drawn.append(Lane("footway", LineString([door, (meets.x, meets.y)])))
    return drawn
