"""The partition check finds what is wrong with cells, how much, and nothing else."""

from datetime import date

import numpy as np
import pyproj
import pytest
import shapely
from geoalchemy2.shape import from_shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Polygon, box
from shapely.affinity import translate
from shapely.ops import split

from grid.cells import GridCell, PatrolZone
from grid.communities import Building, Community, StreetOffice
from grid.topology import Cell, FindingKind, NoBoundary, Zone, check, check_cells, touching

SRID = 4544
SIDE = 1000.0
WEST, SOUTH = 480_000.0, 3_250_000.0
TO_WGS = pyproj.Transformer.from_crs(SRID, 4326, always_xy=True)
DAY = date(2026, 3, 1)
SQUARE = box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)

PROPERTY = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def wgs(shape):
    return shapely.transform(shape, lambda c: np.column_stack(TO_WGS.transform(c[:, 0], c[:, 1])))


def local(x0, y0, x1, y1):
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def report(db, shapes, **options):
    cells = [Cell(f"C{number}", wgs(shape)) for number, shape in enumerate(shapes)]
    return check_cells(db, wgs(SQUARE), cells, srid=SRID, **options)


def kinds(found):
    return sorted(finding.kind for finding in found.findings)


@st.composite
def partitions(draw):
    """Cut the square again and again, each piece at a point and angle of its own."""
    pieces = [SQUARE]
    for _ in range(draw(st.integers(2, 7))):
        pieces.sort(key=lambda p: -p.area)
        piece = pieces.pop(0)
        edges = shapely.get_coordinates(shapely.oriented_envelope(piece))
        long = max(
            ((edges[i], edges[i + 1]) for i in (0, 1)), key=lambda e: np.hypot(*(e[1] - e[0]))
        )
        share = draw(st.floats(0.35, 0.65))
        middle = long[0] + share * (long[1] - long[0])
        along = (long[1] - long[0]) / np.hypot(*(long[1] - long[0]))
        tilt = draw(st.floats(-0.3, 0.3))
        ahead = np.array([-along[1], along[0]]) + tilt * along
        line = LineString([middle - 3000 * ahead, middle + 3000 * ahead])
        pieces += shapely.get_parts(split(piece, line)).tolist()
    return pieces


@PROPERTY
@given(shapes=partitions())
def test_a_square_cut_into_cells_has_no_finding(db, shapes):
    found = report(db, shapes)
    assert found.sound, [f.sentence("en") for f in found.findings]
    assert found.cells_m2 == pytest.approx(SIDE * SIDE, abs=0.5)


@PROPERTY
@given(shapes=partitions(), pick=st.integers(0, 100))
def test_a_dropped_cell_is_one_gap_of_its_area_beside_its_neighbours(db, shapes, pick):
    dropped = shapes.pop(pick % len(shapes))
    found = report(db, shapes)
    assert kinds(found) == [FindingKind.GAP]
    gap = found.findings[0]
    assert gap.amount == pytest.approx(dropped.area, abs=0.5)
    beside = {
        f"C{n}"
        for n, shape in enumerate(shapes)
        if shape.buffer(0.01).intersection(dropped.boundary).length > 1
    }
    assert set(gap.codes) == beside


@PROPERTY
@given(shapes=partitions(), pick=st.integers(0, 100))
def test_a_doubled_cell_is_one_overlap_of_its_area(db, shapes, pick):
    number = pick % len(shapes)
    found = report(db, [*shapes, shapes[number]])
    assert kinds(found) == [FindingKind.OVERLAP]
    assert found.findings[0].codes == (f"C{number}", f"C{len(shapes)}")
    assert found.findings[0].amount == pytest.approx(shapes[number].area, abs=0.5)


@PROPERTY
@given(
    shapes=partitions(),
    pick=st.integers(0, 100),
    corner=st.integers(0, 100),
    dx=st.floats(-60, 60),
    dy=st.floats(-60, 60),
)
def test_a_moved_vertex_is_found_with_the_area_it_opens_and_covers(
    db, shapes, pick, corner, dx, dy
):
    number = pick % len(shapes)
    ring = shapely.get_coordinates(shapes[number].exterior)[:-1]
    ring[corner % len(ring)] += (dx, dy)
    moved = Polygon(ring)
    if not moved.is_valid:
        return
    cells = [*shapes[:number], moved, *shapes[number + 1 :]]
    found = report(db, cells)

    def total(kind):
        return sum(f.amount for f in found.of_kind(kind))

    slack = 1.0 * len(shapes) + 0.5  # what lies below the tolerance is not reported
    gaps = SQUARE.difference(shapely.union_all(cells)).area
    assert total(FindingKind.GAP) == pytest.approx(gaps, abs=slack)
    assert total(FindingKind.OUTSIDE) == pytest.approx(moved.difference(SQUARE).area, abs=slack)
    for finding in found.of_kind(FindingKind.OVERLAP):
        a, b = (cells[int(code[1:])] for code in finding.codes)
        assert f"C{number}" in finding.codes
        assert finding.amount == pytest.approx(a.intersection(b).area, abs=0.5)
    overlaps = sum(moved.intersection(s).area for n, s in enumerate(cells) if n != number)
    assert total(FindingKind.OVERLAP) == pytest.approx(overlaps, abs=slack)
    assert set(kinds(found)) <= {
        FindingKind.GAP,
        FindingKind.OVERLAP,
        FindingKind.OUTSIDE,
        FindingKind.SLIVER,
        FindingKind.AREA_SUM,
    }


