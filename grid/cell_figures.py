"""The grid cells of a day in figures: households, buildings, ground, zone."""

from dataclasses import dataclass
from datetime import date

from geoalchemy2.shape import to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text
from sqlalchemy.orm import Session

from grid.cells import GridCell


@dataclass(frozen=True)
class CellFigures:
    """One cell valid on a day; the shape in WGS 84."""

    id: int
    code: str
    name: str
    zone: str
    """The name of its patrol zone, or nothing."""
    households: int
    estimated: bool
    """Whether any of the households are estimates."""
    buildings: int
    area_m2: float
    valid_from: date
    shape: BaseGeometry


# A building counts in the cell that its representative point lies in, as in the partition's check.
_FIGURES = text(
    """
    SELECT grid_cell.id, COALESCE(zone.name, '') AS zone,
        COALESCE(held.households, 0) AS households,
        COALESCE(held.estimated, false) AS estimated,
        COALESCE(held.buildings, 0) AS buildings,
        ST_Area(ST_Transform(grid_cell.boundary, community.metric_srid)) AS area_m2
    FROM grid_cell
    JOIN community ON community.id = grid_cell.community_id
    LEFT JOIN LATERAL (
        SELECT sum(building.households) AS households, count(*) AS buildings,
            bool_or(building.counts_estimated AND building.households > 0) AS estimated
        FROM building
        WHERE building.community_id = grid_cell.community_id
            AND building.footprint && grid_cell.boundary
            AND ST_Covers(grid_cell.boundary, ST_PointOnSurface(building.footprint))
    ) AS held ON true
    LEFT JOIN LATERAL (
        SELECT string_agg(patrol_zone.name, '、' ORDER BY patrol_zone.code) AS name
        FROM patrol_zone_cell
        JOIN patrol_zone ON patrol_zone.id = patrol_zone_cell.zone_id
        WHERE patrol_zone_cell.cell_id = grid_cell.id
            AND patrol_zone.valid_from <= :day
            AND (patrol_zone.valid_to IS NULL OR patrol_zone.valid_to > :day)
    ) AS zone ON true
    WHERE grid_cell.community_id = :community AND grid_cell.valid_from <= :day
        AND (grid_cell.valid_to IS NULL OR grid_cell.valid_to > :day)
    ORDER BY grid_cell.code
    """
)


def cell_figures(session: Session, community_id: int, day: date) -> list[CellFigures]:
    """Return the cells of a community valid on ``day``, by code."""
    found = []
    for row in session.execute(_FIGURES, {"community": community_id, "day": day}).all():
        cell = session.get_one(GridCell, row.id)
        found.append(
            CellFigures(
                id=cell.id,
                code=cell.code,
                name=cell.name,
                zone=row.zone,
                households=int(row.households),
                estimated=row.estimated,
                buildings=int(row.buildings),
                area_m2=float(row.area_m2),
                valid_from=cell.valid_from,
                shape=to_shape(cell.boundary),
            )
        )
    return found
