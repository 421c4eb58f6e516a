"""One patrol as its people see it: the walk, the team, what was checked in."""

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.i18n import translate
from api.permissions import Caller
from api.web import minutes, weekday
from grid.basemap import load_basemap
from grid.cells import PatrolZone
from grid.errors import NotFound
from grid.people import Member
from grid.shapes import Basemap, Geometry, Shape
from grid.zones import zone_shapes
from maps.route_map import RoutePicture, RouteStop, route_map
from scheduling.demand import PatrolType, ShiftTemplate
from scheduling.rosters import (
    Assignment,
    CheckIn,
    Patrol,
    PatrolRoute,
    RosterState,
    RosterVersion,
)

SHOWN = (RosterState.PUBLISHED, RosterState.LOCKED)


@dataclass(frozen=True)
class Walk:
    """A patrol with everything its page shows."""

    patrol: Patrol
    week_start: date
    zone: PatrolZone
    shift: ShiftTemplate
    type: PatrolType
    team: list[tuple[Member, bool]]
    """Members, leader first, with whether they lead."""
    route: PatrolRoute | None
    checked_in: dict[str, CheckIn]
    """Stop key → its first check-in."""


def find_walk(session: Session, caller: Caller, patrol_id: int) -> Walk:
    """Return a patrol the caller may see.

    A patroller sees patrols they are on; one of others, of another community, or of a roster that
    is not published is not found: whether it exists is not told.
    """
    found = session.execute(
        select(Patrol, RosterVersion, PatrolZone, ShiftTemplate, PatrolType)
        .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
        .join(PatrolZone, PatrolZone.id == Patrol.zone_id)
        .join(ShiftTemplate, ShiftTemplate.id == Patrol.shift_template_id)
        .join(PatrolType, PatrolType.id == Patrol.patrol_type_id)
        .where(
            Patrol.id == patrol_id,
            RosterVersion.community_id == caller.community_id,
            RosterVersion.state.in_(SHOWN),
        )
    ).one_or_none()
    if found is None:
        raise NotFound(thing="巡逻", name=patrol_id)
    patrol, version, zone, shift, kind = found
    team = [
        (member, leader)
        for member, leader in session.execute(
            select(Member, Assignment.leader)
            .join(Assignment, Assignment.member_id == Member.id)
            .where(Assignment.patrol_id == patrol.id)
            .order_by(Assignment.leader.desc(), Assignment.seat)
        )
    ]
    if caller.role is Role.PATROLLER and caller.member_id not in {m.id for m, _ in team}:
        raise NotFound(thing="巡逻", name=patrol_id)
    route = session.scalar(select(PatrolRoute).where(PatrolRoute.patrol_id == patrol.id))
    checked: dict[str, CheckIn] = {}
    for row in session.scalars(
        select(CheckIn).where(CheckIn.patrol_id == patrol.id).order_by(CheckIn.device_at)
    ):
        checked.setdefault(row.stop, row)
    return Walk(patrol, version.week_start, zone, shift, kind, team, route, checked)


def line_of(session: Session, route: PatrolRoute | None) -> Geometry | None:
    """Return a walk's line as GeoJSON in WGS 84."""
    if route is None or route.line is None:
        return None
    found: Geometry = json.loads(str(session.scalar(select(func.ST_AsGeoJSON(route.line, 7)))))
    return found


def title_of(walk: Walk, locale: str) -> str:
    """Return a patrol's title: day, clock times and zone."""
    day = walk.patrol.day
    times = f"{minutes(walk.patrol.start_min)}–{minutes(walk.patrol.end_min)}"
    return (
        f"{day.month}月{day.day}日 {weekday(day)} {times} {walk.zone.name}"
        if (locale != "en")
        else f"{day.isoformat()} {weekday(day, 'en')} {times} {walk.zone.name}"
    )


def map_of(
    session: Session,
    walk: Walk,
    *,
    night: bool,
    locale: str,
    base: Basemap | None = None,
    explained: bool = True,
) -> str:
    """Return the walk's map as one page that needs no network."""

    def _(message: str, **values: object) -> str:
        return translate(locale, message, **values)

    zones: dict[int | None, Shape] = {
        one.id: one for one in zone_shapes(session, walk.zone.community_id, walk.patrol.day)
    }
    route = walk.route
    facts = []
    if route is not None:
        facts.append(
            _("全程 %(km).1f 公里，约 %(min)s 分钟", km=route.length_m / 1000, min=route.minutes)
        )
    facts.append("、".join(member.name for member, _leads in walk.team))
    stops = [
        RouteStop(
            number=number,
            name=str(stop["name"]),
            lon=float(str(stop["lon"])),
            lat=float(str(stop["lat"])),
            arrive=minutes(int(str(stop["arrive_min"]))),
            dwell_min=int(str(stop["dwell_min"])),
            required=bool(stop["required"]),
        )
        for number, stop in enumerate(route.stops if route else [], start=1)
    ]
    picture = RoutePicture(
        title=title_of(walk, locale),
        facts=tuple(facts),
        line=line_of(session, route),
        stops=stops,
        zone=zones.get(walk.zone.id),
        explained=explained,
    )
    if base is None:
        base = load_basemap(session, walk.zone.community_id, walk.patrol.day)
    return route_map(picture, base, night=night, _=_, locale=locale)
