"""Incidents and the places they fall on, read as arrays: what hotspots are counted from.

Set-based in PostGIS; nothing is decided here. A place is a building, a key place, or a grid cell
valid on the day asked for. An incident at a building counts there; one in the open counts at the
nearest key place within :data:`CATCHMENT_M`; every placed one counts in the cell it lies in.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

LOCAL = ZoneInfo("Asia/Shanghai")

CATCHMENT_M = 30.0
"""An incident in the open this near to a key place is counted as that place's."""

DWELLINGS = ("residential", "unknown")
"""Uses that are taken for homes: where nobody has said, privacy is assumed to matter."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class PlaceKind(StrEnum):
    """楼栋, 重点部位, 网格."""

    BUILDING = "building"
    KEY_PLACE = "key_place"
    CELL = "cell"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that incidents are counted at."""

    kind: PlaceKind
    id: int
    label: str
    lon: float
    lat: float
    households: int
    dwelling: bool
    walk_m: float
    """Metres of walkway in the catchment of a key place; 0 for the others."""
    cell_id: int | None
    zone_id: int | None
    zone: str


@dataclass(frozen=True, slots=True)
class IncidentArrays:
    """Incidents of a span of days, one row each; -1 stands for none."""

    epoch_s: Ints
    x: Floats
    y: Floats
    """Metres in the community's CGCS2000 zone; nan where the incident has no place."""
    building_id: Ints
    key_place_id: Ints
    cell_id: Ints
    category: Ints
    """Index into ``categories``."""
    incident_class: Ints
    """Index into ``classes``."""
    categories: tuple[str, ...]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.epoch_s.size)


_PLACES = text("""
    WITH zoned AS (
        SELECT c.id, c.name, c.boundary, c.community_id, z.id AS zone_id, z.name AS zone
        FROM grid_cell c
        LEFT JOIN LATERAL (
            SELECT z.id, z.name FROM patrol_zone_cell pc JOIN patrol_zone z ON z.id = pc.zone_id
            WHERE pc.cell_id = c.id AND z.valid_from <= :day
              AND (z.valid_to IS NULL OR z.valid_to > :day)
            ORDER BY z.id LIMIT 1
        ) z ON true
        WHERE c.community_id = :community_id AND c.valid_from <= :day
          AND (c.valid_to IS NULL OR c.valid_to > :day)
    ), standing AS (
        SELECT b.id, b.households, b.use, ST_PointOnSurface(b.footprint) AS spot,
               coalesce(b.name, e.name || b.number || '栋', b.number || '栋',
                        '未命名楼栋 ' || b.source_key) AS label
        FROM building b LEFT JOIN estate e ON e.id = b.estate_id
        WHERE b.community_id = :community_id
    ), housed AS (
        SELECT s.*, c.id AS cell_id, c.zone_id, c.zone
        FROM standing s
        LEFT JOIN LATERAL (
            SELECT * FROM zoned c WHERE ST_Covers(c.boundary, s.spot) ORDER BY c.id LIMIT 1
        ) c ON true
    )
    SELECT 'building' AS kind, id, label, ST_X(spot) AS lon, ST_Y(spot) AS lat, households,
           use = ANY(:dwellings) AS dwelling, 0.0 AS walk_m, cell_id, zone_id, zone
    FROM housed
    UNION ALL
    SELECT 'key_place', k.id, k.name, ST_X(k.location), ST_Y(k.location), 0, false,
           (SELECT coalesce(sum(ST_Length(ST_Intersection(
                       ST_Transform(w.line, m.metric_srid),
                       ST_Buffer(ST_Transform(k.location, m.metric_srid), :catchment_m)))), 0)
            FROM walkway w
            WHERE w.community_id = k.community_id AND w.line && ST_Expand(k.location, 0.001)),
           c.id, c.zone_id, c.zone
    FROM key_place k
    JOIN community m ON m.id = k.community_id
    LEFT JOIN LATERAL (
        SELECT * FROM zoned c WHERE ST_Covers(c.boundary, k.location) ORDER BY c.id LIMIT 1
    ) c ON true
    WHERE k.community_id = :community_id
    UNION ALL
    SELECT 'cell', c.id, c.name, ST_X(ST_PointOnSurface(c.boundary)),
           ST_Y(ST_PointOnSurface(c.boundary)),
           (SELECT coalesce(sum(h.households), 0) FROM housed h WHERE h.cell_id = c.id),
           false, 0.0, c.id, c.zone_id, c.zone
    FROM zoned c
    ORDER BY kind, id
""")

_WALK_M = text("""
    SELECT coalesce(sum(ST_Length(ST_Transform(w.line, m.metric_srid))), 0)
    FROM walkway w JOIN community m ON m.id = w.community_id
    WHERE w.community_id = :community_id
""")

