"""A requirement is raised where a patrol can go, once, and rosters are asked for what it says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from grid.errors import NotFound
from grid.incident_counts import PlaceKind
from scheduling.core.solve import Effort, solve
from scheduling.found import found_demand
from scheduling.requirements import (
    AlreadyRaised,
    Asked,
    HotPlace,
    PlaceInNoZone,
    RequirementUnfit,
    find,
    listed,
    planned_visits,
    proposed,
    raise_from_hotspots,
    raise_requirement,
    visits_for,
    withdraw,
)
from scheduling.versions import store_draft
from scheduling.week import load_problem
from tests.conftest import SAMPLE_UNTIL

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
MONDAY = date(2026, 11, 30)


def one(session, query: str, **values) -> int:
    return session.execute(text(query), values).scalar_one()


def community(session) -> int:
    return one(session, "SELECT min(id) FROM community")


def building(session, estate: str, number: str) -> int:
    return one(
        session,
        """SELECT b.id FROM building b JOIN estate e ON e.id = b.estate_id
           WHERE e.name = :estate AND b.number = :number""",
        estate=estate,
        number=number,
    )


def asked(place_id: int, **changes) -> Asked:
    return replace(
        Asked(
            kind=PlaceKind.BUILDING,
            place_id=place_id,
            category="噪音扰民",
            band_start_min=1140,
            band_end_min=1320,
            weekdays=(5, 6, 7),
            visits_per_week=3,
            dwell_min=15,
            valid_from=MONDAY,
            valid_to=MONDAY + timedelta(56),
            reason="广场舞",
        ),
        **changes,
    )


def hot(place_id: int, kind: PlaceKind = PlaceKind.BUILDING, **changes) -> HotPlace:
    return replace(
        HotPlace(
            kind=kind, place_id=place_id, label="铸钢花园5栋", category="噪音扰民", n=29, base=37,
            expected=1.6, p=1e-20, q=1e-17, first=SAMPLE_UNTIL - timedelta(365),
            until=SAMPLE_UNTIL, band_start_min=1140, band_end_min=1260, in_band=15,
            weekdays=(3, 7),
        ),
        **changes,
    )  # fmt: skip


def raise_it(session, wanted: Asked):
    return raise_requirement(
        session, community(session), wanted, evidence={}, raised_by="t", raised_at=NOW,
        today=SAMPLE_UNTIL,
    )  # fmt: skip


def raise_hot(session, *places: HotPlace, today: date = SAMPLE_UNTIL):
    return raise_from_hotspots(
        session, community(session), places, today=today, raised_by="t", raised_at=NOW
    )


def test_the_zone_is_the_one_the_place_lies_in(sample):
    row = raise_it(sample, asked(building(sample, "铸钢花园", "5")))
    zone = one(sample, "SELECT name FROM patrol_zone WHERE id = :id", id=row.zone_id)
    assert zone == "花园西巡区"
    assert find(sample, community(sample), row.id) is row


@pytest.mark.parametrize(
    ("kind", "table"), [(PlaceKind.KEY_PLACE, "key_place"), (PlaceKind.CELL, "grid_cell")]
)
def test_a_key_place_and_a_cell_can_be_asked_for_too(sample, kind, table):
    key = one(sample, f"SELECT min(id) FROM {table}")
    row = raise_it(sample, asked(key, kind=kind))
    assert (row.key_place_id if kind is PlaceKind.KEY_PLACE else row.cell_id) == key
    assert row.building_id is None


def test_the_same_place_category_and_days_raise_once(sample):
    place = building(sample, "铸钢花园", "5")
    first = raise_it(sample, asked(place))
    with pytest.raises(AlreadyRaised, match=str(first.id)):
        raise_it(sample, asked(place, valid_from=MONDAY + timedelta(7)))
    raise_it(sample, asked(place, category="高空抛物"))
    raise_it(sample, asked(place, valid_from=MONDAY + timedelta(56), valid_to=date(2027, 3, 1)))
    withdraw(sample, community(sample), first.id)
    raise_it(sample, asked(place))


def test_a_place_in_no_zone_is_refused_with_the_cure(sample):
    sample.execute(text("DELETE FROM patrol_zone_cell"))
    with pytest.raises(PlaceInNoZone, match="划入巡区"):
        raise_it(sample, asked(building(sample, "铸钢花园", "5")))
    assert raise_hot(sample, hot(building(sample, "铸钢花园", "5"))) == []


def test_another_communitys_place_is_not_found(sample):
    place = building(sample, "铸钢花园", "5")
    other = one(
        sample,
        """INSERT INTO community (street_office_id, code, name)
           SELECT min(id), '510304999999', '别的社区' FROM street_office RETURNING id""",
    )
    with pytest.raises(NotFound):
        raise_requirement(
            sample, other, asked(place), evidence={}, raised_by="t", raised_at=NOW,
            today=SAMPLE_UNTIL,
        )  # fmt: skip
    row = raise_it(sample, asked(place))
    with pytest.raises(NotFound):
        withdraw(sample, other, row.id)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"band_end_min": 1140}, "时段"),
        ({"band_end_min": 1140 + 721}, "时段"),
        ({"weekdays": ()}, "星期"),
        ({"weekdays": (0,)}, "星期"),
        ({"visits_per_week": 0}, "每周次数"),
        ({"visits_per_week": 22}, "每周次数"),
        ({"dwell_min": 61}, "停留"),
        ({"dwell_min": 31, "band_end_min": 1170}, "停留"),
        ({"valid_to": MONDAY}, "日期"),
        ({"valid_to": MONDAY + timedelta(400)}, "日期"),
        ({"valid_from": date(2026, 1, 1), "valid_to": date(2026, 2, 1)}, "日期已过"),
        ({"category": " "}, "类别"),
    ],
)
def test_what_does_not_fit_is_said_before_the_database_is_asked(change, words):
    with pytest.raises(RequirementUnfit, match=words):
        raise_requirement(
            None, 1, asked(1, **change), evidence={}, raised_by="t", raised_at=NOW,
            today=SAMPLE_UNTIL,
        )  # fmt: skip


def test_hot_places_of_one_zone_and_category_raise_one_requirement_at_the_hottest(sample):
    five, two = building(sample, "铸钢花园", "5"), building(sample, "铸钢花园", "2")
    cell = one(sample, "SELECT id FROM grid_cell WHERE name = '花园广场网格'")
    raised = raise_hot(
        sample,
        hot(cell, PlaceKind.CELL, label="花园广场网格", n=104),
        hot(two, label="铸钢花园2栋", n=20),
        hot(five),
    )
    assert [row.building_id for row in raised] == [five]
    assert "铸钢花园2栋20件" in raised[0].reason
    assert raised[0].evidence["n"] == 29
    assert raised[0].evidence["also"] == ["铸钢花园2栋20件"]


def test_a_cell_is_asked_for_where_nothing_in_it_stands_out(sample):
    cell = one(sample, "SELECT id FROM grid_cell WHERE name = '花园广场网格'")
    raised = raise_hot(sample, hot(cell, PlaceKind.CELL, label="花园广场网格", n=104))
    assert [(row.cell_id, row.visits_per_week) for row in raised] == [(cell, 5)]


def test_raising_again_raises_nothing_and_a_withdrawal_is_respected(sample):
    place = hot(building(sample, "铸钢花园", "5"))
    first = raise_hot(sample, place)
    assert len(first) == 1
    assert raise_hot(sample, place) == []
    assert raise_hot(sample, place, today=SAMPLE_UNTIL + timedelta(7)) == []
    withdraw(sample, community(sample), first[0].id)
    assert raise_hot(sample, place) == []
    assert len(raise_hot(sample, place, today=SAMPLE_UNTIL + timedelta(70))) == 1


def test_few_incidents_raise_nothing_by_themselves(sample):
    assert raise_hot(sample, hot(building(sample, "铸钢花园", "5"), n=9)) == []


@given(st.integers(5, 300), st.sets(st.integers(1, 7), min_size=1, max_size=7))
def test_what_is_proposed_always_fits(n, days):
    wanted = proposed(hot(1, n=n, weekdays=tuple(sorted(days))), SAMPLE_UNTIL)
    assert wanted.valid_from == MONDAY
    assert wanted.visits_per_week == visits_for(n) <= len(wanted.weekdays)
    assert set(days) <= set(wanted.weekdays)
    assert 1 <= wanted.dwell_min <= 15


def plan(session, week: date, state: str, number: int, *patrols: tuple) -> None:
    version = one(
        session,
        """INSERT INTO roster_version (community_id, week_start, number, state, problem, plan,
             violations, created_by, created_at)
           VALUES (:community, :week, :number, :state, '{}', '{}', 0, 't', now()) RETURNING id""",
        community=community(session), week=week, number=number, state=state,
    )  # fmt: skip
    key = community(session)
    shift = one(
        session,
        """INSERT INTO shift_template (community_id, code, name, start_min, end_min, weekdays)
           VALUES (:c, :code, '班', 0, 60, '{1}') RETURNING id""", c=key, code=f"T{number}",
    )  # fmt: skip
    kind = one(
        session,
        """INSERT INTO patrol_type (community_id, code, name, composition)
           VALUES (:c, :code, '巡', '[]') RETURNING id""", c=key, code=f"T{number}",
    )  # fmt: skip
    for n, (day, zone, start, end) in enumerate(patrols):
        session.execute(
            text("""INSERT INTO patrol (roster_version_id, key, day, shift_template_id, zone_id,
                      patrol_type_id, start_min, end_min, empty_seats)
                    VALUES (:v, :key, :day, :shift, :zone, :kind, :start, :end, 0)"""),
            {"v": version, "key": str(n), "day": day, "shift": shift, "zone": zone,
             "kind": kind, "start": start, "end": end},
        )  # fmt: skip


def test_planned_visits_are_the_patrols_of_zone_weekday_and_band(sample):
    row = raise_it(sample, asked(building(sample, "铸钢花园", "5")))
    other = one(sample, "SELECT max(id) FROM patrol_zone")
    friday, thursday = MONDAY + timedelta(4), MONDAY + timedelta(3)
    plan(
        sample, MONDAY, "draft", 1,
        (friday, row.zone_id, 1110, 1155),  # 15 minutes of the band: just enough
        (friday, row.zone_id, 1110, 1154),
        (friday, other, 1140, 1320),
        (thursday, row.zone_id, 1140, 1320),
    )  # fmt: skip
    visits = planned_visits(sample, community(sample), MONDAY)[row.id]
    assert [(v.day, v.start_min, v.overlap_min, v.state) for v in visits] == [
        (friday, 1110, 15, "draft")
    ]
    assert planned_visits(sample, community(sample), MONDAY + timedelta(7)) == {}


def test_the_published_roster_counts_before_a_newer_draft(sample):
    row = raise_it(sample, asked(building(sample, "铸钢花园", "5")))
    saturday = MONDAY + timedelta(5)
    plan(sample, MONDAY, "published", 1, (saturday, row.zone_id, 1140, 1320))
    plan(sample, MONDAY, "draft", 2)
    assert len(planned_visits(sample, community(sample), MONDAY)[row.id]) == 1
    withdraw(sample, community(sample), row.id)
    assert planned_visits(sample, community(sample), MONDAY) == {}


def test_a_band_over_midnight_is_met_by_the_patrol_of_that_night(sample):
    night = asked(building(sample, "铸钢花园", "5"), band_start_min=1380, band_end_min=1560)
    row = raise_it(sample, replace(night, weekdays=(6,)))
    saturday, sunday = MONDAY + timedelta(5), MONDAY + timedelta(6)
    plan(
        sample, MONDAY, "draft", 1,
        (saturday, row.zone_id, 1320, 1500),
        (sunday, row.zone_id, 1320, 1500),
    )  # fmt: skip
    visits = planned_visits(sample, community(sample), MONDAY)[row.id]
    assert [(v.day, v.overlap_min) for v in visits] == [(saturday, 120)]


def test_the_page_counts_the_visits_the_roster_promised(sample):
    raise_it(sample, asked(building(sample, "铸钢花园", "5")))
    raise_it(sample, asked(building(sample, "铸钢花园", "13"), weekdays=(1, 3, 5)))
    found_demand(sample, community(sample))
    problem = load_problem(sample, community(sample), MONDAY)
    promised = solve(problem, Effort(deterministic=1, seconds=15, workers=1))
    store_draft(sample, community(sample), problem, promised, by="t", job_id="job")
    planned = planned_visits(sample, community(sample), MONDAY)
    assert {key: len(visits) for key, visits in planned.items()} == {
        int(outcome.requirement): len(outcome.patrols)
        for outcome in promised.requirements
        if outcome.patrols
    }
    assert sum(map(len, planned.values())) >= 4


def test_the_list_names_place_and_zone_and_puts_what_holds_first(sample):
    gone = raise_it(sample, asked(building(sample, "铸钢花园", "2")))
    withdraw(sample, community(sample), gone.id)
    holds = raise_it(sample, asked(building(sample, "铸钢花园", "5")))
    rows = listed(sample, community(sample), SAMPLE_UNTIL)
    assert [(row.id, row.place) for row in rows] == [
        (holds.id, "铸钢花园5栋"), (gone.id, "铸钢花园2栋"),
    ]  # fmt: skip
