"""The ledger, the form, and one incident's page."""

import secrets
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Role
from api.audit import AuditEntry, record
from api.incidents.export import as_csv, as_workbook, ledger_rows
from api.incidents.filters import Asked, known_word, own_reports_only
from api.incidents.importing import router
from api.incidents.recording import record_act, report_incident
from api.incidents.schemas import IncidentId
from api.permissions import Caller, allow
from api.sign_in.pages import client_address
from api.today import now, today
from api.web import Db, page, see_other
from grid.errors import DomainError, NotFound
from grid.handling import STEPS, advance, call_back
from grid.identity import mask
from grid.incident_photos import photos_of
from grid.incident_words import CATEGORIES
from grid.incidents import IncidentClass, IncidentState, Source, Urgency
from grid.intake import LOCAL, LONGEST_CATEGORY, LONGEST_TEXT, LONGEST_TICKET, Report
from grid.ledger import (
    addresses_to_choose,
    read_one,
    read_page,
    zones_and_cells,
)
from grid.sketch import REACH_M, sketch_community, surroundings
from scheduling.rosters import Assignment

__all__ = ["router"]

# The import's routes come first: /incidents/{incident_id} would take “import” for a key.

PER_PAGE = 50
READERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR, Role.PATROLLER)
REPORTERS = (Role.TEAM_LEAD, Role.STREET_OFFICE, Role.PATROLLER)
HANDLERS = (Role.TEAM_LEAD, Role.STREET_OFFICE)


@router.get("/incidents")
def ledger_page(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*READERS)],
    asked: Asked,
    number: Annotated[int, Query(ge=1, le=100_000, alias="page")] = 1,
) -> Response:
    """Show the ledger; a patroller's shows what he reported."""
    filters = own_reports_only(asked, caller)
    found = read_page(db, caller.community_id, filters, number=number, per_page=PER_PAGE)
    zones, cells = zones_and_cells(db, caller.community_id, today(request.app.state.settings))
    chosen = {k: v for k, v in request.query_params.items() if v and k != "page"}
    return page(
        request,
        caller,
        "incidents/ledger.html",
        found=found,
        filters=filters,
        chosen=chosen,
        address=urlencode(chosen),
        zones=zones,
        cells=cells,
        number=number,
        pages=max(1, -(-found.total // PER_PAGE)),
    )


@router.get("/incidents/export")
def export_ledger(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.STREET_OFFICE, Role.AUDITOR)],
    filters: Asked,
    kind: Annotated[str, Query(pattern="^(xlsx|csv)$", alias="format")] = "xlsx",
) -> Response:
    """Hand out the filtered ledger as Excel or CSV; every export is recorded."""
    rows = list(ledger_rows(db, caller.community_id, filters))
    record(
        db,
        actor=caller.username,
        action="incident.export",
        target=f"community:{caller.community_id}",
        address=client_address(request),
        community_id=caller.community_id,
        details={"format": kind, "rows": len(rows), "filters": dict(request.query_params)},
    )
    day = today(request.app.state.settings).isoformat()
    content = as_workbook(iter(rows)) if kind == "xlsx" else as_csv(iter(rows))
    return Response(
        content,
        media_type=(
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            if kind == "xlsx"
            else "text/csv; charset=utf-8"
        ),
        headers={"content-disposition": f'attachment; filename="incidents-{day}.{kind}"'},
    )


FIELDS = (
    "incident_class", "category", "other_category", "source", "ticket_number", "urgency",
    "occurred_at", "building", "address", "lon", "lat", "picked", "unplaced", "description", "patrol",
)  # fmt: skip
"""What the form asks, or carries along."""


def _form(
    request: Request,
    db: Session,
    caller: Caller,
    *,
    entered: dict[str, str] | None = None,
    error: DomainError | None = None,
) -> Response:
    moment = now(request.app.state.settings).astimezone(LOCAL)
    fresh = dict.fromkeys(FIELDS, "") | {
        "form_key": secrets.token_hex(6).upper(),
        "occurred_at": moment.strftime("%Y-%m-%dT%H:%M"),
        "source": (Source.PATROL if caller.is_(Role.PATROLLER) else Source.HOTLINE).value,
        "urgency": Urgency.ROUTINE.value,
    }
    return page(
        request,
        caller,
        "incidents/form.html",
        status_code=error.status if error else 200,
        entered={**fresh, **(entered or {})},
        error=error.sentence(caller.locale) if error else None,
        categories=CATEGORIES,
        addresses=addresses_to_choose(db, caller.community_id),
        latest=moment.strftime("%Y-%m-%dT%H:%M"),
    )


