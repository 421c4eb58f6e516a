"""Import members: choose a file, see what would come of it, commit, and undo as one."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.imports import uploads
from api.members.export import template_workbook
from api.members.waiting import waiting
from api.permissions import Caller, allow
from api.rosters.board import FORCES
from api.sign_in.pages import client_address
from api.today import today
from api.web import Db, page, see_other
from grid.communities import ImportBatch
from grid.errors import DomainError
from grid.imports.batches import undo
from grid.imports.members import (
    MEMBER_BATCH,
    Preview,
    commit_members,
    lock_team,
    preview_members,
)
from grid.team import employers, zones_on

router = APIRouter()

Lead = Annotated[Caller, allow(Role.TEAM_LEAD)]
SHOWN_ROWS = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _choose(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    error: DomainError | None = None,
    said: str = "",
    count: int = 0,
) -> Response:
    batches = db.scalars(
        select(ImportBatch)
        .where(ImportBatch.community_id == caller.community_id, ImportBatch.kind == MEMBER_BATCH)
        .order_by(ImportBatch.id.desc())
        .limit(20)
    ).all()
    return page(
        request,
        caller,
        "members/import.html",
        status_code=error.status if error else 200,
        error=error.sentence(caller.locale) if error else None,
        batches=batches,
        said=said,
        count=count,
        waiting=waiting(db, caller.community_id, today(request.app.state.settings)),
    )


@router.get("/members/import")
def import_form(request: Request, db: Db, caller: Lead, said: str = "", count: int = 0) -> Response:
    """Show the form and the imports made so far."""
    return _choose(request, db, caller, said=said, count=count)


@router.get("/members/template")
def template(request: Request, db: Db, caller: Lead) -> Response:
    """Return the empty workbook to fill in."""
    day = today(request.app.state.settings)
    return Response(
        template_workbook(
            [firm.name for firm in employers(db, caller.community_id)],
            [zone.name for zone in zones_on(db, caller.community_id, day)],
        ),
        media_type=XLSX,
        headers={
            "content-disposition": "attachment; filename*=UTF-8''%E9%98%9F%E5%91%98%E6%A8%A1%E6%9D%BF.xlsx"
        },
    )


def _previewed(request: Request, db: Session, caller: Caller, upload: uploads.Upload) -> Preview:
    settings = request.app.state.settings
    return preview_members(
        db,
        caller.community_id,
        upload.path,
        today=today(settings),
        limit_mb=settings.upload_limit_mb,
    )


@router.post("/members/import")
def preview_import(
    request: Request,
    db: Db,
    caller: Lead,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Read the file and show what would come of it; nothing is stored."""
    try:
        if file is None or not file.filename:
            raise uploads.NoFileChosen()
        upload = uploads.keep(
            request.app.state.settings,
            file.file,
            file.filename,
            owner=caller.username,
            community_id=caller.community_id,
            kind=MEMBER_BATCH,
        )
    except DomainError as refusal:
        return _choose(request, db, caller, error=refusal)
    try:
        preview = _previewed(request, db, caller, upload)
    except DomainError as refusal:
        uploads.forget(upload)
        return _choose(request, db, caller, error=refusal)
    return page(
        request,
        caller,
        "members/preview.html",
        preview=preview,
        token=upload.token,
        FORCES=FORCES,
        shown=SHOWN_ROWS,
    )


@router.post("/members/import/commit")
def commit_import(
    request: Request, db: Db, caller: Lead, token: Annotated[str, Form(max_length=64)]
) -> Response:
    """Store what the preview showed, as one batch."""
    try:
        upload = uploads.find(
            request.app.state.settings,
            token,
            owner=caller.username,
            community_id=caller.community_id,
        )
        lock_team(db, caller.community_id)
        preview = _previewed(request, db, caller, upload)
    except DomainError as refusal:
        return _choose(request, db, caller, error=refusal)
    batch = commit_members(
        db,
        caller.community_id,
        preview,
        today=today(request.app.state.settings),
        by=caller.username,
    )
    uploads.forget(upload)
    if batch is None:
        return see_other("/members/import?said=nothing")
    record(
        db,
        actor=caller.username,
        action="member.import",
        target=f"batch:{batch.id}",
        address=client_address(request),
        community_id=caller.community_id,
        details={
            "filename": upload.path.name,
            "new": len(preview.new),
            "changed": len(preview.changed),
            "errors": len(preview.errors),
        },
    )
    return see_other(f"/members/import?said=done&count={batch.rows}")


@router.post("/members/import/{batch_id}/undo")
def undo_import(
    request: Request,
    db: Db,
    batch_id: Annotated[int, InPath(ge=1, le=2**63 - 1)],
    caller: Lead,
) -> Response:
    """Take one import back as one: the new go, the changed are what they were."""
    try:
        gone = undo(db, batch_id, caller.community_id)
    except DomainError as refusal:
        return _choose(request, db, caller, error=refusal)
    record(
        db,
        actor=caller.username,
        action="member.import_undo",
        target=f"batch:{batch_id}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"rows": gone},
    )
    return see_other(f"/members/import?said=undone&count={gone}")
