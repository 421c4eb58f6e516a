"""What always holds of a search: legal, sound bounds, optimal where it says so, repeatable."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from scheduling.core.check import check
from scheduling.core.plan import LEVELS, read_plan, write_plan
from scheduling.core.problem import (
    Absence,
    Demand,
    Law,
    Limits,
    Lock,
    Requirement,
    RosterProblem,
    read_problem,
    write_problem,
)
from scheduling.core.schema import FOLDER, schemas
from scheduling.core.solve import Effort, Step, solve
from tests.scheduling.roster_problems import TEAM, guard, member, problem, solved, watches

FORCES = ("officer", "auxiliary", "grid_member", "guard")


@st.composite
def members(draw, key):
    force = draw(st.sampled_from(FORCES))
    days = st.lists(st.integers(0, 6), max_size=2, unique=True).map(tuple)
    return member(
        key,
        force,
        employer=draw(st.sampled_from(["嘉通", "嘉汇"])) if force == "guard" else None,
        home_zone=draw(st.sampled_from([None, "garden", "impression"])),
        lent_to=draw(st.sampled_from([(), ("impression",)])),
        days_off=draw(days),
        leave=draw(days),
        unavailable=draw(st.sampled_from([(), (Absence(start_min=1000, end_min=3000),)])),
        limits=Limits(
            minutes_week=draw(st.sampled_from([480, 960, 2400])),
            patrols_week=draw(st.integers(0, 6)),
            nights_week=draw(st.integers(0, 3)),
            run_days=draw(st.integers(1, 6)),
        ),
        available_min=draw(st.sampled_from([0, 700, 2400])),
        carried_over_bp=draw(st.integers(-3000, 3000)),
        last_end_min=draw(st.sampled_from([None, -900, -60, 120])),
        run_before_days=draw(st.integers(0, 6)),
    )


@st.composite
def problems(draw):
    team = [draw(members(f"M{n}")) for n in range(draw(st.integers(0, 6)))]
    places = draw(
        st.lists(
            st.tuples(
                st.integers(0, 6),
                st.sampled_from("DEN"),
                st.sampled_from(["garden", "impression"]),
                st.sampled_from(["joint", "round", "watch"]),
            ),
            max_size=10,
            unique=True,
        )
    )
    demands = []
    for day, shift, zone, kind in places:
        minimum = draw(st.integers(0, 2))
        demands.append(
            Demand(
                day=day, shift=shift, zone=zone, type=kind, minimum=minimum,
                ideal=minimum + draw(st.integers(0, 1)), extra=draw(st.integers(0, 1)),
                importance=draw(st.integers(1, 9)),
            )
        )  # fmt: skip
    needs = [
        Requirement(
            key="R", zone="garden", band_start_min=1140, band_end_min=1400,
            days=(0, 1, 2, 3, 4, 5, 6), visits=draw(st.integers(1, 3)),
        )
    ]  # fmt: skip
    locks = []
    for d in demands[:1]:
        if team and d.ideal:
            key = f"{d.day}.{d.shift}.{d.zone}.{d.type}.1"
            locks.append(Lock(patrol=key, seat=0, member=draw(st.sampled_from(team)).key))
    return problem(
        team, demands, requirements=tuple(needs), locks=tuple(locks),
        law=Law(patrols_per_day=draw(st.sampled_from([1, 1, 2])), rest_min=draw(st.sampled_from([0, 660, 660]))),
        days=draw(st.sampled_from([("workday",) * 5 + ("weekend",) * 2, ("holiday",) * 7])),
    )  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_every_roster_of_a_random_problem_passes_the_checker(of: RosterProblem):
    plan = solved(of, deterministic=0.5)
    report = check(of, plan)
    assert report.violations == ()
    assert report.mismatches == ()
    assert read_problem(write_problem(of)) == of
    assert read_plan(write_plan(plan)) == plan


def best_by_trying_all(of: RosterProblem) -> tuple[int, ...]:
    """The lexicographic optimum of one-guard patrols, by trying every assignment with the checker."""
    empty = solved(replace(of, members=()))
    keys = [p.key for p in empty.patrols]
    shell = solve(of, Effort(deterministic=0.05, workers=1), progress=Stopping())
    best = None
    for chosen in itertools.product([None, *[m.key for m in of.members]], repeat=len(keys)):
        patrols = tuple(
            replace(
                p,
                walked=member_key is not None,
                seats=(replace(p.seats[0], member=member_key, leader=member_key is not None),),
            )
            for p, member_key in zip(empty.patrols, chosen, strict=True)
        )
        report = check(of, replace(shell, patrols=patrols))
        if not report.violations:
            cost = tuple(c.cost for c in report.costs)
            best = cost if best is None else min(best, cost)
    assert best is not None
    return best


def test_a_small_roster_is_the_best_there_is():
    team = [
        guard("B1", "嘉通", home_zone="garden", carried_over_bp=900),
        guard("B2", "嘉通", home_zone="garden", days_off=(1,)),
        guard("B3", "嘉汇", home_zone="impression", lent_to=("garden",), limits=Limits(nights_week=1)),
    ]  # fmt: skip
    demands = [
        *watches((0, "D", "garden"), (0, "N", "garden"), (1, "D", "garden"), importance=5),
        *watches((1, "N", "garden"), (0, "E", "impression"), minimum=0, importance=2),
    ]
    of = problem(team, demands)
    plan = solved(of)
    assert tuple(o.cost for o in plan.levels) == best_by_trying_all(of)
    assert plan.status == "proven"


def test_the_same_effort_and_seed_give_the_same_roster():
    of = problem([*TEAM, guard("B3", "嘉通"), member("G3"), member("G4")])
    first = solve(of, Effort(deterministic=0.3, workers=2, seed=7, seconds=600))
    again = solve(of, Effort(deterministic=0.3, workers=2, seed=7, seconds=600))
    assert write_plan(first) == write_plan(again)


class Watching:
    def __init__(self):
        self.steps: list[Step] = []

    def report(self, step):
        self.steps.append(step)

    def should_stop(self):
        return False


class Stopping(Watching):
    def should_stop(self):
        return True


def test_a_first_legal_roster_is_there_before_the_search():
    watching = Watching()
    solve(problem(), Effort(deterministic=0.5, workers=1), watching)
    first = watching.steps[0]
    assert first.level is None
    assert first.seconds < 1.0
    assert first.empty_seats < 7 * 6, "people are seated already"
    assert {s.level for s in watching.steps} == {None, *LEVELS}
    fractions = [s.fraction for s in watching.steps]
    assert fractions == sorted(fractions)


def test_stopping_at_once_keeps_the_first_legal_roster():
    of = problem()
    plan = solve(of, Effort(deterministic=50, workers=1), Stopping())
    assert plan.status == "stopped"
    assert any(p.walked for p in plan.patrols)
    assert check(of, plan).clean


def test_a_cap_of_no_seconds_is_a_legal_roster_too():
    of = problem()
    plan = solve(of, Effort(seconds=0.0))
    assert plan.status == "stopped"
    assert check(of, plan).clean


def test_a_bound_never_stands_above_a_better_roster():
    of = problem([*TEAM, guard("B3", "嘉通")])
    little, much = solved(of, deterministic=0.1), solved(of, deterministic=6.0)
    for early, late in zip(little.levels, much.levels, strict=True):
        if early.cost != late.cost:
            assert early.bound <= late.cost < early.cost
            break  # the levels after it are bounded among other rosters


def test_the_published_schemas_are_the_codes_own():
    for name, text in schemas().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, (
            "run python -m scheduling.core.schema"
        )


def test_a_problem_and_a_plan_fit_the_published_schemas():
    of = problem()
    for name, text in (
        ("roster-problem", write_problem(of)),
        ("roster-plan", write_plan(solved(of, deterministic=0.1))),
    ):
        schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
        document = json.loads(text)
        assert set(document) <= set(schema["properties"])
        assert set(schema["required"]) <= set(document)
        assert schema["additionalProperties"] is False


def test_the_core_is_read_from_files_alone(tmp_path: Path):
    path = tmp_path / "problem.json"
    path.write_text(write_problem(problem()), encoding="utf-8")
    of = read_problem(path.read_bytes())
    assert TypeAdapter(RosterProblem).validate_python(json.loads(path.read_text())) == of