_INCIDENTS = text("""
    SELECT extract(epoch FROM i.occurred_at)::bigint AS epoch_s,
           ST_X(p.spot) AS x, ST_Y(p.spot) AS y,
           coalesce(i.building_id, -1) AS building_id,
           coalesce(k.id, -1) AS key_place_id,
           coalesce(c.id, -1) AS cell_id,
           i.category, i.incident_class
    FROM incident i
    JOIN community m ON m.id = i.community_id
    LEFT JOIN LATERAL (SELECT ST_Transform(i.location, m.metric_srid) AS spot) p ON true
    LEFT JOIN LATERAL (
        SELECT k.id FROM key_place k
        WHERE i.building_id IS NULL AND k.community_id = i.community_id
          AND k.location && ST_Expand(i.location, 0.001)
          AND ST_DWithin(ST_Transform(k.location, m.metric_srid), p.spot, :catchment_m)
        ORDER BY ST_Transform(k.location, m.metric_srid) <-> p.spot, k.id LIMIT 1
    ) k ON true
    LEFT JOIN LATERAL (
        SELECT c.id FROM grid_cell c
        WHERE c.community_id = i.community_id AND c.valid_from <= :day
          AND (c.valid_to IS NULL OR c.valid_to > :day) AND ST_Covers(c.boundary, i.location)
        ORDER BY c.id LIMIT 1
    ) c ON true
    WHERE i.community_id = :community_id
      AND i.occurred_at >= :since AND i.occurred_at < :until
      AND (CAST(:incident_class AS text) IS NULL OR i.incident_class = :incident_class)
      AND (CAST(:category AS text) IS NULL OR i.category = :category)
      AND (CAST(:source AS text) IS NULL OR i.source = :source)
      AND (:found_by_patrols OR i.source <> 'patrol')
    ORDER BY i.occurred_at, i.id
""")

_BOUNDARY = text("""
    SELECT ST_AsBinary(ST_Transform(boundary, metric_srid)) AS shape, metric_srid, name
    FROM community WHERE id = :community_id
""")


def local_midnight(day: date) -> datetime:
    """Return the instant a community-local day begins."""
    return datetime.combine(day, time(), LOCAL)


def load_places(session: Session, community_id: int, day: date) -> list[Place]:
    """Return every place of a community that incidents are counted at, on one day."""
    rows = session.execute(
        _PLACES,
        {
            "community_id": community_id,
            "day": day,
            "catchment_m": CATCHMENT_M,
            "dwellings": list(DWELLINGS),
        },
    )
    return [
        Place(
            kind=PlaceKind(row.kind),
            id=row.id,
            label=row.label,
            lon=row.lon,
            lat=row.lat,
            households=int(row.households),
            dwelling=row.dwelling,
            walk_m=float(row.walk_m),
            cell_id=row.cell_id,
            zone_id=row.zone_id,
            zone=row.zone or "",
        )
        for row in rows
    ]


def walkway_metres(session: Session, community_id: int) -> float:
    """Return the length of all walkways of a community."""
    return float(session.scalar(_WALK_M, {"community_id": community_id}) or 0.0)


def load_incidents(
    session: Session,
    community_id: int,
    since: date,
    until: date,
    *,
    day: date,
    incident_class: str | None = None,
    category: str | None = None,
    source: str | None = None,
    found_by_patrols: bool = True,
) -> IncidentArrays:
    """Return the incidents that occurred on the local days ``since`` ≤ day < ``until``.

    ``day`` says which grid cells hold. Without ``found_by_patrols``, those that people reported.
    """
    rows = session.execute(
        _INCIDENTS,
        {
            "community_id": community_id,
            "day": day,
            "catchment_m": CATCHMENT_M,
            "since": local_midnight(since),
            "until": local_midnight(until),
            "incident_class": incident_class,
            "category": category,
            "source": source,
            "found_by_patrols": found_by_patrols,
        },
    ).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    categories, category_index = np.unique(np.array(columns[6], dtype=str), return_inverse=True)
    classes, class_index = np.unique(np.array(columns[7], dtype=str), return_inverse=True)
    return IncidentArrays(
        epoch_s=np.array(columns[0], np.int64),
        x=np.array(columns[1], np.float64),
        y=np.array(columns[2], np.float64),
        building_id=np.array(columns[3], np.int64),
        key_place_id=np.array(columns[4], np.int64),
        cell_id=np.array(columns[5], np.int64),
        category=category_index.astype(np.int64),
        incident_class=class_index.astype(np.int64),
        categories=tuple(str(one) for one in categories),
        classes=tuple(str(one) for one in classes),
    )


def metric_boundary(session: Session, community_id: int) -> tuple[bytes | None, int, str]:
    """Return the community's outline in metres as WKB, its metric SRID, and its name."""
    row = session.execute(_BOUNDARY, {"community_id": community_id}).one()
    return (bytes(row.shape) if row.shape is not None else None), row.metric_srid, row.name


def categories_seen(session: Session, community_id: int) -> list[tuple[str, str]]:
    """Return the (class, category) pairs a community has incidents of, in order."""
    rows = session.execute(
        text("""SELECT DISTINCT incident_class, category FROM incident
                WHERE community_id = :community_id ORDER BY 1, 2"""),
        {"community_id": community_id},
    )
    return [(row.incident_class, row.category) for row in rows]
