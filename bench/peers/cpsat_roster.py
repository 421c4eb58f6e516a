"""CP-SAT on a Curtois & Qu instance, in the manner of its own shift-scheduling example.

One boolean per employee, day and shift, every rule written out as clauses and sums over them, one
weighted objective, the solver's defaults.

    python -m bench.peers.cpsat_roster FILE --seconds S --seed N --workers 2 --out roster.csv
"""

from typing import Any

from ortools.sat.python import cp_model

from bench.peers.shift_file import Employee, ShiftFile, read_shift_file, write_roster
from bench.peers.trial import Trial, trial
from bench.score import score_roster

SATURDAY = 5


class RosterModel:
    """The whole horizon as one model with one weighted sum to minimise."""

    def __init__(self, file: ShiftFile) -> None:
        self.file = file
        self.model = cp_model.CpModel()
        self.works: dict[tuple[str, int, str], Any] = {}
        self.penalties: list[Any] = []
        for employee in file.employees:
            self._line(employee)
        self._requests()
        self._cover()
        self.model.minimize(sum(self.penalties))

    def _line(self, employee: Employee) -> None:
        """One shift a day or none, and everything that binds one employee."""
        name, days, shifts = employee.name, range(self.file.days), list(self.file.minutes)
        on = []
        for day in days:
            for shift in shifts:
                self.works[name, day, shift] = self.model.new_bool_var(f"{name}_{day}_{shift}")
            off = self.model.new_bool_var(f"{name}_{day}_off")
            self.model.add_exactly_one([off, *(self.works[name, day, s] for s in shifts)])
            if day in employee.days_off:
                self.model.add(off == 1)
            on.append(~off)

        for first, then in self.file.forbidden:
            for day in days[:-1]:
                self.model.add_bool_or(
                    [~self.works[name, day, first], ~self.works[name, day + 1, then]]
                )
        for shift, most in employee.most_of.items():
            self.model.add(sum(self.works[name, day, shift] for day in days) <= most)
        minutes = sum(
            self.file.minutes[shift] * self.works[name, day, shift]
            for day in days
            for shift in shifts
        )
        self.model.add_linear_constraint(minutes, employee.least_min, employee.most_min)

        for day in days[: -employee.most_run]:
            self.model.add_bool_or([~works for works in on[day : day + employee.most_run + 1]])
        self._no_short_runs(on, employee.least_run)
        self._no_short_runs([~works for works in on], employee.least_free)
        weekends = []
        for saturday in days[SATURDAY::7]:
            weekend = self.model.new_bool_var(f"{name}_weekend_{saturday}")
            for works in on[saturday : saturday + 2]:
                self.model.add_implication(works, weekend)
            weekends.append(weekend)
        self.model.add(sum(weekends) <= employee.most_weekends)

    def _no_short_runs(self, line: list[Any], least: int) -> None:
        """Forbid every run shorter than ``least`` that has a day on both its sides."""
        for length in range(1, least):
            for first in range(1, len(line) - length):
                inside = [~day for day in line[first : first + length]]
                self.model.add_bool_or([line[first - 1], *inside, line[first + length]])

    def _requests(self) -> None:
        for who, day, shift, weight in self.file.wanted_on:
            self.penalties.append(weight * (1 - self.works[who, day, shift]))
        for who, day, shift, weight in self.file.wanted_off:
            self.penalties.append(weight * self.works[who, day, shift])

    def _cover(self) -> None:
        for day, shift, wanted, under_weight, over_weight in self.file.cover:
            staff = [self.works[employee.name, day, shift] for employee in self.file.employees]
            under = self.model.new_int_var(0, wanted, f"under_{day}_{shift}")
            over = self.model.new_int_var(0, len(staff), f"over_{day}_{shift}")
            self.model.add(sum(staff) + under - over == wanted)
            self.penalties += [under_weight * under, over_weight * over]


class _Watch(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]  # untyped in OR-Tools
    """Notes when each better roster came."""

    def __init__(self, run: Trial) -> None:
        super().__init__()
        self._run = run

    def on_solution_callback(self) -> None:
        self._run.improved(full_cover=False)


def main() -> int:
    """Solve one file, write its roster and print its line."""
    run = trial("cpsat_roster")
    file = read_shift_file(run.file)
    built = RosterModel(file)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = run.workers
    solver.parameters.random_seed = run.seed
    solver.parameters.max_time_in_seconds = max(0.1, run.seconds - run.elapsed())
    status = solver.solve(built.model, _Watch(run))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        print(run.line(None, solver.best_objective_bound, status=solver.status_name(status)))
        return 1
    rows = [
        [
            next(
                (s for s in file.minutes if solver.boolean_value(built.works[e.name, day, s])),
                "",
            )
            for day in range(file.days)
        ]
        for e in file.employees
    ]
    write_roster(rows, run.out)
    score = score_roster(run.file, run.out)
    print(run.line(score, solver.best_objective_bound, status=solver.status_name(status)))
    return 0 if score.legal else 1


if __name__ == "__main__":
    raise SystemExit(main())
