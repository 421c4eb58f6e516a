"""A special event raises a zone's demand for its days and hours, and the roster names it."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from grid.cells import PatrolZone
from grid.communities import Community
from scheduling.core.check import check
from scheduling.core.solve import Effort, solve
from scheduling.demand import PatrolType, ShiftTemplate
from scheduling.events import (
    EventFacts,
    EventOver,
    EventUnfit,
    active_shifts,
    cancel_event,
    change_event,
    enter_event,
    shifts_over,
)
from scheduling.found import found_demand
from scheduling.week import load_problem
from tests.published_week import WEEK

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
THURSDAY = date(2026, 12, 3)


@pytest.fixture
def community(sample) -> int:
    found = sample.scalar(select(Community.id))
    found_demand(sample, found)
    return found


def facts(session, **more):
    zone = session.scalar(select(PatrolZone.id).where(PatrolZone.code == "Z3"))
    kind = session.scalar(select(PatrolType.id).where(PatrolType.code == "round"))
    return EventFacts(
        **{
            "name": "冬至庙会", "zone_id": zone, "first_day": THURSDAY, "last_day": THURSDAY,
            "band_start_min": 1140, "band_end_min": 1320, "patrol_type_id": kind,
            "minimum": 2, "ideal": 3, **more,
        }
    )  # fmt: skip


def enter(session, community, **more):
    return enter_event(session, community, facts(session, **more), by="lead", now=NOW, today=TODAY)


def demand(problem, shift, day=3, zone="Z3", kind="round"):
    key = (day, shift, zone, kind)
    return next((d for d in problem.demands if (d.day, d.shift, d.zone, d.type) == key), None)


def test_an_event_raises_demand_on_its_day_and_hours_only_and_is_named(sample, community):
    before = load_problem(sample, community, WEEK)
    enter(sample, community)
    after = load_problem(sample, community, WEEK)
    raised = demand(after, "E1")
    had = demand(before, "E1")
    assert raised.minimum == (had.minimum if had else 0) + 2
    assert raised.ideal == (had.ideal if had else 0) + 3
    assert raised.importance == 12
    assert set(after.demands) - set(before.demands) == {raised}
    note = after.notes[-1]
    assert "冬至庙会" in note.zh and "12月3日 19:00–22:00" in note.zh and "晚班一" in note.zh
    assert "冬至庙会" in note.en


def test_the_extra_patrols_are_walked(sample, community):
    enter(sample, community, minimum=1, ideal=1)
    problem = load_problem(sample, community, WEEK)
    plan = solve(problem, Effort(deterministic=0.2, workers=1))
    assert check(problem, plan).clean
    walked = [
        p for p in plan.patrols
        if (p.day, p.shift, p.zone, p.type) == (3, "E1", "Z3", "round") and p.walked
    ]  # fmt: skip
    assert walked


def test_hours_over_two_shifts_are_held_by_both_and_by_no_third(sample, community):
    shifts = active_shifts(sample, community)
    both = shifts_over(facts(sample, band_start_min=1110, band_end_min=1380), shifts)
    assert [s.code for s in both] == ["E1", "E2"]
    night = shifts_over(facts(sample, band_start_min=1350, band_end_min=1500), shifts)
    assert [s.code for s in night] == ["N1"]


def test_hours_outside_every_shift_are_said_on_the_roster(sample, community):
    enter(sample, community, band_start_min=1020, band_end_min=1140)  # 17:00–19:00: a hole of 30
    assert "30 分钟没有班次" in load_problem(sample, community, WEEK).notes[-1].zh


def test_an_event_that_cannot_be_placed_any_more_is_said_not_dropped(sample, community):
    row = enter(sample, community)
    for shift in sample.scalars(select(ShiftTemplate).where(ShiftTemplate.start_min > 1080)):
        shift.active = False
    sample.flush()
    problem = load_problem(sample, community, WEEK)
    assert "未能加派" in problem.notes[-1].zh
    assert row.name in problem.notes[-1].zh


def test_a_cancelled_event_asks_for_nothing(sample, community):
    before = load_problem(sample, community, WEEK)
    row = enter(sample, community)
    cancel_event(sample, community, row.id, cancelled=True, today=TODAY)
    assert load_problem(sample, community, WEEK) == before


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"name": " "}, "名称应为"),
        ({"last_day": date(2026, 12, 1)}, "早于第一天"),
        ({"last_day": date(2027, 2, 1)}, "最长 31 天"),
        ({"first_day": TODAY, "last_day": date(2026, 11, 22)}, "早于第一天"),
        ({"first_day": date(2026, 1, 1), "last_day": date(2026, 1, 2)}, "已经过去"),
        ({"band_start_min": -5}, "时段不成立"),
        ({"band_end_min": 1140}, "时段不成立"),
        ({"minimum": 0, "ideal": 0}, "理想不少于至少"),
        ({"minimum": 3, "ideal": 2}, "理想不少于至少"),
        ({"importance": 0}, "重要程度"),
        ({"zone_id": 10**9}, "现有的巡区"),
        ({"patrol_type_id": 10**9}, "在用的巡逻类型"),
        ({"band_start_min": 180, "band_end_min": 300}, "没有班次与这一时段重叠"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused_in_a_sentence(sample, community, more, sentence):
    with pytest.raises(EventUnfit, match=sentence):
        enter(sample, community, **more)


def test_an_event_is_changed_until_it_is_over(sample, community):
    row = enter(sample, community)
    changed = change_event(sample, community, row.id, facts(sample, minimum=3), today=TODAY)
    assert changed == {"minimum": ["2", "3"]}
    with pytest.raises(EventOver):
        change_event(sample, community, row.id, facts(sample), today=date(2026, 12, 4))
