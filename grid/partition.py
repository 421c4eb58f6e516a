"""Propose a partition of a community into grid cells: balanced, contiguous, along its walkways.

Pure: metric coordinates in (one CGCS2000 3-degree zone, metres), metric polygons out; no database.

The ground is parted into blocks by the walkways, the walls of the estates and the boundary;
strips between parallel ways are joined to the block they run along; a block with too many
households is cut by a straight line between its buildings. Blocks are then grouped into cells of
about ``target`` households (:mod:`grid.balance`), preferring large roads and estate walls as
borders. The cells cover the boundary exactly and share every vertex of their borders.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import split

from grid.balance import Border, balanced_groups
from grid.codes import reading_order
from grid.errors import DomainError

HOUSEHOLDS_PER_CELL = 300
"""What one grid member can know: the usual size of a grid cell (300–500 households)."""
BALANCED_WITHIN = 0.3
"""A cell within ±30 % of the mean counts as balanced in the report."""

GROUND_PER_HOUSEHOLD_M2 = 250.0
"""The ground a household usually comes with: buildings, yards, the paths between."""
OPEN_GROUND_CELL_M2 = 400_000.0
"""Open ground beyond that (a campus, a park, works) is walked too: this much counts as a cell of
its own (专属网格), so that no cell of the usual households is a day's walk across."""

STRIP_WIDTH_M = 14.0
"""A block narrower than this (twice its area over its perimeter) is a strip, not a block."""
CORRIDOR_WIDTH_M = 28.0
"""A block without households narrower than this is a street's or a wall's corridor."""
STRIP_AREA_M2 = 700.0
"""A block smaller than this is an island of a crossing, not a block."""
HEAVY_BLOCK = 0.45
"""A block with more than this share of a cell's households is cut further, where it can be."""
CLEAR_OF_BUILDINGS_M = 1.0
"""A cut between buildings keeps this far from their walls."""
MIDWAY_STEP_M = 2.0
"""How finely a line midway between two buildings follows them."""
MIDWAY_LOOSE_M = 0.02
OVERSHOOT_M = 0.05
"""Lines run on this far past what they should meet, so that the noding finds the crossing."""
ALONG_BOUNDARY_M = 0.5
"""A line this near the community's boundary runs along it and parts nothing."""
NODING_M = 0.001
STRAIGHTEN_M = (6.0, 3.0, 1.0)
"""How far borders may move to become straight; the first that cuts no building is taken."""

ROUNDS_PER_CELL = 300
"""Search rounds for each cell: more than this no longer evens out the Chengdu extract."""
BORDER_SHARE = 1.2
"""How much short borders along roads count beside balance."""

ROAD_COST = {
    "motorway": 0.2,
    "trunk": 0.25,
    "primary": 0.3,
    "secondary": 0.35,
    "tertiary": 0.5,
    "residential": 0.7,
    "unclassified": 0.7,
    "living_street": 0.8,
    "pedestrian": 0.9,
}
"""What a metre of border costs along each kind of way: a large road parts neighbours anyway."""
WALKWAY_COST = 1.0
WALL_COST = 1.1
"""A metre of border along an estate's wall: dearer than the street before it, so that the strip
between wall and street goes to the estate and the border runs along the street."""
CUT_COST = 1.8
"""A metre of border where nothing on the ground shows it."""
SAME_ESTATE = 2.0
"""How much dearer a border is between two blocks of one estate."""


class NothingToPartition(DomainError):
    """The community has no boundary, or nothing to weigh."""

    zh = "无法划分网格：{what}。请先导入{cure}，再重新划分。"
    en = "Cells cannot be proposed: {what_en}. Import {cure_en} first, then propose again."


