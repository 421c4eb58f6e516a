"""Route maps as files: one page per patrol and an index, none of which needs a network."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.permissions import Caller
from api.routes.walk import Walk, find_walk, map_of, title_of
from api.web import environment
from grid.basemap import load_basemap
from maps.folium_page import configure_assets
from scheduling.rosters import Patrol, PatrolRoute, RosterVersion


def write_route_maps(
    session: Session, version_id: int, out_dir: Path, *, assets: Path, locale: str = "zh"
) -> int:
    """Write the maps of the roster's first day with patrols, and an index; return how many.

    One day shows every zone; the other days' walks stand on the site. ``assets`` is the
    ``node_modules`` folder that holds Leaflet.
    """
    configure_assets(assets)
    version = session.get_one(RosterVersion, version_id)
    reader = Caller("cli", "", Role.TEAM_LEAD, version.community_id, locale)
    routed = session.execute(
        select(Patrol.id, Patrol.day)
        .join(PatrolRoute, PatrolRoute.patrol_id == Patrol.id)
        .where(Patrol.roster_version_id == version.id)
        .order_by(Patrol.day, Patrol.start_min, Patrol.id)
    ).all()
    out_dir.mkdir(parents=True, exist_ok=True)
    base = load_basemap(session, version.community_id, version.week_start)
    written: list[tuple[str, str, Walk]] = []
    for patrol_id, day in routed:
        if day != routed[0].day:
            break
        walk = find_walk(session, reader, patrol_id)
        name = f"{day.isoformat()}-{len(written) + 1:02d}-{walk.zone.name}.html"
        html = map_of(session, walk, night=False, locale=locale, base=base)
        (out_dir / name).write_text(html, encoding="utf-8")
        written.append((name, title_of(walk, locale), walk))
    index = environment().get_template("routes/index_file.html")
    (out_dir / "index.html").write_text(
        index.render(written=written, routed=len(routed)), encoding="utf-8"
    )
    return len(written)
