"""Patrol zones are contiguous groups of cells, alike in load, in one estate where possible."""

from datetime import date, timedelta

import pytest
import shapely
from geoalchemy2.shape import to_shape
from shapely.geometry import shape as from_geojson
from sqlalchemy import select

from grid.cells import GridCell, PatrolZone
from grid.communities import Building, Community, Estate, StreetOffice
from grid.drawing import accept_cells, merge_cells, propose_cells
from grid.people import Member
from grid.topology import check, zones_on
from grid.zones import (
    CellLoad,
    NoCells,
    draw_zones,
    group_cells,
    zone_of_building,
    zone_of_cell,
    zone_of_point,
    zone_shapes,
)
from tests.grid.test_balance import chessboard, contiguous

DAY = date(2026, 10, 1)


@pytest.fixture
def community(sample):
    return sample.scalars(select(Community)).one()


def test_zones_are_contiguous_of_two_to_four_cells_and_alike():
    borders = chessboard(6, 5)
    zones = group_cells([CellLoad(300, 2000.0)] * 30, borders)
    assert contiguous(zones, borders)
    sizes = [zones.count(z) for z in set(zones)]
    assert all(2 <= size <= 4 for size in sizes)


def test_a_zone_keeps_to_one_estate_where_it_can():
    cells = [CellLoad(300, 2000.0, 1 if column < 2 else 2) for _ in range(3) for column in range(4)]
    zones = group_cells(cells, chessboard(4, 3), zones=4)
    for zone in set(zones):
        assert len({cells[n].estate_id for n, z in enumerate(zones) if z == zone}) == 1


def test_walking_counts_beside_households():
    assert CellLoad(0, 1200.0).load == 100
    assert CellLoad(300, 0.0).load == 300


def test_the_proposed_cells_of_the_sample_are_grouped_into_sound_zones(sample, community):
    accept_cells(sample, community.id, propose_cells(sample, community.id), DAY)
    drawn = draw_zones(sample, community.id, DAY)
    assert len(drawn.ended) == 7 and drawn.begun[0] == "Z8"
    report = check(sample, community.id, DAY)
    assert report.sound, [finding.sentence() for finding in report.findings]
    assert check(sample, community.id, DAY - timedelta(days=1)).sound
    zones = sample.scalars(select(PatrolZone).where(PatrolZone.valid_from == DAY)).all()
    named = {e.id: e.name for e in sample.scalars(select(Estate))}
    assert any(zone.estate_id for zone in zones)
    assert all(named[z.estate_id] in z.name for z in zones if z.estate_id)
    assert len({zone.name for zone in zones}) == len(zones)


def test_members_move_home_to_the_zone_that_now_holds_their_ground(sample, community):
    homes = sample.scalars(select(Member.id).where(Member.home_zone_id.is_not(None))).all()
    draw_zones(sample, community.id, DAY)
    sample.expire_all()
    valid = {z.id for z in sample.scalars(select(PatrolZone).where(PatrolZone.valid_from == DAY))}
    for member in sample.scalars(select(Member).where(Member.id.in_(homes))):
        assert member.home_zone_id in valid


def test_drawing_again_on_the_same_day_replaces_the_zones_that_never_held(sample, community):
    first = draw_zones(sample, community.id, DAY)
    groups = {frozenset(z.cells) for z in zones_on(sample, community.id, DAY)}
    second = draw_zones(sample, community.id, DAY)
    assert {frozenset(z.cells) for z in zones_on(sample, community.id, DAY)} == groups
    assert set(second.ended) == set(first.begun)
    assert check(sample, community.id, DAY).sound


def test_the_zone_of_a_place_is_the_same_by_point_building_and_cell(sample, community):
    building = sample.scalars(select(Building).where(Building.households > 0)).first()
    point = to_shape(building.footprint).representative_point()
    zone = zone_of_point(sample, community.id, DAY, point.x, point.y)
    assert zone is not None
    assert zone_of_building(sample, community.id, DAY, building.id) == zone
    cell = sample.scalars(
        select(GridCell).where(GridCell.boundary.ST_Covers(f"SRID=4326;{point.wkt}"))
    ).one()
    assert zone_of_cell(sample, community.id, DAY, cell.id) == zone
    assert zone_of_point(sample, community.id, DAY, 0, 0) is None
    assert zone_of_point(sample, community.id, date(2000, 1, 1), point.x, point.y) is None


def test_a_cell_that_has_ended_is_found_by_the_place_it_was_at(sample, community):
    zone = sample.scalars(select(PatrolZone).where(PatrolZone.code == "Z2")).one()
    cells = list(zone.cells)
    merge_cells(sample, community.id, [c.code for c in cells], DAY)
    draw_zones(sample, community.id, DAY)
    after = zone_of_cell(sample, community.id, DAY, cells[0].id)
    assert after is not None and after != zone.id
    assert zone_of_cell(sample, community.id, DAY - timedelta(days=1), cells[0].id) == zone.id


def test_a_zones_shape_is_the_union_of_its_cells(sample, community):
    shapes = {
        shape.id: from_geojson(shape.geometry) for shape in zone_shapes(sample, community.id, DAY)
    }
    zones = sample.scalars(select(PatrolZone)).all()
    assert set(shapes) == {zone.id for zone in zones}
    for zone in zones:
        union = shapely.union_all([to_shape(cell.boundary) for cell in zone.cells])
        assert shapes[zone.id].symmetric_difference(union).area < 1e-4 * union.area
        assert len(shapes[zone.id].geoms) == 1


def test_no_cells_no_zones(db):
    office = StreetOffice(code="510304998", name="测试街道")
    db.add(office)
    db.flush()
    empty = Community(street_office_id=office.id, code="510304998001", name="空社区")
    db.add(empty)
    db.flush()
    with pytest.raises(NoCells, match="2026-10-01"):
        draw_zones(db, empty.id, DAY)
    assert group_cells([], {}) == []
