"""Load the sample community into the database, in bulk and at most once."""

from datetime import date

from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from grid.cells import GridCell, PatrolZone, PatrolZoneCell
from grid.communities import Building, Community, Employer, Estate, StreetOffice
from grid.database import GEOGRAPHIC_SRID
from grid.incidents import Incident, MediationCase
from grid.intake import assign
from grid.people import Member, Steward
from grid.places import Checkpoint, KeyPlace
from grid.sample.ground import Ground, draw
from grid.sample.ledger import draw_incidents, draw_mediations, periods
from grid.sample.streets import BLOCKS, METRIC_SRID
from grid.sample.team import members, stewards
from grid.walkways import Walkway
from grid.working_calendar import seed_calendar

SEED = 510304
"""The one seed of the sample."""

STREET_OFFICE_CODE = "510304099"
COMMUNITY_CODE = "510304099901"
"""大安区 is 510304 in truth; the digits after it are invented for the sample."""


def _geo(shape: BaseGeometry) -> WKBElement:
    return from_shape(shape, srid=GEOGRAPHIC_SRID)


def _community(session: Session, ground: Ground) -> Community:
    session.execute(
        upsert(StreetOffice)
        .values(code=STREET_OFFICE_CODE, name="大安区示例街道办")
        .on_conflict_do_nothing()
    )
    office = session.scalars(
        select(StreetOffice).where(StreetOffice.code == STREET_OFFICE_CODE)
    ).one()
    community = Community(
        street_office_id=office.id,
        code=COMMUNITY_CODE,
        name="沙鱼坝社区",
        boundary=_geo(ground.boundary),
        metric_srid=METRIC_SRID,
    )
    session.add(community)
    session.flush()
    return community


def _estates(
    session: Session, community_id: int, ground: Ground
) -> tuple[dict[str, int], dict[str, int]]:
    """Insert employers and estates; return employer → id and estate → id."""
    employers = sorted({e.employer for e in ground.estates if e.employer})
    firms = [Employer(community_id=community_id, name=name) for name in employers]
    session.add_all(firms)
    session.flush()
    firm_ids = {firm.name: firm.id for firm in firms}
    estates = [
        Estate(
            community_id=community_id,
            employer_id=firm_ids.get(e.employer or ""),
            name=e.name,
            kind=e.kind,
            boundary=_geo(e.shape),
        )
        for e in ground.estates
    ]
    session.add_all(estates)
    session.flush()
    return firm_ids, {estate.name: estate.id for estate in estates}


def _cells_and_zones(
    session: Session,
    community_id: int,
    ground: Ground,
    estates: dict[str, int],
    names: dict[int, str],
    since: date,
) -> tuple[dict[int, int], dict[str, int]]:
    """Insert cells and zones; return cell serial → id and zone code → id."""
    cells = {
        serial: GridCell(
            community_id=community_id,
            code=f"{COMMUNITY_CODE}{serial:03d}",
            name=names[serial],
            boundary=_geo(shape),
            valid_from=since,
        )
        for serial, shape in sorted(ground.cells.items())
    }
    zones = {
        zone.code: PatrolZone(
            community_id=community_id,
            estate_id=estates[zone.estate],
            code=zone.code,
            name=zone.name,
            valid_from=since,
        )
        for zone in ground.zones
    }
    session.add_all([*cells.values(), *zones.values()])
    session.flush()
    session.execute(
        insert(PatrolZoneCell),
        [
            {"zone_id": zones[zone.code].id, "cell_id": cells[serial].id}
            for zone in ground.zones
            for serial in zone.cells
        ],
    )
    return (
        {serial: cell.id for serial, cell in cells.items()},
        {code: zone.id for code, zone in zones.items()},
    )


def _standing(
    session: Session, community_id: int, ground: Ground, estates: dict[str, int]
) -> dict[str, int]:
    """Insert buildings, walkways, key places and checkpoints; return building key → id."""
    rows = session.execute(
        insert(Building).returning(Building.source_key, Building.id),
        [
            {
                "community_id": community_id,
                "estate_id": estates.get(b.estate or ""),
                "source_key": b.key,
                "number": b.number,
                "name": b.name,
                "use": b.use,
                "floors": b.floors,
                "units": b.units,
                "households": b.households,
                "residents": b.residents,
                "footprint": _geo(_multi(b.shape)),
            }
            for b in ground.buildings
        ],
    )
    buildings = {key: building_id for key, building_id in rows}
    session.execute(
        insert(Walkway),
        [
            {
                "community_id": community_id,
                "source_key": way.key,
                "kind": way.kind,
                "name": way.name,
                "line": _geo(way.shape),
            }
            for way in ground.walkways
        ],
    )
    places = dict(
        session.execute(
            insert(KeyPlace).returning(KeyPlace.source_key, KeyPlace.id),
            [
                {
                    "community_id": community_id,
                    "estate_id": estates.get(place.estate or ""),
                    "source_key": place.key,
                    "kind": place.kind,
                    "name": place.name,
                    "location": _geo(place.shape),
                }
                for place in ground.places
            ],
        ).all()
    )
    session.execute(
        insert(Checkpoint),
        [
            {
                "community_id": community_id,
                "key_place_id": places[place.key],
                "code": f"C{n:02d}",
                "name": place.name,
                "location": _geo(place.stop),
                "dwell_min": place.dwell_min,
            }
            for n, place in enumerate(ground.places, start=1)
        ],
    )
    return buildings