@dataclass(frozen=True)
class Balance:
    """How even a partition is, in households per cell."""

    cells: int
    minimum: int
    median: float
    maximum: int
    mean: float
    within: int
    """Cells whose load is within ±30 % of the mean load."""
    open_ground: int
    """Cells more than half of whose load is open ground."""

    @classmethod
    def of(cls, cells: Iterable[tuple[int, float]], target: int) -> "Balance":
        """Count a partition's cells, each (households, area in m²)."""
        pairs = list(cells)
        if not pairs:
            return cls(0, 0, 0.0, 0, 0.0, 0, 0)
        counts = sorted(households for households, _ in pairs)
        loads = [load(households, area, target) for households, area in pairs]
        mean = sum(loads) / len(loads)
        return cls(
            cells=len(counts),
            minimum=counts[0],
            median=float(median(counts)),
            maximum=counts[-1],
            mean=sum(counts) / len(counts),
            within=sum(abs(one - mean) <= BALANCED_WITHIN * mean for one in loads),
            open_ground=sum(
                2 * households < one for (households, _), one in zip(pairs, loads, strict=True)
            ),
        )


def load(households: float, area_m2: float, target: int = HOUSEHOLDS_PER_CELL) -> float:
    """Return what a piece of ground weighs: its households, and its open ground counted as such."""
    spare = max(0.0, area_m2 - GROUND_PER_HOUSEHOLD_M2 * households)
    return households + target * spare / OPEN_GROUND_CELL_M2


@dataclass(frozen=True)
class ProposedCell:
    """One proposed cell: its polygon in metres and which buildings it holds, by input position."""

    boundary: Polygon
    buildings: tuple[int, ...]
    households: int


@dataclass(frozen=True)
class Proposal:
    """A proposed partition, cells from west to east in rows from north to south."""

    cells: tuple[ProposedCell, ...]
    balance: Balance
    blocks: int
    seed: int


@dataclass
class _Block:
    """A part of the ground that stays whole."""

    shape: list[Polygon]
    area: float
    perimeter: float
    buildings: list[int] = field(default_factory=list)
    shared: dict[int, float] = field(default_factory=dict)
    """Metres shared with each neighbour."""
    cost: dict[int, float] = field(default_factory=dict)
    """The same, weighted by what lies there."""

    @property
    def width(self) -> float:
        return 2 * self.area / self.perimeter if self.perimeter > 0 else math.inf


def propose(
    boundary: Polygon | MultiPolygon,
    footprints: Sequence[Polygon | MultiPolygon],
    households: Sequence[int],
    walkways: Sequence[tuple[str, LineString]] = (),
    estates: Sequence[Polygon | MultiPolygon] = (),
    *,
    target: int = HOUSEHOLDS_PER_CELL,
    seed: int = 0,
    rounds: int | None = None,
    open_ground: bool = True,
) -> Proposal:
    """Return a partition of ``boundary`` into contiguous cells of about ``target`` households.

    All geometry in one metric system (metres). ``footprints`` and ``households`` run in parallel;
    ``walkways`` are (OSM highway kind, line). Without ``open_ground`` only households weigh. No building inside the boundary is cut by a border.
    Raises NothingToPartition without an area, buildings or households.
    """
    if boundary.is_empty or boundary.area <= 0:
        raise NothingToPartition(
            what="社区没有边界",
            what_en="the community has no boundary",
            cure="社区边界",
            cure_en="its boundary",
        )
    if not footprints or sum(households) <= 0:
        raise NothingToPartition(
            what="社区内没有带户数的楼栋",
            what_en="no building in it has households",
            cure="楼栋与户数",
            cure_en="buildings with their households",
        )
    # GEOS trips the processor's overflow flag on extents it is about to reject; numpy reports that.
    with np.errstate(all="ignore"):
        return _propose(
            boundary, footprints, households, walkways, estates, target, seed, rounds, open_ground
        )


