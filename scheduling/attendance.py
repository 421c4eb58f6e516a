"""Planned against done of a week, loaded from the roster people went by and their check-ins."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grid.cells import PatrolZone
from grid.communities import Community
from grid.coordinates import from_wgs84
from grid.people import Force, Member
from scheduling.core.attendance import PlannedStop, Scan, compare, longest_gap, presence
from scheduling.rosters import (
    Assignment,
    CheckIn,
    Patrol,
    PatrolRoute,
    RosterState,
    RosterVersion,
)
from scheduling.stop_keys import stop_keys

SHOWN = (RosterState.PUBLISHED, RosterState.LOCKED)
_OFFSET = timedelta(hours=8)
DAY_MIN = (420, 1440)
"""The patrol day in minutes where the roster's problem says nothing else."""

_EFFORT = text("""
    SELECT p.zone_id, count(DISTINCT (e."column", e."row")) AS cells, sum(e.minutes) AS minutes,
           max(e.cell_m) AS cell_m
    FROM patrol_effort e JOIN patrol p ON p.id = e.patrol_id
    WHERE p.roster_version_id = :version GROUP BY p.zone_id
""")


@dataclass
class ZoneDone:
    """A zone's week; no member is named. Times in minutes, area in m²."""

    name: str
    planned: int = 0
    walked: int = 0
    stops: int = 0
    missed: int = 0
    late: int = 0
    out_of_order: int = 0
    too_fast: int = 0
    voluntary: int = 0
    """Rounds of volunteers alone: counted neither way."""
    gap_planned_min: int = 0
    gap_done_min: int = 0
    area_m2: int = 0
    effort_min: int = 0


@dataclass
class MemberDone:
    """One member's week."""

    name: str
    due: int = 0
    own: int = 0
    """Patrols with a check-in of their own."""
    team: int = 0
    """Patrols on which only others of the team checked in."""
    odd: int = 0
    """Check-ins with a flag."""

    @property
    def absent(self) -> int:
        """Return the patrols nobody of the team checked in on."""
        return self.due - self.own - self.team


@dataclass
class WeekDone:
    """A week, planned against done."""

    zones: list[ZoneDone] = field(default_factory=list)
    members: list[MemberDone] = field(default_factory=list)
    skipped: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, times missed, times planned; most missed first."""


def week_done(session: Session, community_id: int, monday: date, now: datetime) -> WeekDone | None:
    """Return what was done of a published week's patrols that are over; None without a roster."""
    version = session.scalar(
        select(RosterVersion).where(
            RosterVersion.community_id == community_id,
            RosterVersion.week_start == monday,
            RosterVersion.state.in_(SHOWN),
        )
    )
    if version is None:
        return None
    rows = session.execute(
        select(Patrol, PatrolZone.name, PatrolRoute.stops)
        .join(PatrolZone, PatrolZone.id == Patrol.zone_id)
        .outerjoin(PatrolRoute, PatrolRoute.patrol_id == Patrol.id)
        .where(Patrol.roster_version_id == version.id, Patrol.assignments.any())
        .order_by(Patrol.day, Patrol.start_min, Patrol.id)
    ).all()
    over = [row for row in rows if _instant(row[0].day, row[0].end_min) <= now]
    ids = [patrol.id for patrol, _, _ in over]
    checks: dict[int, list[CheckIn]] = defaultdict(list)
    for check in session.scalars(select(CheckIn).where(CheckIn.patrol_id.in_(ids))):
        checks[check.patrol_id].append(check)
    teams: dict[int, list[Member]] = defaultdict(list)
    for patrol_id, member in session.execute(
        select(Assignment.patrol_id, Member)
        .join(Member, Member.id == Assignment.member_id)
        .where(Assignment.patrol_id.in_(ids))
    ).tuples():
        teams[patrol_id].append(member)
    srid = session.get_one(Community, community_id).metric_srid
    return _summed(session, version, over, checks, teams, srid)


