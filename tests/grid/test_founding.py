"""A community is founded on a foreign extract: sound, honest about what is estimated, and once."""

from datetime import date

import pytest
import shapely
from shapely import box
from sqlalchemy import func, select, text

from grid.codes import BadCommunityCode
from grid.communities import Building, Community, Estate
from grid.errors import DomainError
from grid.founding import found_from_osm
from grid.founding.found import CodeTaken, NoBuildings
from grid.founding.households import estimate
from grid.founding.outline import boundary_around, estates_of
from grid.founding.team import ZoneAsked, invent_team, invented_name
from grid.founding.trial_incidents import MARK, Home, invent_incidents
from grid.incidents import Incident
from grid.people import Force, Member
from grid.places import Checkpoint
from grid.topology import check
from grid.walkways import Walkway

CODE = "510117999001"
UNTIL = date(2026, 11, 23)


def small_extract(path, *, homes=True, ways=True):
    """Write an extract of 6 × 4 houses along a street grid, one named estate, two gates."""
    nodes, out, number = [], [], 0

    def node(lon, lat, tags=""):
        nonlocal number
        number += 1
        nodes.append(f'<node id="{number}" lat="{lat:.7f}" lon="{lon:.7f}">{tags}</node>')
        return number

    def way(key, refs, tags):
        body = "".join(f'<nd ref="{r}"/>' for r in refs)
        marks = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
        out.append(f'<way id="{key}">{body}{marks}</way>')

    lon0, lat0, dx, dy = 104.0, 30.75, 0.0008, 0.0008
    for i in range(6):
        for j in range(4):
            x, y = lon0 + i * dx + 0.0002, lat0 + j * dy + 0.0002
            ring = [
                node(*p)
                for p in [(x, y), (x + 0.0004, y), (x + 0.0004, y + 0.00015), (x, y + 0.00015)]
            ]
            kind = "apartments" if homes else "industrial"
            way(1000 + 10 * i + j, [*ring, ring[0]], {"building": kind})
    if ways:
        grid = {(i, j): node(lon0 + i * dx, lat0 + j * dy) for i in range(7) for j in range(5)}
        for i in range(7):
            way(2000 + i, [grid[i, j] for j in range(5)], {"highway": "residential"})
        for j in range(5):
            way(2100 + j, [grid[i, j] for i in range(7)], {"highway": "footway"})
    gate = '<tag k="barrier" v="gate"/><tag k="name" v="南门"/>'
    node(lon0 + 2 * dx, lat0, gate)
    ring = [
        node(*p)
        for p in [
            (lon0, lat0),
            (lon0 + 3 * dx, lat0),
            (lon0 + 3 * dx, lat0 + 4 * dy),
            (lon0, lat0 + 4 * dy),
        ]
    ]
    way(3000, [*ring, ring[0]], {"landuse": "residential", "name": "试验苑"})
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">'
        + "".join(nodes)
        + "".join(out)
        + "</osm>",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def founded(db, tmp_path):
    path = small_extract(tmp_path / "small.osm")
    return found_from_osm(db, path, code=CODE, name="试验社区", until=UNTIL)


def test_what_is_founded_is_a_sound_partition_with_zones_and_stops(db, founded):
    assert founded.created
    assert founded.report.sound, [f.sentence() for f in founded.report.findings]
    assert founded.buildings == 24 and founded.households > 1000
    assert founded.cells >= 4 and founded.zones >= 1
    assert founded.checkpoints >= 3
    stops = db.scalar(
        select(
            func.max(
                func.ST_Distance(
                    func.ST_Transform(Checkpoint.location, 4544),
                    select(
                        func.ST_Transform(func.ST_Collect(Walkway.line), 4544)
                    ).scalar_subquery(),
                )
            )
        )
    )
    assert stops < 0.01


def test_the_same_file_again_changes_nothing(db, founded, tmp_path):
    tables = [Building, Estate, Member, Incident, Checkpoint]
    counts = [db.scalar(select(func.count()).select_from(t)) for t in tables]
    again = found_from_osm(db, tmp_path / "small.osm", code=CODE, name="别的名字", until=UNTIL)
    assert not again.created
    assert again.community_id == founded.community_id and again.name == "试验社区"
    assert counts == [db.scalar(select(func.count()).select_from(t)) for t in tables]


def test_another_file_under_the_same_code_is_refused(db, founded, tmp_path):
    other = small_extract(tmp_path / "other.osm", ways=True)
    other.write_text(other.read_text("utf-8").replace("试验苑", "别苑"), encoding="utf-8")
    with pytest.raises(CodeTaken, match="试验社区"):
        found_from_osm(db, other, code=CODE, name="甲", until=UNTIL)


def test_estimates_are_said_to_be_estimates(db, founded):
    assert founded.households_estimated == founded.households
    assert "估算" in founded.sentence() and "虚构" in founded.sentence()
    assert "estimated" in founded.sentence("en") and "invented" in founded.sentence("en")
    assert db.scalar(select(func.count()).where(~Building.counts_estimated)) == 0


def test_every_invented_incident_says_so_and_is_placed(db, founded):
    rows = db.scalars(select(Incident)).all()
    assert len(rows) == founded.incidents > 100
    assert all(row.description.startswith(MARK) for row in rows)
    assert all(row.cell_id is not None for row in rows)
    assert max(row.occurred_at for row in rows).date() < UNTIL


def test_guards_have_employers_and_every_member_a_home_zone(db, founded):
    members = db.scalars(select(Member)).all()
    assert {Force(m.force) for m in members} >= {Force.OFFICER, Force.AUXILIARY, Force.GRID_MEMBER}
    assert all(m.home_zone_id for m in members)
    assert all(m.employer_id for m in members if m.force == Force.GUARD)