@router.get("/incidents/new")
def report_form(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*REPORTERS)],
    patrol: Annotated[str, Query(max_length=18, pattern="^[0-9]*$")] = "",
) -> Response:
    """Show the form; ``patrol`` is the patrol a patroller is on."""
    return _form(request, db, caller, entered={"patrol": patrol} if patrol else None)


@router.get("/incidents/sketch")
def sketch(request: Request, db: Db, caller: Annotated[Caller, allow(*REPORTERS)]) -> Response:
    """Return the community as a sketch to point at, for the form."""
    drawn = sketch_community(db, caller.community_id)
    return page(request, caller, "incidents/sketch.html", sketch=drawn)


class ReportForm:
    """The fields of the form as they were sent, for intake or to be shown again."""

    def __init__(
        self,
        incident_class: Annotated[str, Form(max_length=40)] = "",
        category: Annotated[str, Form(max_length=LONGEST_CATEGORY)] = "",
        other_category: Annotated[str, Form(max_length=LONGEST_CATEGORY)] = "",
        source: Annotated[str, Form(max_length=40)] = "",
        ticket_number: Annotated[str, Form(max_length=LONGEST_TICKET)] = "",
        urgency: Annotated[str, Form(max_length=40)] = "",
        occurred_at: Annotated[str, Form(max_length=25)] = "",
        building: Annotated[str, Form(max_length=100)] = "",
        address: Annotated[str, Form(max_length=400)] = "",
        lon: Annotated[str, Form(max_length=30)] = "",
        lat: Annotated[str, Form(max_length=30)] = "",
        picked: Annotated[str, Form(max_length=5)] = "",
        unplaced: Annotated[str, Form(max_length=5)] = "",
        description: Annotated[str, Form(max_length=2 * LONGEST_TEXT)] = "",
        form_key: Annotated[str, Form(max_length=20, pattern="^[0-9A-Z]*$")] = "",
        patrol: Annotated[str, Form(max_length=18, pattern="^[0-9]*$")] = "",
    ) -> None:
        self.entered = {
            "incident_class": incident_class,
            "category": category,
            "other_category": other_category,
            "source": source,
            "ticket_number": ticket_number,
            "urgency": urgency,
            "occurred_at": occurred_at,
            "building": building,
            "address": address,
            "lon": lon,
            "lat": lat,
            "picked": picked,
            "unplaced": unplaced,
            "description": description,
            "patrol": patrol,
        }
        if form_key:
            self.entered["form_key"] = form_key

    @property
    def unplaced(self) -> bool:
        """Say whether the place was said to be unknown."""
        return bool(self.entered["unplaced"])

    def report(self, caller: Caller) -> Report:
        """Return the report these fields make. Raises FormUnfinished."""
        given = self.entered
        try:
            occurred = datetime.fromisoformat(given["occurred_at"])
        except ValueError as error:
            raise FormUnfinished(field="发生时间", field_en="The time") from error
        if given["incident_class"] not in {member.value for member in IncidentClass}:
            raise FormUnfinished(field="类别", field_en="The class")
        category = given["other_category"].strip() or given["category"]
        if not category.strip():
            raise FormUnfinished(field="类型", field_en="The category")
        source = (
            Source.PATROL if caller.is_(Role.PATROLLER) else known_word(Source, given["source"])
        )
        # The form's own key names the report, so that a second tap on 提交 sends nothing twice.
        ticket = given["ticket_number"].strip() or f"XG-{given.get('form_key', '')}"
        # A chosen building says more than a phone's idea of where it is.
        pointed = bool(given["lon"] and given["lat"] and not given["building"])
        return Report(
            source=source or Source.HOTLINE,
            ticket_number=ticket,
            incident_class=IncidentClass(given["incident_class"]),
            category=category,
            occurred_at=occurred if occurred.tzinfo else occurred.replace(tzinfo=LOCAL),
            description=given["description"],
            address=given["address"].strip() or given["building"],
            x=_float(given["lon"]) if pointed else None,
            y=_float(given["lat"]) if pointed else None,
            urgency=known_word(Urgency, given["urgency"]) or Urgency.ROUTINE,
        )


