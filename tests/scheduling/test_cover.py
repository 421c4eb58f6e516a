"""Shifts, patrol types and cover are edited; what is used is retired, and stored rosters stay."""

from datetime import date

import pytest
from sqlalchemy import select

from grid.cells import PatrolZone
from grid.communities import Community
from scheduling.core.solve import Effort, solve
from scheduling.cover import (
    CoverFacts,
    CoverUnfit,
    ShiftFacts,
    ShiftUnfit,
    StillUsed,
    TypeFacts,
    TypeUnfit,
    delete_cover,
    delete_shift,
    delete_type,
    retire_shift,
    retire_type,
    save_cover,
    save_shift,
    save_type,
)
from scheduling.demand import CoverDemand, PatrolType, ShiftTemplate
from scheduling.found import found_demand
from scheduling.rosters import Patrol
from scheduling.versions import store_draft
from scheduling.week import load_problem, plan_of, problem_of
from tests.published_week import WEEK

TODAY = date(2026, 11, 23)
LITTLE = Effort(deterministic=0.02, seconds=2, workers=1)
PAIR = ({"forces": ["auxiliary"], "leader": True}, {"forces": ["volunteer"]})


@pytest.fixture
def community(sample) -> int:
    found = sample.scalar(select(Community.id))
    found_demand(sample, found)
    return found


def shift(session, code):
    return session.scalars(select(ShiftTemplate).where(ShiftTemplate.code == code)).one()


def kind(session, code):
    return session.scalars(select(PatrolType).where(PatrolType.code == code)).one()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"name": "早班"}, "两个班次不能同名"),
        ({"name": ""}, "名称应为"),
        ({"start_min": -30}, "不能是负数"),
        ({"start_min": 1500, "end_min": 1600}, "当天零点到"),
        ({"end_min": 400}, "晚于开始时间"),
        ({"end_min": 480 + 721}, "不能超过 12 小时"),
        ({"weekdays": ()}, "至少勾选"),
    ],
)
def test_a_shift_that_cannot_be_meant_is_refused_in_a_sentence(sample, community, more, sentence):
    with pytest.raises(ShiftUnfit, match=sentence):
        save_shift(
            sample,
            community,
            ShiftFacts(**{"name": "中班", "start_min": 480, "end_min": 720, **more}),
        )


def test_a_changed_shift_reaches_the_next_roster_and_no_stored_one(sample, community):
    problem = load_problem(sample, community, WEEK)
    stored = store_draft(sample, community, problem, solve(problem, LITTLE), by="lead")
    plan = plan_of(stored)
    rows = sample.execute(
        select(Patrol.id, Patrol.start_min, Patrol.end_min).order_by(Patrol.id)
    ).all()
    row, changed = save_shift(
        sample,
        community,
        ShiftFacts(name="清早班", start_min=420, end_min=660),
        shift(sample, "D1").id,
    )
    assert changed["start_min"] == [450, 420]
    assert row.code == "D1"
    after = {s.key: s for s in load_problem(sample, community, WEEK).shifts}
    assert (after["D1"].name, after["D1"].start_min) == ("清早班", 420)
    sample.expire_all()
    assert problem_of(stored) == problem
    assert plan_of(stored) == plan
    assert (
        rows
        == sample.execute(
            select(Patrol.id, Patrol.start_min, Patrol.end_min).order_by(Patrol.id)
        ).all()
    )


def test_a_used_shift_is_retired_never_deleted(sample, community):
    used = shift(sample, "D1")
    with pytest.raises(StillUsed, match="停用"):
        delete_shift(sample, community, used.id)
    retire_shift(sample, community, used.id, active=False)
    problem = load_problem(sample, community, WEEK)
    assert "D1" not in {s.key for s in problem.shifts}
    assert not [d for d in problem.demands if d.shift == "D1"]


def test_a_shift_a_stored_version_names_is_not_deleted_though_no_cover_uses_it(sample, community):
    row, _ = save_shift(sample, community, ShiftFacts(name="中班", start_min=700, end_min=800))
    problem = load_problem(sample, community, WEEK)
    store_draft(sample, community, problem, solve(problem, LITTLE), by="lead")
    with pytest.raises(StillUsed, match="1 版排班用到它"):
        delete_shift(sample, community, row.id)


