"""Read the ledger's filters from an address line: what is empty or nonsense filters nothing."""

from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from api.accounts import Role
from api.permissions import Caller
from grid.incidents import IncidentClass, IncidentState, Source
from grid.ledger import Filters

Word = TypeVar("Word", bound=StrEnum)

OPEN = "open"
"""The state filter's word for everything that is not closed."""


def known_word(kind: type[Word], written: str) -> Word | None:
    """Return the member a value names, or None."""
    return kind(written) if written in {member.value for member in kind} else None


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _key(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 18 else None


def read_filters(
    incident_class: Annotated[str, Query(alias="class", max_length=40)] = "",
    source: Annotated[str, Query(max_length=40)] = "",
    state: Annotated[str, Query(max_length=40)] = "",
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    zone: Annotated[str, Query(max_length=20)] = "",
    cell: Annotated[str, Query(max_length=20)] = "",
    building: Annotated[str, Query(max_length=20)] = "",
    place: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=80)] = "",
) -> Filters:
    """Return the filters a query string asks for (empty fields of a form arrive as empty words)."""
    return Filters(
        incident_class=known_word(IncidentClass, incident_class),
        source=known_word(Source, source),
        state=known_word(IncidentState, state),
        open_only=state == OPEN,
        first=_day(first),
        last=_day(last),
        zone_id=_key(zone),
        cell_id=_key(cell),
        building_id=_key(building),
        unplaced_only=place == "none",
        words=q.replace("\x00", ""),
    )


Asked = Annotated[Filters, Depends(read_filters)]
"""The filters of a request."""


def own_reports_only(filters: Filters, caller: Caller) -> Filters:
    """A patroller sees what he reported himself; everyone else admitted sees the whole ledger."""
    return replace(filters, reported_by=caller.username) if caller.is_(Role.PATROLLER) else filters