def _propose(
    boundary: Polygon | MultiPolygon,
    footprints: Sequence[Polygon | MultiPolygon],
    households: Sequence[int],
    walkways: Sequence[tuple[str, LineString]],
    estates: Sequence[Polygon | MultiPolygon],
    target: int,
    seed: int,
    rounds: int | None,
    open_ground: bool,
) -> Proposal:
    buildings = np.asarray(footprints, dtype=object)
    points = shapely.point_on_surface(buildings)
    lines = _Lines.of(boundary, buildings, walkways, estates)
    blocks = _blocks(boundary, lines, points, estates)
    cuts = _cuts(blocks, buildings, households, HEAVY_BLOCK * target)
    if cuts:
        lines = lines.with_cuts(cuts)
        blocks = _blocks(boundary, lines, points, estates)
    counts = [sum(households[i] for i in block.buildings) for block in blocks]
    weights = [
        load(count, block.area, target) if open_ground else float(count)
        for count, block in zip(counts, blocks, strict=True)
    ]
    borders = {
        (a, b): max(cost, 0.1)
        for a, block in enumerate(blocks)
        for b, cost in block.cost.items()
        if a < b
    }
    count = max(1, round(sum(weights) / target))
    groups = balanced_groups(
        weights,
        borders,
        count,
        seed=seed,
        rounds=ROUNDS_PER_CELL * count if rounds is None else rounds,
        border_share=BORDER_SHARE,
    )
    shapes = _joined(blocks, groups)
    shapes = _straightened(shapes, buildings)
    owner = {i: groups[b] for b, block in enumerate(blocks) for i in block.buildings}
    cells = []
    for group, shape in enumerate(shapes):
        inside = tuple(sorted(i for i, g in owner.items() if g == group))
        cells.append(ProposedCell(shape, inside, sum(households[i] for i in inside)))
    order = reading_order([cell.boundary.centroid.coords[0] for cell in cells])
    cells = [cells[i] for i in order]
    return Proposal(
        tuple(cells),
        Balance.of(((c.households, c.boundary.area) for c in cells), target),
        len(blocks),
        seed,
    )


@dataclass(frozen=True)
class _Lines:
    """What may part the ground, each line with its cost per metre of border."""

    outline: BaseGeometry
    parts: NDArray[np.object_]
    costs: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        boundary: BaseGeometry,
        buildings: NDArray[np.object_],
        walkways: Sequence[tuple[str, LineString]],
        estates: Sequence[BaseGeometry],
    ) -> "_Lines":
        """Clip ways and walls to the boundary and keep them out of the buildings."""
        kinds = [kind.removesuffix("_link") for kind, _ in walkways]
        lines = [line for _, line in walkways] + [wall.boundary for wall in estates]
        costs = [ROAD_COST.get(kind, WALKWAY_COST) for kind in kinds] + [WALL_COST] * len(estates)
        # A passage under a building would part its households: the line stops at the walls.
        built = shapely.union_all(shapely.buffer(buildings, CLEAR_OF_BUILDINGS_M / 2))
        shapely.prepare(built)
        parts: list[BaseGeometry] = []
        kept: list[float] = []
        inner = shapely.buffer(boundary, -ALONG_BOUNDARY_M)
        for line, cost in zip(lines, costs, strict=True):
            clipped = shapely.intersection(line, inner)
            if shapely.intersects(built, clipped):
                clipped = shapely.difference(clipped, built)
            for part in shapely.get_parts(clipped):
                if part.geom_type in {"LineString", "LinearRing"} and part.length > 0:
                    parts += [part, *_to_outline(part, boundary.boundary)]
            kept += [cost] * (len(parts) - len(kept))
        return cls(boundary.boundary, np.asarray(parts, dtype=object), np.asarray(kept))

    def with_cuts(self, cuts: Sequence[LineString]) -> "_Lines":
        """Add straight cuts between buildings."""
        return _Lines(
            self.outline,
            np.concatenate([self.parts, np.asarray(cuts, dtype=object)]),
            np.concatenate([self.costs, np.full(len(cuts), CUT_COST)]),
        )

    def faces(self) -> list[Polygon]:
        """Return the polygons the lines part the plane into, sharing their vertices exactly."""
        # Ways drawn twice cross by millimetres: on a grid they are one. The outline stays as it is.
        inner = shapely.union_all(self.parts, grid_size=NODING_M) if len(self.parts) else []
        noded = shapely.union_all([self.outline, *shapely.get_parts(inner)])
        return [
            f for f in shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))) if f.area
        ]

    def cost_at(self, points: NDArray[np.object_]) -> NDArray[np.float64]:
        """Return the cost per metre of the line under each point: the cheapest of those there."""
        costs = np.full(len(points), CUT_COST)
        if len(self.parts) and len(points):
            tree = shapely.STRtree(self.parts)
            at, line = tree.query(points, predicate="dwithin", distance=OVERSHOOT_M)
            np.minimum.at(costs, at, self.costs[line])
        return costs


