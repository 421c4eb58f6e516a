"""The desk's core: consequences told before are those that follow, replacements, fixes, what-ifs."""

import random
import time
from dataclasses import replace

import pytest

from grid.errors import NotFound
from scheduling.core.check import Violation, check
from scheduling.core.compare import compare
from scheduling.core.consequences import Gaps, costs, in_order, targets_of_member, targets_of_seat
from scheduling.core.desk import (
    Edit,
    EditRefused,
    QuickRoll,
    SeatIsTaken,
    changes_of,
    make,
    roll_on_desk,
)
from scheduling.core.figures import coverage_gaps
from scheduling.core.fixes import all_fixes, three_cheapest
from scheduling.core.plan import LEVELS
from scheduling.core.problem import Demand, Limits, Lock, Requirement
from scheduling.core.replacements import replacements, unavailable_for
from scheduling.core.reseat import plan_of_roll, roll_of
from scheduling.core.resolve import against, changed_seats
from scheduling.core.slots import Agenda
from scheduling.core.solve import Effort, solve
from scheduling.core.what_if import CannotAsk, Question, asked
from tests.scheduling.desk_problems import large, quickly
from tests.scheduling.roster_problems import changed, guard, member, problem, solved, watches, who


def finished(roll, plan):
    """The plan for a roll, held to the checker."""
    made = plan_of_roll(roll, plan)
    report = check(roll.problem, made)
    assert report.mismatches == ()
    return made, report


@pytest.fixture(scope="module")
def big():
    of = large()
    return of, quickly(of)


@pytest.fixture(scope="module")
def small():
    of = problem()
    return of, solved(of)


# --- what every drop would do --------------------------------------------------------------------


def test_what_a_drop_is_told_to_cost_is_what_it_costs_afterwards(small):
    of, plan = small
    roll = roll_on_desk(of, plan)
    keys = [m.key for m in of.members]
    tried = 0

    def spread(of_plan, force):
        return next(f.spread_bp for f in of_plan.fairness if (f.force, f.employer) == (force, None))

    for (index, seat), _ in sorted(roll.seated.items()):
        slot = roll.agenda.slots[index]
        for target in targets_of_seat(roll, slot.key, seat):
            after = roll_on_desk(of, plan)
            edit = Edit(
                kind=target.kind, patrol=slot.key, seat=seat,
                to_patrol=target.patrol, to_seat=target.seat,
            )  # fmt: skip
            if not target.allowed:
                with pytest.raises(EditRefused) as refused:
                    make(after, changes_of(after, edit))
                assert all(stop.zh in str(refused.value) for stop in target.stops)
                continue
            before = costs(after)
            make(after, changes_of(after, edit))
            made, report = finished(after, plan)
            assert {v.rule for v in report.violations} <= {"whole_team"}
            assert target.cost_by_level == {n: costs(after)[n] - before[n] for n in LEVELS}
            empty = {(e.patrol, e.seat) for e in made.empty_seats}
            assert set(target.opens) <= empty
            assert not set(target.closes) & empty
            force = of.members[keys.index(roll.seated[index, seat])].force
            assert target.fairness_bp == spread(made, force) - spread(plan, force)
            tried += 1
    assert tried > 30


def test_a_drop_that_is_allowed_breaks_no_rule_for_the_checker_either(big):
    of, plan = big
    rng = random.Random(7)
    roll = roll_on_desk(of, plan)
    seen = 0
    for _ in range(12):
        (index, seat), _ = rng.choice(sorted(roll.seated.items()))
        slot = roll.agenda.slots[index]
        found = [t for t in targets_of_seat(roll, slot.key, seat) if t.allowed]
        if not found:
            continue
        target = rng.choice(found)
        make(roll, changes_of(roll, Edit(
            kind=target.kind, patrol=slot.key, seat=seat,
            to_patrol=target.patrol, to_seat=target.seat,
        )))  # fmt: skip
        seen += 1
        _, report = finished(roll, plan)
        assert {v.rule for v in report.violations} <= {"whole_team", "never_alone", "officer_leads"}
    assert seen > 6


