"""Upload, look, choose, commit; the list of batches, each undone as one."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import Response
from shapely.geometry import mapping
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import record
from api.imports import uploads
from api.imports.choosing import systems_for
from api.permissions import Caller, allow
from api.places.ground import map_response, own_community
from api.sign_in.pages import client_address
from api.today import today
from api.web import Db, page, see_other
from grid.communities import ImportBatch
from grid.errors import DomainError, NotFound
from grid.imports.batches import batches, commit, hint_on_system, undo
from grid.imports.errors import CoordinateColumnsUnknown, LayerNotChosen
from grid.imports.preview import Preview, look
from grid.imports.targets import OSM, SPECS, Target
from maps.ground_map import Thing, ThingLayer

router = APIRouter()

Importer = Annotated[Caller, allow(Role.TEAM_LEAD, Role.ADMIN)]
Reader = Annotated[Caller, allow(Role.TEAM_LEAD, Role.ADMIN, Role.STREET_OFFICE, Role.AUDITOR)]
Token = Annotated[str, InPath(max_length=64)]
ERRORS_SHOWN = 200
THINGS_ON_MAP = 3000
KINDS = (OSM, *(target.value for target in Target))


class Choices:
    """What a person chose on the preview: read from a query or a form, written back into links."""

    def __init__(self, given: Mapping[str, object]) -> None:
        text = {key: str(value).strip() for key, value in given.items() if isinstance(value, str)}
        self.crs = text.get("crs", "")[:40]
        self.swap = text.get("swap") == "1"
        self.repair = text.get("repair") == "1"
        self.layer = text.get("layer", "")[:120]
        self.x_column = text.get("x_column", "")[:120]
        self.y_column = text.get("y_column", "")[:120]
        self.columns = {
            key[4:]: value[:120] for key, value in text.items() if key.startswith("col_")
        }

    def pairs(self, **changed: str) -> list[tuple[str, str]]:
        """Return the choices as form fields, some of them changed."""
        held = {
            "crs": self.crs,
            "swap": "1" if self.swap else "",
            "repair": "1" if self.repair else "",
            "layer": self.layer,
            "x_column": self.x_column,
            "y_column": self.y_column,
            **changed,
        }
        return [(k, v) for k, v in held.items() if v] + [
            (f"col_{field}", column) for field, column in self.columns.items()
        ]

    def query(self, **changed: str) -> str:
        """Return the choices as a query string."""
        return urlencode(self.pairs(**changed))


def _from_query(request: Request) -> Choices:
    return Choices(dict(request.query_params))


async def _from_form(request: Request) -> Choices:
    return Choices(dict(await request.form()))


def _look(request: Request, db: Session, upload: uploads.Upload, choices: Choices) -> Preview:
    return look(
        db,
        upload.path,
        upload.kind,
        upload.community_id,
        source_crs=choices.crs or None,
        swap=choices.swap,
        columns=choices.columns,
        layer=choices.layer or None,
        x_column=choices.x_column or None,
        y_column=choices.y_column or None,
        repair=choices.repair,
        limit_mb=request.app.state.settings.upload_limit_mb,
    )


def _front(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    kind: str = OSM,
    error: DomainError | None = None,
    said: str = "",
    count: int = 0,
) -> Response:
    community = own_community(db, caller)
    return page(
        request,
        caller,
        "imports/imports.html",
        status_code=error.status if error else 200,
        community=community,
        kinds=KINDS,
        kind=kind,
        specs=SPECS,
        limit_mb=request.app.state.settings.upload_limit_mb,
        batches=batches(db, community.id),
        error=error.sentence(caller.locale) if error else "",
        said=said,
        count=count,
        may_import=caller.is_(Role.TEAM_LEAD, Role.ADMIN),
    )


@router.get("/imports")
def imports_page(
    request: Request, db: Db, caller: Reader, kind: str = OSM, said: str = "", count: int = 0
) -> Response:
    """Show the upload form and every batch so far."""
    chosen = kind if kind in KINDS else OSM
    return _front(request, db, caller, kind=chosen, said=said, count=count)


@router.post("/imports")
def upload_file(
    request: Request,
    db: Db,
    caller: Importer,
    kind: Annotated[str, Form(max_length=20)],
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Take a file in and go to its preview; nothing of it is on the ground yet."""
    community = own_community(db, caller)
    if kind not in KINDS:
        raise NotFound(thing="导入内容", name=kind)
    if file is None or not file.filename:
        return _front(request, db, caller, kind=kind, error=uploads.NoFileChosen())
    try:
        upload = uploads.keep(
            request.app.state.settings,
            file.file,
            file.filename,
            owner=caller.username,
            community_id=community.id,
            kind=kind,
        )
    except DomainError as refusal:
        return _front(request, db, caller, kind=kind, error=refusal)
    return see_other(f"/imports/pending/{upload.token}")


def _found(request: Request, db: Session, caller: Caller, token: str) -> uploads.Upload:
    return uploads.find(
        request.app.state.settings,
        token,
        owner=caller.username,
        community_id=own_community(db, caller).id,
    )


