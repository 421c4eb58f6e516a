"""The sample community is of the true size, its figures come out by counting, and it is repeatable."""

import hashlib
import re
from collections import Counter
from datetime import date, timedelta

import pytest
import shapely
from pyproj import Transformer
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grid.codes import new_codes
from grid.coordinates import WGS84
from grid.incident_table import preview_incidents
from grid.incidents import Incident, MediationCase
from grid.intake import LOCAL, commit
from grid.people import Force, Member, Steward
from grid.sample import COMMUNITY_CODE, SEED, last_year_csv, load_sample
from grid.sample.ground import draw
from grid.sample.ledger import draw_incidents, draw_mediations, periods
from grid.sample.team import members, stewards
from grid.topology import check
from tests.conftest import SAMPLE_UNTIL

BY_YEAR = text("""
    SELECT incident_class,
           count(*) FILTER (WHERE day >= :split - 365 AND day < :split) AS before,
           count(*) FILTER (WHERE day >= :split AND day < :split + 365) AS last
    FROM (SELECT incident_class, (occurred_at AT TIME ZONE 'Asia/Shanghai')::date AS day
          FROM incident) AS dated
    GROUP BY incident_class
""")


@pytest.fixture(scope="module")
def ground():
    return draw(SEED)


def metric(shapes):
    move = Transformer.from_crs(4326, 4544, always_xy=True)
    return shapely.transform(
        shapes, lambda points: [*zip(*move.transform(points[:, 0], points[:, 1]), strict=True)]
    )


def test_the_community_measures_one_and_a_half_square_kilometres(sample: Session):
    area = sample.scalar(
        text("SELECT ST_Area(ST_Transform(boundary, 4544)) FROM community WHERE code = :code"),
        {"code": COMMUNITY_CODE},
    )
    assert area == pytest.approx(1_500_000, abs=20)


def test_it_lies_in_daan_district(ground):
    middle = ground.boundary.centroid
    assert (middle.x, middle.y) == pytest.approx((104.78, 29.36), abs=0.002)


def test_over_ten_thousand_residents_split_sixty_twenty_twenty(sample: Session):
    rows = sample.execute(
        text("""SELECT e.name, sum(b.residents) FROM building b JOIN estate e ON e.id = b.estate_id
                GROUP BY e.name""")
    ).all()
    residents = {name: int(count) for name, count in rows}
    total = sum(residents.values())
    assert total > 10_000
    shares = {name: count / total for name, count in residents.items()}
    assert shares == pytest.approx({"铸钢花园": 0.6, "铸钢印象": 0.2, "铸钢老厂区": 0.2}, abs=1e-9)


def test_the_cells_share_every_vertex_with_no_gap_and_no_overlap(ground):
    cells = list(ground.cells.values())
    for n, cell in enumerate(cells):
        assert cell.is_valid
        for other in cells[:n]:
            assert shapely.intersection(cell, other).area == 0
    assert shapely.union_all(cells).symmetric_difference(ground.boundary).area == 0
    assert len(ground.boundary.geoms) == 1
    assert not ground.boundary.geoms[0].interiors
    assert shapely.coverage_is_valid([part for cell in cells for part in cell.geoms])


def test_every_building_stands_in_exactly_one_cell(sample: Session):
    counts = sample.scalars(
        text("""SELECT count(c.id) FROM building b
                LEFT JOIN grid_cell c ON ST_Covers(c.boundary, b.footprint) GROUP BY b.id""")
    ).all()
    assert set(counts) == {1}


def test_cells_hold_a_few_hundred_households(ground):
    households = Counter()
    for building in ground.buildings:
        households[building.cell] += building.households
    assert len(households) == 9
    assert min(households.values()) > 250
    assert max(households.values()) < 450


def test_each_zone_lies_in_one_estate_and_each_cell_in_one_zone(ground):
    cells = [serial for zone in ground.zones for serial in zone.cells]
    assert sorted(cells) == list(range(1, 10))
    for zone in ground.zones:
        estates = {b.estate for b in ground.buildings if b.cell in zone.cells and b.households}
        assert estates == {zone.estate}


def test_buildings_do_not_touch_and_no_walkway_runs_through_one(ground):
    shapes = metric(shapely.GeometryCollection([b.shape for b in ground.buildings])).geoms
    tree = shapely.STRtree(list(shapes))
    pairs = tree.query(list(shapes), predicate="intersects")
    assert all(a == b for a, b in pairs.T)
    ways = metric(shapely.GeometryCollection([w.shape for w in ground.walkways])).geoms
    for n, m in tree.query(list(ways), predicate="intersects").T:
        # A spur ends at a door: it may touch the wall.
        assert ways[n].intersection(shapes[m]).length < 1.5


