"""Take a community's boundary from a file: one area, whole and valid, in a stated system."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from geoalchemy2.shape import from_shape, to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grid.communities import Building, Community
from grid.coordinates import (
    CrsNotChosen,
    from_wgs84,
    geometry_to_wgs84,
    metric_srid,
    source_system,
    suspect,
)
from grid.database import GEOGRAPHIC_SRID
from grid.errors import DomainError
from grid.imports.files import DEFAULT_LIMIT_MB
from grid.imports.shapes import as_needed, fault
from grid.imports.sources import read_layer
from grid.imports.tables import as_text
from grid.imports.targets import Shape
from grid.imports.values import BadValue

LARGEST_KM2 = 300.0
"""A community this large is a district's outline by mistake."""


class SeveralAreas(DomainError):
    """A file of several features, and none named."""

    zh = "文件“{name}”里有 {count} 个要素，不知道哪个是本社区。请用 --feature 写出其中一个属性值，如名称：{examples}。"
    en = "The file “{name}” holds {count} features. Say which is the community with --feature and one of its values, such as {examples}."


class BadBoundary(DomainError):
    """The area cannot be a boundary."""

    zh = "边界不能使用：{why}。请改正文件后重试。"
    en = "The boundary cannot be used: {why_en}. Mend the file and try again."


@dataclass(frozen=True)
class BoundarySet:
    """What became of it: the area, the metric zone, and how many buildings lie outside it."""

    area_m2: float
    metric_srid: int
    source_crs: str
    buildings_outside: int
    previous: str | None
    """The boundary before, as WKT; None where there was none."""


def set_boundary(
    session: Session,
    community: Community,
    path: Path,
    *,
    source_crs: str | None = None,
    swap: bool = False,
    layer: str | None = None,
    feature: str | None = None,
    limit_mb: int = DEFAULT_LIMIT_MB,
) -> BoundarySet:
    """Make an area of a file the community's boundary; ``feature`` is a value of the one meant.

    Raises the readers' refusals, SeveralAreas, CrsNotChosen or BadBoundary.
    """
    found = read_layer(path, layer=layer, limit_mb=limit_mb)
    meant = [
        f
        for f in found.features
        if f.shape is not None
        and (feature is None or feature in {as_text(v) for v in f.values.values()})
    ]
    if len(meant) != 1:
        names = [as_text(v) for f in found.features[:4] for v in f.values.values() if v]
        raise SeveralAreas(
            name=path.name, count=len(meant) or len(found.features), examples="、".join(names[:4])
        )
    shape = meant[0].shape
    assert shape is not None
    system = source_system(source_crs) if source_crs else found.declared
    doubts = suspect(shapely.get_coordinates(shape), None, chosen=system, swap=swap)
    if system is None:
        doubt = doubts[0] if doubts else None
        raise CrsNotChosen(hint=doubt.zh if doubt else "", hint_en=doubt.en if doubt else "")
    if doubts:
        raise BadBoundary(why=doubts[0].zh.rstrip("。"), why_en=doubts[0].en.rstrip("."))
    flipped = shapely.transform(shape, lambda p: p[:, ::-1]) if swap else shape
    placed = geometry_to_wgs84(flipped, system)
    if placed is None:
        raise BadBoundary(why="坐标不在中国境内", why_en="its coordinates are not in China")
    srid = metric_srid(placed.centroid.x)
    square_metres = _area_m2(placed, srid)
    if square_metres > LARGEST_KM2 * 1e6:
        raise BadBoundary(
            why=f"面积有 {square_metres / 1e6:,.0f} 平方公里，像区县而不是社区",
            why_en=f"it covers {square_metres / 1e6:,.0f} km², like a district and not a community",
        )
    wrong = fault(placed)
    if wrong:
        raise BadBoundary(why=wrong[0], why_en=wrong[1])
    try:
        (area,), _ = as_needed(placed, Shape.AREA, repair=False)
    except BadValue as bad:
        raise BadBoundary(why=bad.zh, why_en=bad.en) from bad
    previous = to_shape(community.boundary).wkt if community.boundary is not None else None
    community.boundary = from_shape(area, srid=GEOGRAPHIC_SRID)
    community.metric_srid = srid
    session.flush()
    outside = session.scalar(
        select(func.count())
        .select_from(Building)
        .join(Community, Community.id == Building.community_id)
        .where(
            Community.id == community.id,
            ~func.ST_Intersects(Community.boundary, Building.footprint),
        )
    )
    return BoundarySet(square_metres, srid, system.code, int(outside or 0), previous)


def _area_m2(shape: BaseGeometry, srid: int) -> float:
    moved = shapely.transform(shape, lambda p: np.column_stack(from_wgs84(p[:, 0], p[:, 1], srid)))
    return float(moved.area)