def test_the_quick_roll_agrees_with_the_plain_one_through_a_thousand_changes(big):
    of, plan = big
    rng = random.Random(3)
    quick, plain = roll_on_desk(of, plan), roll_of(of, plan)
    keys = [m.key for m in of.members]
    for _ in range(1000):
        slot = rng.choice(quick.agenda.slots)
        seat = rng.randrange(len(slot.type.seats))
        other = plain.agenda.by_key[slot.key]
        if (slot.index, seat) in quick.seated:
            quick.take_away(slot, seat)
            plain.take_away(other, seat)
        else:
            who = rng.choice(keys)
            quick.put(slot, seat, who)
            plain.put(other, seat, who)
    assert costs(quick) == costs(plain)
    assert {g: Gaps(quick).longest(*g) for g in [(z.key, 3) for z in of.zones]} == {
        (g.zone, g.day): g.gap_min for g in coverage_gaps(plain) if g.day == 3
    }


def test_every_target_of_65_people_and_12_zones_is_there_before_the_hand_moves(big):
    of, plan = big
    roll = roll_on_desk(of, plan)
    slowest = 0.0
    for (index, seat), _ in sorted(roll.seated.items())[::40]:
        began = time.process_time()
        found = targets_of_seat(roll, roll.agenda.slots[index].key, seat)
        slowest = max(slowest, time.process_time() - began)
        assert len(found) > 380
    assert slowest < 0.3
    assert any(t.allowed for m in of.members for t in targets_of_member(roll, m.key))


def test_a_free_members_targets_say_who_would_give_way(small):
    of, plan = small
    roll = roll_on_desk(of, plan)
    with pytest.raises(NotFound):
        targets_of_member(roll, "nobody")
    for target in targets_of_member(roll, "G1"):
        slot = roll.agenda.by_key[target.patrol]
        taken = (slot.index, target.seat) in roll.seated
        assert target.closes == (() if taken else ((target.patrol, target.seat),))


def test_a_gap_that_a_move_opens_is_told_in_minutes():
    of = problem(
        members=[guard("B1", "嘉通"), guard("B3", "嘉通")],
        demands=watches((0, "D", "garden"), (0, "E", "garden"), (1, "D", "garden")),
    )
    plan = solved(of)
    roll = roll_on_desk(of, plan)
    for slot in roll.agenda.slots[:2]:
        for who_sits in list(roll.team(slot).values()):
            make(roll, changes_of(roll, Edit(kind="remove", patrol=slot.key, seat=0)))
            assert who_sits
    day = {g.day: g.gap_min for g in coverage_gaps(roll) if g.zone == "garden"}
    assert day[0] == 1440 - 420, "nobody from seven to midnight"
    closing = {t.patrol: t for m in ("B1", "B3") for t in targets_of_member(roll, m) if t.allowed}
    assert closing["0.D.garden.watch.1"].gap_min == (1440 - 780) - (1440 - 420)
    assert closing["0.E.garden.watch.1"].gap_min == (1140 - 420) - (1440 - 420)


def test_a_swap_closes_no_seat_and_moves_no_coverage_gap(small):
    of, plan = small
    roll = roll_on_desk(of, plan)
    swaps = [
        t
        for (index, seat) in sorted(roll.seated)
        for t in targets_of_seat(roll, roll.agenda.slots[index].key, seat)
        if t.kind == "swap" and t.allowed
    ]
    assert swaps
    assert all(t.opens == t.closes == () and t.gap_min == 0 for t in swaps)


def test_moving_onto_somebody_is_not_a_move(small):
    of, plan = small
    roll = roll_on_desk(of, plan)
    one, other = sorted(roll.seated)[:2]
    slots = roll.agenda.slots
    with pytest.raises(SeatIsTaken):
        changes_of(roll, Edit(
            kind="move", patrol=slots[one[0]].key, seat=one[1],
            to_patrol=slots[other[0]].key, to_seat=other[1],
        ))  # fmt: skip


