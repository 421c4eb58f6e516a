"""CP-SAT on a week of patrols, in the manner of its own shift-scheduling example.

One boolean for every person and seat that could be theirs, every rule a linear constraint, one
weighted objective, the solver's defaults. It is what a team that follows the example gets; our
engine uses the same solver otherwise.

    python -m bench.peers.cpsat_patrol FILE --seconds S --seed N --workers 2 --out plan.json
"""

import json
from collections import defaultdict
from itertools import product
from typing import Any

from ortools.sat.python import cp_model

from bench.peers.patrol_plan import Seat, write_plan
from bench.peers.trial import Trial, trial
from bench.score import NIGHT_ENDS_AFTER_MIN, score_patrol

MINUTES_PER_DAY = 1440


class PatrolModel:
    """The whole week as one model with one weighted sum to minimise."""

    def __init__(self, week: dict[str, Any]) -> None:
        self.week = week
        self.model = cp_model.CpModel()
        self.sits: dict[tuple[int, Seat], Any] = {}
        self.works: dict[tuple[int, int, int], Any] = {}
        self.empty: list[Any] = []
        self.penalties: list[Any] = []
        self._seats()
        self._days()
        self._zones()
        self._requests()
        self._spread()
        self.model.minimize(sum(self.penalties))

    def _seats(self) -> None:
        """A seat holds at most one person of its kind, or is empty and pays for it."""
        of_slot: dict[tuple[int, int, int], list[Any]] = defaultdict(list)
        for patrol, (day, shift, _) in enumerate(self.week["patrols"]):
            for kind in range(3):
                candidates = []
                for who, person in enumerate(self.week["people"]):
                    if person["kind"] != kind or day in person["off"] or shift in person["ban"]:
                        continue
                    sits = self.model.new_bool_var(f"sits_{who}_{patrol}")
                    self.sits[who, (patrol, kind)] = sits
                    of_slot[who, day, shift].append(sits)
                    candidates.append(sits)
                empty = self.model.new_bool_var(f"empty_{patrol}_{kind}")
                self.model.add_exactly_one([*candidates, empty])
                self.empty.append(empty)
                self.penalties.append(self.week["w"]["unfilled"] * empty)
        for slot, sits in of_slot.items():
            works = self.model.new_bool_var("works_{}_{}_{}".format(*slot))
            self.model.add(sum(sits) == works)
            self.works[slot] = works

    def _days(self) -> None:
        """One patrol a day, rest between days, most patrols, most nights, most days in a row."""
        shifts = self.week["shifts"]
        days = range(self.week["D"])
        nights = [n for n, shift in enumerate(shifts) if shift["end"] > NIGHT_ENDS_AFTER_MIN]
        too_close = [
            (first, then)
            for first, then in product(range(len(shifts)), repeat=2)
            if shifts[then]["start"] + MINUTES_PER_DAY - shifts[first]["end"] < self.week["rest"]
        ]
        for who, person in enumerate(self.week["people"]):
            on = {day: self._worked(who, day) for day in days}
            for day in days:
                self.model.add_at_most_one(on[day].values())
                for first, then in too_close:
                    if first in on[day] and then in on.get(day + 1, {}):
                        self.model.add_bool_or([~on[day][first], ~on[day + 1][then]])
            for day in days[: -self.week["maxcons"]]:
                window = range(day, day + self.week["maxcons"] + 1)
                run = [works for later in window for works in on[later].values()]
                self.model.add(sum(run) <= self.week["maxcons"])
            every = [works for worked in on.values() for works in worked.values()]
            self.model.add(sum(every) <= person["max"])
            late = [on[day][shift] for day in days for shift in nights if shift in on[day]]
            self.model.add(sum(late) <= self.week["maxnight"])

    def _worked(self, who: int, day: int) -> dict[int, Any]:
        shifts = range(len(self.week["shifts"]))
        return {n: self.works[who, day, n] for n in shifts if (who, day, n) in self.works}

    def _zones(self) -> None:
        """Pay for patrols outside one's zones and for the third and later one in a zone."""
        of_zone: dict[tuple[int, int], list[Any]] = defaultdict(list)
        for (who, (patrol, _)), sits in self.sits.items():
            zone = self.week["patrols"][patrol][2]
            of_zone[who, zone].append(sits)
            if zone not in self.week["people"][who]["zones"]:
                self.penalties.append(self.week["w"]["unfamiliar"] * sits)
        for (who, zone), sits in of_zone.items():
            repeats = self.model.new_int_var(0, len(sits), f"repeats_{who}_{zone}")
            self.model.add(repeats >= sum(sits) - 2)
            self.penalties.append(self.week["w"]["repeat"] * repeats)

    def _requests(self) -> None:
        for who, person in enumerate(self.week["people"]):
            for day, shift, weight, sign in person["req"]:
                works = self.works.get((who, day, shift), 0)
                unmet = 1 - works if sign > 0 else works
                self.penalties.append(self.week["w"]["req"] * weight * unmet)

    def _spread(self) -> None:
        """Pay for most minus least patrols within a role, what was carried over included."""
        horizon = max(person["hist"] for person in self.week["people"]) + self.week["D"]
        for role in sorted({person["role"] for person in self.week["people"]}):
            most = self.model.new_int_var(0, horizon, f"most_{role}")
            least = self.model.new_int_var(0, horizon, f"least_{role}")
            for who, person in enumerate(self.week["people"]):
                if person["role"] == role:
                    mine = [self._worked(who, day).values() for day in range(self.week["D"])]
                    load = person["hist"] + sum(works for worked in mine for works in worked)
                    self.model.add(most >= load)
                    self.model.add(least <= load)
            self.penalties.append(self.week["w"]["spread"] * (most - least))


class _Watch(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]  # untyped in OR-Tools
    """Notes when each better plan came."""

    def __init__(self, run: Trial, empty: list[Any]) -> None:
        super().__init__()
        self._run = run
        self._empty = empty

    def on_solution_callback(self) -> None:
        full = not any(self.boolean_value(seat) for seat in self._empty)
        self._run.improved(full_cover=full)


def main() -> int:
    """Solve one file, write its plan and print its line."""
    run = trial("cpsat_patrol")
    week = json.loads(run.file.read_text())
    built = PatrolModel(week)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = run.workers
    solver.parameters.random_seed = run.seed
    solver.parameters.max_time_in_seconds = max(0.1, run.seconds - run.elapsed())
    status = solver.solve(built.model, _Watch(run, built.empty))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        print(run.line(None, status=solver.status_name(status)))
        return 1
    filled = [
        (seat, week["people"][who]["id"])
        for (who, seat), sits in built.sits.items()
        if solver.boolean_value(sits)
    ]
    write_plan(week, filled, run.out)
    score = score_patrol(run.file, run.out)
    print(run.line(score, solver.best_objective_bound, status=solver.status_name(status)))
    return 0 if score.legal else 1


if __name__ == "__main__":
    raise SystemExit(main())
