"""Take incidents in: checked, masked, placed, and assigned to building and grid cell.

(source, ticket number) names an incident within its community: taking it in again changes nothing.
A place is a coordinate whose system is stated, or a standard address; assignment is PostGIS's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import isnan
from zoneinfo import ZoneInfo

from geoalchemy2 import WKTElement
from sqlalchemy import bindparam, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Float

from grid.addresses import LONGEST_ADDRESS, AddressBook, load_address_book, without_household
from grid.communities import ImportBatch
from grid.coordinates import WGS84, SourceSystem, to_wgs84
from grid.database import GEOGRAPHIC_SRID
from grid.errors import DomainError, NotFound
from grid.identity import mask
from grid.imports.errors import Note, RowError
from grid.incidents import (
    Incident,
    IncidentClass,
    IncidentState,
    Provenance,
    Source,
    Urgency,
)

LOCAL = ZoneInfo("Asia/Shanghai")
LonLat = tuple[float, float]

CLOCK_SLACK = timedelta(minutes=5)
"""How far a reporter's clock may be ahead of ours."""
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
INCIDENT_BATCH = "incidents"
"""The kind of an import batch that brought incidents."""
LONGEST_TEXT = 2_000
LONGEST_TICKET = 64
LONGEST_CATEGORY = 40
BESIDE_M = 10.0
"""A point this near a building's wall is assigned to the building."""


class FutureTime(DomainError):
    """An incident that has not happened yet."""

    zh = "发生时间 {when} 晚于现在（{now}）。请检查年月日和时间。"
    en = "The time {when} is later than now ({now}). Check date and time."


class TimeTooOld(DomainError):
    """An incident before any ledger: a mistyped year."""

    zh = "发生时间 {when} 早于 2000 年，多半是年份写错了。请检查。"
    en = "The time {when} is before 2000: probably a mistyped year. Check it."


class PointOutside(DomainError):
    """A place outside the community."""

    zh = "位置（{lon}，{lat}）在社区范围外 {distance}。请在社区内重新选点；若坐标来自高德、腾讯或百度地图，请选对坐标系（GCJ-02 / BD-09）。"
    en = "The place ({lon}, {lat}) is {distance} outside the community. Pick a point inside; if it comes from Amap, Tencent or Baidu maps, choose its system (GCJ-02 / BD-09)."


class PointUnreadable(DomainError):
    """Numbers that are no coordinate in their system."""

    zh = "坐标（{x}，{y}）不是{system}坐标。请检查经纬度是否放反、坐标系是否选对。"
    en = "({x}, {y}) is no coordinate of {system}. Check whether the axes are swapped and the system is right."


class PlaceMissing(DomainError):
    """Neither coordinate nor address."""

    zh = "没有填写位置。请选择楼栋、写明地址、在地图上选点，或勾选“位置不详”。"
    en = "No place was given. Choose a building, write the address, pick a point, or tick “place unknown”."


class CoordinateHalf(DomainError):
    """Only one of longitude and latitude."""

    zh = "坐标只有经度或只有纬度。请两个都填，或都不填而写地址。"
    en = "Only one of longitude and latitude was given. Give both, or neither and an address."


class TextTooLong(DomainError):
    """A field over its length."""

    zh = "{field}超过 {limit} 个字。请缩短。"
    en = "{field_en} is over {limit} characters. Shorten it."


class FieldMissing(DomainError):
    """A field that must be there is empty."""

    zh = "{field}没有填写。请补上。"
    en = "{field_en} is empty. Fill it in."


@dataclass(frozen=True, slots=True)
class Report:
    """What someone reports. Times are aware; ``x`` before ``y``, in the units of ``system``."""

    source: Source
    ticket_number: str
    incident_class: IncidentClass
    category: str
    occurred_at: datetime
    reported_at: datetime | None = None
    description: str = ""
    address: str = ""
    x: float | None = None
    y: float | None = None
    system: SourceSystem = WGS84
    urgency: Urgency = Urgency.ROUTINE
    state: IncidentState = IncidentState.REPORTED
    closed_at: datetime | None = None
    satisfied: bool | None = None

    @property
    def ticket(self) -> str:
        """Return the ticket number as it is stored and compared."""
        return plain(self.ticket_number)


def plain(written: str) -> str:
    """Return a text without the NUL that PostgreSQL cannot hold, and without blanks around it."""
    return written.replace("\x00", "").strip()


@dataclass(frozen=True, slots=True)
class TakenIn:
    """An incident as stored, whether it is new, and what a person should know about it."""

    incident: Incident
    created: bool
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """A report that has passed every check, as a row of the table."""

    row: dict[str, object]
    given: LonLat | None
    """The coordinate it came with, in WGS 84; addresses lie inside by themselves."""
    notes: tuple[Note, ...]