def test_half_of_an_extra_patrol_goes_home_whole():
    of = problem(
        demands=[
            Demand(day=0, shift="D", zone="garden", type="round", minimum=0, ideal=0, extra=1)
        ],
        requirements=(
            Requirement(
                key="r", zone="garden", band_start_min=540, band_end_min=780, days=(0,), visits=1
            ),
        ),
    )
    plan = solved(of)
    assert all(who(plan, "0.D.garden.round.1"))
    roll = roll_on_desk(of, plan)
    make(roll, changes_of(roll, Edit(kind="remove", patrol="0.D.garden.round.1", seat=0)))
    _, report = finished(roll, plan)
    assert report.violations == ()
    assert roll.seated == {}


# --- who steps in --------------------------------------------------------------------------------


def resolved_cost(of, plan, patrol, seat, choice) -> tuple[int, ...]:
    """What the whole week costs when this choice is fixed and everything is solved anew around it.

    The cheapest by the cover, then by the fewest changed seats, then by the rest: every roster of
    the small problem is weighed by CP-SAT, not by the code under test.
    """
    from ortools.sat.python import cp_model

    from scheduling.core.model import RosterModel, eligible

    locked = replace(of, locks=(*of.locks, Lock(patrol=patrol, seat=seat, member=choice)))
    agenda = Agenda(locked)
    model = RosterModel(agenda, eligible(agenda))
    sits = {(p.key, n): s.member for p in plan.patrols for n, s in enumerate(p.seats)}
    moved = []
    for slot in agenda.slots:
        for n in range(len(slot.type.seats)):
            had = sits.get((slot.key, n))
            taken = model.seat[slot.index, n]
            if had in taken:
                moved.append(1 - taken[had])
            elif had is None:
                moved.append(sum(taken.values()))
            # Whoever dropped out has no variable there: the seat changes in any case.
    order = [model.objective(n) for n in ("locks", "cover_minimum", "requirements", "cover_ideal")]
    order += [sum(moved), model.objective("fairness"), model.objective("preferences")]
    found = []
    for objective in order:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 2
        model.cp.minimize(objective)
        assert solver.solve(model.cp) == cp_model.OPTIMAL
        best = round(solver.objective_value)
        model.cp.add(objective <= best)
        found.append(best)
    return tuple(found)


def week_with_a_gap(seed):
    """A small week solved to the end, and a seat of it that somebody drops out of."""
    rng = random.Random(seed)
    team = [
        member(
            f"G{n}", home_zone=rng.choice(["garden", "impression", None]),
            days_off=(rng.randrange(4),), carried_over_bp=rng.randrange(0, 900, 100),
            limits=Limits(patrols_week=3),
        )
        for n in range(4)
    ] + [
        member(f"A{n}", "auxiliary", carried_over_bp=rng.randrange(0, 900, 100)) for n in range(3)
    ]  # fmt: skip
    of = problem(
        members=team,
        demands=[
            Demand(day=d, shift=s, zone=z, type="round", importance=rng.randrange(3, 9))
            for d in range(4)
            for s, z in rng.sample([("D", "garden"), ("E", "impression"), ("D", "impression")], 2)
        ],
    )
    plan = solved(of)
    roll = roll_on_desk(of, plan)
    (index, seat), absent = rng.choice(sorted(roll.seated.items()))
    return of, plan, roll.agenda.slots[index], seat, absent