def _to_outline(line: LineString, outline: BaseGeometry) -> list[LineString]:
    """Lead the ends of a line that was clipped beside the outline on to it, straight across."""
    if line.is_closed:
        return []
    found = []
    for end in (shapely.get_point(line, 0), shapely.get_point(line, -1)):
        gap = shapely.shortest_line(end, outline)
        if 0 < gap.length <= 1.1 * ALONG_BOUNDARY_M:
            found.append(_run_on(gap))
    return found


def _blocks(
    boundary: BaseGeometry,
    lines: _Lines,
    points: NDArray[np.object_],
    estates: Sequence[BaseGeometry],
) -> list[_Block]:
    """Part the ground into blocks, strips joined to the block they run along."""
    faces = np.asarray(lines.faces(), dtype=object)
    shapely.prepare(boundary)
    faces = faces[shapely.contains_properly(boundary, shapely.point_on_surface(faces))]
    blocks = [_Block([face], face.area, face.length) for face in faces]
    _measure_borders(blocks, lines, _estate_of(faces, estates))
    seen: set[int] = set()
    for position, face in zip(
        *shapely.STRtree(faces).query(points, predicate="intersects"), strict=True
    ):
        if int(position) not in seen:  # a point on a line belongs to one block only
            seen.add(int(position))
            blocks[int(face)].buildings.append(int(position))
    return _join_strips(blocks)


def _estate_of(faces: NDArray[np.object_], estates: Sequence[BaseGeometry]) -> list[int | None]:
    """Return which estate each face lies in, or None."""
    found: list[int | None] = [None] * len(faces)
    if len(estates) and len(faces):
        tree = shapely.STRtree(list(estates))
        at, estate = tree.query(shapely.point_on_surface(faces), predicate="intersects")
        for position, number in sorted(zip(at.tolist(), estate.tolist(), strict=True)):
            if found[position] is None:
                found[position] = number
    return found


def _measure_borders(blocks: list[_Block], lines: _Lines, estate: Sequence[int | None]) -> None:
    """Find which blocks share which edges, how long, and what lies there."""
    owner: dict[tuple[tuple[float, float], tuple[float, float]], int] = {}
    pairs: list[Border] = []
    ends: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for number, block in enumerate(blocks):
        for ring in (block.shape[0].exterior, *block.shape[0].interiors):
            corners = [(x, y) for x, y in ring.coords]
            for a, b in pairwise(corners):
                edge = (a, b) if a < b else (b, a)
                other = owner.setdefault(edge, number)
                if other != number:
                    pairs.append((other, number))
                    ends.append(edge)
    if not pairs:
        return
    coordinates = np.asarray(ends)
    lengths = np.hypot(*(coordinates[:, 1] - coordinates[:, 0]).T)
    costs = lines.cost_at(shapely.points(coordinates.mean(axis=1)))
    for (first, second), length, cost in zip(pairs, lengths.tolist(), costs.tolist(), strict=True):
        weighted = length * cost
        if estate[first] is not None and estate[first] == estate[second]:
            weighted *= SAME_ESTATE
        for one, other in ((first, second), (second, first)):
            blocks[one].shared[other] = blocks[one].shared.get(other, 0.0) + length
            blocks[one].cost[other] = blocks[one].cost.get(other, 0.0) + weighted


