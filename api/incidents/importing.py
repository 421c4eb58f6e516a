"""Import a ledger: choose a file, see what would come of it, commit, and undo as one."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.imports import uploads
from api.imports.choosing import systems_for
from api.incidents.filters import known_word
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import now, today
from api.web import Db, page, see_other
from grid.communities import Community, ImportBatch
from grid.coordinates import source_system
from grid.errors import DomainError
from grid.imports.batches import undo
from grid.incident_table import Preview, preview_incidents
from grid.incidents import IncidentClass, Source
from grid.intake import INCIDENT_BATCH, commit

router = APIRouter()

Importer = Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE)]
SHOWN_ROWS = 200
"""How many row errors a page lists; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen beside the file; empty where the file's own columns say it."""

    crs: str
    source: str
    incident_class: str


def read_chosen(
    crs: Annotated[str, Form(max_length=40)] = "",
    source: Annotated[str, Form(max_length=40)] = "",
    incident_class: Annotated[str, Form(max_length=40)] = "",
) -> Chosen:
    """Return the choices of the form."""
    return Chosen(crs, source, incident_class)


Choices = Annotated[Chosen, Depends(read_chosen)]


def _choose(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    chosen: Chosen | None = None,
    error: DomainError | None = None,
    said: str = "",
    count: int = 0,
) -> Response:
    batches = db.scalars(
        select(ImportBatch)
        .where(ImportBatch.community_id == caller.community_id, ImportBatch.kind == INCIDENT_BATCH)
        .order_by(ImportBatch.id.desc())
        .limit(20)
    ).all()
    usual, others = systems_for(db.get_one(Community, caller.community_id))
    return page(
        request,
        caller,
        "incidents/import.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        chosen=chosen or Chosen("", "", ""),
        usual=usual,
        others=others,
        batches=batches,
        said=said,
        count=count,
    )


@router.get("/incidents/import")
def import_form(
    request: Request, db: Db, caller: Importer, said: str = "", count: int = 0
) -> Response:
    """Show the form and the imports made so far."""
    return _choose(request, db, caller, said=said, count=count)


def _previewed(
    request: Request, db: Session, caller: Caller, upload: uploads.Upload, chosen: Chosen
) -> Preview:
    return preview_incidents(
        db,
        caller.community_id,
        upload.path,
        now=now(request.app.state.settings),
        system=source_system(chosen.crs) if chosen.crs else None,
        source=known_word(Source, chosen.source),
        incident_class=known_word(IncidentClass, chosen.incident_class),
        limit_mb=request.app.state.settings.upload_limit_mb,
    )


@router.post("/incidents/import")
def preview_import(
    request: Request,
    db: Db,
    caller: Importer,
    chosen: Choices,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Read the file and show what would come of it; nothing is stored in the ledger."""
    try:
        if file is None or not file.filename:
            raise uploads.NoFileChosen()
        upload = uploads.keep(
            request.app.state.settings,
            file.file,
            file.filename,
            owner=caller.username,
            community_id=caller.community_id,
            kind=INCIDENT_BATCH,
        )
    except DomainError as refusal:
        return _choose(request, db, caller, chosen=chosen, error=refusal)
    try:
        preview = _previewed(request, db, caller, upload, chosen)
    except DomainError as refusal:
        uploads.forget(upload)
        return _choose(request, db, caller, chosen=chosen, error=refusal)
    return page(
        request,
        caller,
        "incidents/preview.html",
        preview=preview,
        token=upload.token,
        chosen=chosen,
        shown=SHOWN_ROWS,
    )


@router.post("/incidents/import/commit")
def commit_import(
    request: Request,
    db: Db,
    caller: Importer,
    chosen: Choices,
    token: Annotated[str, Form(max_length=64)],
) -> Response:
    """Store what the preview showed, as one batch."""
    try:
        upload = uploads.find(
            request.app.state.settings,
            token,
            owner=caller.username,
            community_id=caller.community_id,
        )
        preview = _previewed(request, db, caller, upload, chosen)
    except DomainError as refusal:
        return _choose(request, db, caller, chosen=chosen, error=refusal)
    batch = commit(
        db,
        caller.community_id,
        preview.intake,
        filename=upload.path.name,
        system=preview.system,
        today=today(request.app.state.settings),
        by=caller.username,
    )
    uploads.forget(upload)
    if batch is None:
        return see_other("/incidents/import?said=nothing")
    record(
        db,
        actor=caller.username,
        action="incident.import",
        target=f"batch:{batch.id}",
        address=client_address(request),
        community_id=caller.community_id,
        details={
            "filename": upload.path.name,
            "rows": batch.rows,
            "errors": len(preview.intake.errors),
            "already": preview.intake.already,
        },
    )
    return see_other(f"/incidents/import?said=done&count={batch.rows}")


@router.post("/incidents/import/{batch_id}/undo")
def undo_import(
    request: Request,
    db: Db,
    batch_id: Annotated[int, InPath(ge=1, le=2**63 - 1)],
    caller: Importer,
) -> Response:
    """Take one import back as one."""
    try:
        gone = undo(db, batch_id, caller.community_id)
    except DomainError as refusal:
        return _choose(request, db, caller, error=refusal)
    record(
        db,
        actor=caller.username,
        action="incident.import_undo",
        target=f"batch:{batch_id}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"rows": gone},
    )
    return see_other(f"/incidents/import?said=undone&count={gone}")
