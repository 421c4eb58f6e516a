"""The checker sees every rule broken and every figure bent: take a good plan and break it."""

from dataclasses import replace

import pytest

from scheduling.core.check import check
from scheduling.core.plan import PlannedSeat
from scheduling.core.problem import Absence, Limits, Lock, Requirement
from tests.scheduling.roster_problems import TEAM, changed, guard, problem, solved

NEED = Requirement(
    key="R", zone="impression", band_start_min=1140, band_end_min=1290, days=(0, 2), visits=2
)
OF = problem([*TEAM, guard("B3", "嘉通")], requirements=(NEED,))
PLAN = solved(OF)


def rules(of, plan) -> set[str]:
    return {v.rule for v in check(of, plan).violations}


def figures(of, plan) -> set[str]:
    return {m.figure for m in check(of, plan).mismatches}


def reseat(plan, key, seat, member, **more):
    """The plan with another member in one seat; a patrol may become walked or not."""
    patrols = []
    for p in plan.patrols:
        if p.key == key:
            seats = list(p.seats)
            seats[seat] = replace(seats[seat], member=member, **more)
            p = replace(p, seats=tuple(seats))
        patrols.append(p)
    return replace(plan, patrols=tuple(patrols))


def patrol(key, plan=PLAN):
    return next(p for p in plan.patrols if p.key == key)


def walked(kind):
    return next(p for p in PLAN.patrols if p.type == kind and p.walked)


def test_the_plan_itself_is_clean():
    report = check(OF, PLAN)
    assert report.violations == ()
    assert report.mismatches == ()
    assert report.clean
    assert {c.level: c.cost for c in report.costs} == {o.level: o.cost for o in PLAN.levels}


def test_an_unknown_member_is_seen():
    assert "unknown" in rules(OF, reseat(PLAN, walked("watch").key, 0, "nobody"))


def test_an_unknown_zone_and_a_lost_seat_are_seen():
    p = walked("round")
    for broken in (replace(p, zone="moon"), replace(p, seats=p.seats[:1]), replace(p, day=9)):
        plan = replace(PLAN, patrols=tuple(broken if q is p else q for q in PLAN.patrols))
        assert "unknown" in rules(OF, plan)


def test_a_patrol_twice_or_never_asked_for_or_forgotten_is_seen():
    p = walked("watch")
    assert {"unknown", "demand"} <= rules(OF, replace(PLAN, patrols=(*PLAN.patrols, p)))
    other = replace(p, zone="impression", key="x")
    assert "demand" in rules(OF, replace(PLAN, patrols=(*PLAN.patrols, other)))
    assert "demand" in rules(
        OF, replace(PLAN, patrols=tuple(q for q in PLAN.patrols if q is not p))
    )


def test_a_guard_on_the_wrong_estate_is_seen():
    assert "estate" in rules(OF, reseat(PLAN, walked("watch").key, 0, "B2"))


def test_the_wrong_force_is_seen():
    assert "seat" in rules(OF, reseat(PLAN, walked("watch").key, 0, "G1"))


def test_a_missing_qualification_is_seen():
    kinds = tuple(
        replace(t, seats=(replace(t.seats[0], qualifications=("leader",)), *t.seats[1:]))
        for t in OF.types
    )
    assert "seat" in rules(replace(OF, types=kinds), PLAN)


def test_an_enforcement_patrol_without_its_officer_is_seen():
    p = walked("joint")
    assert {"seat", "officer_leads"} <= rules(OF, reseat(PLAN, p.key, 0, "G1"))
    assert "whole_team" in rules(OF, reseat(PLAN, p.key, 0, None, leader=False))


def test_a_moved_leader_flag_is_seen():
    assert "leader" in rules(OF, reseat(PLAN, walked("joint").key, 1, "G1", leader=True))


def test_auxiliaries_alone_are_seen():
    p = walked("round")
    plan = reseat(reseat(PLAN, p.key, 0, "A1"), p.key, 1, "A2")
    assert "never_alone" in rules(OF, plan)


def test_a_person_twice_in_one_patrol_is_seen():
    p = walked("round")
    assert "one_patrol" in rules(OF, reseat(PLAN, p.key, 1, p.seats[0].member))


def test_a_patrol_marked_as_walked_without_people_is_seen():
    p = walked("watch")
    empty = replace(p, seats=(PlannedSeat(member=None),))
    plan = replace(PLAN, patrols=tuple(empty if q is p else q for q in PLAN.patrols))
    assert "whole_team" in rules(OF, plan)
    unmarked = replace(p, walked=False)
    plan = replace(PLAN, patrols=tuple(unmarked if q is p else q for q in PLAN.patrols))
    assert "whole_team" in rules(OF, plan)


