"""Routes for a roster's patrols: load what each must visit, plan its walk, store it once.

Required are the zone's checkpoints and the places of requirements that the patrol can meet;
optional, by how much happened there in those hours of the last year, the zone's buildings. Where
most happened are the zone's hot places: stayed at for longer, at least every two hours where hands
allow, and never left alone for more than three days. Patrols of one zone at the same time share
its stops.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
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
from scheduling.core.route import (
    TEAMS_MAX,
    Place,
    PlannedWalk,
    RoutePlan,
    RouteProblem,
    Stop,
    Team,
)
from scheduling.core.routes.plan import plan_routes
from scheduling.requirements import planned_visits
from scheduling.rosters import Assignment, Patrol, PatrolRoute, RosterState, RosterVersion
from scheduling.versions import find_version
from scheduling.walked import Walked, absolute_min, load_walked

RISK_STOPS = 60
"""How many of the zone's liveliest buildings a walk may take in: the shift's time chooses."""
RISK_DWELL_MIN = 2
HOT_PLACES = 3
HOT_LEAST = 6
"""Incidents of a year, in the shift's hours, that make a building a hot place."""
HOT_DWELL_MIN = 12
HOT_EVERY_MIN = 120
"""10–16 minutes at a hot place, at least every two hours (Koper, "Just enough police presence",
Justice Quarterly 12, 1995)."""
HOT_MAX_GAP_MIN = 3 * 1440

