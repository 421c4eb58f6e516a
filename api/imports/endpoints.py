"""Imports for programs: what came in, when, from which file, in which coordinates."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.accounts import Role
from api.imports.schemas import BatchOut, BatchPage
from api.permissions import Caller, allow
from api.places.ground import own_community
from api.web import Db
from grid.imports.batches import batches

router = APIRouter()


@router.get("/imports")
def list_imports(
    db: Db,
    caller: Annotated[
        Caller,
        allow(Role.TEAM_LEAD, Role.ADMIN, Role.STREET_OFFICE, Role.AUDITOR, Role.SERVICE),
    ],
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=500)] = 100,
) -> BatchPage:
    """Return one page of the community's batches, the latest first."""
    every = batches(db, own_community(db, caller).id)
    shown = every[(page - 1) * per_page : page * per_page]
    return BatchPage(
        items=[BatchOut.model_validate(batch) for batch in shown],
        total=len(every),
        page=page,
        pages=max(1, -(-len(every) // per_page)),
    )