def test_a_named_estate_is_found_with_its_buildings(db, founded):
    estate = db.scalars(select(Estate).where(Estate.name == "试验苑")).one()
    held = db.scalar(select(func.count()).where(Building.estate_id == estate.id))
    assert held == 12
    numbers = db.scalars(select(Building.number).where(Building.estate_id == estate.id)).all()
    assert sorted(numbers, key=int) == [str(n) for n in range(1, 13)]


def test_a_given_boundary_replaces_the_hull(db, tmp_path):
    path = small_extract(tmp_path / "small.osm")
    boundary = box(103.9995, 30.7495, 104.0026, 30.7535)
    founded = found_from_osm(db, path, code=CODE, name="半个", until=UNTIL, boundary=boundary)
    assert founded.report.sound
    assert founded.buildings == 12
    community = db.get(Community, founded.community_id)
    assert db.scalar(select(func.ST_Area(community.boundary))) == pytest.approx(boundary.area)


def test_what_cannot_be_founded_on_is_refused_with_a_sentence(db, tmp_path):
    factories = small_extract(tmp_path / "factories.osm", homes=False)
    factories.write_text(factories.read_text("utf-8").replace("试验苑", ""), encoding="utf-8")
    with pytest.raises(NoBuildings, match="factories"):
        found_from_osm(db, factories, code=CODE, name="厂", until=UNTIL)
    with pytest.raises(BadCommunityCode):
        found_from_osm(db, small_extract(tmp_path / "a.osm"), code="12", name="短", until=UNTIL)
    no_ways = small_extract(tmp_path / "b.osm", ways=False)
    with pytest.raises(DomainError, match="可步行"):
        found_from_osm(db, no_ways, code=CODE, name="无路", until=UNTIL)


def test_households_are_reckoned_from_floors_where_the_map_has_them():
    tall, short = (estimate(600, "residential", floors=f).households for f in (18, 6))
    assert tall == pytest.approx(3 * short, abs=2)
    assert estimate(600, "residential", households=40).estimated is False
    assert estimate(600, "unknown").households == 0
    assert estimate(600, "unknown", in_estate=True).households > 0
    assert estimate(100, "residential").households == 1


def test_no_two_invented_members_share_a_name():
    zones = [ZoneAsked(f"Z{n}", "甲物业（虚构）" if n % 2 else None) for n in range(40)]
    team = invent_team(zones)
    assert len({m.name for m in team}) == len(team) > 200
    assert len({m.staff_number for m in team}) == len(team)
    assert invented_name(0) == "赵甲子"
    assert invent_team([]) == []


def test_invented_incidents_repeat_with_the_seed_and_gather_at_the_planted_places():
    homes = [Home(f"h{n}", f"{n}栋", 104 + n * 1e-4, 30.7, 50 + n) for n in range(40)]
    first = invent_incidents(homes, (104.0, 30.71), UNTIL, seed=1)
    assert first == invent_incidents(homes, (104.0, 30.71), UNTIL, seed=1)
    thrown = [i.building for i in first if i.category == "高空抛物"]
    assert thrown.count("h39") > 0.5 * len(thrown)
    assert invent_incidents([], (104.0, 30.71), UNTIL, seed=1) == []


def test_a_hull_holds_every_building_and_estates_do_not_overlap():
    buildings = [box(x, y, x + 20, y + 12) for x in range(0, 600, 50) for y in range(0, 300, 40)]
    outline = boundary_around(buildings)
    assert all(outline.contains(b) for b in buildings)
    named = [
        ("甲 苑", box(-10, -10, 200, 300)),
        ("甲苑", box(-10, 0, 140, 90)),
        ("乙苑", box(150, -10, 260, 300)),
        ("空苑", box(900, 0, 990, 90)),
    ]
    estates = estates_of(buildings, [30] * len(buildings), named, outline)
    assert [e.name for e in estates[:2]] == ["乙苑", "甲苑"]
    assert "空苑" not in {e.name for e in estates}
    assert any("暂名" in e.name for e in estates)
    shapes = [e.shape for e in estates]
    assert shapely.union_all(shapes).area == pytest.approx(sum(s.area for s in shapes), rel=1e-6)
    held = [n for e in estates for n in e.buildings]
    assert len(held) == len(set(held))


@pytest.mark.real_data
def test_the_chengdu_extract_is_founded_without_a_finding(db, real_data):
    founded = found_from_osm(
        db, real_data / "chengdu-xipu.osm", code=CODE, name="犀浦试用社区", until=UNTIL
    )
    assert founded.report.sound, [f.sentence() for f in founded.report.findings]
    assert founded.buildings > 350 and founded.cells > 30 and founded.estates >= 5
    counts = db.execute(
        text("""
        SELECT c.code, ST_Area(ST_Transform(c.boundary, 4544)) AS area,
            COALESCE(sum(b.households), 0) AS households
        FROM grid_cell c LEFT JOIN building b
            ON ST_Covers(c.boundary, ST_PointOnSurface(b.footprint))
        GROUP BY c.id""")
    ).all()
    loads = [
        float(r.households) + 300 * max(0.0, r.area - 250 * float(r.households)) / 400_000
        for r in counts
    ]
    mean = sum(loads) / len(loads)
    within = sum(abs(one - mean) <= 0.3 * mean for one in loads)
    assert within >= 0.9 * len(loads)
    assert check(db, founded.community_id, UNTIL).cells == founded.cells
