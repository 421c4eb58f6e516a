"""The sample community's bones: its outline, river, streets and the blocks between them.

Everything here is drawn in the *frame*: metres, ``u`` east along the main street and ``v`` north
across it. ``Frame`` turns and scales the frame so that the outline measures exactly 1.5 km² in
EPSG:4544 at the true place of the community (104.78° E, 29.36° N), and takes shapes to WGS 84.
The drawing is this project's own; no map was copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeVar, cast

import numpy as np
import shapely
from pyproj import Transformer
from shapely.affinity import affine_transform
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

SITE_LON = 104.78
SITE_LAT = 29.36
METRIC_SRID = 4544
COMMUNITY_AREA_M2 = 1_500_000.0
TURN_DEG = -9.0
"""The main street does not run due east: the river decides."""
SNAP_M = 0.01
"""Lines are noded on a grid of one centimetre, so that ends which meet are equal."""
LONLAT_DIGITS = 8
"""About a millimetre."""

XY = tuple[float, float]
Shape = TypeVar("Shape", bound=BaseGeometry)


def rounded(points: Sequence[XY], times: int = 2) -> list[XY]:
    """Cut the corners of a polyline (Chaikin), keeping its ends."""
    line = list(points)
    for _ in range(times):
        cut = [line[0]]
        for (ax, ay), (bx, by) in pairwise(line):
            cut.append((0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by))
            cut.append((0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by))
        cut.append(line[-1])
        line = cut
    return line


RIVER_BANK: list[XY] = rounded(
    [(46, -12), (6, 150), (22, 350), (96, 560), (66, 800), (132, 1118)], times=3
)
"""釜溪河's left bank, south to north: the community's western edge."""

OUTLINE = Polygon([*RIVER_BANK, (705, 1128), (1388, 1072), (1412, 560), (1372, 18), (706, -16)])


@dataclass(frozen=True, slots=True)
class Street:
    """A named street's centre line in the frame; both ends may overshoot the outline."""

    name: str
    kind: str
    line: LineString


def _street(name: str, kind: str, *points: XY) -> Street:
    return Street(name, kind, LineString(rounded(points)))


STREETS: tuple[Street, ...] = (
    _street("铸钢路", "tertiary", (-40, 530), (240, 566), (740, 582), (1100, 566), (1460, 572)),
    _street("炼钢街", "tertiary", (722, -60), (748, 280), (734, 590), (768, 860), (752, 1180)),
    _street("滨江路", "residential", *[(u + 48, v) for u, v in RIVER_BANK]),
    _street("花园街", "residential", (402, -60), (410, 280), (396, 560), (424, 820), (414, 1180)),
    _street("花园南路", "residential", (-40, 268), (220, 290), (410, 280), (748, 284)),
    _street(
        "厂前街", "residential", (1052, -60), (1062, 290), (1084, 566), (1076, 830), (1080, 1160)
    ),
    _street("印象北路", "residential", (760, 866), (1076, 872), (1470, 858)),
    _street("厂中路", "service", (744, 318), (1062, 326), (1460, 322)),
    _street("北坡路", "residential", (60, 1060), (240, 1010), (419, 905), (764, 872)),
)

CELL_CUTS = ("铸钢路", "炼钢街", "花园街", "花园南路", "厂前街")
"""The streets along which the grid cells meet."""


@dataclass(frozen=True, slots=True)
class Block:
    """Where one grid cell lies and what it is called: the faces of the street drawing it covers."""

    serial: int
    name: str
    faces: tuple[XY, ...]
    """A frame point inside each face."""


BLOCKS: tuple[Block, ...] = (
    Block(1, "花园北网格", ((200, 900), (600, 900))),
    Block(2, "印象西网格", ((900, 900),)),
    Block(3, "印象东网格", ((1200, 900),)),
    Block(4, "花园广场网格", ((200, 400),)),
    Block(5, "花园塔楼网格", ((600, 400),)),
    Block(6, "花园滨江网格", ((200, 100),)),
    Block(7, "花园南网格", ((600, 100),)),
    Block(8, "老厂西网格", ((900, 150),)),
    Block(9, "老厂东网格", ((1200, 150),)),
)
"""Serials run west to east in rows from north to south."""


@dataclass(frozen=True)
class Frame:
    """How the frame lies on the earth."""

    scale: float
    anchor: XY
    """The frame's centre in EPSG:4544, metres east and north."""

    @staticmethod
    def fitted() -> "Frame":
        """Return the frame in which the outline measures ``COMMUNITY_AREA_M2``."""
        to_metric = Transformer.from_crs(4326, METRIC_SRID, always_xy=True)
        east, north = to_metric.transform(SITE_LON, SITE_LAT)
        return Frame(float(np.sqrt(COMMUNITY_AREA_M2 / OUTLINE.area)), (east, north))

    @cached_property
    def _matrix(self) -> list[float]:
        turn = np.deg2rad(TURN_DEG)
        a, b = self.scale * np.cos(turn), -self.scale * np.sin(turn)
        centre = OUTLINE.centroid
        return [
            a,
            b,
            -b,
            a,
            self.anchor[0] - a * centre.x - b * centre.y,
            self.anchor[1] + b * centre.x - a * centre.y,
        ]

    @cached_property
    def _to_lonlat(self) -> Transformer:
        return Transformer.from_crs(METRIC_SRID, 4326, always_xy=True)

    def metric(self, shape: Shape) -> Shape:
        """Return a frame shape in EPSG:4544."""
        return cast(Shape, affine_transform(shape, self._matrix))

    def lonlat(self, shape: Shape) -> Shape:
        """Return an EPSG:4544 shape in WGS 84, rounded so that equal points stay equal."""

        def take(points: np.ndarray) -> np.ndarray:
            lon, lat = self._to_lonlat.transform(points[:, 0], points[:, 1])
            return np.round(np.column_stack([lon, lat]), LONLAT_DIGITS)

        return cast(Shape, shapely.transform(shape, take))


def outline(frame: Frame) -> Polygon:
    """Return the community's outline in EPSG:4544, on the snapping grid."""
    return shapely.set_precision(frame.metric(OUTLINE), SNAP_M)


def cells(frame: Frame) -> dict[int, Polygon]:
    """Return block serial → grid cell in EPSG:4544. Together they are the outline, exactly.

    Neighbours share every vertex of their common edge, because both are read off one noded
    drawing; so they still share it after any transformation that maps equal points equally.
    """
    edge = outline(frame)
    cuts = [
        frame.metric(street.line).intersection(edge.buffer(1.0))
        for street in STREETS
        if street.name in CELL_CUTS
    ]
    noded = shapely.union_all([edge.boundary, *cuts], grid_size=SNAP_M)
    faces = list(shapely.polygonize(list(noded.geoms)).geoms)
    found: dict[int, Polygon] = {}
    for block in BLOCKS:
        points = [frame.metric(Point(inside)) for inside in block.faces]
        parts = [face for face in faces if any(face.covers(point) for point in points)]
        found[block.serial] = shapely.normalize(shapely.union_all(parts))
    return found