def test_the_walk_network_is_one_piece_and_reaches_every_checkpoint(ground):
    parent = {}

    def root(node):
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for way in ground.walkways:
        parent[root(way.shape.coords[0])] = root(way.shape.coords[-1])
    assert len({root(node) for node in list(parent)}) == 1
    assert 25_000 < sum(way.length_m for way in ground.walkways) < 45_000
    network = shapely.union_all([way.shape for way in ground.walkways])
    assert max(place.stop.distance(network) for place in ground.places) < 1e-7
    # The slope pavilion and the river steps stand a little off the path, no place farther.
    apart = metric(
        shapely.GeometryCollection(
            [shapely.LineString([place.shape, place.stop]) for place in ground.places]
        )
    ).geoms
    assert max(line.length for line in apart) < 30


def test_every_zone_has_checkpoints_to_walk_to(ground):
    per_cell = Counter(place.cell for place in ground.places)
    assert all(sum(per_cell[c] for c in zone.cells) >= 3 for zone in ground.zones)


def test_the_team_has_the_numbers_of_the_station(sample: Session):
    rows = sample.execute(select(Member.force, func.count()).group_by(Member.force)).all()
    assert dict(rows) == {
        Force.OFFICER: 2,
        Force.AUXILIARY: 6,
        Force.GRID_MEMBER: 9,
        Force.GUARD: 20,
        Force.GROUP_LEADER: 18,
    }
    assert sample.scalar(select(func.count()).select_from(Steward)) == 65


def test_names_are_plainly_invented_and_no_phone_is_a_mobile_number(ground):
    people = [*members(SEED), *stewards(SEED, ground)]
    assert len({person.name for person in people}) == len(people)
    for person in people:
        assert re.fullmatch("[一-龥][甲乙丙丁戊己庚辛壬癸][子丑寅卯辰巳午未申酉戌亥]", person.name)
        assert not re.match(r"1[3-9]", person.phone)


def test_a_guard_lives_in_a_zone_of_his_employers_estate(ground):
    firms = {e.name: e.employer for e in ground.estates}
    zones = {zone.code: zone.estate for zone in ground.zones}
    guards = [m for m in members(SEED) if m.force is Force.GUARD]
    assert {g.employer for g in guards} == {"嘉通物业", "嘉汇物业"}
    assert all(firms[zones[g.zone]] == g.employer for g in guards)


def test_police_calls_and_security_cases_fell_by_22_and_23_percent(sample: Session):
    counts = {
        row.incident_class: (row.before, row.last)
        for row in sample.execute(BY_YEAR, {"split": SAMPLE_UNTIL - timedelta(365)})
    }
    assert counts["police_call"] == (433, 338)
    assert counts["security_case"] == (53, 41)
    changes = {k: round(100 * (last / before - 1)) for k, (before, last) in counts.items()}
    assert (changes["police_call"], changes["security_case"]) == (-22, -23)


def test_satisfaction_rose_from_63_to_91_percent(sample: Session):
    split = SAMPLE_UNTIL - timedelta(365)
    rows = sample.execute(
        text("""SELECT (occurred_at AT TIME ZONE 'Asia/Shanghai')::date >= :split AS last,
                       count(*) AS n, 100.0 * avg(satisfied::int) AS percent
                FROM incident WHERE satisfied IS NOT NULL GROUP BY 1 ORDER BY 1"""),
        {"split": split},
    ).all()
    assert [(row.n >= 300, round(row.percent)) for row in rows] == [(True, 63), (True, 91)]


def test_over_three_hundred_mediations_and_37_judicial_confirmations(sample: Session):
    assert (sample.scalar(select(func.count()).select_from(MediationCase)) or 0) > 300
    confirmed = sample.scalars(select(MediationCase).where(MediationCase.judicial_confirmation))
    cases = confirmed.all()
    assert len(cases) == 37
    assert all(case.settled for case in cases)


def test_the_square_is_loud_in_the_evening(sample: Session):
    rows = sample.execute(
        text("""SELECT e.name || b.number || '栋' AS place, count(*) AS n,
                       count(*) FILTER (WHERE extract(hour FROM i.occurred_at
                                        AT TIME ZONE 'Asia/Shanghai') BETWEEN 19 AND 22) AS evening
                FROM incident i JOIN building b ON b.id = i.building_id
                     JOIN estate e ON e.id = b.estate_id
                WHERE i.category = '噪音扰民' GROUP BY 1 ORDER BY 2 DESC LIMIT 3""")
    ).all()
    assert {row.place for row in rows} == {"铸钢花园5栋", "铸钢花园2栋", "铸钢花园4栋"}
    assert all(row.evening / row.n > 0.7 for row in rows)