def _multi(shape: BaseGeometry) -> BaseGeometry:
    return MultiPolygon([shape]) if isinstance(shape, Polygon) else shape


def _team(
    session: Session,
    community_id: int,
    seed: int,
    ground: Ground,
    zones: dict[str, int],
    firms: dict[str, int],
    buildings: dict[str, int],
    since: date,
) -> None:
    session.execute(
        insert(Member),
        [
            {
                "community_id": community_id,
                "staff_number": member.staff_number,
                "name": member.name,
                "force": member.force,
                "employer_id": firms.get(member.employer or ""),
                "home_zone_id": zones.get(member.zone or ""),
                "phone": member.phone,
                "qualifications": list(member.qualifications),
                "contract": member.contract,
                "max_minutes_week": member.max_minutes_week,
                "max_patrols_week": member.max_patrols_week,
                "max_nights_week": member.max_nights_week,
                "days_off": list(member.days_off),
                "active_from": since,
            }
            for member in members(seed)
        ],
    )
    session.execute(
        insert(Steward),
        [
            {
                "community_id": community_id,
                "building_id": buildings[steward.building],
                "number": steward.number,
                "name": steward.name,
                "phone": steward.phone,
                "points": steward.points,
            }
            for steward in stewards(seed, ground)
        ],
    )


PLACE_AT_ADDRESS = text("""
    UPDATE incident AS i SET location = ST_PointOnSurface(b.footprint)
    FROM building AS b
    WHERE i.community_id = :community AND i.provenance = 'address' AND b.id = i.building_id
""")
"""An address is its building's point by the database's own reckoning, as intake places it."""


def _incidents(
    session: Session,
    community_id: int,
    seed: int,
    ground: Ground,
    buildings: dict[str, int],
    until: date,
    *,
    last_year: bool,
) -> None:
    drawn = draw_incidents(seed, ground, until)
    first_of_last = periods(until)["last"][0]
    rows = session.execute(
        insert(Incident).returning(Incident.source, Incident.ticket_number, Incident.id),
        [
            {
                "community_id": community_id,
                "source": i.source,
                "ticket_number": i.ticket_number,
                "incident_class": i.incident_class,
                "category": i.category,
                "urgency": i.urgency,
                "state": i.state,
                "description": i.description,
                "address": i.address,
                "location": (
                    None if i.lon is None else f"SRID={GEOGRAPHIC_SRID};POINT({i.lon} {i.lat})"
                ),
                "provenance": i.provenance,
                "building_id": buildings.get(i.building or ""),
                "occurred_at": i.occurred_at,
                "reported_at": i.reported_at,
                "closed_at": i.closed_at,
                "satisfied": i.satisfied,
            }
            for i in drawn
            if last_year or i.occurred_at.date() < first_of_last
        ],
    )
    ids = {(source, ticket): incident_id for source, ticket, incident_id in rows}
    session.execute(
        insert(MediationCase),
        [
            {
                "community_id": community_id,
                "incident_id": ids.get(case.incident),
                "number": case.number,
                "level": case.level,
                "opened_at": case.opened_at,
                "settled": case.settled,
                "judicial_confirmation": case.judicial_confirmation,
            }
            for case in draw_mediations(seed, drawn, until)
        ],
    )
    session.execute(PLACE_AT_ADDRESS, {"community": community_id})
    assign(session, list(ids.values()))


def load_sample(
    session: Session, until: date, seed: int = SEED, *, last_year: bool = True
) -> Community:
    """Load the sample community with two years of incidents ending before ``until``.

    Without ``last_year`` only the year before it is loaded: the last year then comes in through
    the import, from the file :func:`grid.sample.last_year_csv` writes, to the same figures.
    Where the sample is already there it is returned as it is, with the days it was loaded with.
    The caller commits.
    """
    there = session.scalars(select(Community).where(Community.code == COMMUNITY_CODE)).one_or_none()
    if there is not None:
        return there
    seed_calendar(session)
    ground = draw(seed)
    since = date(until.year - 3, 1, 1)
    community = _community(session, ground)
    firms, estates = _estates(session, community.id, ground)
    names = {block.serial: block.name for block in BLOCKS}
    _, zones = _cells_and_zones(session, community.id, ground, estates, names, since)
    buildings = _standing(session, community.id, ground, estates)
    _team(session, community.id, seed, ground, zones, firms, buildings, since)
    _incidents(session, community.id, seed, ground, buildings, until, last_year=last_year)
    session.flush()
    session.expire_all()
    return community
