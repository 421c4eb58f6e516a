"""Incidents and places are read whole, each incident at the place it belongs to."""

from datetime import date, timedelta

import numpy as np
from sqlalchemy import text

from grid.incident_counts import PlaceKind, load_incidents, load_places, walkway_metres
from tests.conftest import SAMPLE_UNTIL

YEAR = timedelta(365)


def community(session) -> int:
    return session.scalar(text("SELECT min(id) FROM community"))


def year(session, **filters):
    return load_incidents(
        session, community(session), SAMPLE_UNTIL - YEAR, SAMPLE_UNTIL, day=SAMPLE_UNTIL, **filters
    )


def test_every_incident_of_the_days_is_read_once(sample):
    found = year(sample)
    counted = sample.scalar(
        text("""SELECT count(*) FROM incident
                WHERE (occurred_at AT TIME ZONE 'Asia/Shanghai')::date >= :first"""),
        {"first": SAMPLE_UNTIL - YEAR},
    )
    assert len(found) == counted > 1000
    assert len(year(sample, incident_class="police_call")) == 338


def test_days_are_community_local(sample):
    sample.execute(
        text("""INSERT INTO incident (community_id, source, ticket_number, incident_class, category,
                  urgency, state, description, address, provenance, source_crs, occurred_at,
                  reported_at)
                SELECT min(id), 'p110', 'late', 'police_call', '夜', 'routine', 'closed', '', '',
                  'none', 'EPSG:4326', '2026-11-22 16:30+00', '2026-11-22 16:30+00'
                FROM community""")
    )
    assert len(year(sample, category="夜")) == 0  # half past midnight on the 23rd, here
    found = load_incidents(
        sample, community(sample), SAMPLE_UNTIL, SAMPLE_UNTIL + timedelta(1), day=SAMPLE_UNTIL
    )
    assert found.categories == ("夜",)
    assert np.isnan(found.x[0])
    assert (found.cell_id[0], found.building_id[0], found.key_place_id[0]) == (-1, -1, -1)


def test_an_incident_at_a_building_is_not_also_a_key_places(sample):
    found = year(sample)
    assert not ((found.building_id >= 0) & (found.key_place_id >= 0)).any()
    assert (found.key_place_id >= 0).sum() > 50


def test_the_cell_read_is_the_cell_stored(sample):
    found = year(sample)
    stored = np.array(
        sample.scalars(
            text("""SELECT coalesce(cell_id, -1) FROM incident
                    WHERE (occurred_at AT TIME ZONE 'Asia/Shanghai')::date >= :first
                    ORDER BY occurred_at, id"""),
            {"first": SAMPLE_UNTIL - YEAR},
        ).all()
    )
    assert (found.cell_id == stored).all()


def test_coordinates_are_metres_of_the_communitys_zone(sample):
    found = year(sample)
    placed = ~np.isnan(found.x)
    # EPSG:4544 at 104.78° E, 29.36° N: 21 km west of the meridian's false easting.
    assert abs(found.x[placed] - 478_600).max() < 1200
    assert np.ptp(found.y[placed]) < 1500


def test_places_have_their_zone_their_households_and_their_walkways(sample):
    places = load_places(sample, community(sample), SAMPLE_UNTIL)
    cells = [one for one in places if one.kind is PlaceKind.CELL]
    assert len(cells) == 9
    assert sum(one.households for one in cells) == sum(
        one.households for one in places if one.kind is PlaceKind.BUILDING
    )
    assert all(one.zone_id is not None for one in places)
    square = next(one for one in places if one.label == "铸钢广场")
    assert 20 < square.walk_m < 300
    assert walkway_metres(sample, community(sample)) > 25_000


def test_an_empty_community_has_nothing_and_says_so_with_arrays(db):
    from tests.api.conftest import found_community

    key = found_community(db)
    assert load_places(db, key, date(2026, 1, 1)) == []
    found = load_incidents(db, key, date(2025, 1, 1), date(2026, 1, 1), day=date(2026, 1, 1))
    assert len(found) == 0
    assert found.categories == ()
    assert walkway_metres(db, key) == 0