ROUNDS = 500
"""Measured on the sample week: a tenth of a per cent below four times as many."""

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

    def problem(self, together: Sequence[Patrol], week: str, walked: Walked) -> RouteProblem:
        """Return the walks of patrols that share a zone and a time as one problem."""
        first = together[0]
        begin = min(patrol.start_min for patrol in together)
        stops = [
            Stop(key=f"checkpoint:{c.id}", name=c.name, x=c.x, y=c.y, dwell_min=c.dwell_min)
            for c in self.checkpoints[first.zone_id]
        ]
        asked: dict[str, Stop] = {}
        for patrol in together:
            window = (patrol.start_min - begin, patrol.end_min - begin)
            for r in self.asked[patrol.id]:
                key = f"requirement:{r.id}"
                # The patrol that was to meet it, or another at the same time.
                asked.setdefault(key, Stop(key=key, name=r.name, x=r.x, y=r.y, dwell_min=r.dwell_min, window=window if len(together) > 1 else None))  # fmt: skip
        stops += asked.values()
        end = max(patrol.end_min for patrol in together)
        stops += self._risk_stops(first, begin, end, walked)
        start = self.room or walked.last_stop.get(first.zone_id)
        return RouteProblem(
            lines=self.lines,
            stops=tuple(stops),
            teams=tuple(
                Team(
                    key=patrol.key,
                    begin_min=patrol.start_min - begin,
                    minutes=patrol.end_min - patrol.start_min,
                    start=start,
                    end=self.room,
                )
                for patrol in together
            ),
            recent=walked.lately(first.zone_id),
            rounds=ROUNDS,
            # The same patrol always walks the same way; another day's, another.
            seed=zlib.crc32(f"{week} {first.key}".encode()) % 2**31,
        )

    def _risk_stops(self, patrol: Patrol, begin: int, end: int, walked: Walked) -> list[Stop]:
        hours = [minute // 60 % 24 for minute in range(begin, end, 60)]
        weighed = [(int(r.by_hour[hours].sum()), r) for r in self.risk.get(patrol.zone_id, [])]
        liveliest = sorted((w for w in weighed if w[0]), key=lambda w: (-w[0], w[1].id))
        found = []
        for place, (n, risk) in enumerate(liveliest[:RISK_STOPS]):
            hot = place < HOT_PLACES and n >= HOT_LEAST
            key = f"risk:{risk.id}"
            left = walked.visited.get((patrol.zone_id, key))
            ago = None if left is None else left - absolute_min(patrol.day, begin)
            # An hour borrows from its neighbours: a year of one building is few events.
            spread = 2 * risk.by_hour + np.roll(risk.by_hour, 1) + np.roll(risk.by_hour, -1)
            found.append(
                Stop(
                    key=key,
                    name=risk.name,
                    x=risk.x,
                    y=risk.y,
                    dwell_min=HOT_DWELL_MIN if hot else RISK_DWELL_MIN,
                    required=False,
                    prize_by_hour=tuple(int(n + spread[hour]) for hour in hours),
                    every_min=HOT_EVERY_MIN if hot else None,
                    max_gap_min=HOT_MAX_GAP_MIN if hot else None,
                    last_visit_min=None if ago is None else min(0, ago),
                )
            )
        return found


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
    community = session.get_one(Community, community_id)
    walked = load_walked(session, community_id, community.metric_srid, version.week_start)
    done = 0
    for together in _together(patrols):
        # A week is a hundred walks that somebody waits for: found, not proven.
        plan = plan_routes(ground.problem(together, week, walked), ground.network, proof=False)
        begin = min(patrol.start_min for patrol in together)
        for patrol, walk in zip(together, plan.walks, strict=True):
            session.add(_stored(patrol, begin, plan, walk, ground.metric))
            walked.add(patrol.zone_id, patrol.day, begin, walk, patrol.start_min - begin)
            done += 1
        told(done, len(patrols))
    session.flush()
    return len(patrols)


def _together(patrols: Sequence[Patrol]) -> list[list[Patrol]]:
    """Return the patrols in order of time, those at the same time in the same zone together."""
    found: list[list[Patrol]] = []
    last: dict[tuple[int, date], list[Patrol]] = {}
    for patrol in patrols:
        place = (patrol.zone_id, patrol.day)
        group = last.get(place)
        if group is not None and len(group) < TEAMS_MAX and any(patrol.start_min < p.end_min for p in group):  # fmt: skip
            span = max(p.end_min for p in (*group, patrol)) - group[0].start_min
            if span <= 1440:
                group.append(patrol)
                continue
        last[place] = [patrol]
        found.append(last[place])
    return found


def _stored(
    patrol: Patrol, begin: int, plan: RoutePlan, walk: PlannedWalk, metric: Metric
) -> PatrolRoute:
    spots = metric.back(shapely.MultiPoint([(s.x, s.y) for s in walk.stops]))
    places = [(round(p.x, 7), round(p.y, 7)) for p in spots.geoms] if walk.stops else []
    return PatrolRoute(
        patrol_id=patrol.id,
        line=_line(walk, metric),
        length_m=walk.length_m,
        minutes=walk.minutes,
        stops=[
            {
                "kind": stop.key.partition(":")[0],
                "id": int(stop.key.partition(":")[2]),
                "name": stop.name,
                "lon": lon,
                "lat": lat,
                "arrive_min": begin + stop.arrive_min,
                "dwell_min": stop.dwell_min,
                "required": stop.required,
            }
            for stop, (lon, lat) in zip(walk.stops, places, strict=True)
        ],
        unreached=[
            {"key": u.key, "name": u.name, "missing_min": u.missing_min, "zh": u.zh, "en": u.en}
            for u in plan.unreached
        ],
        notes=[list(note) for note in (*plan.notes, *_unlike(walk))],
    )


def _unlike(walk: PlannedWalk) -> list[tuple[str, str]]:
    """Tell how unlike the recent walks this one is."""
    told = walk.variety
    if told.edge_jaccard is None:
        return []
    same = round(100 * told.edge_jaccard)
    zh, en = f"与上次路线相同的走法占 {same} %", f"{same} % of its steps are those of the last walk"
    if told.arrival_entropy is not None:
        zh += f"，到达时间分散度 {told.arrival_entropy:.2f}（0 总在同一时间，1 最分散）"
        en += f"; spread of arrivals {told.arrival_entropy:.2f} (0 always the same, 1 most spread)"
    return [(f"{zh}。", f"{en}.")]


def _line(walk: PlannedWalk, metric: Metric) -> WKBElement | None:
    if len(walk.line) < 2:
        return None
    return from_shape(metric.back(shapely.LineString(walk.line)), srid=GEOGRAPHIC_SRID)


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
