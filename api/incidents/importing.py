"""Import a ledger: choose a file, see what would come of it, commit, and undo as one."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.incidents import pending
from api.incidents.filters import known_word
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import now, today
from api.web import Db, page, see_other
from grid.communities import ImportBatch
from grid.coordinates import BD09, CGCS2000, GCJ02, SYSTEMS, WGS84, source_system
from grid.errors import DomainError
from grid.imports.batches import undo
from grid.incident_table import Preview, preview_incidents
from grid.incidents import IncidentClass, Source
from grid.intake import INCIDENT_BATCH, commit

router = APIRouter()

Importer = Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE)]
SHOWN_ROWS = 200
"""How many row errors a page lists; the rest are counted."""


class FileNotChosen(DomainError):
    """The form was sent without a file."""

    zh = "没有选择文件。请选择 Excel（.xlsx）或 CSV 文件。"
    en = "No file was chosen. Choose an Excel (.xlsx) or CSV file."


def _choose(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    entered: dict[str, str] | None = None,
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
    usual = (WGS84, CGCS2000, GCJ02, BD09)
    return page(
        request,
        caller,
        "incidents/import.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        entered=entered or {},
        usual=usual,
        others=[system for system in SYSTEMS.values() if system not in usual],
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
    request: Request, db: Session, caller: Caller, upload: pending.Pending, path: Path
) -> Preview:
    return preview_incidents(
        db,
        caller.community_id,
        path,
        now=now(request.app.state.settings),
        filename=upload.filename,
        system=source_system(upload.crs) if upload.crs else None,
        source=known_word(Source, upload.source),
        incident_class=known_word(IncidentClass, upload.incident_class),
        limit_mb=request.app.state.settings.upload_limit_mb,
    )


@router.post("/incidents/import")
def preview_import(
    request: Request,
    db: Db,
    caller: Importer,
    file: Annotated[UploadFile | None, File()] = None,
    crs: Annotated[str, Form(max_length=40)] = "",
    source: Annotated[str, Form(max_length=40)] = "",
    incident_class: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Read the file and show what would come of it; nothing is stored in the ledger."""
    entered = {"crs": crs, "source": source, "incident_class": incident_class}
    if file is None or not file.filename:
        return _choose(request, db, caller, entered=entered, error=FileNotChosen())
    upload = pending.Pending(
        owner=caller.username,
        community_id=caller.community_id,
        filename=file.filename[-120:],
        **entered,
    )
    token, path = pending.keep(file.file.read(), upload)
    try:
        preview = _previewed(request, db, caller, upload, path)
    except DomainError as refusal:
        pending.drop(token, path)
        return _choose(request, db, caller, entered=entered, error=refusal)
    return page(
        request,
        caller,
        "incidents/preview.html",
        preview=preview,
        token=token,
        shown=SHOWN_ROWS,
    )


@router.post("/incidents/import/commit")
def commit_import(
    request: Request,
    db: Db,
    caller: Importer,
    token: Annotated[str, Form(max_length=64)],
) -> Response:
    """Store what the preview showed, as one batch."""
    try:
        upload, path = pending.find(token, caller)
        preview = _previewed(request, db, caller, upload, path)
    except DomainError as refusal:
        return _choose(request, db, caller, error=refusal)
    batch = commit(
        db,
        caller.community_id,
        preview.intake,
        filename=upload.filename,
        system=preview.system,
        today=today(request.app.state.settings),
        by=caller.username,
    )
    pending.drop(token, path)
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
            "filename": upload.filename,
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
