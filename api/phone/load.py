"""What a phone takes along: its patrols, the ground they are on, who else is out, and its words."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.duties.task_card import task_card
from api.permissions import Caller
from api.phone.syncing import RADIUS_M
from api.routes.walk import SHOWN, find_walk, line_of, title_of
from api.today import this_monday
from grid.basemap import load_basemap
from grid.errors import DomainError
from grid.people import Force, Member
from grid.zones import zone_shapes
from scheduling.rosters import Assignment, Patrol, PatrolRoute, RosterVersion
from scheduling.stop_keys import stop_keys
from scheduling.walks import week_of_member

PATROLS_AHEAD = 6
NEAR = timedelta(hours=3)

_BUILDINGS = text("""
    SELECT b.id, concat(e.name, coalesce(b.name, b.number || '栋')) AS name
    FROM building b LEFT JOIN estate e ON e.id = b.estate_id
    WHERE b.community_id = :community_id AND coalesce(b.name, b.number) IS NOT NULL
    ORDER BY e.name, length(b.number), b.number, b.id
""")


def phone_load(session: Session, caller: Caller, now: datetime, site: str) -> dict[str, Any]:
    """Return everything the phone needs until it has signal again."""
    assert caller.member_id is not None
    member = session.get_one(Member, caller.member_id)
    day = (now + timedelta(hours=8)).date()
    monday = this_monday(day - timedelta(days=1))
    patrols = [
        patrol
        for week in range(3)
        for patrol in week_of_member(
            session, caller.community_id, member.id, monday + timedelta(weeks=week)
        )
        if _instant(patrol, patrol.end_min) > now - NEAR
    ][:PATROLS_AHEAD]
    base = load_basemap(session, caller.community_id, day)
    zones = {zone.id: zone for zone in zone_shapes(session, caller.community_id, day)}
    return {
        "made_at": datetime.now(UTC).isoformat(),
        "account": caller.account_id,
        "name": member.name,
        "csrf_token": caller.csrf_token,
        "radius_m": RADIUS_M,
        "patrols": [_patrol(session, caller, patrol, zones, site) for patrol in patrols],
        "map": {
            "boundary": base.boundary.geometry if base.boundary else None,
            "walkways": [[w.geometry, w.kind] for w in base.walkways],
            "buildings": [[b.geometry, b.label] for b in base.buildings],
        },
        "buildings": _buildings(session, caller.community_id),
    }


def _instant(patrol: Patrol, minute: int) -> datetime:
    midnight = datetime(patrol.day.year, patrol.day.month, patrol.day.day, tzinfo=UTC)
    return midnight - timedelta(hours=8) + timedelta(minutes=minute)


def _buildings(session: Session, community_id: int) -> list[dict[str, Any]]:
    """Return the buildings to choose from: “3栋” alone stands in every estate."""
    rows = session.execute(_BUILDINGS, {"community_id": community_id})
    return [{"id": row.id, "name": row.name} for row in rows]


def _patrol(
    session: Session, caller: Caller, patrol: Patrol, zones: dict[Any, Any], site: str
) -> dict[str, Any]:
    walk = find_walk(session, caller, patrol.id)
    route = walk.route
    card: dict[str, Any] = {"notes": [], "places": []}
    try:
        written = task_card(session, caller, patrol.id, site)
    except DomainError:
        pass  # a card that cannot be written leaves route and check-in as they are
    else:
        card = {
            "notes": list(written.notes),
            "places": [
                {
                    "kind": place.kind,
                    "names": list(place.names),
                    "tasks": [
                        {"name": t.name, "must": list(t.must), "may": list(t.may)}
                        for t in place.tasks
                    ],
                }
                for place in written.places
            ],
        }
    zone = zones.get(walk.zone.id)
    stops = route.stops if route else []
    return {
        "id": patrol.id,
        "title": title_of(walk, caller.locale),
        "type": walk.type.name,
        "zone": walk.zone.name,
        "zone_shape": zone.geometry if zone else None,
        "start_at": _instant(patrol, patrol.start_min).isoformat(),
        "end_at": _instant(patrol, patrol.end_min).isoformat(),
        "midnight": _instant(patrol, 0).isoformat(),
        "empty_seats": patrol.empty_seats,
        "line": line_of(session, route),
        "length_m": route.length_m if route else 0,
        "stops": [{**stop, "key": key} for key, stop in zip(stop_keys(stops), stops, strict=True)],
        "unreached": [{"zh": u["zh"], "en": u["en"]} for u in (route.unreached if route else [])],
        "checked_in": {
            key: (row.device_at - timedelta(seconds=row.skew_s)).isoformat()
            for key, row in walk.checked_in.items()
        },
        "team": [
            {"name": m.name, "leads": leads, "phone": m.phone or "", "me": m.id == caller.member_id}
            for m, leads in walk.team
        ],
        "card": card,
        "others": _others(session, walk.patrol, caller.community_id),
    }


def _others(session: Session, patrol: Patrol, community_id: int) -> list[dict[str, Any]]:
    """Return who else is out at the same time: leader, telephone, and where they plan to be.

    A volunteer's telephone is not handed out.
    """
    rows = session.execute(
        select(Patrol, Member, PatrolRoute)
        .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
        .join(Assignment, Assignment.patrol_id == Patrol.id)
        .join(Member, Member.id == Assignment.member_id)
        .outerjoin(PatrolRoute, PatrolRoute.patrol_id == Patrol.id)
        .where(
            RosterVersion.community_id == community_id,
            RosterVersion.state.in_(SHOWN),
            Assignment.leader,
            Patrol.id != patrol.id,
            Patrol.day == patrol.day,
            Patrol.start_min < patrol.end_min,
            Patrol.end_min > patrol.start_min,
            Member.force != Force.VOLUNTEER,
        )
        .order_by(Patrol.start_min, Patrol.id)
    )
    return [
        {
            "leader": member.name,
            "phone": member.phone or "",
            "start_at": _instant(other, other.start_min).isoformat(),
            "end_at": _instant(other, other.end_min).isoformat(),
            "stops": [
                [
                    _instant(other, int(str(stop["arrive_min"]))).isoformat(),
                    stop["lon"],
                    stop["lat"],
                ]
                for stop in (route.stops if route else [])
            ],
        }
        for other, member, route in rows
    ]
