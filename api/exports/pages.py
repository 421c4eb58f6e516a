"""Download places as GeoPackage, GeoJSON or Excel; every download is recorded."""

import tempfile
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.accounts import Role
from api.audit import record
from api.permissions import Caller, allow
from api.places.ground import own_community
from api.sign_in.pages import client_address
from api.today import today
from api.web import Db
from grid.coordinates import source_system
from grid.errors import NotFound
from grid.export import Format, Kind, write

router = APIRouter()

MEDIA_TYPES = {
    Format.GPKG: "application/geopackage+sqlite3",
    Format.GEOJSON: "application/geo+json",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get("/exports/{kind}.{form}")
def download(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE, Role.ADMIN, Role.AUDITOR)],
    kind: str,
    form: Format,
    crs: Annotated[str, Query(max_length=20)] = "EPSG:4326",
) -> Response:
    """Write one kind of place, or ``all`` of them, in a stated coordinate system."""
    kinds = list(Kind) if kind == "all" else [Kind(kind)] if kind in set(Kind) else []
    if not kinds:
        raise NotFound(thing="导出内容", name=kind)
    community = own_community(db, caller)
    srid = source_system(crs).epsg or 0
    day = today(request.app.state.settings)
    with tempfile.TemporaryDirectory(prefix="xunge-export-") as folder:
        path = Path(folder) / f"{kind}.{form.value}"
        written = write(db, community.id, kinds, path, day=day, srid=srid)
        content = path.read_bytes()
    record(
        db,
        actor=caller.username,
        action="places.export",
        target=f"{kind}.{form.value}",
        address=client_address(request),
        community_id=community.id,
        details={
            "crs": f"EPSG:{srid}",
            **{kind.value: number for kind, number in written.items()},
        },
    )
    name = f"{community.code}-{kind}-{day:%Y%m%d}.{form.value}"
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"},
    )
