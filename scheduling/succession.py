"""When patrol zones are redrawn: the usual cover and the requirements go over to the new zones.

A zone that begins on a day takes the cover of the ended zone that held most of its ground. A
requirement that runs on past the day ends with its zone and goes on, as a row of its own, in the
zone that now holds its place.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grid.zones import zone_of_building, zone_of_cell
from scheduling.demand import PatrolRequirement


@dataclass(frozen=True)
class HandedOver:
    """How much went over."""

    cover: int
    requirements: int


_COVER = text(
    """
    WITH heir AS (
        SELECT DISTINCT ON (now_zone.id) now_zone.id AS zone_id, was_zone.id AS was_id
        FROM patrol_zone now_zone
        JOIN patrol_zone_cell now ON now.zone_id = now_zone.id
        JOIN grid_cell now_cell ON now_cell.id = now.cell_id
        JOIN grid_cell was_cell ON was_cell.community_id = now_cell.community_id
            AND ST_Intersects(was_cell.boundary, now_cell.boundary)
        JOIN patrol_zone_cell was ON was.cell_id = was_cell.id
        JOIN patrol_zone was_zone ON was_zone.id = was.zone_id AND was_zone.valid_to = :day
        WHERE now_zone.community_id = :community AND now_zone.valid_from = :day
        GROUP BY now_zone.id, was_zone.id
        ORDER BY now_zone.id,
            sum(ST_Area(ST_Intersection(was_cell.boundary, now_cell.boundary))) DESC, was_zone.id
    )
    INSERT INTO cover_demand (community_id, zone_id, shift_template_id, patrol_type_id, weekdays,
        minimum, ideal, importance)
    SELECT cover_demand.community_id, heir.zone_id, shift_template_id, patrol_type_id, weekdays,
        minimum, ideal, importance
    FROM heir
    JOIN cover_demand ON cover_demand.zone_id = heir.was_id
    WHERE NOT EXISTS (SELECT FROM cover_demand c WHERE c.zone_id = heir.zone_id)
    """
)

_HEIR_OF = text(
    """
    SELECT now_zone.id
    FROM patrol_zone_cell was
    JOIN grid_cell was_cell ON was_cell.id = was.cell_id
    JOIN grid_cell now_cell ON now_cell.community_id = was_cell.community_id
        AND ST_Intersects(was_cell.boundary, now_cell.boundary)
    JOIN patrol_zone_cell now ON now.cell_id = now_cell.id
    JOIN patrol_zone now_zone ON now_zone.id = now.zone_id AND now_zone.valid_from = :day
    WHERE was.zone_id = :zone
    GROUP BY now_zone.id
    ORDER BY sum(ST_Area(ST_Intersection(was_cell.boundary, now_cell.boundary))) DESC, now_zone.id
    LIMIT 1
    """
)

_ENDED_ZONES = text(
    "SELECT id FROM patrol_zone WHERE community_id = :community AND valid_to = :day"
)


def hand_over_demand(session: Session, community_id: int, day: date) -> HandedOver:
    """Give the zones that begin on ``day`` what was asked of those that end on it."""
    where = {"community": community_id, "day": day}
    result = session.execute(_COVER, where)
    ended = session.scalars(_ENDED_ZONES, where).all()
    open_ones = session.scalars(
        select(PatrolRequirement)
        .where(
            PatrolRequirement.zone_id.in_(ended),
            PatrolRequirement.valid_to > day,
            PatrolRequirement.withdrawn.is_(False),
        )
        .order_by(PatrolRequirement.id)
    ).all()
    moved = 0
    for requirement in open_ones:
        zone_id = _heir(session, community_id, requirement, day)
        if zone_id is None:
            continue
        moved += 1
        if requirement.valid_from >= day:
            requirement.zone_id = zone_id
            continue
        goes_on = {
            column.key: getattr(requirement, column.key)
            for column in PatrolRequirement.__table__.columns
            if column.key not in {"id", "zone_id", "valid_from"}
        }
        session.add(PatrolRequirement(zone_id=zone_id, valid_from=day, **goes_on))
        requirement.valid_to = day
    session.flush()
    return HandedOver(int(getattr(result, "rowcount", 0)), moved)


def _heir(
    session: Session, community_id: int, requirement: PatrolRequirement, day: date
) -> int | None:
    """Return the zone that holds a requirement's place from ``day`` on."""
    if requirement.building_id is not None:
        return zone_of_building(session, community_id, day, requirement.building_id)
    if requirement.cell_id is not None:
        return zone_of_cell(session, community_id, day, requirement.cell_id)
    found: int | None = session.scalar(_HEIR_OF, {"zone": requirement.zone_id, "day": day})
    return found
