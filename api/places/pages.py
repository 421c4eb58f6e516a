"""Places and cells on a map and in lists, and what the check of the partition says."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import select

from api.accounts import Role
from api.permissions import Caller, allow
from api.places.ground import as_shown, map_of, map_response, own_community
from api.today import today
from api.web import Db, page
from grid.communities import Estate
from grid.errors import DomainError
from grid.export import OF_ESTATES, Kind, count, read
from grid.topology import check

router = APIRouter()

Reader = Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE, Role.ADMIN, Role.AUDITOR)]
PER_PAGE = 50
FINDINGS_SHOWN = 20


@router.get("/places")
def places_page(
    request: Request,
    db: Db,
    caller: Reader,
    kind: Kind = Kind.CELLS,
    q: Annotated[str, Query(max_length=60)] = "",
    estate: Annotated[str, Query(max_length=80)] = "",
    number: Annotated[int, Query(ge=1, le=100_000, alias="page")] = 1,
) -> Response:
    """Show one kind of place as a list and on a map, and the check of the partition."""
    community = own_community(db, caller)
    day = today(request.app.state.settings)
    estate = estate if kind in OF_ESTATES else ""
    total = count(db, community.id, kind, day, matching=q.strip(), estate=estate)
    extract = read(
        db,
        community.id,
        kind,
        day,
        matching=q.strip(),
        estate=estate,
        limit=PER_PAGE,
        offset=(number - 1) * PER_PAGE,
    )
    report, unchecked = None, ""
    if kind in {Kind.CELLS, Kind.ZONES}:
        try:
            report = check(db, community.id, day)
        except DomainError as refusal:
            unchecked = refusal.sentence(caller.locale)
    return page(
        request,
        caller,
        "places/places.html",
        community=community,
        kind=kind,
        kinds=list(Kind),
        counts={k: count(db, community.id, k, day) for k in Kind},
        fields=[f for f in extract.fields if f.name != "source_key"],
        rows=as_shown(extract, caller.locale),
        total=total,
        number=number,
        pages=max(1, -(-total // PER_PAGE)),
        q=q,
        estate=estate,
        estates=db.scalars(
            select(Estate.name).where(Estate.community_id == community.id).order_by(Estate.name)
        ).all()
        if kind in OF_ESTATES
        else [],
        report=report,
        findings=[f.sentence(caller.locale) for f in report.findings[:FINDINGS_SHOWN]]
        if report
        else [],
        unchecked=unchecked,
        systems=["EPSG:4326", "EPSG:4490", f"EPSG:{community.metric_srid}"],
    )


@router.get("/places/map")
def places_map(request: Request, db: Db, caller: Reader, kind: Kind = Kind.CELLS) -> Response:
    """Draw one kind of place over the community's own ground."""
    community = own_community(db, caller)
    day = today(request.app.state.settings)
    layers = map_of(db, community, [kind], day, caller.locale)
    return map_response(
        request,
        db,
        community,
        layers,
        day=day,
        locale=caller.locale,
        cells=kind in {Kind.CELLS, Kind.ZONES},
    )
