"""The ledger (台账): incidents as filtered, counted, paged and exported. A view, not a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from grid.cells import GridCell, PatrolZone, PatrolZoneCell
from grid.communities import Building, Estate
from grid.incidents import Incident, IncidentClass, IncidentState, Source, Urgency
from grid.intake import LOCAL

EXPORT_LIMIT = 100_000
"""Rows of one export: an Excel sheet holds about a million, a person reads fewer."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which incidents. Days are community-local and included; None leaves a question open."""

    incident_class: IncidentClass | None = None
    source: Source | None = None
    state: IncidentState | None = None
    open_only: bool = False
    urgency: Urgency | None = None
    first: date | None = None
    last: date | None = None
    zone_id: int | None = None
    cell_id: int | None = None
    building_id: int | None = None
    unplaced_only: bool = False
    words: str = ""
    """Looked for in category, description, address and ticket number."""
    reported_by: str | None = None

    def conditions(self, community_id: int) -> list[ColumnElement[bool]]:
        """Return these filters as SQL conditions on ``incident``."""
        wanted: list[ColumnElement[bool]] = [Incident.community_id == community_id]
        equal: Mapping[object, object] = {
            Incident.incident_class: self.incident_class,
            Incident.source: self.source,
            Incident.state: self.state,
            Incident.urgency: self.urgency,
            Incident.cell_id: self.cell_id,
            Incident.building_id: self.building_id,
            Incident.reported_by: self.reported_by,
        }
        wanted += [column == value for column, value in equal.items() if value is not None]  # type: ignore[misc]
        if self.open_only:
            wanted.append(Incident.state != IncidentState.CLOSED)
        if self.unplaced_only:
            wanted.append(Incident.location.is_(None))
        if self.first is not None:
            wanted.append(Incident.occurred_at >= _midnight(self.first))
        if self.last is not None:
            wanted.append(Incident.occurred_at < _midnight(self.last + timedelta(1)))
        if self.zone_id is not None:
            cells = select(PatrolZoneCell.cell_id).where(PatrolZoneCell.zone_id == self.zone_id)
            wanted.append(Incident.cell_id.in_(cells))
        for word in self.words.split()[:6]:
            wanted.append(
                or_(
                    *(
                        column.icontains(word, autoescape=True)
                        for column in (
                            Incident.category,
                            Incident.description,
                            Incident.address,
                            Incident.ticket_number,
                        )
                    )
                )
            )
        return wanted


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL)


ZONE_OF_CELL = (
    select(PatrolZone.name)
    .join(PatrolZoneCell, PatrolZoneCell.zone_id == PatrolZone.id)
    .where(PatrolZoneCell.cell_id == Incident.cell_id, PatrolZone.valid_to.is_(None))
    .order_by(PatrolZone.code)
    .limit(1)
    .correlate(Incident)
    .scalar_subquery()
)

LEDGER = (
    select(
        Incident.id,
        Incident.source,
        Incident.ticket_number,
        Incident.incident_class,
        Incident.category,
        Incident.urgency,
        Incident.state,
        Incident.description,
        Incident.address,
        Incident.provenance,
        Incident.source_crs,
        Incident.occurred_at,
        Incident.reported_at,
        Incident.closed_at,
        Incident.satisfied,
        Incident.reported_by,
        Incident.patrol_id,
        Incident.batch_id,
        Incident.building_id,
        Incident.cell_id,
        func.ST_X(Incident.location).label("lon"),
        func.ST_Y(Incident.location).label("lat"),
        GridCell.code.label("cell_code"),
        GridCell.name.label("cell"),
        ZONE_OF_CELL.label("zone"),
        case(
            (and_(Building.number.is_not(None), Estate.id.is_not(None)),
             func.concat(Estate.name, Building.number, "栋")),
            else_=Building.name,
        ).label("building"),
    )
    .outerjoin(GridCell, GridCell.id == Incident.cell_id)
    .outerjoin(Building, Building.id == Incident.building_id)
    .outerjoin(Estate, Estate.id == Building.estate_id)
)  # fmt: skip
"""One row of the ledger, with the names of where it was."""

