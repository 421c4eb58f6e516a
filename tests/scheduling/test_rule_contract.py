"""What a contract allows and promises, rule by rule: kept by the search, seen by the checker."""

from dataclasses import replace

import pytest

from scheduling.core.check import check
from scheduling.core.problem import (
    Law,
    Limits,
    RollingLimit,
    Shares,
    Succession,
)
from tests.scheduling.roster_problems import (
    changed,
    guard,
    problem,
    rules_of_empty,
    solved,
    watches,
)

FREE = Limits(patrols_week=14, nights_week=14, run_days=14, minutes_week=9000)


def lone(limits=FREE, **more):
    """One guard; whatever is asked for has nobody else."""
    return guard("B1", "嘉通", limits=limits, **more)


def walked(plan) -> list[tuple[int, str]]:
    return [(p.day, p.shift) for p in plan.patrols if p.walked]


def broken(of, plan) -> set[str]:
    return {v.rule for v in check(of, plan).violations}


def every_day(*shifts, days=7, **more):
    return watches(*((d, s, "garden") for d in range(days) for s in shifts), **more)


# --- at most: hard -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "more", "rule", "shifts", "kept"),
    [
        (replace(FREE, minutes_day=200), {}, "minutes_day", "D", 0),
        (replace(FREE, minutes_day=200), {}, "minutes_day", "E", 7),
        (replace(FREE, patrols_day=0), {}, "patrols_day", "D", 0),
        (replace(FREE, rolling=(RollingLimit(days=3, minutes=480),)), {}, "minutes_rolling", "D", 5),
        (replace(FREE, rolling=(RollingLimit(days=14, minutes=960),)), {"minutes_before": (240,) * 3},
         "minutes_rolling", "D", 1),
        (replace(FREE, weekends_in_four=1), {"weekends_before": (True, False, False)},
         "weekends_in_four", "D", 5),
        (replace(FREE, weekends_in_four=1), {"weekends_before": (True, False, False, False)},
         "weekends_in_four", "D", 7),
        (replace(FREE, weekends_row=2), {"weekends_before": (True, True)}, "weekends_row", "D", 5),
        (replace(FREE, weekends_row=2), {"weekends_before": (True, True, False)}, "weekends_row", "D", 7),
        (replace(FREE, zone_week=3), {}, "zone_week", "D", 3),
    ],
)  # fmt: skip
def test_the_most_of_anything_is_never_passed(limits, more, rule, shifts, kept):
    of = problem([lone(limits, **more)], every_day(*shifts))
    plan = solved(of)
    assert len(walked(plan)) == kept
    assert check(of, plan).clean
    if kept < 7:
        assert set(rules_of_empty(plan).values()) == {rule}
        whole = problem([lone(**more)], every_day(*shifts))
        assert broken(changed(whole, "B1", limits=limits), solved(whole)) == {rule}


def test_two_short_patrols_a_day_are_one_too_many_for_some():
    law = Law(patrols_per_day=2, rest_min=60)
    of = problem([lone()], every_day("D", "E", days=1), law=law)
    assert len(walked(solved(of))) == 2
    for limits, rule in (
        (replace(FREE, patrols_day=1), "patrols_day"),
        (replace(FREE, minutes_day=300), "minutes_day"),
    ):
        held = changed(of, "B1", limits=limits)
        assert len(walked(solved(held))) == 1
        assert broken(held, solved(of)) == {rule}


def test_a_saturday_worked_for_a_holiday_is_no_weekend():
    limits = replace(FREE, weekends_in_four=0)
    days = ("workday",) * 5 + ("compensatory_workday", "weekend")
    plan = solved(problem([lone(limits)], every_day("D"), days=days))
    assert [day for day, _ in walked(plan)] == [0, 1, 2, 3, 4, 5]


# --- which shift may follow which ----------------------------------------------------------------


def test_a_forbidden_shift_never_follows_and_others_do():
    law = Law(rest_min=0, forbidden_successions=(Succession(first="E", then="D"),))
    asked = [*watches((0, "E", "garden"), importance=9), *watches((1, "D", "garden"))]
    of = problem([lone()], asked, law=law)
    plan = solved(of)
    assert walked(plan) == [(0, "E")]
    assert rules_of_empty(plan) == {"B1": "forbidden_succession"}
    assert "11月30日晚班" in plan.empty_seats[0].candidates[0].zh
    assert broken(of, solved(replace(of, law=Law(rest_min=0)))) == {"forbidden_succession"}
    assert (
        len(walked(solved(problem([lone()], [*asked[:1], *watches((2, "D", "garden"))], law=law))))
        == 2
    )


def test_a_succession_is_forbidden_over_the_border_of_the_week_too():
    law = Law(rest_min=0, forbidden_successions=(Succession(first="N", then="D"),))
    of = problem([lone(shift_before="N")], watches((0, "D", "garden")), law=law)
    assert rules_of_empty(solved(of)) == {"B1": "forbidden_succession"}
    assert walked(solved(changed(of, "B1", shift_before="D"))) == [(0, "D")]


def test_a_shift_that_comes_only_after_another_goes_to_who_had_that_one():
    law = Law(rest_min=0, only_after=(Succession(first="D", then="N"),))
    team = [guard("B1", "嘉通", carried_over_bp=3000), guard("B2", "嘉通")]
    asked = watches((0, "D", "garden"), (0, "E", "garden"), (1, "N", "garden"))
    of = problem(team, asked, law=law)
    plan = solved(of)
    people = {p.shift: p.seats[0].member for p in plan.patrols}
    assert people["N"] == people["D"] != people["E"]
    assert check(of, plan).clean