def _checked_time(report: Report, now: datetime) -> datetime:
    """Return when it was reported. Raises FutureTime or TimeTooOld."""
    for moment in (report.occurred_at, report.reported_at, report.closed_at):
        if moment is None:
            continue
        if moment > now + CLOCK_SLACK:
            raise FutureTime(when=_local(moment), now=_local(now))
        if moment < OLDEST:
            raise TimeTooOld(when=_local(moment))
    return max(report.reported_at or min(now, report.occurred_at), report.occurred_at)


def _local(moment: datetime) -> str:
    return moment.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")


def _within(value: str, limit: int, field: str, field_en: str, *, needed: bool = False) -> str:
    tidy = plain(value)
    if needed and not tidy:
        raise FieldMissing(field=field, field_en=field_en)
    if len(tidy) > limit:
        raise TextTooLong(field=field, field_en=field_en, limit=limit)
    return tidy


def _coordinates(reports: Sequence[Report]) -> list[LonLat | None]:
    """Return each report's coordinate in WGS 84, None without one; NaN where it does not fit."""
    found: list[LonLat | None] = [None] * len(reports)
    for system in {report.system for report in reports}:
        here = [
            (n, report.x, report.y)
            for n, report in enumerate(reports)
            if report.system == system and report.x is not None and report.y is not None
        ]
        if not here:
            continue
        numbers, xs, ys = zip(*here, strict=True)
        lons, lats = to_wgs84(xs, ys, system)
        for n, lon, lat in zip(numbers, lons, lats, strict=True):
            found[n] = (round(float(lon), 8), round(float(lat), 8))
    return found


def _point(place: LonLat) -> WKTElement:
    return WKTElement(f"POINT({place[0]:.8f} {place[1]:.8f})", srid=GEOGRAPHIC_SRID)


def _placed(
    report: Report, given: LonLat | None, book: AddressBook, *, unplaced: bool
) -> tuple[dict[str, object], list[Note]]:
    """Return the columns that say where it was; an unplaced report may be kept with a note."""
    written = without_household(mask(report.address).text) if report.address.strip() else ""
    if (report.x is None) != (report.y is None):
        raise CoordinateHalf()
    place: dict[str, object] = {
        "address": _within(written, LONGEST_ADDRESS, "地址", "The address"),
        "location": None,
        "provenance": Provenance.NONE,
        "source_crs": WGS84.code,
        "building_id": None,
    }
    if given is not None:
        if isnan(given[0]):
            raise PointUnreadable(x=report.x, y=report.y, system=report.system.zh)
        return place | {
            "location": _point(given),
            "provenance": Provenance.GIVEN,
            "source_crs": report.system.code,
        }, []
    if not report.address.strip():
        if not unplaced:
            raise PlaceMissing()
        return place, []
    try:
        found = book.find(report.address)
    except DomainError as refusal:
        if not unplaced:
            raise
        note = Note(f"未定位：{refusal.sentence('zh')}", f"Not placed: {refusal.sentence('en')}")
        return place, [note]
    return place | {
        "address": found.address,
        "location": _point((found.lon, found.lat)),
        "provenance": Provenance.ADDRESS,
        "building_id": found.building_id,
    }, []


def _ready(
    community_id: int,
    report: Report,
    given: LonLat | None,
    book: AddressBook,
    now: datetime,
    *,
    unplaced: bool,
) -> _Ready:
    """Check one report and turn it into a row. Raises a DomainError."""
    reported_at = _checked_time(report, now)
    place, notes = _placed(report, given, book, unplaced=unplaced)
    words = mask(_within(report.description, LONGEST_TEXT, "描述", "The description"))
    category = mask(_within(report.category, LONGEST_CATEGORY, "类型", "The category", needed=True))
    found = {**dict(words.found), **dict(mask(report.address).found), **dict(category.found)}
    if found:
        merged = type(words)(words.text, tuple(found.items()))
        notes.append(Note(merged.note("zh"), merged.note("en")))
    ticket = _within(
        report.ticket_number, LONGEST_TICKET, "工单号", "The ticket number", needed=True
    )
    closed = report.state is IncidentState.CLOSED
    row = {
        "community_id": community_id,
        "source": report.source,
        "ticket_number": ticket,
        "incident_class": report.incident_class,
        "category": category.text,
        "urgency": report.urgency,
        "state": report.state,
        "description": words.text,
        "occurred_at": report.occurred_at,
        "reported_at": reported_at,
        "closed_at": (report.closed_at or reported_at) if closed else None,
        "satisfied": report.satisfied if closed else None,
        **place,
    }
    return _Ready(row, given, tuple(notes))


