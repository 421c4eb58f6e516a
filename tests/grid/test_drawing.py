"""Cells are proposed, taken, merged, split and moved from a day on; what breaks the ground is refused."""

from datetime import date, timedelta

import pytest
import shapely
from geoalchemy2.shape import to_shape
from shapely import LineString
from shapely.affinity import scale
from sqlalchemy import func, select, text

from grid.cells import GridCell, PatrolZone, PatrolZoneCell
from grid.communities import Building, Community
from grid.drawing import (
    CellsDoNotTouch,
    EditTooEarly,
    LineDoesNotDivide,
    PartitionBroken,
    TooFewCells,
    accept_cells,
    merge_cells,
    move_area,
    propose_cells,
    replace_cells,
    split_cell,
)
from grid.errors import NotFound
from grid.incidents import Incident
from grid.topology import FindingKind, cells_on, check, touching, zones_on

DAY = date(2026, 10, 1)
BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def community(sample):
    return sample.scalars(select(Community)).one()


@pytest.fixture
def neighbours(sample, community):
    """Two cells of one patrol zone, and one that does not touch the first."""
    cells = cells_on(sample, community.id, DAY)
    borders = touching(sample, cells, community.metric_srid)
    zone = next(z for z in zones_on(sample, community.id, DAY) if len(z.cells) >= 2)
    a, b = zone.cells[:2]
    apart = next(
        c.code
        for c in cells
        if {a, c.code} - {a}
        and (a, c.code) not in borders
        and (c.code, a) not in borders
        and c.code != a
    )
    return a, b, apart


def row_of(session, code, day):
    return session.scalars(
        select(GridCell).where(
            GridCell.code == code,
            GridCell.valid_from <= day,
            (GridCell.valid_to.is_(None)) | (GridCell.valid_to > day),
        )
    ).one_or_none()


def test_the_sample_is_a_sound_partition_with_contiguous_zones(sample, community):
    report = check(sample, community.id, DAY)
    assert report.sound, [finding.sentence() for finding in report.findings]


def test_a_partition_of_the_sample_is_proposed_without_a_finding(sample, community):
    drawn = propose_cells(sample, community.id)
    assert drawn.report.sound, [finding.sentence() for finding in drawn.report.findings]
    people = sample.scalar(select(func.sum(Building.households)))
    assert sum(cell.households for cell in drawn.cells) == people
    assert drawn.balance.within >= 0.8 * drawn.balance.cells
    assert [cell.code for cell in drawn.cells] == sorted(cell.code for cell in drawn.cells)


def test_a_proposal_is_taken_with_new_codes_and_the_old_cells_end(sample, community):
    old = {cell.code for cell in cells_on(sample, community.id, DAY)}
    edit = accept_cells(sample, community.id, propose_cells(sample, community.id, target=500), DAY)
    assert set(edit.ended) == old
    assert not set(edit.begun) & old
    assert {c.code for c in cells_on(sample, community.id, DAY)} == set(edit.begun)
    assert {c.code for c in cells_on(sample, community.id, BEFORE)} == old
    assert min(edit.begun) > max(old)


def test_merged_cells_end_and_a_new_code_begins_in_their_zone(sample, community, neighbours):
    a, b, _ = neighbours
    edit = merge_cells(sample, community.id, [a, b], DAY)
    assert edit.ended == (a, b)
    [new] = edit.begun
    assert new == str(int(max(c.code for c in cells_on(sample, community.id, BEFORE))) + 1)
    assert edit.report.sound
    assert row_of(sample, a, BEFORE) is not None
    assert row_of(sample, a, DAY) is None
    zone = sample.scalar(
        select(func.count())
        .select_from(PatrolZoneCell)
        .where(PatrolZoneCell.cell_id == row_of(sample, new, DAY).id)
    )
    assert zone == 1


def test_a_retired_code_is_never_given_again(sample, community, neighbours):
    a, b, _ = neighbours
    [merged] = merge_cells(sample, community.id, [a, b], DAY).begun
    later = DAY + timedelta(days=5)
    edit = split_cell(sample, community.id, merged, later)
    assert len(edit.begun) == 2
    assert all(int(code) > int(merged) for code in edit.begun)
    assert edit.report.sound


def test_incidents_since_the_day_move_to_the_new_cell_and_earlier_ones_stay(
    sample, community, neighbours
):
    a, b, _ = neighbours
    old = {row_of(sample, code, DAY).id for code in (a, b)}
    in_old = select(func.count()).select_from(Incident).where(Incident.cell_id.in_(old))
    since = Incident.occurred_at >= text("timestamptz '2026-10-01 00:00 Asia/Shanghai'")
    earlier, later = sample.scalar(in_old.where(~since)), sample.scalar(in_old.where(since))
    assert earlier and later
    edit = merge_cells(sample, community.id, [a, b], DAY)
    assert edit.incidents_moved == later
    assert sample.scalar(in_old) == earlier
    new = row_of(sample, edit.begun[0], DAY)
    count = select(func.count()).select_from(Incident).where(Incident.cell_id == new.id)
    assert sample.scalar(count) == later


def test_cells_that_do_not_touch_are_not_merged(sample, community, neighbours):
    a, _, apart = neighbours
    with pytest.raises(CellsDoNotTouch, match=a):
        merge_cells(sample, community.id, [a, apart], DAY)


def test_merging_takes_two_known_cells(sample, community, neighbours):
    a, _, _ = neighbours
    with pytest.raises(TooFewCells):
        merge_cells(sample, community.id, [a, a], DAY)
    with pytest.raises(NotFound, match="999999"):
        merge_cells(sample, community.id, [a, "999999"], DAY)


