"""Incidents for programs: read the ledger, send a report once."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.accounts import Role
from api.incidents.filters import Asked
from api.incidents.recording import report_incident
from api.incidents.schemas import (
    IncidentId,
    IncidentIn,
    IncidentOut,
    IncidentPage,
    IncidentTaken,
    taken_out,
)
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import now
from api.web import Db
from grid.errors import NotFound
from grid.identity import refuse_identity
from grid.ledger import read_one, read_page

router = APIRouter()

READERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR, Role.SERVICE)
REPORTERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.PATROLLER, Role.SERVICE)


async def impersonal_body(request: Request) -> None:
    """Refuse a body with identity fields at any depth, before its fields are looked at."""
    try:
        body = await request.json()
    except ValueError:
        return  # not JSON at all: the fields' own check says so
    refuse_identity(body)


@router.get("/incidents")
def list_incidents(
    db: Db,
    caller: Annotated[Caller, allow(*READERS)],
    filters: Asked,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    per_page: Annotated[int, Query(ge=1, le=500)] = 100,
) -> IncidentPage:
    """Return one page of the ledger, newest first."""
    found = read_page(db, caller.community_id, filters, number=page, per_page=per_page)
    return IncidentPage(
        items=[IncidentOut.model_validate(row) for row in found.rows],
        total=found.total,
        page=page,
        pages=max(1, -(-found.total // per_page)),
        per_page=per_page,
    )


@router.get("/incidents/{incident_id}")
def read_incident(
    db: Db,
    incident_id: IncidentId,
    caller: Annotated[Caller, allow(*READERS)],
) -> IncidentOut:
    """Return one incident."""
    row = read_one(db, caller.community_id, incident_id)
    if row is None:
        raise NotFound(thing="事件", name=incident_id)
    return IncidentOut.model_validate(row)


@router.post(
    "/incidents",
    status_code=201,
    responses={200: {"description": "This source and ticket number were there already"}},
)
def send_incident(
    request: Request,
    response: Response,
    db: Db,
    caller: Annotated[Caller, allow(*REPORTERS)],
    sent: IncidentIn,
    impersonal: Annotated[None, Depends(impersonal_body)],
) -> IncidentTaken:
    """Take in a report; an event that carries a person's identity is refused with 422."""
    taken = report_incident(
        db,
        caller,
        sent.report(),
        now=now(request.app.state.settings),
        address=client_address(request),
        unplaced=sent.place_unknown,
    )
    if not taken.created:
        response.status_code = 200
    notes = [note.sentence(caller.locale) for note in taken.notes]
    row = read_one(db, caller.community_id, taken.incident.id)
    return taken_out(row, created=taken.created, notes=notes)