def test_a_shift_nothing_used_is_deleted(sample, community):
    row, _ = save_shift(sample, community, ShiftFacts(name="中班", start_min=700, end_min=800))
    delete_shift(sample, community, row.id)
    assert sample.scalar(select(ShiftTemplate).where(ShiftTemplate.name == "中班")) is None


def test_a_retired_shift_does_not_come_back_under_a_name_taken_meanwhile(sample, community):
    old = shift(sample, "D1")
    retire_shift(sample, community, old.id, active=False)
    save_shift(sample, community, ShiftFacts(name="早班", start_min=480, end_min=720))
    with pytest.raises(ShiftUnfit, match="不能同名"):
        retire_shift(sample, community, old.id, active=True)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"composition": ()}, "谁也不需要"),
        ({"composition": ({"forces": ["guard"], "required": False},)}, "谁也不需要"),
        ({"composition": ({"forces": []},)}, "至少选一支力量"),
        ({"composition": ({"forces": ["army"]},)}, "至少选一支力量"),
        ({"composition": ({"forces": ["guard"], "leader": True},) * 2}, "只能有一个"),
        ({"enforcement": True}, "须由民警带班"),
        ({"name": "网格巡查"}, "不能同名"),
        ({"duties": ("moon",)}, "职责清单"),
    ],
)
def test_a_type_that_cannot_be_meant_is_refused_in_a_sentence(sample, community, more, sentence):
    with pytest.raises(TypeUnfit, match=sentence):
        save_type(sample, community, TypeFacts(**{"name": "辅警巡逻", "composition": PAIR, **more}))


def test_a_new_type_is_rostered_where_cover_asks_for_it(sample, community):
    row, _ = save_type(sample, community, TypeFacts(name="辅警巡逻", composition=PAIR))
    zone = sample.scalar(select(PatrolZone.id).where(PatrolZone.code == "Z1"))
    cover, _ = save_cover(
        sample,
        community,
        CoverFacts(
            zone_id=zone,
            shift_template_id=shift(sample, "D2").id,
            patrol_type_id=row.id,
            weekdays=(1, 3),
        ),
    )
    asked = [d for d in load_problem(sample, community, WEEK).demands if d.type == row.code]
    assert [(d.day, d.shift, d.zone) for d in asked] == [(0, "D2", "Z1"), (2, "D2", "Z1")]
    with pytest.raises(StillUsed):
        delete_type(sample, community, row.id)
    retire_type(sample, community, row.id, active=False, today=TODAY)
    assert not [d for d in load_problem(sample, community, WEEK).demands if d.type == row.code]
    delete_cover(sample, community, cover.id)
    delete_type(sample, community, row.id)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"minimum": -1}, "不能是负数"),
        ({"minimum": 2, "ideal": 1}, "不能少于"),
        ({"minimum": 0, "ideal": 0}, "谁也不需要"),
        ({"ideal": 11}, "最多 10 组"),
        ({"weekdays": ()}, "至少勾选"),
        ({"importance": 101}, "重要程度"),
        ({"zone_id": 10**9}, "现有的巡区"),
    ],
)
def test_a_cover_that_cannot_be_meant_is_refused_in_a_sentence(sample, community, more, sentence):
    zone = sample.scalar(select(PatrolZone.id).where(PatrolZone.code == "Z1"))
    wanted = {
        "zone_id": zone,
        "shift_template_id": shift(sample, "N1").id,
        "patrol_type_id": kind(sample, "round").id,
        "weekdays": (1,),
        **more,
    }
    with pytest.raises(CoverUnfit, match=sentence):
        save_cover(sample, community, CoverFacts(**wanted))


def test_the_same_cover_twice_is_refused_with_the_cure(sample, community):
    row = sample.scalars(select(CoverDemand).order_by(CoverDemand.id)).first()
    with pytest.raises(CoverUnfit, match="已有一条"):
        save_cover(
            sample,
            community,
            CoverFacts(
                zone_id=row.zone_id,
                shift_template_id=row.shift_template_id,
                patrol_type_id=row.patrol_type_id,
                weekdays=(7,),
                minimum=row.minimum,
                ideal=max(1, row.ideal),
            ),
        )
