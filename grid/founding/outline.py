"""Outlines from what stands there: a community's boundary and its estates. Pure, in metres."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

BOUNDARY_RATIO = 0.35
"""How far the hull follows the buildings: 0 hugs them, 1 is convex."""
BOUNDARY_OUT_M = 70.0
BOUNDARY_IN_M = 20.0
"""The hull is widened, then drawn in: notches between buildings close."""
BOUNDARY_STRAIGHT_M = 10.0
CLUSTER_M = 35.0
"""Buildings this near each other stand together."""
CLUSTER_HOUSEHOLDS = 150
"""Fewer households than this are no estate of their own."""
FENCE_M = 8.0


@dataclass(frozen=True)
class EstateOutline:
    """An estate: its name, its ground, its buildings by position, and whether the map named it."""

    name: str
    shape: MultiPolygon
    buildings: tuple[int, ...]
    named: bool


def boundary_around(buildings: Sequence[BaseGeometry]) -> Polygon:
    """Return a boundary around buildings: a concave hull, widened so that it cuts none."""
    hull = shapely.concave_hull(
        shapely.multipoints(shapely.get_coordinates(list(buildings))), ratio=BOUNDARY_RATIO
    )
    wide = shapely.buffer(shapely.buffer(hull, BOUNDARY_OUT_M), -BOUNDARY_IN_M)
    outline = shapely.simplify(wide, BOUNDARY_STRAIGHT_M)
    return Polygon(max(shapely.get_parts(outline), key=lambda part: part.area).exterior)


def estates_of(
    buildings: Sequence[BaseGeometry],
    households: Sequence[int],
    named: Sequence[tuple[str, BaseGeometry]],
    boundary: BaseGeometry,
) -> list[EstateOutline]:
    """Return estates: the named residential areas that hold households, then clusters of the rest.

    An area of one name mapped in several parts is one estate. Estates do not overlap.
    """
    points = shapely.point_on_surface(np.asarray(buildings, dtype=object))
    taken: BaseGeometry = MultiPolygon()
    free = set(range(len(buildings)))
    found = []
    by_name: dict[str, list[BaseGeometry]] = defaultdict(list)
    for name, shape in named:
        by_name["".join(name.split())].append(shapely.make_valid(shape))
    for name in sorted(by_name):
        ground = shapely.union_all(by_name[name]).intersection(boundary).difference(taken)
        held = tuple(n for n in sorted(free) if shapely.intersects(ground, points[n]))
        shape = _polygons(ground)
        if shape is None or not sum(households[n] for n in held):
            continue
        free -= set(held)
        taken = taken.union(shape)
        found.append(EstateOutline(name, shape, held, named=True))
    for number, inside in enumerate(_clusters(buildings, households, sorted(free)), start=1):
        hull = shapely.concave_hull(
            shapely.multipoints(shapely.get_coordinates([buildings[n] for n in inside])), ratio=0.4
        )
        ground = shapely.simplify(hull.buffer(FENCE_M, join_style="mitre"), 2.0)
        shape = _polygons(ground.intersection(boundary).difference(taken))
        if shape is not None:
            taken = taken.union(shape)
            found.append(EstateOutline(f"片区{number}（暂名）", shape, inside, named=False))
    return found


def _clusters(
    buildings: Sequence[BaseGeometry], households: Sequence[int], free: Sequence[int]
) -> list[tuple[int, ...]]:
    """Return inhabited buildings that stand together, the most populous first."""
    homes = [n for n in free if households[n]]
    if not homes:
        return []
    near = shapely.buffer([buildings[n] for n in homes], CLUSTER_M / 2)
    grounds = shapely.get_parts(shapely.union_all(near))
    held: dict[int, list[int]] = defaultdict(list)
    tree = shapely.STRtree(grounds)
    for position, ground in zip(*tree.query(near, predicate="intersects"), strict=True):
        held[int(ground)].append(homes[int(position)])
    clusters = [tuple(sorted(set(inside))) for inside in held.values()]
    clusters = [c for c in clusters if sum(households[n] for n in c) >= CLUSTER_HOUSEHOLDS]
    return sorted(clusters, key=lambda c: (-sum(households[n] for n in c), c))


def _polygons(shape: BaseGeometry) -> MultiPolygon | None:
    parts = [p for p in shapely.get_parts(shape) if isinstance(p, Polygon) and p.area > 1.0]
    return MultiPolygon(parts) if parts else None
