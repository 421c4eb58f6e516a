"""Incidents as programs send and see them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from grid.coordinates import source_system
from grid.incidents import IncidentClass, IncidentState, Source, Urgency
from grid.intake import LONGEST_CATEGORY, LONGEST_TEXT, LONGEST_TICKET, Report

IncidentId = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""An incident's key in an address; larger numbers do not fit the database."""


class IncidentIn(BaseModel):
    """A report. Place it by ``x``/``y`` in ``crs`` or by a standard ``address``; never a person."""

    model_config = ConfigDict(extra="forbid")

    source: Source
    ticket_number: Annotated[str, Field(min_length=1, max_length=LONGEST_TICKET)]
    """With the source it names the incident: sending it again changes nothing."""
    incident_class: IncidentClass
    category: Annotated[str, Field(min_length=1, max_length=LONGEST_CATEGORY)]
    occurred_at: AwareDatetime
    reported_at: AwareDatetime | None = None
    description: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    address: Annotated[str, Field(max_length=200)] = ""
    x: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Longitude, or easting in metres."""
    y: Annotated[float, Field(allow_inf_nan=False)] | None = None
    crs: Annotated[str, Field(max_length=40)] = "EPSG:4326"
    """EPSG:4326, EPSG:4490, EPSG:4544 …, GCJ-02 or BD-09."""
    urgency: Urgency = Urgency.ROUTINE
    place_unknown: bool = False
    """Keep the incident without a place where none is given or the address is not known."""

    def report(self) -> Report:
        """Return the report for intake. Raises CrsUnknown or CrsRefused."""
        return Report(
            source=self.source,
            ticket_number=self.ticket_number,
            incident_class=self.incident_class,
            category=self.category,
            occurred_at=self.occurred_at,
            reported_at=self.reported_at,
            description=self.description,
            address=self.address,
            x=self.x,
            y=self.y,
            system=source_system(self.crs),
            urgency=self.urgency,
        )


class IncidentOut(BaseModel):
    """An incident of the ledger; coordinates are WGS 84."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    source: Source
    ticket_number: str
    incident_class: IncidentClass
    category: str
    urgency: Urgency
    state: IncidentState
    description: str
    address: str
    lon: float | None
    lat: float | None
    provenance: str
    building: str | None
    cell_code: str | None
    cell: str | None
    zone: str | None
    occurred_at: datetime
    reported_at: datetime
    closed_at: datetime | None
    satisfied: bool | None


class IncidentTaken(IncidentOut):
    """An incident as it was taken in, with what should be known about it."""

    created: bool
    notes: list[str]


class IncidentPage(BaseModel):
    """One page of the ledger, newest first."""

    items: list[IncidentOut]
    total: int
    page: int
    pages: int
    per_page: int


def taken_out(row: Any, *, created: bool, notes: list[str]) -> IncidentTaken:  # noqa: ANN401
    """Return a ledger row as the answer to taking it in."""
    return IncidentTaken(
        **IncidentOut.model_validate(row).model_dump(), created=created, notes=notes
    )