def test_a_merge_that_leaves_a_zone_without_cells_is_refused_and_nothing_is_stored(
    sample, community
):
    zones = zones_on(sample, community.id, DAY)
    borders = touching(sample, cells_on(sample, community.id, DAY), community.metric_srid)
    single = next(z.cells[0] for z in zones if len(z.cells) == 1)
    beside = next(({a, b} - {single}).pop() for a, b in borders if single in (a, b))
    with pytest.raises(PartitionBroken, match="巡区"):
        merge_cells(sample, community.id, [single, beside], DAY)
    assert row_of(sample, single, DAY) is not None
    assert check(sample, community.id, DAY).sound


def test_a_cell_is_split_by_its_households_without_a_line(sample, community):
    cells = cells_on(sample, community.id, DAY)
    edit = split_cell(sample, community.id, cells[3].code, DAY)
    assert len(edit.begun) == 2
    assert edit.report.sound
    counts = [
        sample.scalar(
            select(func.sum(Building.households)).where(
                func.ST_Covers(
                    row_of(sample, code, DAY).boundary, func.ST_PointOnSurface(Building.footprint)
                )
            )
        )
        for code in edit.begun
    ]
    assert min(counts) > 0.35 * sum(counts)
    zones = [z for z in zones_on(sample, community.id, DAY) if set(edit.begun) & set(z.cells)]
    assert len(zones) == 1


def test_a_line_that_ends_inside_does_not_divide(sample, community):
    cell = cells_on(sample, community.id, DAY)[0]
    middle = cell.shape.representative_point()
    line = LineString([middle, (middle.x + 0.0001, middle.y)])
    with pytest.raises(LineDoesNotDivide, match="两端"):
        split_cell(sample, community.id, cell.code, DAY, line=line)


def test_a_line_through_a_building_is_refused_with_its_name(sample, community):
    cell = cells_on(sample, community.id, DAY)[0]
    building = sample.scalars(
        select(Building)
        .where(
            Building.households > 0,
            func.ST_Covers(row_of(sample, cell.code, DAY).boundary, Building.footprint),
        )
        .order_by(Building.id)
    ).first()
    middle = to_shape(building.footprint).centroid
    line = LineString([(middle.x, middle.y - 0.02), (middle.x, middle.y + 0.02)])
    with pytest.raises(PartitionBroken, match="楼栋"):
        split_cell(sample, community.id, cell.code, DAY, line=line)
    assert row_of(sample, cell.code, DAY) is not None


def test_a_moved_border_keeps_code_and_zone_and_the_old_row_its_days(sample, community, neighbours):
    a, b, _ = neighbours
    shape_a, shape_b = (to_shape(row_of(sample, code, DAY).boundary) for code in (a, b))
    strip = shape_b.intersection(shape_a.buffer(4e-5))  # about four metres
    edit = move_area(sample, community.id, strip, a, DAY)
    assert a in edit.ended and set(edit.begun) == set(edit.ended)
    assert edit.report.sound
    assert row_of(sample, a, DAY).valid_from == DAY
    assert row_of(sample, a, BEFORE).valid_to == DAY
    assert to_shape(row_of(sample, a, DAY).boundary).area > shape_a.area
    zones = [z.name for z in zones_on(sample, community.id, DAY) if a in z.cells]
    assert zones == [z.name for z in zones_on(sample, community.id, BEFORE) if a in z.cells]


def test_a_border_that_overlaps_its_neighbour_is_refused_with_pair_and_area(sample, community):
    cell = cells_on(sample, community.id, DAY)[4]
    wider = scale(cell.shape, 1.05, 1.05).intersection(to_shape(community.boundary))
    with pytest.raises(PartitionBroken, match=r"重叠\d+"):
        replace_cells(sample, community.id, {cell.code: wider}, DAY)
    assert check(sample, community.id, DAY).sound


def test_what_was_broken_before_does_not_forbid_another_edit(sample, community, neighbours):
    a, b, apart = neighbours
    row = row_of(sample, apart, DAY)
    row.boundary = f"SRID=4326;{scale(to_shape(row.boundary), 0.99, 0.99).wkt}"
    sample.flush()
    sample.expire_all()
    broken = check(sample, community.id, DAY)
    assert broken.of_kind(FindingKind.GAP)
    edit = merge_cells(sample, community.id, [a, b], DAY)
    assert edit.report.of_kind(FindingKind.GAP)


def test_a_cell_cannot_change_before_it_began(sample, community, neighbours):
    a, b, _ = neighbours
    [merged] = merge_cells(sample, community.id, [a, b], DAY).begun
    with pytest.raises(EditTooEarly, match="2026-10-01"):
        split_cell(sample, community.id, merged, BEFORE)
    proposal = propose_cells(sample, community.id)
    with pytest.raises(EditTooEarly):
        accept_cells(sample, community.id, proposal, BEFORE)


def test_an_edit_on_the_day_a_cell_began_leaves_no_row_that_never_held(
    sample, community, neighbours
):
    a, b, _ = neighbours
    [merged] = merge_cells(sample, community.id, [a, b], DAY).begun
    edit = split_cell(sample, community.id, merged, DAY)
    assert merged not in edit.begun
    assert sample.scalar(select(func.count()).where(GridCell.code == merged)) == 0
    assert check(sample, community.id, DAY).sound
    assert shapely.union_all([c.shape for c in cells_on(sample, community.id, DAY)]).is_valid
    assert sample.scalar(select(func.count()).select_from(PatrolZone)) >= 1