@pytest.mark.parametrize("seed", [0, 3, 6, 9, 13])
def test_replacements_stand_in_the_order_of_the_full_re_solve(seed):
    of, plan, slot, seat, absent = week_with_a_gap(seed)
    without = unavailable_for(of, absent, slot)
    trial = roll_on_desk(without, plan)
    trial.take_away(trial.agenda.by_key[slot.key], seat)
    choices = replacements(trial, trial.agenda.by_key[slot.key], seat, absent)
    ours = [c.member for c in choices]
    truth = {key: resolved_cost(without, plan, slot.key, seat, key) for key in ours}
    assert len(ours) >= 2
    assert [truth[key] for key in ours] == sorted(truth.values())
    for choice in choices:
        after = roll_on_desk(without, plan)
        after.take_away(after.agenda.by_key[slot.key], seat)
        for step in choice.changes:
            if step.was is not None:
                after.take_away(after.agenda.by_key[step.slot.key], step.seat)
        for step in choice.changes:
            if step.now is not None:
                after.put(after.agenda.by_key[step.slot.key], step.seat, step.now)
        _, report = finished(after, plan)
        assert report.violations == ()


# --- three planted weeks that cannot be ----------------------------------------------------------


def all_verified(of, plan, found) -> None:
    """Every fix, made for real: the checker finds nothing, and the seat is filled or not asked."""
    for fix in found:
        agenda = Agenda(fix.problem)
        roll = QuickRoll(agenda)
        for patrol in plan.patrols:
            for n, seat in enumerate(patrol.seats):
                if seat.member is not None and patrol.key in agenda.by_key:
                    roll.put(agenda.by_key[patrol.key], n, seat.member)
        steps = [c for c in fix.changes if c.slot.key in agenda.by_key]
        for step in steps:
            if step.was is not None:
                roll.take_away(agenda.by_key[step.slot.key], step.seat)
        for step in steps:
            if step.now is not None:
                roll.put(agenda.by_key[step.slot.key], step.seat, step.now)
        made, report = finished(roll, plan)
        assert report.violations == (), fix.zh
        assert (fix.patrol, fix.seat) not in {(e.patrol, e.seat) for e in made.empty_seats}, fix.zh


def test_an_officer_on_leave_all_week_is_explained_and_fixed():
    of = changed(problem(), "P1", leave=tuple(range(7)))
    plan = solved(of)
    empty = [e for e in plan.empty_seats if ".joint." in e.patrol and e.seat == 0]
    assert empty
    assert all(
        {"P1": "leave"}.items() <= {c.member: c.rule for c in e.candidates}.items() for e in empty
    )
    fixes = [three_cheapest(of, plan, e.patrol, 0) for e in empty]
    for found in fixes:
        assert found
        all_verified(of, plan, found)
        assert all(f.member != "P1" for f in found), "leave is never broken"
    more = next(f for found in fixes for f in found if f.kind == "relax" and f.member == "P2")
    assert "多巡一次" in more.zh
    again = solved(more.problem)
    assert in_order({o.level: o.cost for o in again.levels}) < in_order(
        {o.level: o.cost for o in plan.levels}
    ), "the fixed week solves better as a whole"


def test_a_guard_firm_without_people_is_explained_and_fixed():
    team = [m for m in problem().members if m.key != "B2"]
    of = problem(members=team, demands=watches((2, "D", "impression"), (3, "D", "garden")))
    plan = solved(of)
    (empty,) = [e for e in plan.empty_seats if e.patrol == "2.D.impression.watch.1"]
    assert {c.member: c.rule for c in empty.candidates} == {"B1": "estate"}
    found = three_cheapest(of, plan, empty.patrol, 0)
    all_verified(of, plan, found)
    assert [(f.kind, f.member, f.rule) for f in found] == [
        ("relax", "B1", "estate"), ("drop", None, None),
    ]  # fmt: skip
    assert "借调" in found[0].zh
    assert "取消这次巡逻" in found[1].zh
    nobody = replace(of, members=tuple(m for m in team if m.force != "guard"))
    (only,) = three_cheapest(nobody, solved(nobody), empty.patrol, 0)
    assert (only.kind, only.dropped) == ("drop", empty.patrol)