NEWEST_FIRST = (Incident.occurred_at.desc(), Incident.id.desc())


@dataclass(frozen=True)
class LedgerPage:
    """Some rows of the ledger and what all matching incidents come to."""

    rows: Sequence[Row]  # type: ignore[type-arg]
    total: int
    still_open: int
    by_class: Mapping[str, int]
    asked: int
    """How many were called back: the base of the satisfaction."""
    satisfied: int


def read_page(
    session: Session, community_id: int, filters: Filters, *, number: int, per_page: int
) -> LedgerPage:
    """Return page ``number`` (from 1) of the matching incidents, newest first, with their counts."""
    wanted = filters.conditions(community_id)
    counts = session.execute(
        select(
            Incident.incident_class,
            func.count().label("n"),
            func.count().filter(Incident.state != IncidentState.CLOSED).label("open"),
            func.count(Incident.satisfied).label("asked"),
            func.count().filter(Incident.satisfied.is_(True)).label("satisfied"),
        )
        .where(*wanted)
        .group_by(Incident.incident_class)
    ).all()
    rows = session.execute(
        LEDGER.where(*wanted)
        .order_by(*NEWEST_FIRST)
        .limit(per_page)
        .offset((number - 1) * per_page)
    ).all()
    return LedgerPage(
        rows,
        sum(row.n for row in counts),
        sum(row.open for row in counts),
        {row.incident_class: row.n for row in counts},
        sum(row.asked for row in counts),
        sum(row.satisfied for row in counts),
    )


def read_all(session: Session, community_id: int, filters: Filters) -> Iterator[Row]:  # type: ignore[type-arg]
    """Yield every matching incident, newest first, at most ``EXPORT_LIMIT``."""
    found: Select = LEDGER.where(*filters.conditions(community_id))  # type: ignore[type-arg]
    yield from session.execute(
        found.order_by(*NEWEST_FIRST).limit(EXPORT_LIMIT).execution_options(yield_per=2_000)
    )


def read_one(session: Session, community_id: int, incident_id: int) -> Row | None:  # type: ignore[type-arg]
    """Return one incident of this community as a row of the ledger."""
    return session.execute(
        LEDGER.where(Incident.id == incident_id, Incident.community_id == community_id)
    ).one_or_none()


def zones_and_cells(session: Session, community_id: int, day: date) -> tuple[list[Row], list[Row]]:  # type: ignore[type-arg]
    """Return (id, name) of the zones and of the cells valid on a day, to filter by."""
    found = []
    for table, order in ((PatrolZone, PatrolZone.code), (GridCell, GridCell.code)):
        rows = session.execute(
            select(table.id, table.name)
            .where(
                table.community_id == community_id,
                table.valid_from <= day,
                or_(table.valid_to.is_(None), table.valid_to > day),
            )
            .order_by(order)
        )
        found.append(list(rows))
    return found[0], found[1]


def addresses_to_choose(session: Session, community_id: int) -> dict[str, list[str]]:
    """Return estate → the standard addresses of its buildings, in the order of their numbers."""
    rows = session.execute(
        select(Estate.name, Building.number)
        .join(Building, Building.estate_id == Estate.id)
        .where(Estate.community_id == community_id, Building.number.is_not(None))
    ).all()
    plain = [(estate, (number or "").removesuffix("栋")) for estate, number in rows]
    found: dict[str, list[str]] = {}
    for estate, number in sorted(plain, key=lambda home: (home[0], _leading(home[1]), home[1])):
        found.setdefault(estate, []).append(f"{estate}{number}栋")
    return found


def _leading(number: str) -> int:
    return int("".join(c for c in number if c.isdecimal()) or 0)
