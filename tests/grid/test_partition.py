"""A proposed partition covers the community once, cuts no building, and is balanced."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from grid.partition import HOUSEHOLDS_PER_CELL, NothingToPartition, load, propose

SIDE = 1000
GROUND = box(0, 0, SIDE, SIDE)


def rows_of_houses(step=50, size=(30, 12)):
    return [
        box(x, y, x + size[0], y + size[1])
        for x in range(10, SIDE - 40, step)
        for y in range(10, SIDE - 40, step)
    ]


def streets(step=200):
    lines = []
    for at in range(step, SIDE, step):
        lines.append(("residential", LineString([(at, -50), (at, SIDE + 50)])))
        lines.append(("residential", LineString([(-50, at), (SIDE + 50, at)])))
    return lines


def assert_covers(proposal, boundary):
    shapes = [cell.boundary for cell in proposal.cells]
    assert shapely.coverage_is_valid(shapes)
    assert all(isinstance(s, Polygon) and s.is_valid for s in shapes)
    with np.errstate(all="ignore"):
        clearance = shapely.minimum_clearance(shapes)
    assert min(clearance) > 1e-6  # a change of coordinates moves vertices by less
    assert shapely.union_all(shapes).symmetric_difference(boundary).area < 0.01


def cut_by(proposal, footprints):
    return [
        n
        for n, building in enumerate(footprints)
        if sum(c.boundary.intersection(building).area > 0.01 for c in proposal.cells) > 1
    ]


def test_cells_follow_the_streets_and_are_balanced():
    houses = rows_of_houses()
    proposal = propose(GROUND, houses, [12] * len(houses), streets())
    assert_covers(proposal, GROUND)
    assert cut_by(proposal, houses) == []
    assert proposal.balance.cells in {14, 15}  # 4,332 households
    assert proposal.balance.within >= 13
    on_street = shapely.union_all([line for _, line in streets()]).buffer(1)
    borders = shapely.union_all([c.boundary.boundary for c in proposal.cells])
    inner = borders.difference(GROUND.boundary.buffer(1))
    assert inner.intersection(on_street).length > 0.6 * inner.length


def test_every_building_is_counted_in_one_cell_and_its_cell_holds_it():
    houses = rows_of_houses()
    proposal = propose(GROUND, houses, list(range(len(houses))), streets())
    held = sorted(i for cell in proposal.cells for i in cell.buildings)
    assert held == list(range(len(houses)))
    for cell in proposal.cells:
        assert cell.households == sum(cell.buildings)
        assert all(cell.boundary.covers(houses[i]) for i in cell.buildings)


def test_the_same_ground_gives_the_same_cells():
    houses = rows_of_houses()
    first, second = (propose(GROUND, houses, [9] * len(houses), streets(), seed=2) for _ in "ab")
    assert first == second


def test_an_estate_without_any_way_is_cut_between_its_buildings():
    houses = rows_of_houses(step=100, size=(40, 15))
    proposal = propose(GROUND, houses, [30] * len(houses))
    assert_covers(proposal, GROUND)
    assert cut_by(proposal, houses) == []
    assert proposal.balance.maximum <= 1.5 * HOUSEHOLDS_PER_CELL


def test_interlocked_buildings_are_parted_midway_where_no_straight_line_passes():
    around = [box(0, 0, 300, 20), box(0, 0, 20, 300), box(280, 0, 300, 200)]
    comb = shapely.union_all(around)
    tooth = shapely.union_all(
        [box(100, 60, 120, 340), box(100, 320, 420, 340), box(180, 150, 240, 170)]
    )
    tooth = shapely.union_all([tooth, box(120, 150, 240, 170)])
    ground = box(-40, -40, 460, 380)
    proposal = propose(ground, [comb, tooth], [300, 300])
    assert_covers(proposal, ground)
    assert [cell.households for cell in proposal.cells] == [300, 300]
    assert cut_by(proposal, [comb, tooth]) == []


def test_a_way_under_a_building_does_not_part_it():
    tower = box(450, 450, 550, 550)
    houses = [tower, box(100, 100, 150, 150), box(800, 800, 850, 850)]
    passage = [("footway", LineString([(500, -10), (500, 1010)]))]
    proposal = propose(GROUND, houses, [400, 200, 200], passage)
    assert_covers(proposal, GROUND)
    assert cut_by(proposal, houses) == []


def test_a_strip_between_a_road_and_its_footway_is_no_cell():
    ways = [
        ("secondary", LineString([(-10, 500), (1010, 500)])),
        ("footway", LineString([(-10, 508), (1010, 508)])),
    ]
    houses = [box(400, 100, 430, 120), box(400, 800, 430, 820)]
    proposal = propose(GROUND, houses, [300, 300], ways)
    assert_covers(proposal, GROUND)
    assert all(2 * c.boundary.area / c.boundary.length > 30 for c in proposal.cells)
    road = LineString([(0, 500), (1000, 500)])
    shared = shapely.union_all([c.boundary.boundary for c in proposal.cells])
    assert shared.intersection(road.buffer(0.5)).length > 990


def test_a_wall_along_the_boundary_parts_nothing():
    walls = [box(0, 0, 600, SIDE), box(600.0003, 0, SIDE, SIDE)]
    houses = [box(x, 480, x + 30, 500) for x in (100, 300, 500, 700, 800, 900)]
    proposal = propose(GROUND, houses, [100] * 6, estates=walls, open_ground=False)
    assert_covers(proposal, GROUND)
    assert [cell.households for cell in proposal.cells] == [300, 300]


def test_open_ground_counts_as_load():
    assert load(300, 300 * 250) == 300
    assert load(0, 400_000, target=300) == 300
    assert load(300, 300 * 250 + 400_000, target=300) == 600


@settings(max_examples=12, deadline=None)
@given(
    corners=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=5, max_size=9),
    ways=st.lists(
        st.tuples(
            st.integers(-50, 1050),
            st.integers(-50, 1050),
            st.integers(-50, 1050),
            st.integers(-50, 1050),
        ),
        max_size=12,
    ),
    seed=st.integers(0, 3),
)
def test_any_ground_with_any_ways_is_covered_exactly(corners, ways, seed):
    boundary = shapely.convex_hull(shapely.multipoints(corners))
    if boundary.geom_type != "Polygon" or boundary.area < 40_000:
        return
    lines = [
        ("footway", LineString([(a, b), (c, d)]))
        for a, b, c, d in ways
        if np.hypot(a - c, b - d) > 1
    ]
    middle = boundary.centroid
    houses = [
        box(middle.x + dx, middle.y + dy, middle.x + dx + 9, middle.y + dy + 9)
        for dx in (-30, 0, 30)
        for dy in (-30, 0, 30)
    ]
    houses = [h for h in houses if boundary.contains(h)]
    if not houses:
        return
    proposal = propose(boundary, houses, [100] * len(houses), lines, seed=seed, rounds=200)
    assert_covers(proposal, boundary)
    assert cut_by(proposal, houses) == []


@pytest.mark.parametrize(
    ("boundary", "houses", "households"),
    [(Polygon(), [box(0, 0, 1, 1)], [5]), (GROUND, [], []), (GROUND, [box(1, 1, 9, 9)], [0])],
)
def test_nothing_to_part_is_said_with_what_to_import(boundary, houses, households):
    with pytest.raises(NothingToPartition, match="请先导入"):
        propose(boundary, houses, households)