def test_two_patrols_a_day_and_at_a_time_are_seen():
    officer = patrol("0.E.impression.joint.1").seats[0].member
    plan = reseat(PLAN, "0.D.garden.round.1", 0, officer)
    assert "one_patrol" in rules(OF, plan)


def test_short_rest_is_seen():
    plan = reseat(PLAN, "0.N.garden.watch.1", 0, "B1")
    plan = reseat(plan, "1.D.garden.round.1", 1, "B1")
    assert "rest" in rules(OF, plan)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"leave": tuple(range(7))}, "leave"),
        ({"days_off": tuple(range(7))}, "day_off"),
        ({"unavailable": (Absence(start_min=0, end_min=20_000),)}, "unavailable"),
        ({"last_end_min": 1000}, "rest"),
        ({"run_before_days": 30}, "run_of_days"),
        ({"limits": Limits(minutes_week=100)}, "minutes_week"),
        ({"limits": Limits(patrols_week=0)}, "patrols_week"),
        ({"limits": Limits(nights_week=0)}, "nights_week"),
        ({"limits": Limits(run_days=1)}, "run_of_days"),
        ({"employer": "别家"}, "estate"),
        ({"force": "volunteer"}, "seat"),
    ],
)
def test_a_law_that_tightens_is_seen(more, rule):
    plan = solved(problem([guard("B1", "嘉通", limits=Limits(nights_week=7, run_days=7, patrols_week=7))],
        [d for d in OF.demands if d.type == "watch"]))  # fmt: skip
    of = problem(
        [guard("B1", "嘉通", limits=Limits(nights_week=7, run_days=7, patrols_week=7))],
        [d for d in OF.demands if d.type == "watch"],
    )
    assert rules(of, plan) == set()
    assert rule in rules(changed(of, "B1", **more), plan)


def test_another_weeks_problem_is_seen():
    assert "problem" in figures(replace(OF, week_start="2026-12-07"), PLAN)


def bent(**more):
    return figures(OF, replace(PLAN, **more))


def test_every_bent_figure_is_seen():
    level = next(o for o in PLAN.levels if o.level == "fairness")
    load, fair = PLAN.loads[0], PLAN.fairness[0]
    gap, need = PLAN.coverage_gaps[3], PLAN.requirements[0]

    def with_level(**more):
        changed_level = replace(level, **more)
        return tuple(changed_level if o is level else o for o in PLAN.levels)

    assert "levels" in bent(levels=with_level(cost=level.cost + 1))
    assert "levels" in bent(levels=PLAN.levels[1:])
    assert "bound of fairness" in bent(levels=with_level(bound=level.cost + 1))
    assert "bound of fairness" in bent(levels=with_level(proven=not level.proven))
    assert "bound of fairness" in bent(levels=with_level(gap=0.5 + level.gap))
    assert "load of P1" in bent(loads=(replace(load, nights=9), *PLAN.loads[1:]))
    assert "load of P1" in bent(loads=PLAN.loads[1:])
    assert "fairness" in bent(fairness=(replace(fair, spread_bp=0, mean_bp=1), *PLAN.fairness[1:]))
    assert "coverage gaps" in bent(
        coverage_gaps=tuple(replace(g, gap_min=1) if g is gap else g for g in PLAN.coverage_gaps)
    )
    assert "requirements" in bent(requirements=(replace(need, short=1, patrols=()),))
    assert "requirements" in bent(requirements=())


def test_a_hidden_empty_seat_is_seen():
    plan = solved(problem([guard("B1", "嘉通")]))
    of = problem([guard("B1", "嘉通")])
    assert check(of, plan).clean
    assert "empty seats" in figures(of, replace(plan, empty_seats=plan.empty_seats[1:]))
    turned = tuple(reversed(plan.empty_seats))
    assert "ranks of empty seats" in figures(of, replace(plan, empty_seats=turned))
    mute = (replace(plan.empty_seats[0], zh=""), *plan.empty_seats[1:])
    assert "reasons of empty seats" in figures(of, replace(plan, empty_seats=mute))
    loud = (replace(plan.empty_seats[0], importance=99), *plan.empty_seats[1:])
    assert "importance of empty seats" in figures(of, replace(plan, empty_seats=loud))


def test_a_broken_lock_costs():
    p = walked("watch")
    of = replace(OF, locks=(Lock(patrol=p.key, seat=0, member="B2"),))
    assert {c.level: c.cost for c in check(of, PLAN).costs}["locks"] == 1