OUTSIDE = text("""
    SELECT n, round(ST_Distance(p.point::geography, c.boundary::geography)) AS metres
    FROM community AS c,
         unnest(:numbers, :lons, :lats) AS given(n, lon, lat)
         CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS point) AS p
    WHERE c.id = :community AND c.boundary IS NOT NULL AND NOT ST_Covers(c.boundary, p.point)
    ORDER BY n
""").bindparams(
    bindparam("numbers", type_=ARRAY(BigInteger)),
    bindparam("lons", type_=ARRAY(Float)),
    bindparam("lats", type_=ARRAY(Float)),
)

ASSIGN = text("""
    UPDATE incident AS i
    SET cell_id = (
            SELECT c.id FROM grid_cell AS c
            WHERE c.community_id = i.community_id AND ST_Covers(c.boundary, i.location)
              AND c.valid_from <= (i.occurred_at AT TIME ZONE 'Asia/Shanghai')::date
              AND (c.valid_to IS NULL
                   OR c.valid_to > (i.occurred_at AT TIME ZONE 'Asia/Shanghai')::date)
            ORDER BY c.code LIMIT 1),
        building_id = CASE WHEN i.provenance = 'address' THEN i.building_id ELSE (
            SELECT b.id FROM building AS b
            WHERE b.community_id = i.community_id
              AND ST_DWithin(b.footprint, i.location, :beside_m / 80000.0)
              AND ST_Distance(b.footprint::geography, i.location::geography) <= :beside_m
            ORDER BY ST_Distance(b.footprint::geography, i.location::geography), b.id
            LIMIT 1) END
    WHERE i.id = ANY(:ids) AND i.location IS NOT NULL
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


def assign(session: Session, incident_ids: Sequence[int]) -> None:
    """Give placed incidents the cell that was valid on their day, and the building they are at.

    An address names its building itself; a point belongs to the building it lies in or within
    10 m of, as phones and callers are no more exact.
    """
    if incident_ids:
        session.execute(ASSIGN, {"ids": list(incident_ids), "beside_m": BESIDE_M})


def _outside(
    session: Session, community_id: int, points: Sequence[tuple[int, float, float]]
) -> dict[int, float]:
    """Return number → metres for each (number, lon, lat) outside the community."""
    if not points:
        return {}
    numbers, lons, lats = (list(column) for column in zip(*points, strict=True))
    rows = session.execute(
        OUTSIDE, {"numbers": numbers, "lons": lons, "lats": lats, "community": community_id}
    )
    return {row.n: float(row.metres) for row in rows}


def _refuse_outside(place: LonLat, metres: float) -> PointOutside:
    distance = f"{metres / 1000:.1f} km" if metres >= 1000 else f"{max(metres, 1):.0f} m"
    return PointOutside(lon=round(place[0], 5), lat=round(place[1], 5), distance=distance)


def find_incident(session: Session, community_id: int, incident_id: int) -> Incident:
    """Return an incident of this community. Raises NotFound."""
    found = session.scalar(
        select(Incident).where(Incident.id == incident_id, Incident.community_id == community_id)
    )
    if found is None:
        raise NotFound(thing="事件", name=incident_id)
    return found


def take_in(
    session: Session,
    community_id: int,
    report: Report,
    *,
    now: datetime,
    reported_by: str | None = None,
    patrol_id: int | None = None,
    picked_on_map: bool = False,
    unplaced: bool = False,
) -> TakenIn:
    """Take in one report. The same (source, ticket number) again returns the one that is there.

    Raises
    ------
    DomainError
        A sentence of this module, of ``grid.addresses`` or of ``grid.coordinates``.
    """
    same = (
        Incident.community_id == community_id,
        Incident.source == report.source,
        Incident.ticket_number == report.ticket,
    )
    there = session.scalar(select(Incident).where(*same))
    if there is not None:
        return TakenIn(there, created=False)
    book = load_address_book(session, community_id)
    (given,) = _coordinates([report])
    ready = _ready(community_id, report, given, book, now, unplaced=unplaced)
    row = dict(ready.row)
    if ready.given is not None:
        metres = _outside(session, community_id, [(0, *ready.given)])
        if metres:
            raise _refuse_outside(ready.given, metres[0])
    if picked_on_map and row["provenance"] == Provenance.GIVEN:
        row["provenance"] = Provenance.MAP
    incident_id = session.scalar(
        insert(Incident)
        .values(**row, reported_by=reported_by, patrol_id=patrol_id)
        .on_conflict_do_nothing(index_elements=["community_id", "source", "ticket_number"])
        .returning(Incident.id)
    )
    if incident_id is None:  # two at once: the other one is the incident
        return TakenIn(session.scalars(select(Incident).where(*same)).one(), created=False)
    assign(session, [incident_id])
    return TakenIn(session.get_one(Incident, incident_id), created=True, notes=ready.notes)


@dataclass(frozen=True, slots=True)
class NumberedReport:
    """A report and the row of the file it stood in."""

    row: int
    report: Report


@dataclass(frozen=True)
class Intake:
    """What a file of reports would do, or did: nothing is stored before ``commit``."""

    new: tuple[tuple[int, _Ready], ...]
    already: int
    """Rows whose (source, ticket number) is in the ledger already."""
    repeated: int
    """Rows that repeat another row of the same file."""
    errors: tuple[RowError, ...]
    warnings: tuple[RowError, ...]
    """Rows that will be taken in, with something to know: not placed, or masked."""

    @property
    def placed(self) -> int:
        """Return how many of the new have a place."""
        return sum(ready.row["location"] is not None for _, ready in self.new)


def prepare(
    session: Session,
    community_id: int,
    reports: Sequence[NumberedReport],
    *,
    now: datetime,
    errors: Sequence[RowError] = (),
) -> Intake:
    """Check many reports at once; row errors are collected and listed together."""
    found = list(errors)
    warnings: list[RowError] = []
    known = _known(session, community_id, reports)
    book = load_address_book(session, community_id)
    seen: set[tuple[str, str]] = set()
    ready: list[tuple[int, _Ready]] = []
    already = repeated = 0
    coordinates = _coordinates([item.report for item in reports])
    for item, given in zip(reports, coordinates, strict=True):
        key = (item.report.source.value, item.report.ticket)
        if key in known:
            already += 1
            continue
        if key in seen:
            repeated += 1
            continue
        try:
            checked = _ready(community_id, item.report, given, book, now, unplaced=True)
        except DomainError as refusal:
            found.append(RowError(item.row, refusal.sentence("zh"), refusal.sentence("en")))
            continue
        seen.add(key)
        ready.append((item.row, checked))
        warnings += [RowError(item.row, note.zh, note.en) for note in checked.notes]
    points = {row: item.given for row, item in ready if item.given is not None}
    outside = _outside(session, community_id, [(row, *place) for row, place in points.items()])
    for row, metres in outside.items():
        away = _refuse_outside(points[row], metres)
        found.append(RowError(row, away.sentence("zh"), away.sentence("en")))
    return Intake(
        tuple((row, item) for row, item in ready if row not in outside),
        already,
        repeated,
        tuple(sorted(found, key=lambda error: error.row)),
        tuple(warning for warning in warnings if warning.row not in outside),
    )


def _known(
    session: Session, community_id: int, reports: Sequence[NumberedReport]
) -> set[tuple[str, str]]:
    keys = [(i.report.source.value, i.report.ticket) for i in reports]
    known: set[tuple[str, str]] = set()
    for start in range(0, len(keys), 5_000):
        rows = session.execute(
            select(Incident.source, Incident.ticket_number).where(
                Incident.community_id == community_id,
                tuple_(Incident.source, Incident.ticket_number).in_(keys[start : start + 5_000]),
            )
        )
        known.update((source, ticket) for source, ticket in rows)
    return known


def commit(
    session: Session,
    community_id: int,
    intake: Intake,
    *,
    filename: str,
    system: SourceSystem | None,
    today: date,
    by: str | None = None,
) -> ImportBatch | None:
    """Store an intake's new incidents as one batch; return it, or None where nothing was new."""
    if not intake.new:
        return None
    batch = ImportBatch(
        community_id=community_id,
        kind=INCIDENT_BATCH,
        filename=filename,
        source_crs=(system or WGS84).code,
        rows=len(intake.new),
        warnings=len(intake.warnings),
        imported_on=today,
        imported_by=by,
    )
    session.add(batch)
    session.flush()
    ids: list[int] = []
    rows = [{**item.row, "batch_id": batch.id} for _, item in intake.new]
    for start in range(0, len(rows), 1_000):
        ids += session.scalars(
            insert(Incident)
            .on_conflict_do_nothing(index_elements=["community_id", "source", "ticket_number"])
            .returning(Incident.id),
            rows[start : start + 1_000],
        ).all()
    assign(session, ids)
    batch.rows = len(ids)
    session.flush()
    return batch
