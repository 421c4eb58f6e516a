"""The installable page of the phone, its service worker, and the QR sheets of checkpoints."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import segno
from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, JSONResponse, Response
from sqlalchemy import select

from api.accounts import Role
from api.cover.recording import record_edit
from api.permissions import Caller, allow, anyone
from api.phone.words import CATEGORIES, words
from api.web import Db, page, see_other
from grid.errors import NotFound
from grid.incident_photos import IncidentPhoto
from grid.places import Checkpoint
from scheduling.checkpoint_codes import codes_in_use, find_checkpoint, make_codes, renew_code

router = APIRouter()

STATIC = Path(__file__).parent.parent / "static"
Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
Patroller = Annotated[Caller, allow(Role.PATROLLER)]
Key = Annotated[int, InPath(ge=1, le=2**31 - 1)]


@router.get("/phone")
@router.get("/phone/q/{code}")
def phone_page(request: Request, caller: Patroller) -> Response:
    """Show the phone's page: it holds nobody's data, those come with the first load."""
    return page(
        request, caller, "phone/phone.html", categories=CATEGORIES, words=words(caller.locale)
    )


@router.get("/phone-worker.js")
def service_worker(caller: Annotated[Caller, anyone()]) -> Response:
    """Return the service worker: it answers for /phone alone."""
    return FileResponse(
        STATIC / "phone_worker.js",
        media_type="text/javascript",
        headers={"service-worker-allowed": "/phone", "cache-control": "no-cache"},
    )


@router.get("/phone.webmanifest")
def manifest(caller: Annotated[Caller, anyone()]) -> Response:
    """Return what makes the page installable."""
    return JSONResponse(
        {
            "name": "巡格 巡逻",
            "short_name": "巡格",
            "lang": "zh-CN",
            "start_url": "/phone",
            "scope": "/phone",
            "display": "standalone",
            "background_color": "#0e151c",
            "theme_color": "#0e151c",
            "icons": [
                {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            ],
        },
        media_type="application/manifest+json",
    )


@router.get("/checkpoint-codes")
def code_sheets(request: Request, db: Db, caller: Lead) -> Response:
    """Show the QR codes of all checkpoints, six to an A4 sheet, and how many have none yet."""
    checkpoints = _checkpoints(db, caller)
    texts = codes_in_use(db, checkpoints)
    site = str(request.base_url).rstrip("/")
    sheets = [
        (point, _picture(f"{site}/phone/q/{texts[point.id]}"))
        for point in checkpoints
        if point.id in texts
    ]
    lacking = len(checkpoints) - len(sheets)
    return page(request, caller, "phone/codes.html", sheets=sheets, lacking=lacking)


@router.post("/checkpoint-codes")
def make_missing(request: Request, db: Db, caller: Lead) -> Response:
    """Make a code for every checkpoint that has none."""
    checkpoints = _checkpoints(db, caller)
    made = make_codes(db, checkpoints, now=datetime.now(UTC), by=caller.username)
    record_edit(request, db, caller, "checkpoint_code.make", "", codes=made)
    return see_other("/checkpoint-codes")


def _checkpoints(db: Db, caller: Caller) -> Sequence[Checkpoint]:
    return db.scalars(
        select(Checkpoint)
        .where(Checkpoint.community_id == caller.community_id, Checkpoint.active)
        .order_by(Checkpoint.code)
    ).all()


def _picture(text: str) -> str:
    drawn = io.BytesIO()
    # Level Q: a quarter of the print may be scratched or dirty.
    segno.make_qr(text, error="q").save(drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True)
    return drawn.getvalue().decode()


@router.post("/checkpoint-codes/{checkpoint_id}/revoke")
def revoke(request: Request, db: Db, caller: Lead, checkpoint_id: Key) -> Response:
    """Revoke a checkpoint's code: the sheet must be printed and hung up anew."""
    found = find_checkpoint(db, caller.community_id, checkpoint_id)
    renew_code(db, caller.community_id, found.id, now=datetime.now(UTC), by=caller.username)
    record_edit(request, db, caller, "checkpoint_code.revoke", found.code)
    return see_other(f"/checkpoint-codes#c{checkpoint_id}")


@router.get("/incident-photos/{photo_id}")
def photo(
    db: Db, photo_id: Key, caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE)]
) -> Response:
    """Return a photo of an incident of the caller's community."""
    found = db.get(IncidentPhoto, photo_id)
    if found is None or found.community_id != caller.community_id:
        raise NotFound(thing="照片", name=photo_id)
    return Response(found.content, media_type=found.media_type)
