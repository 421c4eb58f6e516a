"""A member's own week, and a patrol's walk on the phone."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import select

from api.accounts import Role
from api.permissions import Caller, NotAllowed, allow
from api.routes.gpx import gpx_of
from api.routes.walk import find_walk, line_of, map_of, title_of
from api.today import this_monday, today
from api.web import Db, page
from grid.errors import NotFound
from grid.people import Member
from maps.folium_page import FRAME_POLICY, configure_assets
from scheduling.stop_keys import stop_keys
from scheduling.swaps import swaps_to_answer
from scheduling.walks import week_of_member

router = APIRouter()

Walker = Annotated[Caller, allow(Role.PATROLLER, Role.TEAM_LEAD)]


@router.get("/my")
def my_week(
    request: Request,
    db: Db,
    caller: Walker,
    week: date | None = None,
    member: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show the caller's own week; the team lead may look at any member's of the community."""
    who = _whose(db, caller, member)
    day = today(request.app.state.settings)
    monday = this_monday(week or day)
    patrols = week_of_member(db, caller.community_id, who.id, monday) if who else []
    if who and week is None and not [p for p in patrols if p.day >= day]:
        # Nothing more this week: what a patroller wants to see is the next one.
        coming = week_of_member(db, caller.community_id, who.id, monday + timedelta(days=7))
        if coming:
            monday, patrols = monday + timedelta(days=7), coming
    members = []
    if caller.role is Role.TEAM_LEAD:
        members = list(
            db.scalars(
                select(Member)
                .where(Member.community_id == caller.community_id)
                .order_by(Member.force, Member.staff_number)
            )
        )
    return page(
        request,
        caller,
        "routes/week.html",
        who=who,
        members=members,
        monday=monday,
        days=[monday + timedelta(days=n) for n in range(7)],
        today=day,
        asked=swaps_to_answer(db, caller.member_id) if caller.member_id else 0,
        walks=[find_walk(db, caller, patrol.id) for patrol in patrols],
    )


def _whose(db: Db, caller: Caller, member_id: int | None) -> Member | None:
    if caller.role is Role.PATROLLER:
        if member_id is not None and member_id != caller.member_id:
            raise NotAllowed()
        member_id = caller.member_id
    if member_id is None:
        return None
    found = db.get(Member, member_id)
    if found is None or found.community_id != caller.community_id:
        raise NotFound(thing="队员", name=member_id)
    return found


@router.get("/patrols/{patrol_id}")
def patrol_page(request: Request, db: Db, caller: Walker, patrol_id: int) -> Response:
    """Show a patrol's walk: map, numbered stops with times, team, check-in."""
    walk = find_walk(db, caller, patrol_id)
    mine = caller.member_id in {member.id for member, _ in walk.team}
    stops = walk.route.stops if walk.route else []
    return page(
        request,
        caller,
        "routes/patrol.html",
        walk=walk,
        title=title_of(walk, caller.locale),
        stops=list(zip(stop_keys(stops), stops, strict=True)),
        mine=mine,
    )


@router.get("/patrols/{patrol_id}/route.gpx")
def route_gpx(db: Db, caller: Walker, patrol_id: int) -> Response:
    """Return the walk as a GPX file for other programs and devices."""
    walk = find_walk(db, caller, patrol_id)
    line, stops = line_of(db, walk.route), walk.route.stops if walk.route else []
    content = gpx_of(title_of(walk, caller.locale), walk.patrol, line, stops)
    name = f"patrol-{walk.patrol.day.isoformat()}-{walk.patrol.id}.gpx"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/gpx+xml", headers=headers)


@router.get("/patrols/{patrol_id}/map")
def patrol_map(
    request: Request, db: Db, caller: Walker, patrol_id: int, night: bool = True
) -> Response:
    """Return the walk's map for the page's frame, under its own content-security policy."""
    configure_assets(request.app.state.settings.offline_assets)
    walk = find_walk(db, caller, patrol_id)
    html = map_of(db, walk, night=night, locale=caller.locale, explained=False)
    return HTMLResponse(html, headers={"content-security-policy": FRAME_POLICY})
