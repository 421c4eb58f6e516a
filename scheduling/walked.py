"""What was walked lately in each zone, and when each of its stops was last visited.

The next walk should not be like those, and leave no hot place alone for too long. Only rosters patrollers went by count. Minutes are absolute here, from a fixed midnight, so that
one shift's end and the next one's start can be told apart across days and weeks.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from scheduling.core.route import Place, PlannedWalk, RecentWalk
from scheduling.stop_keys import place_key

RECENT_WALKS = 14
LOOK_BACK_DAYS = 28

_WALKED = text("""
    SELECT p.zone_id, p.day, p.start_min, r.stops,
           ST_AsBinary(ST_Transform(r.line, :srid)) AS line
    FROM patrol_route r
    JOIN patrol p ON p.id = r.patrol_id
    JOIN roster_version v ON v.id = p.roster_version_id
    WHERE v.community_id = :community_id AND v.state IN ('published', 'locked')
      AND v.week_start < :day AND p.day < :day AND p.day >= CAST(:day AS date) - :days
    ORDER BY p.day, p.start_min, p.id
""")


def absolute_min(day: date, minute: int) -> int:
    """Return a minute of a day as one number that grows from day to day."""
    return day.toordinal() * 1440 + minute


@dataclass
class Walked:
    """The walks of every zone in the order they were walked; planning adds to them."""

    recent: dict[int, list[RecentWalk]] = field(default_factory=lambda: defaultdict(list))
    """Per zone, newest last."""
    visited: dict[tuple[int, str], int] = field(default_factory=dict)
    """When a zone's stop was last left, absolute."""
    last_stop: dict[int, Place] = field(default_factory=dict)

    def lately(self, zone_id: int) -> tuple[RecentWalk, ...]:
        """Return a zone's last walks, newest first."""
        return tuple(reversed(self.recent[zone_id][-RECENT_WALKS:]))

    def add(
        self, zone_id: int, day: date, start_min: int, walk: PlannedWalk, later_min: int
    ) -> None:
        """Remember a planned walk whose arrivals count from ``start_min``; it set out later."""
        if not walk.stops:
            return
        self.recent[zone_id].append(
            RecentWalk(
                stops=tuple(stop.key for stop in walk.stops),
                arrive_min=tuple(stop.arrive_min - later_min for stop in walk.stops),
                line=walk.line,
            )
        )
        for stop in walk.stops:
            left = absolute_min(day, start_min + stop.arrive_min + stop.dwell_min)
            self.visited[zone_id, stop.key] = max(left, self.visited.get((zone_id, stop.key), left))
        last = walk.stops[-1]
        self.last_stop[zone_id] = Place(name=last.name, x=last.x, y=last.y)


def load_walked(session: Session, community_id: int, srid: int, before: date) -> Walked:
    """Return what was walked in the weeks before a week's Monday."""
    found = Walked()
    where = {"community_id": community_id, "srid": srid, "day": before, "days": LOOK_BACK_DAYS}
    for row in session.execute(_WALKED, where):
        stops: Sequence[dict[str, Any]] = row.stops
        if not stops:
            continue
        line: tuple[tuple[float, float], ...] = ()
        if row.line is not None:
            course = shapely.get_coordinates(shapely.from_wkb(bytes(row.line)))
            line = tuple((float(x), float(y)) for x, y in course)
        keys = tuple(place_key(stop) for stop in stops)
        arrived = tuple(int(stop["arrive_min"]) - row.start_min for stop in stops)
        found.recent[row.zone_id].append(RecentWalk(stops=keys, arrive_min=arrived, line=line))
        for key, stop in zip(keys, stops, strict=True):
            left = absolute_min(row.day, int(stop["arrive_min"]) + int(stop["dwell_min"]))
            found.visited[row.zone_id, key] = left
    return found
