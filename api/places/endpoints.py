"""The ground for programs: GeoJSON collections, and the check of the partition."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request

from api.accounts import Role
from api.permissions import Caller, allow
from api.places.ground import own_community
from api.places.schemas import FindingOut, Link, PartitionOut, PlaceCollection, PlaceFeature
from api.today import today
from api.web import Db
from grid.export import Kind, count, read
from grid.topology import check

router = APIRouter()

Reader = Annotated[
    Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE, Role.ADMIN, Role.AUDITOR, Role.SERVICE)
]


@router.get("/partition-check")
def check_partition(request: Request, db: Db, caller: Reader) -> PartitionOut:
    """Check today's grid cells and patrol zones: gaps, overlaps, buildings in none or in two."""
    community = own_community(db, caller)
    report = check(db, community.id, today(request.app.state.settings))
    return PartitionOut(
        sound=report.sound,
        cells=report.cells,
        cells_m2=report.cells_m2,
        boundary_m2=report.boundary_m2,
        ignored_m2=report.ignored_m2,
        findings=[
            FindingOut(
                kind=f.kind.value,
                codes=list(f.codes),
                amount=f.amount,
                sentence=f.sentence(caller.locale),
                lon=f.lon,
                lat=f.lat,
            )
            for f in report.findings
        ],
    )


@router.get("/places/{kind}")
def list_places(
    request: Request,
    db: Db,
    caller: Reader,
    kind: Kind,
    q: Annotated[str, Query(max_length=60)] = "",
    estate: Annotated[str, Query(max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> PlaceCollection:
    """Return one page of a kind of place as GeoJSON in WGS 84."""
    community = own_community(db, caller)
    day = today(request.app.state.settings)
    total = count(db, community.id, kind, day, matching=q, estate=estate)
    extract = read(
        db, community.id, kind, day, matching=q, estate=estate, limit=limit, offset=offset
    )
    links = []
    if offset + len(extract.rows) < total:
        asked = {"q": q, "estate": estate, "limit": limit, "offset": offset + limit}
        links.append(Link(rel="next", href=f"{request.url.path}?{urlencode(asked)}"))
    return PlaceCollection(
        features=[PlaceFeature(**feature) for feature in extract.features()],
        number_matched=total,
        number_returned=len(extract.rows),
        links=links,
    )
