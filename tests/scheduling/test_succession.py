"""When zones are redrawn, what was asked of the old ones is asked of the new."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from grid.cells import PatrolZone
from grid.communities import Building, Community
from grid.zones import draw_zones, zone_of_building
from scheduling.demand import CoverDemand, PatrolRequirement
from scheduling.found import found_demand
from scheduling.succession import hand_over_demand

DAY = date(2026, 11, 30)


@pytest.fixture
def community(sample):
    row = sample.scalars(select(Community)).one()
    found_demand(sample, row.id)
    return row


def require(session, community, valid_from, valid_to, **place):
    building = session.scalars(select(Building).where(Building.households > 0)).first()
    zone = zone_of_building(session, community.id, date(2026, 11, 1), building.id)
    row = PatrolRequirement(
        community_id=community.id, zone_id=zone, building_id=building.id, band_start_min=1140,
        band_end_min=1260, weekdays=[5, 6], visits_per_week=3, valid_from=valid_from,
        valid_to=valid_to, reason="噪音", raised_by="lead", raised_at=datetime.now(UTC), **place,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def test_every_new_zone_takes_the_cover_of_the_zone_that_held_most_of_its_ground(sample, community):
    draw_zones(sample, community.id, DAY)
    handed = hand_over_demand(sample, community.id, DAY)
    assert handed.cover > 0
    bare = sample.scalar(
        select(func.count())
        .select_from(PatrolZone)
        .where(
            PatrolZone.valid_from == DAY,
            ~select(CoverDemand.id).where(CoverDemand.zone_id == PatrolZone.id).exists(),
        )
    )
    assert bare == 0
    assert hand_over_demand(sample, community.id, DAY).cover == 0


def test_a_running_requirement_goes_on_in_the_zone_that_now_holds_its_place(sample, community):
    old = require(sample, community, date(2026, 11, 2), date(2026, 12, 28))
    draw_zones(sample, community.id, DAY)
    assert hand_over_demand(sample, community.id, DAY).requirements == 1
    assert old.valid_to == DAY
    new = sample.scalars(select(PatrolRequirement).where(PatrolRequirement.valid_from == DAY)).one()
    assert new.zone_id == zone_of_building(sample, community.id, DAY, old.building_id)
    assert (new.valid_to, new.reason, new.visits_per_week) == (date(2026, 12, 28), "噪音", 3)


def test_a_requirement_that_begins_later_only_changes_its_zone(sample, community):
    later = require(sample, community, date(2026, 12, 7), date(2026, 12, 28))
    draw_zones(sample, community.id, DAY)
    hand_over_demand(sample, community.id, DAY)
    assert later.zone_id == zone_of_building(sample, community.id, DAY, later.building_id)
    assert sample.scalar(select(func.count()).select_from(PatrolRequirement)) == 1


def test_what_has_ended_stays_where_it_was(sample, community):
    past = require(sample, community, date(2026, 10, 5), date(2026, 11, 2))
    zone = past.zone_id
    draw_zones(sample, community.id, DAY)
    assert hand_over_demand(sample, community.id, DAY).requirements == 0
    assert past.zone_id == zone
