"""Plain sketches of the ground as SVG paths: what stands around an incident, and where to point.

Paths are in metres of the community's own CGCS2000 zone about a middle point, y downwards as SVG
has it; ``Sketch`` also says how to get from there to WGS 84.
"""

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grid.communities import Community
from grid.coordinates import source_system, to_wgs84

REACH_M = 160
"""How far around an incident is drawn."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One shape as an SVG path in metres, and where its label goes."""

    kind: str
    label: str | None
    path: str
    x: float
    y: float


SURROUNDINGS = text("""
    WITH here AS (
        SELECT ST_Transform(i.location, c.metric_srid) AS point, c.metric_srid AS srid,
               ST_Expand(i.location, :reach_m / 80000.0) AS near, i.community_id
        FROM incident AS i JOIN community AS c ON c.id = i.community_id
        WHERE i.id = :incident AND i.community_id = :community AND i.location IS NOT NULL
    ), shapes AS (
        SELECT 'walkway' AS kind, NULL AS label, w.line AS shape FROM walkway AS w, here
        WHERE w.community_id = here.community_id AND w.line && here.near
        UNION ALL
        SELECT 'building', coalesce(b.number, ''), b.footprint FROM building AS b, here
        WHERE b.community_id = here.community_id AND b.footprint && here.near
        UNION ALL
        SELECT 'boundary', NULL, c.boundary FROM community AS c, here WHERE c.id = here.community_id
    ), moved AS (
        SELECT kind, label, ST_Translate(ST_Transform(shape, srid), -ST_X(point), -ST_Y(point)) AS m
        FROM shapes, here WHERE shape IS NOT NULL
    )
    SELECT kind, label, ST_AsSVG(m, 0, 1) AS path,
           round(ST_X(ST_PointOnSurface(m))) AS x, -round(ST_Y(ST_PointOnSurface(m))) AS y
    FROM moved ORDER BY kind DESC
""")


def surroundings(session: Session, community_id: int, incident_id: int) -> list[Drawn]:
    """Return what stands within about 160 m of a placed incident, to draw where it was."""
    rows = session.execute(
        SURROUNDINGS,
        {"incident": incident_id, "community": community_id, "reach_m": REACH_M * 1.3},
    )
    return [Drawn(row.kind, row.label, row.path, row.x, row.y) for row in rows]


COMMUNITY = text("""
    WITH middle AS (
        SELECT c.id, c.metric_srid AS srid, c.boundary,
               ST_Centroid(ST_Transform(c.boundary, c.metric_srid)) AS point
        FROM community AS c WHERE c.id = :community AND c.boundary IS NOT NULL
    ), shapes AS (
        SELECT 1 AS layer, 'boundary' AS kind, NULL AS label, boundary AS shape FROM middle
        UNION ALL
        SELECT 2, 'walkway', NULL, ST_Collect(w.line) FROM walkway AS w, middle
        WHERE w.community_id = middle.id HAVING count(*) > 0
        UNION ALL
        SELECT 3, 'building', coalesce(b.number, ''), b.footprint FROM building AS b, middle
        WHERE b.community_id = middle.id
        UNION ALL
        SELECT 4, 'place', k.name, k.location FROM key_place AS k, middle
        WHERE k.community_id = middle.id AND k.kind IN ('square', 'police_room', 'riverside')
    ), moved AS (
        SELECT layer, kind, label,
               ST_Translate(ST_SimplifyPreserveTopology(ST_Transform(shape, srid), 0.5),
                            -ST_X(point), -ST_Y(point)) AS m
        FROM shapes, middle
    )
    SELECT kind, label, ST_AsSVG(m, 0, 0) AS path, ST_XMin(m) AS west, ST_XMax(m) AS east,
           ST_YMin(m) AS south, ST_YMax(m) AS north,
           round(ST_X(ST_PointOnSurface(m))) AS x, -round(ST_Y(ST_PointOnSurface(m))) AS y
    FROM moved ORDER BY layer
""")


@dataclass(frozen=True, slots=True)
class Sketch:
    """A community to point at. ``box`` is x, y, width, height in metres.

    A point (x, y) of the sketch lies at longitude ``lon[0] + lon[1]·x + lon[2]·y`` and latitude
    likewise: over two kilometres that is exact to some centimetres.
    """

    shapes: tuple[Drawn, ...]
    box: tuple[float, float, float, float]
    lon: tuple[float, float, float]
    lat: tuple[float, float, float]


def sketch_community(session: Session, community_id: int) -> Sketch | None:
    """Return a community's sketch, or None where it has no boundary."""
    rows = session.execute(COMMUNITY, {"community": community_id}).all()
    if not rows:
        return None
    middle = session.execute(
        select(
            Community.metric_srid,
            Community.boundary.ST_Transform(Community.metric_srid).ST_Centroid().ST_X().label("x"),
            Community.boundary.ST_Transform(Community.metric_srid).ST_Centroid().ST_Y().label("y"),
        ).where(Community.id == community_id)
    ).one()
    step = 1_000.0
    lon, lat = to_wgs84(
        [middle.x, middle.x + step, middle.x],
        [middle.y, middle.y, middle.y - step],
        source_system(f"EPSG:{middle.metric_srid}"),
    )
    edge = rows[0]
    return Sketch(
        tuple(Drawn(row.kind, row.label, row.path, row.x, row.y) for row in rows),
        (edge.west, -edge.north, edge.east - edge.west, edge.north - edge.south),
        (lon[0], (lon[1] - lon[0]) / step, (lon[2] - lon[0]) / step),
        (lat[0], (lat[1] - lat[0]) / step, (lat[2] - lat[0]) / step),
    )
