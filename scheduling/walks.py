"""Routes for a roster's patrols: load what each must visit, plan its walk, store it once.

Required are the zone's checkpoints and the places of requirements that the patrol can meet;
optional, by how much happened there in those hours of the last year, the zone's buildings.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from grid.communities import Community
from grid.database import GEOGRAPHIC_SRID
from grid.errors import DomainError
from grid.metric import Metric
from scheduling.core.network import WalkNetwork
from scheduling.core.route import Place, RoutePlan, RouteProblem, Stop
from scheduling.core.tour import plan_routes
from scheduling.requirements import planned_visits
from scheduling.rosters import Assignment, Patrol, PatrolRoute, RosterState, RosterVersion
from scheduling.versions import find_version

RISK_STOPS = 6
"""How many of the zone's liveliest buildings a walk may take in."""
RISK_DWELL_MIN = 2
RISK_PRIZE_M = 60
"""What one incident of last year in these hours is worth, in metres of detour."""
ITERATIONS = 300

Told = Callable[[int, int], None]
"""Told how many of how many walks are planned."""


class NotPublished(DomainError):
    """Routes are planned for what patrollers go by."""

    zh = "第 {number} 版排班还没有发布。请先发布排班，再规划路线。"
    en = "Version {number} of the roster is not published. Publish it first, then plan its routes."
    status = 409


_LINES = text("""
    SELECT ST_AsBinary(ST_Transform(line, :srid)) AS line
    FROM walkway WHERE community_id = :community_id ORDER BY id
""")

_CHECKPOINTS = text("""
    SELECT zc.zone_id, c.id, c.name, c.dwell_min,
           ST_X(ST_Transform(c.location, :srid)) AS x, ST_Y(ST_Transform(c.location, :srid)) AS y
    FROM checkpoint c
    JOIN grid_cell g ON g.community_id = c.community_id AND ST_Covers(g.boundary, c.location)
     AND g.valid_from <= :day AND (g.valid_to IS NULL OR g.valid_to > :day)
    JOIN patrol_zone_cell zc ON zc.cell_id = g.id
    JOIN patrol_zone z ON z.id = zc.zone_id
     AND z.valid_from <= :day AND (z.valid_to IS NULL OR z.valid_to > :day)
    WHERE c.community_id = :community_id AND c.active
    ORDER BY zc.zone_id, c.code
""")

_REQUIREMENTS = text("""
    WITH asked AS (
        SELECT r.id, r.dwell_min, r.zone_id,
               CASE WHEN b.id IS NOT NULL
                    THEN coalesce(e.name, '') || coalesce(b.name, b.number || '栋', '')
                    ELSE coalesce(k.name, g.name) END AS name,
               coalesce(ST_PointOnSurface(b.footprint), k.location,
                        ST_PointOnSurface(g.boundary)) AS place
        FROM patrol_requirement r
        LEFT JOIN building b ON b.id = r.building_id
        LEFT JOIN estate e ON e.id = b.estate_id
        LEFT JOIN key_place k ON k.id = r.key_place_id
        LEFT JOIN grid_cell g ON g.id = r.cell_id
        WHERE r.community_id = :community_id AND NOT r.withdrawn
    )
    SELECT id, dwell_min, name,
           ST_X(ST_Transform(place, :srid)) AS x, ST_Y(ST_Transform(place, :srid)) AS y
    FROM asked WHERE place IS NOT NULL
""")

_RISK = text("""
    SELECT zc.zone_id, b.id, coalesce(e.name, '') || coalesce(b.name, b.number || '栋', '') AS name,
           extract(hour FROM i.occurred_at AT TIME ZONE 'Asia/Shanghai')::int AS hour,
           count(*) AS n,
           ST_X(ST_Transform(ST_PointOnSurface(b.footprint), :srid)) AS x,
           ST_Y(ST_Transform(ST_PointOnSurface(b.footprint), :srid)) AS y
    FROM incident i
    JOIN building b ON b.id = i.building_id
    LEFT JOIN estate e ON e.id = b.estate_id
    JOIN patrol_zone_cell zc ON zc.cell_id = i.cell_id
    WHERE i.community_id = :community_id
      AND i.occurred_at >= (CAST(:day AS date) - 365) AT TIME ZONE 'Asia/Shanghai'
      AND i.occurred_at < CAST(:day AS date) AT TIME ZONE 'Asia/Shanghai'
    GROUP BY zc.zone_id, b.id, e.name, b.name, b.number, hour, b.footprint
    ORDER BY zc.zone_id, b.id, hour
""")