def _join_strips(blocks: list[_Block]) -> list[_Block]:
    """Join each strip to the neighbour it is least parted from, thinnest first."""
    queue = [(block.width, number) for number, block in enumerate(blocks)]
    heapq.heapify(queue)
    gone: set[int] = set()
    while queue:
        width, number = heapq.heappop(queue)
        block = blocks[number]
        if number in gone or width != block.width or not block.cost:
            continue
        thin = STRIP_WIDTH_M if block.buildings else CORRIDOR_WIDTH_M
        if width >= thin and block.area >= STRIP_AREA_M2:
            continue
        # Where a strip runs between a road and its footway, the border stays on the road.
        into = max(block.cost, key=lambda other: (block.cost[other], -other))
        _absorb(blocks, into, number)
        gone.add(number)
        heapq.heappush(queue, (blocks[into].width, into))
    order = [number for number in range(len(blocks)) if number not in gone]
    renumbered = {old: new for new, old in enumerate(order)}
    for number in order:
        block = blocks[number]
        block.shared = {renumbered[other]: length for other, length in block.shared.items()}
        block.cost = {renumbered[other]: cost for other, cost in block.cost.items()}
    return [blocks[number] for number in order]


def _absorb(blocks: list[_Block], into: int, number: int) -> None:
    big, small = blocks[into], blocks[number]
    big.shape += small.shape
    big.buildings += small.buildings
    big.area += small.area
    big.perimeter += small.perimeter - 2 * small.shared[into]
    for other in small.shared:
        length, cost = small.shared[other], small.cost[other]
        del blocks[other].shared[number], blocks[other].cost[number]
        if other == into:
            continue
        for one, beside in ((into, other), (other, into)):
            blocks[one].shared[beside] = blocks[one].shared.get(beside, 0.0) + length
            blocks[one].cost[beside] = blocks[one].cost.get(beside, 0.0) + cost


def _cuts(
    blocks: Sequence[_Block],
    buildings: NDArray[np.object_],
    households: Sequence[int],
    limit: float,
) -> list[LineString]:
    """Return straight cuts between buildings that part every block with too many households."""
    cuts: list[LineString] = []
    for block in blocks:
        if sum(households[i] for i in block.buildings) > limit and len(block.buildings) > 1:
            shape = shapely.union_all(block.shape)
            cuts += _cut(shape, block.buildings, buildings, households, limit)
    return cuts


def _cut(
    shape: BaseGeometry,
    inside: Sequence[int],
    buildings: NDArray[np.object_],
    households: Sequence[int],
    limit: float,
) -> list[LineString]:
    if len(inside) < 2 or sum(households[i] for i in inside) <= limit:
        return []
    line = _best_cut(shape, inside, buildings, households)
    if line is None:
        return _midway(shape, buildings[list(inside)])
    cuts = [
        part for part in shapely.get_parts(shapely.intersection(line, shape)) if part.length > 0
    ]
    sides = [g for g in shapely.get_parts(split(shape, line)) if g.area > 0]
    points = {i: shapely.point_on_surface(buildings[i]) for i in inside}
    longer = [_run_on(part) for part in cuts]
    for side in sides:
        here = [i for i in inside if shapely.intersects(side, points[i])]
        if 0 < len(here) < len(inside):
            longer += _cut(side, here, buildings, households, limit)
    return longer


def _best_cut(
    shape: BaseGeometry,
    inside: Sequence[int],
    buildings: NDArray[np.object_],
    households: Sequence[int],
) -> LineString | None:
    """Return the straight line, clear of buildings, that halves households best and is short."""
    centre = np.asarray(shape.centroid.coords[0])
    reach = math.hypot(*(np.asarray(shape.bounds[2:]) - np.asarray(shape.bounds[:2]))) + 1.0
    total = sum(households[i] for i in inside)
    best: tuple[float, LineString] | None = None
    for angle in _directions(shape, buildings[list(inside)]):
        along = np.array([math.cos(angle), math.sin(angle)])
        across = np.array([-along[1], along[0]])
        spans = []
        for i in inside:
            off = (shapely.get_coordinates(buildings[i]) - centre) @ across
            spans.append((float(off.min()), float(off.max()), households[i]))
        spans.sort()
        end, below = spans[0][1], spans[0][2]
        for start, stop, count in spans[1:]:
            if start - end > 2 * CLEAR_OF_BUILDINGS_M:
                at = centre + across * (start + end) / 2
                line = LineString([at - along * reach, at + along * reach])
                length = shapely.intersection(line, shape).length
                cost = abs(2 * below - total) / total + 0.5 * length / math.sqrt(shape.area)
                if best is None or cost < best[0] - 1e-9:
                    best = (cost, line)
            end, below = max(end, stop), below + count
    return best[1] if best else None