def test_a_tear_below_the_tolerance_is_no_finding_and_its_area_is_kept(db):
    west, east = local(0, 0, 500, 1000), local(500.0005, 0, 1000, 1000)
    found = report(db, [west, east])
    assert found.sound
    assert found.ignored_m2 == pytest.approx(0.5, abs=0.1)


def test_many_small_tears_together_are_an_area_that_does_not_add_up(db):
    slits = [local(10 + 20 * n, 0, 10.009 + 20 * n, 95) for n in range(45)]
    west = local(0, 0, 1000, 100).difference(shapely.union_all(slits))
    east = local(0, 100, 1000, 1000)
    found = report(db, [west, east])
    assert kinds(found) == [FindingKind.AREA_SUM]
    assert found.findings[0].amount == pytest.approx(45 * 0.009 * 95, rel=0.05)


def test_a_cell_out_of_the_boundary_is_found_with_what_sticks_out(db):
    found = report(db, [local(0, 0, 500, 1000), local(500, 0, 1010, 1000)])
    assert kinds(found) == [FindingKind.OUTSIDE]
    assert found.findings[0].codes == ("C1",)
    assert found.findings[0].amount == pytest.approx(10_000, abs=1)


def test_a_sliver_and_a_cell_in_pieces_are_found(db):
    thin = local(500, 0, 502, 1000)
    found = report(db, [local(0, 0, 500, 1000), thin, local(502, 0, 1000, 1000)])
    assert kinds(found) == [FindingKind.SLIVER]
    assert found.findings[0].codes == ("C1",)
    in_two = MultiPolygon([local(0, 0, 200, 1000), local(800, 0, 1000, 1000)])
    found = report(db, [in_two, local(200, 0, 800, 1000)])
    assert kinds(found) == [FindingKind.CELL_IN_PIECES]
    assert found.findings[0].amount == 2


def test_no_cells_are_said_to_be_none(db):
    found = report(db, [])
    assert kinds(found) == [FindingKind.NO_CELLS]
    assert "导入" in found.findings[0].sentence("zh")


QUARTERS = [
    local(0, 500, 500, 1000),
    local(500, 500, 1000, 1000),
    local(0, 0, 500, 500),
    local(500, 0, 1000, 500),
]


def test_cells_that_meet_in_one_point_are_no_neighbours(db):
    cells = [Cell(f"C{n}", wgs(shape)) for n, shape in enumerate(QUARTERS)]
    borders = touching(db, cells, SRID)
    assert set(borders) == {("C0", "C1"), ("C0", "C2"), ("C1", "C3"), ("C2", "C3")}
    assert borders["C0", "C1"] == pytest.approx(500, abs=0.2)


def test_a_zone_of_cells_that_meet_in_one_point_is_not_contiguous(db):
    zones = [Zone("东北", ("C0", "C3")), Zone("其余", ("C1",))]
    found = report(db, QUARTERS, zones=zones)
    assert kinds(found) == sorted([FindingKind.CELL_IN_NO_ZONE, FindingKind.ZONE_NOT_CONTIGUOUS])
    broken = found.of_kind(FindingKind.ZONE_NOT_CONTIGUOUS)[0]
    assert broken.label == "东北"
    assert broken.codes == ("C3",)
    assert found.of_kind(FindingKind.CELL_IN_NO_ZONE)[0].codes == ("C2",)


def test_a_cell_in_two_zones_and_an_empty_zone_are_found(db):
    zones = [Zone("甲", ("C0", "C1")), Zone("乙", ("C1", "C3", "C2")), Zone("丙", ())]
    found = report(db, QUARTERS, zones=zones)
    assert kinds(found) == sorted([FindingKind.CELL_IN_TWO_ZONES, FindingKind.ZONE_EMPTY])
    assert found.of_kind(FindingKind.CELL_IN_TWO_ZONES)[0].label == "乙、甲"