@pytest.mark.parametrize(
    ("category", "place"), [("高空抛物", "铸钢花园13栋"), ("占用消防通道", "铸钢印象5栋")]
)
def test_planted_places_lead_their_category(sample: Session, category: str, place: str):
    top = sample.execute(
        text("""SELECT e.name || b.number || '栋' AS place, count(*) AS n
                FROM incident i JOIN building b ON b.id = i.building_id
                     JOIN estate e ON e.id = b.estate_id
                WHERE i.category = :category GROUP BY 1 ORDER BY 2 DESC LIMIT 2"""),
        {"category": category},
    ).all()
    assert top[0].place == place
    assert top[0].n > 3 * top[1].n


def test_every_placed_incident_is_in_a_cell_and_in_the_past(sample: Session):
    assert not sample.scalars(
        select(Incident.id).where((Incident.location.is_not(None)) & Incident.cell_id.is_(None))
    ).all()
    latest = sample.scalar(select(func.max(Incident.reported_at)))
    assert latest is not None
    local = sample.scalar(
        text("SELECT (max(reported_at) AT TIME ZONE 'Asia/Shanghai')::date FROM incident")
    )
    assert local < SAMPLE_UNTIL


def test_some_of_the_newest_are_still_open(sample: Session):
    states = Counter(sample.scalars(select(Incident.state)).all())
    assert states["closed"] > 2_500
    assert sum(states.values()) - states["closed"] >= 5


def test_the_same_seed_and_day_draw_the_same_bytes():
    def fingerprint() -> str:
        draw.cache_clear()
        ground = draw(SEED)
        incidents = draw_incidents(SEED, ground, SAMPLE_UNTIL)
        parts = (ground, incidents, draw_mediations(SEED, incidents, SAMPLE_UNTIL), members(SEED))
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    assert fingerprint() == fingerprint()


def test_another_seed_draws_other_incidents(ground):
    assert draw_incidents(1, ground, SAMPLE_UNTIL) != draw_incidents(2, ground, SAMPLE_UNTIL)


@pytest.mark.parametrize("until", [date(2024, 3, 1), date(2025, 1, 1), date(2027, 6, 30)])
def test_the_figures_hold_whatever_the_day(ground, until: date):
    spans = periods(until)
    counts = Counter()
    for incident in draw_incidents(SEED, ground, until):
        for year, (first, last) in spans.items():
            if first <= incident.occurred_at.date() <= last:
                counts[year, incident.incident_class.value] += 1
    assert (counts["before", "police_call"], counts["last", "police_call"]) == (433, 338)
    assert (counts["before", "security_case"], counts["last", "security_case"]) == (53, 41)


def test_the_cells_are_numbered_as_a_page_is_read(ground):
    order = list(ground.cells)
    middles = metric(shapely.GeometryCollection(list(ground.cells.values()))).geoms
    codes = new_codes(COMMUNITY_CODE, [(m.centroid.x, m.centroid.y) for m in middles])
    assert codes == [f"{COMMUNITY_CODE}{serial:03d}" for serial in order]


def test_the_partition_passes_the_projects_own_check(sample: Session):
    community = sample.scalar(text("SELECT id FROM community"))
    report = check(sample, community, SAMPLE_UNTIL)
    assert report.sound, report.findings


def test_loading_again_changes_nothing(sample: Session):
    before = sample.scalar(select(func.count()).select_from(Incident))
    first = load_sample(sample, SAMPLE_UNTIL)
    second = load_sample(sample, SAMPLE_UNTIL + timedelta(30))
    assert first.id == second.id
    assert sample.scalar(select(func.count()).select_from(Incident)) == before


def test_importing_the_last_year_gives_the_same_picture_as_loading_it(
    db: Session, sample: Session, tmp_path
):
    from datetime import datetime

    community = load_sample(db, SAMPLE_UNTIL, last_year=False)
    path = tmp_path / "台账.csv"
    path.write_bytes(last_year_csv(SEED, SAMPLE_UNTIL))
    now = datetime(SAMPLE_UNTIL.year, SAMPLE_UNTIL.month, SAMPLE_UNTIL.day, 9, tzinfo=LOCAL)
    preview = preview_incidents(db, community.id, path, now=now, system=WGS84)
    assert not preview.intake.errors
    commit(db, community.id, preview.intake, filename="x", system=WGS84, today=SAMPLE_UNTIL)
    picture = text("""
        SELECT i.source, i.ticket_number, i.category, i.state, i.satisfied, i.occurred_at,
               i.closed_at, i.address, i.provenance, b.source_key, c.code
        FROM incident i LEFT JOIN building b ON b.id = i.building_id
             LEFT JOIN grid_cell c ON c.id = i.cell_id
        ORDER BY 1, 2""")
    imported, loaded = db.execute(picture).all(), sample.execute(picture).all()
    assert len(imported) == len(loaded) == 2667
    assert imported == loaded
    again = preview_incidents(db, community.id, path, now=now, system=WGS84)
    assert (len(again.intake.new), again.intake.already) == (0, 1291)
