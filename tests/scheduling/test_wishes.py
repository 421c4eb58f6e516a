"""Members' wishes: weighed after all else, never against a rule, counted the same by the checker."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from grid.communities import Community
from grid.people import Member
from scheduling.availability import add_wish
from scheduling.core.check import check
from scheduling.core.plan import read_plan, write_plan
from scheduling.core.problem import (
    NoSuchKey,
    OutOfRange,
    Request,
    digest,
    read_problem,
    write_problem,
)
from scheduling.demand import ShiftTemplate
from scheduling.found import found_demand
from scheduling.week import load_problem
from tests.published_week import WEEK
from tests.scheduling.roster_problems import (
    GARDEN,
    IMPRESSION,
    changed,
    guard,
    problem,
    solved,
    watches,
    who,
)

MONDAY = "0.D.garden.watch.1"


def two_guards(*wishes: Request, **more):
    """One watch on Monday that either of two guards of the firm can take."""
    of = problem(
        members=[guard("B1", "嘉通"), guard("B2", "嘉通")],
        demands=watches((0, "D", "garden"), (1, "D", "garden")),
        zones=(GARDEN, IMPRESSION),
    )
    return changed(of, "B1", requests=wishes, **more)


def preferences(plan) -> int:
    return next(o.cost for o in plan.levels if o.level == "preferences")


@pytest.mark.parametrize("shift", [None, "D"])
@pytest.mark.parametrize(("wants", "sits"), [(True, "B1"), (False, "B2")])
def test_a_wish_is_granted_where_it_costs_nothing_more_important(wants, sits, shift):
    of = two_guards(Request(day=0, wants=wants, shift=shift))
    plan = solved(of)
    assert who(plan, MONDAY) == [sits]
    assert preferences(plan) == 0
    assert check(of, plan).clean


def test_of_two_wishes_the_heavier_is_granted_and_the_other_costs_its_weight():
    of = changed(two_guards(Request(day=0, wants=False, weight=3)), "B2", requests=(Request(day=0, wants=False, weight=8),))  # fmt: skip
    plan = solved(of)
    assert who(plan, MONDAY) == ["B1"]
    assert preferences(plan) == 3
    assert check(of, plan).clean


def test_a_wish_breaks_no_rule_and_leaves_no_seat_empty():
    of = two_guards(Request(day=0, wants=True, weight=10), leave=(0,))
    plan = solved(of)
    assert who(plan, MONDAY) == ["B2"]
    assert preferences(plan) == 10
    alone = replace(of, members=(replace(of.members[0], leave=(), requests=(Request(day=0, wants=False, weight=10),)),))  # fmt: skip
    plan = solved(alone)
    assert who(plan, MONDAY) == ["B1"], "the seat is filled, and the wish costs"
    assert preferences(plan) == 10
    assert check(alone, plan).clean


def test_a_wish_for_another_shift_than_the_one_walked_is_missed():
    of = two_guards(Request(day=0, wants=True, shift="E", weight=4))
    plan = solved(of)
    assert preferences(plan) == 4
    assert check(of, plan).clean


def test_the_checker_finds_a_wish_that_was_not_counted():
    of = two_guards(Request(day=0, wants=False, weight=7))
    plan = solved(of)
    told = json.loads(write_plan(plan))
    for level in told["levels"]:
        if level["level"] == "preferences":
            level["cost"] = level["bound"] = 1
    report = check(of, read_plan(json.dumps(told)))
    assert [m.figure for m in report.mismatches] == ["levels"]


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"day": 7, "wants": True}, OutOfRange),
        ({"day": 0, "wants": True, "shift": "X"}, NoSuchKey),
        ({"day": 0, "wants": True, "weight": 0}, OutOfRange),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_with_its_sentence(wish, error):
    with pytest.raises(error):
        two_guards(Request(**wish))


def test_plans_made_before_wishes_existed_keep_their_digest():
    of = two_guards()
    assert '"requests"' not in json.dumps(json.loads(write_problem(of))["members"])
    assert read_problem(write_problem(of)) == of
    wished = two_guards(Request(day=0, wants=True))
    assert read_problem(write_problem(wished)) == wished
    assert digest(wished) != digest(of)


def test_wishes_reach_the_weeks_problem_and_only_that_weeks(sample):
    community = sample.scalar(select(Community.id))
    found_demand(sample, community)
    member = sample.scalars(select(Member).where(Member.staff_number == "G01")).one()
    shift = sample.scalars(select(ShiftTemplate).order_by(ShiftTemplate.start_min)).first()
    for day, wants, chosen in (
        (WEEK, False, None),
        (WEEK + timedelta(days=3), True, shift.id),
        (WEEK + timedelta(days=7), True, None),
    ):
        add_wish(sample, member, day, wants=wants, weight=9, shift_template_id=chosen, today=date(2026, 11, 23), now=datetime.now(UTC))  # fmt: skip

    def wishes() -> tuple[Request, ...]:
        return next(m.requests for m in load_problem(sample, community, WEEK).members if m.key == "G01")  # fmt: skip

    assert wishes() == (
        Request(day=0, wants=False, weight=9),
        Request(day=3, wants=True, shift=shift.code, weight=9),
    )
    shift.active = False
    sample.flush()
    assert wishes() == (Request(day=0, wants=False, weight=9),), "a shift no longer walked"