def test_a_border_with_a_vertex_on_one_side_only_is_still_a_border(db):
    west = local(0, 0, 500, 1000)
    east = Polygon(
        [
            (WEST + x, SOUTH + y)
            for x, y in [(500, 0), (1000, 0), (1000, 1000), (500, 1000), (500, 333)]
        ]
    )
    assert report(db, [west, east]).sound
    cells = [Cell("W", wgs(west)), Cell("E", wgs(east))]
    assert touching(db, cells, SRID)["W", "E"] == pytest.approx(1000, abs=0.5)


@pytest.fixture
def community(db):
    office = StreetOffice(code="510304999", name="测试街道")
    db.add(office)
    db.flush()
    row = Community(
        street_office_id=office.id,
        code="510304999001",
        name="测试社区",
        boundary=from_shape(MultiPolygon([wgs(SQUARE)]), srid=4326),
        metric_srid=SRID,
    )
    db.add(row)
    db.flush()
    return row


def store(db, community, shapes, valid_from=date(2026, 1, 1), valid_to=None, first=1):
    rows = [
        GridCell(
            community_id=community.id,
            code=f"{community.code}{number:03d}",
            name=f"第{number}网格",
            boundary=from_shape(MultiPolygon([wgs(shape)]), srid=4326),
            valid_from=valid_from,
            valid_to=valid_to,
        )
        for number, shape in enumerate(shapes, first)
    ]
    db.add_all(rows)
    db.flush()
    return rows


def build(db, community, key, shape):
    db.add(
        Building(
            community_id=community.id,
            source_key=key,
            name=key,
            footprint=from_shape(MultiPolygon([wgs(shape)]), srid=4326),
        )
    )
    db.flush()


def test_the_stored_cells_are_checked_as_they_are_valid_on_the_day(db, community):
    store(db, community, QUARTERS[:2], valid_to=date(2026, 6, 1))
    store(db, community, [local(0, 500, 1000, 1000)], valid_from=date(2026, 6, 1), first=3)
    store(db, community, QUARTERS[2:], first=4)
    assert check(db, community.id, date(2026, 5, 31)).sound
    assert check(db, community.id, date(2026, 6, 1)).cells == 3
    assert check(db, community.id, date(2026, 6, 1)).sound
    assert kinds(check(db, community.id, date(2025, 12, 31))) == [FindingKind.NO_CELLS]


def test_a_building_on_a_border_stands_in_two_cells_unless_it_only_leans_over(db, community):
    store(db, community, QUARTERS)
    build(db, community, "骑线楼", local(490, 700, 510, 720))
    build(db, community, "压边楼", local(482, 800, 501, 820))
    build(db, community, "界外楼", translate(local(0, 0, 20, 20), 0, -100))
    found = check(db, community.id, DAY)
    assert kinds(found) == sorted(
        [FindingKind.BUILDING_IN_NO_CELL, FindingKind.BUILDING_IN_TWO_CELLS]
    )
    two = found.of_kind(FindingKind.BUILDING_IN_TWO_CELLS)[0]
    assert two.label == "骑线楼"
    assert set(two.codes) == {f"{community.code}001", f"{community.code}002"}
    assert two.amount == pytest.approx(0.5, abs=0.01)
    assert "界外楼" in found.of_kind(FindingKind.BUILDING_IN_NO_CELL)[0].sentence()


def test_a_stored_zone_is_checked_with_the_cells_of_the_day(db, community):
    cells = store(db, community, QUARTERS)
    zones = [("Z1", [cells[0], cells[3]]), ("Z2", [cells[1], cells[2]])]
    for code, members in zones:
        db.add(
            PatrolZone(
                community_id=community.id,
                code=code,
                name=code,
                valid_from=date(2026, 1, 1),
                cells=members,
            )
        )
    db.flush()
    found = check(db, community.id, DAY)
    assert kinds(found) == [FindingKind.ZONE_NOT_CONTIGUOUS] * 2


def test_every_kind_has_a_sentence_in_both_languages_that_says_what_to_do(db):
    from grid.topology import Finding

    for kind in FindingKind:
        for codes in [(), ("1",), ("1", "2")]:
            finding = Finding(kind, codes, 2.0, "某")
            assert finding.sentence("zh").count("。") == 2
            assert "{" not in finding.sentence("en")


def test_a_community_without_boundary_cannot_be_checked(db, community):
    community.boundary = None
    db.flush()
    with pytest.raises(NoBoundary, match="测试社区"):
        check(db, community.id, DAY)
