"""The phone's two calls: what it takes along, and what it brings back."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request

from api.accounts import Role
from api.permissions import Caller, allow
from api.phone.load import phone_load
from api.phone.schemas import Answer, Batch
from api.phone.syncing import sync
from api.sign_in.pages import client_address
from api.today import now
from api.web import Db

router = APIRouter()

Patroller = Annotated[Caller, allow(Role.PATROLLER)]


@router.get("/phone")
def take_along(request: Request, db: Db, caller: Patroller) -> dict[str, Any]:
    """Return the caller's patrols, the map under them, contacts and buildings."""
    moment = now(request.app.state.settings)
    return phone_load(db, caller, moment, str(request.base_url))


@router.post("/phone/sync")
def bring_back(request: Request, db: Db, caller: Patroller, batch: Batch) -> Answer:
    """Take in a batch of the outbox: idempotent by client id, each item told apart."""
    moment = now(request.app.state.settings)
    skew, results = sync(db, caller, batch, now=moment, address=client_address(request))
    return Answer(server_at=datetime.now(UTC), skew_s=skew, results=results)