# --- at least: soft, weighed before any evenness -------------------------------------------------


def unfair(plan) -> int:
    return next(o.cost for o in plan.levels if o.level == "fairness")


def test_days_of_work_come_in_runs_where_the_week_allows():
    team = [
        lone(replace(FREE, least_run_days=3)),
        guard("B2", "嘉通", limits=replace(FREE, least_run_days=3)),
    ]
    of = problem(team, every_day("D", days=6))
    plan = solved(of)
    runs = "".join(p.seats[0].member[1] for p in plan.patrols)
    assert runs in ("111222", "222111")
    assert check(of, plan).clean


def test_no_patrol_stays_empty_for_the_sake_of_a_run():
    of = problem([lone(replace(FREE, least_run_days=3))], watches((2, "D", "garden")))
    plan = solved(of)
    assert walked(plan) == [(2, "D")]
    assert unfair(plan) == 10_000
    assert check(of, plan).clean


def test_a_run_that_began_before_the_week_is_gone_on_with():
    team = [
        lone(replace(FREE, least_run_days=2), run_before_days=1),
        guard("B2", "嘉通", carried_over_bp=-9000),
    ]
    plan = solved(problem(team, watches((0, "D", "garden"))))
    assert plan.patrols[0].seats[0].member == "B1"


def test_rest_comes_in_runs_and_never_lasts_too_long():
    two = replace(FREE, least_off_days=2)
    team = [lone(two), guard("B2", "嘉通", limits=two)]
    plan = solved(problem(team, watches((0, "D", "garden"), (2, "D", "garden"))))
    assert len({p.seats[0].member for p in plan.patrols}) == 2, "one day off between is too short"
    three = replace(FREE, most_off_days=3)
    plan = solved(
        problem(
            [lone(three), guard("B2", "嘉通", carried_over_bp=-9000)], watches((3, "D", "garden"))
        )
    )
    assert plan.patrols[0].seats[0].member == "B1", "a week off would be four days too many"


def test_a_weekend_is_worked_whole_or_not_at_all():
    whole = replace(FREE, complete_weekends=True)
    team = [lone(whole), guard("B2", "嘉通", limits=whole)]
    plan = solved(problem(team, watches((5, "D", "garden"), (6, "D", "garden"))))
    assert len({p.seats[0].member for p in plan.patrols}) == 1, "though one each would be even"
    plain = solved(
        problem([lone(), guard("B2", "嘉通")], watches((5, "D", "garden"), (6, "D", "garden")))
    )
    assert len({p.seats[0].member for p in plain.patrols}) == 2


@pytest.mark.parametrize(
    ("limits", "patrols"),
    [
        (replace(FREE, least_minutes_week=960), 4),
        (replace(FREE, least_patrols_week=5), 5),
    ],
)
def test_who_is_promised_work_has_it_before_it_is_even(limits, patrols):
    team = [lone(limits), guard("B2", "嘉通", limits=FREE), guard("B3", "嘉通", limits=FREE)]
    of = problem(team, every_day("D", days=6))
    plan = solved(of)
    assert next(x.patrols for x in plan.loads if x.member == "B1") == patrols
    assert check(of, plan).clean


def test_what_a_quiet_week_cannot_give_is_counted_and_leave_asks_for_nothing():
    of = problem([lone(replace(FREE, least_patrols_week=5))], every_day("D", days=2))
    assert unfair(solved(of)) == 30_000
    assert unfair(solved(changed(of, "B1", leave=(6,)))) == 0


def test_a_day_that_is_worked_is_worth_coming_for():
    law = Law(patrols_per_day=2, rest_min=60)
    long = replace(FREE, least_minutes_day=400)
    team = [lone(long), guard("B2", "嘉通", limits=long)]
    of = problem(team, every_day("D", "E", days=2), law=law)
    plan = solved(of)
    assert unfair(plan) == 0 or all(x.patrols in (0, 2, 4) for x in plan.loads)
    by_day = {(p.day, p.seats[0].member) for p in plan.patrols}
    assert len(by_day) == 2, "one of them comes each day, for both"
    assert check(of, plan).clean


# --- shares --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "kinds", "shifts"),
    [
        (Shares(nights=1), ("workday",) * 4, "N"),
        (Shares(weekends=1), ("workday",) * 5 + ("weekend",) * 2, "D"),
        (Shares(holidays=1), ("holiday",) * 2 + ("workday",) * 3, "D"),
    ],
)
def test_nights_weekends_and_holidays_are_shared(shares, kinds, shifts):
    team = [guard("B1", "嘉通", limits=FREE), guard("B2", "嘉通", limits=FREE)]
    special = [d for d, kind in enumerate(kinds) if kind != "workday"] or range(2)
    asked = watches(*((d, s, "garden") for d in special for s in shifts))
    of = problem(team, asked, days=kinds, shares=shares)
    plan = solved(of)
    assert len({p.seats[0].member for p in plan.patrols}) == 2
    assert check(of, plan).clean
    one = tuple(replace(p, seats=(replace(p.seats[0], member="B1"),)) for p in plan.patrols)
    costs = {c.level: c.cost for c in check(of, replace(plan, patrols=one)).costs}
    alone = replace(of, shares=None)
    plain = {c.level: c.cost for c in check(alone, replace(plan, patrols=one)).costs}
    assert costs["fairness"] > plain["fairness"]