def test_rest_against_nights_is_explained_and_fixed_without_touching_rest():
    of = problem(
        members=[guard("B1", "嘉通"), guard("B3", "嘉通", days_off=(0, 1))],
        demands=[
            *watches((0, "N", "garden"), importance=9),
            *watches((1, "D", "garden"), importance=4),
        ],
    )
    plan = solved(of)
    (empty,) = plan.empty_seats
    assert empty.patrol == "1.D.garden.watch.1"
    assert {c.member: c.rule for c in empty.candidates} == {"B1": "rest", "B3": "day_off"}
    found = all_fixes(of, plan, empty.patrol, 0)
    all_verified(of, plan, found)
    assert any(f.kind == "call_in" and f.member == "B3" and "休息日" in f.zh for f in found)
    assert all(f.problem.law.rest_min == of.law.rest_min for f in found)
    assert all(f.rule not in {"rest", "leave", "one_patrol"} for f in found)


def test_a_fix_drops_only_what_matters_less(big):
    of, plan = big
    looked = 0
    importance = {p: s.importance for p, s in Agenda(of).by_key.items()}
    for empty in plan.empty_seats[:3]:
        began = time.process_time()
        found = three_cheapest(of, plan, empty.patrol, empty.seat)
        assert time.process_time() - began < 3.0
        assert found
        assert len(found) <= 3
        assert [f.order for f in found] == sorted(f.order for f in found)
        all_verified(of, plan, found)
        for fix in found:
            if fix.dropped not in (None, empty.patrol):
                assert importance[fix.dropped] < empty.importance
                looked += 1
    assert looked >= 0


def test_no_fix_is_offered_that_the_checker_finds_fault_with(monkeypatch):
    of = changed(problem(), "P1", leave=tuple(range(7)))
    plan = solved(of)
    empty = plan.empty_seats[0]
    assert all_fixes(of, plan, empty.patrol, empty.seat)
    found = check(of, plan)
    fault = Violation(rule="rest", zh="休息不足", en="too little rest")

    def strict(problem, made):
        return found if made is plan else replace(found, violations=(fault,))

    monkeypatch.setattr("scheduling.core.fixes.check", strict)
    assert all_fixes(of, plan, empty.patrol, empty.seat) == []


def test_no_fix_goes_past_the_law_of_hours_and_rest_days():
    tired = guard("B1", "嘉通", limits=Limits(minutes_week=2600, patrols_week=6, run_days=6))
    of = problem(members=[tired], demands=watches(*((d, "D", "garden") for d in range(7))))
    plan = solved(of)
    (empty,) = plan.empty_seats
    found = all_fixes(of, plan, empty.patrol, 0)
    assert [f.kind for f in found] == ["drop"], "six days and six patrols are the most there are"


# --- what if --------------------------------------------------------------------------------------


def test_one_fewer_twelve_hours_a_requirement_and_a_minimum_are_asked(small):
    of, plan = small
    fewer, title = asked(of, Question(kind="one_fewer", force="guard"))
    assert "少一人" in title
    assert sum(m.leave == tuple(range(7)) for m in fewer.members) == 1
    long, _ = asked(of, Question(kind="twelve_hours"))
    assert {s.minutes for s in long.shifts} == {720}
    more, title = asked(of, Question(kind="requirement", zone="garden", visits=2))
    assert "铸钢花园19:00–23:00每周加巡2次" in title
    most, _ = asked(of, Question(kind="minimum", zone="garden", shift="D", minimum=2))
    assert {d.minimum for d in most.demands if (d.zone, d.shift) == ("garden", "D")} == {2}
    for other in (fewer, long, more, most):
        made = solved(other, deterministic=0.3)
        assert check(other, made).clean
        side = compare((of, plan), (other, made))
        assert side.cover[0].walked == sum(p.walked for p in plan.patrols)
        assert side.cover[1].walked == sum(p.walked for p in made.patrols)
    short = {
        line.key: line.second for line in compare((of, plan), (more, solved(more))).requirements
    }
    assert short == {"what-if-1": 0}, "the extra patrols it needs may be walked"
    for wrong in (
        Question(kind="one_fewer", force="volunteer"),
        Question(kind="minimum", zone="garden", shift="X"),
    ):
        with pytest.raises(CannotAsk):
            asked(of, wrong)
    with pytest.raises(NotFound):
        asked(of, Question(kind="requirement", zone="nowhere"))