def _show(
    request: Request,
    db: Session,
    caller: Caller,
    upload: uploads.Upload,
    choices: Choices,
    *,
    error: DomainError | None = None,
) -> Response:
    preview, columns, layers = None, [], []
    try:
        preview = _look(request, db, upload, choices)
        columns = [c for part in preview.parts for c in part.columns]
    except LayerNotChosen as several:
        layers = str(several.facts["layers"]).split("、")
    except CoordinateColumnsUnknown as unknown:
        columns = str(unknown.facts["columns"]).split("、")
    except DomainError as refusal:
        if not any((choices.crs, choices.layer, choices.x_column, choices.columns)):
            # Nothing chosen here can cure it: the file itself will not do.
            uploads.forget(upload)
            return _front(request, db, caller, kind=upload.kind, error=refusal)
        error = error or refusal
    usual, others = systems_for(own_community(db, caller))
    return page(
        request,
        caller,
        "imports/preview.html",
        status_code=error.status if error else 200,
        upload=upload,
        choices=choices,
        preview=preview,
        columns=columns,
        layers=layers,
        usual=usual,
        others=others,
        specs=SPECS,
        errors=preview.errors[:ERRORS_SHOWN] if preview else (),
        hint=hint_on_system(preview)[caller.locale == "en"] if preview else "",
        error=error.sentence(caller.locale) if error else "",
    )


@router.get("/imports/pending/{token}")
def preview_page(request: Request, db: Db, caller: Importer, token: Token) -> Response:
    """Show what would come in, what is wrong and what is doubtful, and let a person choose."""
    upload = _found(request, db, caller, token)
    return _show(request, db, caller, upload, _from_query(request))


@router.get("/imports/pending/{token}/map")
def preview_map(request: Request, db: Db, caller: Importer, token: Token) -> Response:
    """Draw what would come in over the community's own ground."""
    upload = _found(request, db, caller, token)
    preview = _look(request, db, upload, _from_query(request))
    locale = caller.locale
    layers = [
        ThingLayer(
            part.spec.en if locale == "en" else part.spec.zh,
            [
                Thing(
                    mapping(r.shape),
                    tuple(str(v) for n, v in r.values.items() if v and n != "source_key"),
                )
                for r in part.new[:THINGS_ON_MAP]
            ],
        )
        for part in preview.parts
    ]
    return map_response(
        request,
        db,
        own_community(db, caller),
        layers,
        day=today(request.app.state.settings),
        locale=locale,
        bounds=preview.bounds,
    )


@router.post("/imports/pending/{token}/commit")
def commit_import(
    request: Request,
    db: Db,
    caller: Importer,
    token: Token,
    choices: Annotated[Choices, Depends(_from_form)],
    skip_errors: Annotated[bool, Form()] = False,
    anyway: Annotated[bool, Form()] = False,
) -> Response:
    """Store what the preview showed as one batch."""
    upload = _found(request, db, caller, token)
    try:
        preview = _look(request, db, upload, choices)
        with db.begin_nested():  # a refusal half way leaves nothing behind
            batch = commit(
                db,
                preview,
                today=today(request.app.state.settings),
                by=caller.username,
                skip_errors=skip_errors,
                anyway=anyway,
            )
    except DomainError as refusal:
        return _show(request, db, caller, upload, choices, error=refusal)
    uploads.forget(upload)
    if batch is None:
        return see_other("/imports?said=nothing")
    record(
        db,
        actor=caller.username,
        action="import.commit",
        target=f"batch:{batch.id}",
        address=client_address(request),
        community_id=batch.community_id,
        details={
            "kind": batch.kind,
            "filename": batch.filename,
            "crs": batch.source_crs,
            "rows": batch.rows,
            "errors": len(preview.errors),
        },
    )
    return see_other(f"/imports?said=done&count={batch.rows}")


@router.post("/imports/pending/{token}/discard")
def discard(request: Request, db: Db, caller: Importer, token: Token) -> Response:
    """Delete an upload without importing it."""
    uploads.forget(_found(request, db, caller, token))
    return see_other("/imports?said=discarded")


@router.post("/imports/{batch_id}/undo")
def undo_import(
    request: Request,
    db: Db,
    caller: Importer,
    batch_id: Annotated[int, InPath(ge=1, le=2**63 - 1)],
) -> Response:
    """Take a batch's rows away again, all or none."""
    community = own_community(db, caller)
    try:
        with db.begin_nested():
            gone = undo(db, batch_id, community.id)
    except NotFound:
        raise
    except DomainError as refusal:
        return _front(request, db, caller, error=refusal)
    batch = db.get_one(ImportBatch, batch_id)
    record(
        db,
        actor=caller.username,
        action="import.undo",
        target=f"batch:{batch_id}",
        address=client_address(request),
        community_id=community.id,
        details={"kind": batch.kind, "filename": batch.filename, "rows": gone},
    )
    return see_other(f"/imports?said=undone&count={gone}")