def _own_patrol(db: Session, caller: Caller, written: str) -> int | None:
    """Return the patrol the form was opened from, where the caller is really on it."""
    if not written or caller.member_id is None:
        return None
    return db.scalar(
        select(Assignment.patrol_id).where(
            Assignment.patrol_id == int(written), Assignment.member_id == caller.member_id
        )
    )


class FormUnfinished(DomainError):
    """A question of the form without an answer."""

    zh = "{field}还没有选。请选好后再提交。"
    en = "{field} has not been chosen. Choose it and send again."


def _float(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return float("nan")


@router.post("/incidents")
def report_by_form(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(*REPORTERS)],
    form: Annotated[ReportForm, Depends()],
) -> Response:
    """Take the form in; what does not fit is said above the form, with everything still in it."""
    try:
        taken = report_incident(
            db,
            caller,
            form.report(caller),
            now=now(request.app.state.settings),
            address=client_address(request),
            patrol_id=_own_patrol(db, caller, form.entered["patrol"]),
            picked_on_map=form.entered["picked"] == "map",
            unplaced=form.unplaced,
        )
    except DomainError as refusal:
        return _form(request, db, caller, entered=form.entered, error=refusal)
    said = "new" if taken.created else "known"
    masked = "&masked=1" if mask(form.entered["description"]).found else ""
    return see_other(f"/incidents/{taken.incident.id}?said={said}{masked}")


@router.get("/incidents/{incident_id}")
def incident_page(
    request: Request,
    db: Db,
    incident_id: IncidentId,
    caller: Annotated[Caller, allow(*READERS)],
    said: Annotated[str, Query(max_length=10)] = "",
    masked: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """Show one incident: what, where, how far, and what was done about it."""
    return _incident(request, db, caller, incident_id, said=said, masked=bool(masked))


def _incident(
    request: Request,
    db: Session,
    caller: Caller,
    incident_id: int,
    *,
    said: str = "",
    masked: bool = False,
    error: DomainError | None = None,
) -> Response:
    row = read_one(db, caller.community_id, incident_id)
    mine = row is not None and row.reported_by == caller.username
    if row is None or (caller.is_(Role.PATROLLER) and not mine):
        raise NotFound(thing="事件", name=incident_id)
    acts = db.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.target == f"incident:{incident_id}",
            AuditEntry.community_id == caller.community_id,
        )
        .order_by(AuditEntry.id)
    ).all()
    state = IncidentState(row.state)
    return page(
        request,
        caller,
        "incidents/incident.html",
        status_code=error.status if error else 200,
        row=row,
        photos=[] if caller.is_(Role.PATROLLER) else photos_of(db, incident_id),
        acts=acts,
        steps=[(step.value, (state.value, step.value)) for step in STEPS[state]],
        may_handle=caller.is_(*HANDLERS),
        around=surroundings(db, caller.community_id, incident_id),
        reach=REACH_M,
        said=said,
        masked=masked,
        error=error.sentence(caller.locale) if error else None,
    )


@router.post("/incidents/{incident_id}/step")
def take_step(
    request: Request,
    db: Db,
    incident_id: IncidentId,
    caller: Annotated[Caller, allow(*HANDLERS)],
    to: Annotated[IncidentState, Form()],
) -> Response:
    """Take the incident one step on."""
    try:
        incident = advance(
            db, caller.community_id, incident_id, to, now=now(request.app.state.settings)
        )
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _incident(request, db, caller, incident_id, error=refusal)
    record_act(db, caller, "incident.step", incident, client_address(request), to=to.value)
    return see_other(f"/incidents/{incident_id}?said=step")


@router.post("/incidents/{incident_id}/callback")
def record_callback(
    request: Request,
    db: Db,
    incident_id: IncidentId,
    caller: Annotated[Caller, allow(*HANDLERS)],
    satisfied: Annotated[bool, Form()],
) -> Response:
    """Record what the callback answered."""
    try:
        incident = call_back(db, caller.community_id, incident_id, satisfied=satisfied)
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _incident(request, db, caller, incident_id, error=refusal)
    record_act(
        db, caller, "incident.callback", incident, client_address(request), satisfied=satisfied
    )
    return see_other(f"/incidents/{incident_id}?said=callback")