def test_a_comparison_counts_what_each_member_gains_and_loses(small):
    of, plan = small
    assert compare((of, plan), (of, plan)).members == ()
    roll = roll_on_desk(of, plan)
    target, slot, seat = next(
        (t, roll.agenda.slots[index], seat)
        for index, seat in sorted(roll.seated)
        for t in targets_of_seat(roll, roll.agenda.slots[index].key, seat)
        if t.kind == "swap" and t.allowed
        and roll.agenda.by_key[t.patrol].day != roll.agenda.slots[index].day
    )  # fmt: skip
    make(roll, changes_of(roll, Edit(
        kind="swap", patrol=slot.key, seat=seat, to_patrol=target.patrol, to_seat=target.seat
    )))  # fmt: skip
    made, _ = finished(roll, plan)
    side = compare((of, plan), (of, made))
    assert side.changed == 4
    assert len(side.members) == 2
    assert all(len(m.lost) == len(m.gained) == 1 for m in side.members)


# --- the rest anew -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_rest_is_solved_with_the_fewest_changes_there_can_be(seed):
    of, plan, slot, seat, absent = week_with_a_gap(seed)
    without = unavailable_for(of, absent, slot)
    again = against(without, plan)
    made = solve(again, Effort(deterministic=20, seconds=30, workers=1))
    assert check(again, made).clean
    costs_made = {o.level: o.cost for o in made.levels}
    assert costs_made["changes"] == changed_seats(plan, made)
    ours = (
        *(costs_made[n] for n in ("locks", "cover_minimum", "requirements", "cover_ideal")),
        changed_seats(plan, made),
        costs_made["fairness"],
        costs_made["preferences"],
    )
    everybody = [
        resolved_cost(without, plan, slot.key, seat, m.key) for m in of.members if m.key != absent
    ]
    # Some choice for the emptied seat, solved around in full, is what the re-solve comes to; the
    # count there leaves out the emptied seat itself.
    best = min((*row[:4], row[4] + 1, *row[5:]) for row in everybody if row[0] == 0)
    assert ours == best


def test_a_re_solve_keeps_locks_and_touches_nobody_without_need(big):
    of, plan = big
    sits = {(p.key, n): s.member for p in plan.patrols for n, s in enumerate(p.seats)}
    (patrol, seat), kept = next((k, m) for k, m in sits.items() if m)
    locked = replace(of, locks=(Lock(patrol=patrol, seat=seat, member=kept),))
    again = against(locked, plan)
    quick = solve(again, Effort(deterministic=0.5, seconds=6, workers=1))
    assert check(again, quick).clean
    assert who(quick, patrol)[seat] == kept
    before, after = ({o.level: o.cost for o in p.levels} for p in (plan, quick))
    levels = ("cover_minimum", "requirements", "cover_ideal")
    assert [after[n] for n in levels] <= [before[n] for n in levels]


def test_the_second_of_two_alike_patrols_left_by_hand_is_no_reason_to_change_anybody():
    of = problem(
        members=[guard("B1", "嘉通"), guard("B3", "嘉通")],
        demands=[Demand(day=0, shift="D", zone="garden", type="watch", minimum=0, ideal=2)],
    )
    plan = solved(of)
    roll = roll_on_desk(of, plan)
    make(roll, changes_of(roll, Edit(kind="remove", patrol="0.D.garden.watch.1", seat=0)))
    left, _ = finished(roll, plan)
    (stays,) = who(left, "0.D.garden.watch.2")
    gone = "B3" if stays == "B1" else "B1"
    away = changed(of, gone, leave=(0,))
    again = against(away, left)
    made = solve(again, Effort(deterministic=2, seconds=10, workers=1))
    assert check(again, made).clean
    assert [who(made, f"0.D.garden.watch.{n}") for n in (1, 2)] == [[stays], [None]]
