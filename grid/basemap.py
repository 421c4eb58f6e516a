"""The shapes of one community on one day, read for drawing."""

import json
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from grid.shapes import Basemap, Shape

DIGITS = 6
"""Decimals of a degree kept for drawing: about 0.1 m."""

_SHAPES = text("""
    SELECT 'boundary' AS layer, id, name AS label, '' AS kind,
           ST_AsGeoJSON(boundary, :digits) AS geometry
    FROM community WHERE id = :community_id AND boundary IS NOT NULL
    UNION ALL
    SELECT 'estates', id, name, kind, ST_AsGeoJSON(boundary, :digits)
    FROM estate WHERE community_id = :community_id AND boundary IS NOT NULL
    UNION ALL
    SELECT 'cells', id, name, '', ST_AsGeoJSON(boundary, :digits)
    FROM grid_cell
    WHERE community_id = :community_id AND valid_from <= :day
      AND (valid_to IS NULL OR valid_to > :day)
    UNION ALL
    SELECT 'buildings', id, coalesce(name, number || '栋', ''), use,
           ST_AsGeoJSON(footprint, :digits)
    FROM building WHERE community_id = :community_id
    UNION ALL
    SELECT 'walkways', id, coalesce(name, ''), kind, ST_AsGeoJSON(line, :digits)
    FROM walkway WHERE community_id = :community_id
    UNION ALL
    SELECT 'places', id, name, kind, ST_AsGeoJSON(location, :digits)
    FROM key_place WHERE community_id = :community_id
    ORDER BY 1, 2
""")


def load_basemap(session: Session, community_id: int, day: date) -> Basemap:
    """Return what is drawn of a community, with the grid cells valid on ``day``."""
    layers: dict[str, list[Shape]] = {}
    rows = session.execute(_SHAPES, {"community_id": community_id, "day": day, "digits": DIGITS})
    for row in rows:
        layers.setdefault(row.layer, []).append(
            Shape(json.loads(row.geometry), row.label, row.kind, row.id)
        )
    boundary = layers.pop("boundary", [None])[0]
    return Basemap(boundary, **{name: tuple(shapes) for name, shapes in layers.items()})
