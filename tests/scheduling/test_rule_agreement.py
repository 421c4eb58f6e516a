"""Four faces of every rule say the same: to people, in the model, in the search and in the checker."""

from collections import Counter

import pytest
from ortools.sat.python import cp_model

from scheduling.core.check import check
from scheduling.core.consequences import costs
from scheduling.core.model import RosterModel, eligible
from scheduling.core.plan import LEVELS
from scheduling.core.rules import HARD, WISHES
from scheduling.core.solve import Effort, solve, stands
from tests.scheduling.rule_problems import plan_as_seated, random_people, random_week

WHOLE = {"whole_team", "leader", "demand", "unknown"}
"""What only the shape of a plan can break."""


def told(roll) -> set[str]:
    """The rules that stand against the people as they sit, asked one by one."""
    found = set()
    for (index, seat), key in sorted(roll.seated.items()):
        slot, member = roll.agenda.slots[index], roll.agenda.members[key]
        roll.take_away(slot, seat)
        found |= {rule.key for rule in HARD if rule.stops(roll, member, slot, seat)}
        roll.put(slot, seat, key)
    for slot in roll.agenda.slots:
        if roll.walked(slot):
            found |= {rule.key for rule in HARD if rule.refuses_team(roll, slot)}
    return found


def test_what_a_person_is_told_is_what_the_checker_finds():
    seen = Counter()
    for seed in range(300):
        of = random_week(seed)
        roll = random_people(of, seed)
        found = {v.rule for v in check(of, plan_as_seated(roll)).violations} - WHOLE
        said = told(roll)
        if "one_patrol" in found:  # of two patrols at a time the checker says only that
            found, said = found - {"rest"}, said - {"rest"}
        assert said == found, seed
        seen.update(found)
    never = {rule.key for rule in HARD} - WHOLE - seen.keys()
    assert not never, "these rules were never broken here, so nothing was shown of them"


def test_what_a_roster_costs_is_what_the_checker_counts():
    cost = Counter()
    for seed in range(150):
        of = random_week(seed)
        roll = random_people(of, seed)
        report = check(of, plan_as_seated(roll))
        assert report.mismatches == (), seed
        assert {c.level: c.cost for c in report.costs} == costs(roll), seed
        cost.update({wish.key: wish.cost(roll) for wish in WISHES})
    assert not [wish.key for wish in WISHES if not cost[wish.key]]


def held_to(of, roll) -> tuple[RosterModel, bool]:
    """The model with everybody in the seat they have; False where it does not know such a seat."""
    model = RosterModel(roll.agenda, eligible(roll.agenda))
    for place, taken in model.seat.items():
        sits = roll.seated.get(place)
        if sits is not None and sits not in taken:
            return model, False
        for member, var in taken.items():
            model.cp.add(var == (member == sits))
    return model, True


def solver() -> cp_model.CpSolver:
    found = cp_model.CpSolver()
    found.parameters.num_workers = 1
    return found


def test_the_model_allows_exactly_what_the_checker_passes():
    allowed = Counter()
    for seed in range(140):
        of = random_week(seed)
        roll = random_people(of, seed, fitting=1.0)
        for slot in roll.agenda.slots:  # thin it out, so that some stand and some do not
            if (slot.index + seed) % 3:
                for seat in roll.team(slot):
                    roll.take_away(slot, seat)
        clean = not check(of, plan_as_seated(roll)).violations
        model, known = held_to(of, roll)
        stands_in_model = known and solver().solve(model.cp) != cp_model.INFEASIBLE
        assert stands_in_model == clean, seed
        if known:
            assert stands(roll) == clean, seed
        allowed[clean] += 1
    assert min(allowed[True], allowed[False]) > 20


def test_the_model_costs_what_the_roster_costs():
    weighed = Counter()
    for seed in range(40):
        of = random_week(seed)
        plan = solve(of, Effort(deterministic=0.05, workers=1, seconds=5))
        roll = random_people(of, seed)
        for place in list(roll.seated):
            roll.take_away(roll.agenda.slots[place[0]], place[1])
        for p in plan.patrols:
            for n, seat in enumerate(p.seats):
                if seat.member is not None:
                    roll.put(roll.agenda.by_key[p.key], n, seat.member)
        model, known = held_to(of, roll)
        assert known
        for level in LEVELS:
            model.cp.minimize(model.objective(level))
            each = solver()
            assert each.solve(model.cp) == cp_model.OPTIMAL
            assert round(each.objective_value) == costs(roll)[level], (seed, level)
        weighed.update({wish.key: wish.cost(roll) for wish in WISHES})
    assert not [wish.key for wish in WISHES if not weighed[wish.key]]


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_a_search_keeps_every_rule_at_once(seed):
    of = random_week(seed, days=14 if seed % 3 == 0 else 7)
    plan = solve(of, Effort(deterministic=0.4, workers=1, seconds=10))
    report = check(of, plan)
    assert report.violations == ()
    assert report.mismatches == ()