def _summed(
    session: Session,
    version: RosterVersion,
    over: list[Any],
    checks: dict[int, list[CheckIn]],
    teams: dict[int, list[Member]],
    srid: int,
) -> WeekDone:
    zones: dict[int, ZoneDone] = {}
    members: dict[int, MemberDone] = {}
    times_planned: Counter[str] = Counter()
    times_missed: Counter[str] = Counter()
    names: dict[str, str] = {}
    planned: dict[tuple[int, date], list[tuple[float, float]]] = defaultdict(list)
    done: dict[tuple[int, date], list[tuple[float, float]]] = defaultdict(list)
    for patrol, zone_name, raw in over:
        zone = zones.setdefault(patrol.zone_id, ZoneDone(zone_name))
        mine = checks[patrol.id]
        scans = [Scan(c.stop, c.member_id, _minute(c, patrol.day)) for c in mine]
        if all(member.force == Force.VOLUNTEER for member in teams[patrol.id]):
            zone.voluntary += 1
            continue
        stops = _stops(raw or [], srid)
        walked = compare(stops, scans)
        zone.planned += 1
        zone.walked += bool(scans)
        zone.stops += sum(stop.required for stop in stops)
        zone.missed += len(walked.missed)
        zone.late += len(walked.late)
        zone.out_of_order += walked.out_of_order
        zone.too_fast += len(walked.too_fast)
        names |= {stop.key: stop.name for stop in stops}
        times_planned.update(stop.key for stop in stops if stop.required)
        times_missed.update(walked.missed)
        where = (patrol.zone_id, patrol.day)
        planned[where].append((patrol.start_min, patrol.end_min))
        done[where] += presence([scan.at_min for scan in scans])
        for member in teams[patrol.id]:
            one = members.setdefault(member.id, MemberDone(member.name))
            one.due += 1
            own = any(c.member_id == member.id for c in mine)
            one.own += own
            one.team += bool(mine) and not own
            one.odd += sum(bool(c.flags) for c in mine if c.member_id == member.id)
    begin = int(str(version.problem.get("patrol_day_start_min", DAY_MIN[0])))
    end = int(str(version.problem.get("patrol_day_end_min", DAY_MIN[1])))
    for (zone_id, day), spans in planned.items():
        zone = zones[zone_id]
        zone.gap_planned_min = max(zone.gap_planned_min, longest_gap(spans, begin, end))
        gap = longest_gap(done[zone_id, day], begin, end)
        zone.gap_done_min = max(zone.gap_done_min, gap)
    for row in session.execute(_EFFORT, {"version": version.id}):
        if row.zone_id in zones:
            zones[row.zone_id].area_m2 = row.cells * row.cell_m**2
            zones[row.zone_id].effort_min = round(row.minutes)
    return WeekDone(
        zones=sorted(zones.values(), key=lambda z: z.name),
        members=sorted(members.values(), key=lambda m: (-m.absent, m.name)),
        skipped=[(names[k], n, times_planned[k]) for k, n in times_missed.most_common(10)],
    )


def _instant(day: date, minute: int) -> datetime:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - _OFFSET
    return midnight + timedelta(minutes=minute)


def _minute(check: CheckIn, day: date) -> float:
    at = check.device_at - timedelta(seconds=check.skew_s)
    return (at - _instant(day, 0)).total_seconds() / 60


def _stops(raw: list[dict[str, Any]], srid: int) -> list[PlannedStop]:
    if not raw:
        return []
    xs, ys = from_wgs84([s["lon"] for s in raw], [s["lat"] for s in raw], srid)
    return [
        PlannedStop(
            key=key, name=s["name"], x=float(x), y=float(y),
            arrive_min=s["arrive_min"], required=bool(s["required"]),
        )
        for key, s, x, y in zip(stop_keys(raw), raw, xs, ys, strict=True)
    ]  # fmt: skip
