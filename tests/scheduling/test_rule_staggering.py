"""Staggering and changes as claims: what the solver keeps and what the checker recounts."""

from dataclasses import replace

import pytest

from scheduling.core.check import check
from scheduling.core.problem import Limits, OutOfRange, Staggering, read_problem, write_problem
from scheduling.core.resolve import against, changed_seats
from tests.scheduling.roster_problems import (
    DAY,
    EVENING,
    NIGHT,
    changed,
    guard,
    problem,
    solved,
    watches,
    who,
)


def cost(plan, level):
    return next(o for o in plan.levels if o.level == level).cost


def test_of_two_patrols_that_matter_alike_the_one_that_breaks_the_gap_is_walked():
    # Patrol day 07:00–24:00. One hand; 09–13, 19–22 or 22–02: the last leaves the longest gap.
    one = guard("B1", "嘉通")
    day = watches((0, "D", "garden"), (0, "N", "garden"), (0, "E", "garden"), importance=5)
    of = problem([one], day, days=("workday",), staggering=Staggering(gap_max_min=400))
    plan = solved(of)
    assert who(plan, "0.D.garden.watch.1") == ["B1"]
    # 13:00–24:00 in the garden, and the whole day in the other zone, less what is allowed of each.
    assert cost(plan, "staggering") == (660 - 400) + (1020 - 400)
    assert next(o for o in plan.levels if o.level == "staggering").proven
    assert check(of, plan).clean


def test_a_night_that_runs_into_the_next_morning_closes_the_next_days_gap():
    of = problem(
        [guard("B1", "嘉通")], watches((0, "N", "garden")), zones=problem().zones[:1],
        patrol_day_start_min=0, patrol_day_end_min=240, days=("workday",) * 2,
        staggering=Staggering(gap_max_min=100),
    )  # fmt: skip
    plan = solved(of)
    # 00:00–04:00: nobody on the first day; on the second the night patrol is there until 02:00.
    assert cost(plan, "staggering") == 140 + 20
    assert check(of, plan).clean


def test_starts_are_varied_where_hands_leave_a_choice():
    lone = guard("B1", "嘉通", limits=Limits(patrols_week=4, run_days=7, nights_week=7))
    either = watches(*((d, s, "garden") for d in range(4) for s in "DE"), importance=5)
    of = problem([lone], either, staggering=Staggering(same_start_days=2, same_start_counts_min=45))
    plan = solved(of)
    starts = [p.shift for p in plan.patrols if p.walked]
    assert sorted(starts) == ["D", "D", "E", "E"]
    assert cost(plan, "staggering") == 0
    tight = replace(of, staggering=Staggering(same_start_days=1, same_start_counts_min=45))
    plan = solved(tight)
    assert cost(plan, "staggering") == 90
    assert check(tight, plan).clean


def test_staggering_never_costs_cover_and_fairness_never_costs_staggering():
    of = problem(
        [guard("B1", "嘉通"), guard("B2", "嘉通", carried_over_bp=-9000)],
        [
            *watches((0, "D", "garden"), importance=3),
            *watches((0, "N", "garden"), importance=9),
        ],
        staggering=Staggering(gap_max_min=0),
    )  # fmt: skip
    plan = solved(changed(of, "B2", leave=(0,)))
    assert who(plan, "0.N.garden.watch.1") == ["B1"], (
        "the more important one, though its gap is longer"
    )


def test_the_checker_recounts_staggering():
    of = problem(staggering=Staggering(gap_max_min=300, same_start_days=5))
    plan = solved(of)
    assert check(of, plan).clean
    bent = tuple(
        replace(o, cost=o.cost + 1, bound=o.bound + 1) if o.level == "staggering" else o
        for o in plan.levels
    )
    assert "levels" in {m.figure for m in check(of, replace(plan, levels=bent)).mismatches}


def test_a_plan_of_before_these_levels_is_still_sound_and_one_that_was_asked_is_not():
    of = problem()
    plan = solved(of, deterministic=0.2)
    old = replace(
        plan, levels=tuple(o for o in plan.levels if o.level not in ("staggering", "changes"))
    )
    assert check(of, old).clean
    asked = replace(of, staggering=Staggering(gap_max_min=300))
    assert "levels" in {m.figure for m in check(asked, old).mismatches}


def test_a_sick_call_changes_no_more_than_it_must_and_every_change_is_counted():
    team = [guard(f"B{n}", "嘉通", limits=Limits(patrols_week=4)) for n in range(4)]
    demands = watches(*((d, s, "garden") for d in range(5) for s in "DE"))
    plan = solved(problem(team, demands))
    sick = changed(problem(team, demands), "B0", leave=(0, 1, 2, 3, 4), available_min=0)
    again = against(sick, plan)
    made = solved(again)
    lost = sum(s.member == "B0" for p in plan.patrols for s in p.seats)
    assert lost
    assert cost(made, "changes") == changed_seats(plan, made) == lost
    assert check(again, made).clean
    assert read_problem(write_problem(again)) == again


def test_a_seat_that_nobody_asks_for_any_more_is_no_change():
    of = problem([guard("B1", "嘉通")], watches((0, "D", "garden"), (2, "D", "garden")))
    plan = solved(of)
    fewer = replace(of, demands=of.demands[:1])
    made = solved(against(fewer, plan))
    assert cost(made, "changes") == 0
    gone = replace(against(of, plan), demands=of.demands[:1])
    assert check(gone, solved(gone)).clean
    assert cost(solved(gone), "changes") == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Staggering(gap_max_min=-1),
        lambda: Staggering(same_start_days=8),
        lambda: Staggering(same_start_counts_min=0),
    ],
)
def test_staggering_that_cannot_be_meant_is_refused(make):
    with pytest.raises(OutOfRange) as refusal:
        make()
    assert "请更正" in refusal.value.sentence("zh")


def test_shifts_of_the_tests_are_what_the_sums_above_go_by():
    assert [(s.start_min, s.end_min) for s in (DAY, EVENING, NIGHT)] == [
        (540, 780),
        (1140, 1320),
        (1320, 1560),
    ]