def _midway(shape: BaseGeometry, buildings: NDArray[np.object_]) -> list[LineString]:
    """Return lines midway between buildings that stand so that no straight line passes."""
    outlines = shapely.segmentize(shapely.intersection(buildings, shape), MIDWAY_STEP_M)
    owner = np.repeat(np.arange(len(outlines)), shapely.get_num_coordinates(outlines))
    corners = shapely.get_coordinates(outlines)
    # Corners in rank and file make Voronoi regions that cross by nanometres: loosen the ranks.
    dice = np.random.default_rng(0)
    corners = corners + dice.uniform(-MIDWAY_LOOSE_M, MIDWAY_LOOSE_M, corners.shape)
    regions = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(corners), extend_to=shape, ordered=True)
    )
    nearest = [shapely.union_all(regions[owner == one]) for one in range(len(outlines))]
    cleared = shapely.union_all(shapely.buffer(buildings, 0.1))
    for tolerance in (MIDWAY_STEP_M, 0.0):
        straight = shapely.coverage_simplify(np.asarray(nearest, dtype=object), tolerance)
        walls = shapely.union_all([region.boundary for region in straight])
        if not shapely.intersects(shapely.intersection(walls, shape), cleared):
            break
    walls = shapely.intersection(
        shapely.difference(walls, cleared), shapely.buffer(shape, OVERSHOOT_M)
    )
    return [part for part in shapely.get_parts(walls) if isinstance(part, LineString)]


def _directions(shape: BaseGeometry, buildings: NDArray[np.object_]) -> list[float]:
    """Return directions worth cutting along: the block's own, its largest building's, 8 more."""
    angles = [step * math.pi / 8 for step in range(8)]
    for outline in (shape, max(buildings, key=lambda b: b.area)):
        box = shapely.get_coordinates(shapely.oriented_envelope(outline))
        if len(box) >= 3:
            dx, dy = box[1] - box[0]
            angle = math.atan2(dy, dx)
            angles = [angle, angle + math.pi / 2, *angles]
    return angles


def _run_on(line: LineString) -> LineString:
    """Lengthen a straight line a little at both ends."""
    ends = shapely.get_coordinates(line)[[0, -1]]
    ahead = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0])) * OVERSHOOT_M
    return LineString([ends[0] - ahead, ends[1] + ahead])


def _joined(blocks: Sequence[_Block], groups: Sequence[int]) -> list[Polygon]:
    """Return the union of each group's blocks: one polygon each, as groups are contiguous."""
    shapes = []
    for group in range(max(groups) + 1):
        faces = [
            f for block, g in zip(blocks, groups, strict=True) if g == group for f in block.shape
        ]
        shapes.append(shapely.get_parts(shapely.coverage_union_all(faces))[0])
    return shapes


def _straightened(shapes: list[Polygon], buildings: NDArray[np.object_]) -> list[Polygon]:
    """Straighten the borders between cells, never the boundary, and never through a building."""
    if len(shapes) < 2:
        return shapes
    for tolerance in STRAIGHTEN_M:
        straight = list(
            shapely.coverage_simplify(
                np.asarray(shapes, dtype=object), tolerance, simplify_boundary=False
            )
        )
        if all(isinstance(s, Polygon) and s.is_valid for s in straight) and _cut_buildings(
            straight, buildings
        ) <= _cut_buildings(shapes, buildings):
            return straight
    return shapes


def _cut_buildings(shapes: list[Polygon], buildings: NDArray[np.object_]) -> int:
    """Return how many buildings a border runs through."""
    borders = [shape.boundary for shape in shapes]
    inner = shapely.buffer(buildings, -0.01)
    return len(set(shapely.STRtree(borders).query(inner, predicate="intersects")[0].tolist()))