_POLICE_ROOM = text("""
    SELECT name, ST_X(ST_Transform(location, :srid)) AS x, ST_Y(ST_Transform(location, :srid)) AS y
    FROM key_place WHERE community_id = :community_id AND kind = 'police_room' ORDER BY id LIMIT 1
""")


@dataclass(frozen=True)
class _Risk:
    """A building and its incidents of last year by hour of the day, shape (24,)."""

    id: int
    name: str
    x: float
    y: float
    by_hour: np.ndarray[Any, np.dtype[np.int64]]


class _Ground:
    """What all walks of one roster version share."""

    def __init__(self, session: Session, version: RosterVersion) -> None:
        community = session.get_one(Community, version.community_id)
        where = {
            "community_id": community.id,
            "srid": community.metric_srid,
            "day": version.week_start,
        }
        self.metric = Metric(community.metric_srid)
        courses = [
            shapely.get_coordinates(shapely.from_wkb(bytes(row.line)))
            for row in session.execute(_LINES, where)
        ]
        self.lines = tuple(tuple(map(tuple, course.tolist())) for course in courses)
        self.network = WalkNetwork.from_lines(courses)
        room = session.execute(_POLICE_ROOM, where).one_or_none()
        self.room = Place(name=room.name, x=room.x, y=room.y) if room is not None else None
        self.checkpoints: dict[int, list[Any]] = defaultdict(list)
        for row in session.execute(_CHECKPOINTS, where):
            self.checkpoints[row.zone_id].append(row)
        self.risk = self._risk(session, where)
        self.asked = self._asked(session, version, where)

    @staticmethod
    def _risk(session: Session, where: dict[str, Any]) -> dict[int, list[_Risk]]:
        found: dict[int, dict[int, _Risk]] = defaultdict(dict)
        for row in session.execute(_RISK, where):
            risk = found[row.zone_id].setdefault(
                row.id, _Risk(row.id, row.name, row.x, row.y, np.zeros(24, dtype=np.int64))
            )
            risk.by_hour[row.hour] += row.n
        return {zone: list(buildings.values()) for zone, buildings in found.items()}

    @staticmethod
    def _asked(
        session: Session, version: RosterVersion, where: dict[str, Any]
    ) -> dict[int, list[Any]]:
        """Return, per patrol, the places of the requirements it can meet."""
        places = {row.id: row for row in session.execute(_REQUIREMENTS, where)}
        found: dict[int, list[Any]] = defaultdict(list)
        for requirement, visits in planned_visits(
            session, version.community_id, version.week_start
        ).items():
            for visit in visits:
                if requirement in places:
                    found[visit.patrol_id].append(places[requirement])
        return found

    def problem(self, patrol: Patrol, week: str) -> RouteProblem:
        """Return one patrol's walk as a problem."""
        stops = [
            Stop(key=f"checkpoint:{c.id}", name=c.name, x=c.x, y=c.y, dwell_min=c.dwell_min)
            for c in self.checkpoints[patrol.zone_id]
        ]
        stops += [
            Stop(key=f"requirement:{r.id}", name=r.name, x=r.x, y=r.y, dwell_min=r.dwell_min)
            for r in self.asked[patrol.id]
        ]
        stops += self._risk_stops(patrol)
        return RouteProblem(
            lines=self.lines,
            stops=tuple(stops),
            minutes=patrol.end_min - patrol.start_min,
            start=self.room,
            end=self.room,
            # The same patrol always walks the same way; another day's, another.
            seed=zlib.crc32(f"{week} {patrol.key}".encode()) % 2**31,
            iterations=ITERATIONS,
        )

    def _risk_stops(self, patrol: Patrol) -> list[Stop]:
        hours = [minute // 60 % 24 for minute in range(patrol.start_min, patrol.end_min, 60)]
        weighed = [(int(r.by_hour[hours].sum()), r) for r in self.risk.get(patrol.zone_id, [])]
        liveliest = sorted((w for w in weighed if w[0]), key=lambda w: (-w[0], w[1].id))
        return [
            Stop(
                key=f"risk:{risk.id}",
                name=risk.name,
                x=risk.x,
                y=risk.y,
                dwell_min=RISK_DWELL_MIN,
                required=False,
                prize_m=RISK_PRIZE_M * n,
            )
            for n, risk in liveliest[:RISK_STOPS]
        ]


def plan_walks(session: Session, community_id: int, version_id: int, told: Told) -> int:
    """Plan and store the walk of every patrol that goes; return how many.

    Idempotent: walks planned before are replaced by the same ones. Raises :class:`NotPublished`.
    """
    version = find_version(session, community_id, version_id)
    if version.state not in {RosterState.PUBLISHED, RosterState.LOCKED}:
        raise NotPublished(number=version.number)
    patrols = session.scalars(
        select(Patrol)
        .where(Patrol.roster_version_id == version.id, Patrol.assignments.any())
        .order_by(Patrol.day, Patrol.start_min, Patrol.id)
    ).all()
    ground = _Ground(session, version)
    session.execute(
        delete(PatrolRoute).where(
            PatrolRoute.patrol_id.in_(
                select(Patrol.id).where(Patrol.roster_version_id == version.id)
            )
        )
    )
    week = version.week_start.isoformat()
    for number, patrol in enumerate(patrols, start=1):
        problem = ground.problem(patrol, week)
        session.add(_stored(patrol, plan_routes(problem, ground.network), ground.metric))
        told(number, len(patrols))
    session.flush()
    return len(patrols)


def _stored(patrol: Patrol, plan: RoutePlan, metric: Metric) -> PatrolRoute:
    spots = metric.back(shapely.MultiPoint([(s.x, s.y) for s in plan.stops]))
    places = [(round(p.x, 7), round(p.y, 7)) for p in spots.geoms] if plan.stops else []
    return PatrolRoute(
        patrol_id=patrol.id,
        line=_line(plan, metric),
        length_m=plan.length_m,
        minutes=plan.minutes,
        stops=[
            {
                "kind": stop.key.partition(":")[0],
                "id": int(stop.key.partition(":")[2]),
                "name": stop.name,
                "lon": lon,
                "lat": lat,
                "arrive_min": patrol.start_min + stop.arrive_min,
                "dwell_min": stop.dwell_min,
                "required": stop.required,
            }
            for stop, (lon, lat) in zip(plan.stops, places, strict=True)
        ],
        unreached=[
            {"key": u.key, "name": u.name, "missing_min": u.missing_min, "zh": u.zh, "en": u.en}
            for u in plan.unreached
        ],
        notes=[list(note) for note in plan.notes],
    )


def _line(plan: RoutePlan, metric: Metric) -> WKBElement | None:
    if len(plan.line) < 2:
        return None
    return from_shape(metric.back(shapely.LineString(plan.line)), srid=GEOGRAPHIC_SRID)


def week_of_member(
    session: Session, community_id: int, member_id: int, week_start: date
) -> list[Patrol]:
    """Return a member's patrols of a week, of the roster patrollers go by."""
    return list(
        session.scalars(
            select(Patrol)
            .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
            .join(Assignment, Assignment.patrol_id == Patrol.id)
            .where(
                RosterVersion.community_id == community_id,
                RosterVersion.week_start == week_start,
                RosterVersion.state.in_((RosterState.PUBLISHED, RosterState.LOCKED)),
                Assignment.member_id == member_id,
            )
            .order_by(Patrol.day, Patrol.start_min)
        )
    )
