"""Solve a roster problem level by level, with what was proven of each.

The levels are lexicographic: each is solved with the earlier ones held by a constraint, starting
from the whole last roster. A first legal roster is there before the search begins, and every
better one is kept; whoever stops it early gets the best so far. The effort is deterministic time,
so that the same problem, seed, workers and effort give the same roster; a cap in seconds is
there too, and a search it cuts off is as good, but not repeatable.

Measured (shared benchmarks): with two workers CP-SAT runs one full subsolver and its default bound
is nearly useless, so the subsolvers are named.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from ortools.sat.python import cp_model

from scheduling.core import figures
from scheduling.core.empty_seats import empty_seats
from scheduling.core.first_roster import first_roster
from scheduling.core.lines import search as line_search
from scheduling.core.lines.roster_lines import RosterLines, lines_of
from scheduling.core.model import RosterModel, eligible
from scheduling.core.plan import (
    LEVELS,
    Level,
    LevelOutcome,
    PlannedPatrol,
    PlannedSeat,
    RosterPlan,
)
from scheduling.core.polish import bring_home, even_out
from scheduling.core.problem import Member, RosterProblem, digest
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD, WISHES
from scheduling.core.slots import Agenda, Slot

POLL_S = 0.2
SHARES: dict[Level, float] = {
    "locks": 0.05,
    "cover_minimum": 0.2,
    "requirements": 0.1,
    "cover_ideal": 0.25,
    "staggering": 0.1,
    "changes": 0.3,
    "fairness": 0.3,
    "preferences": 0.1,
}
"""What part of the effort a level may take; what it leaves goes to those after it."""
LINE_ROUNDS = 12
"""Rounds of neighbourhoods over lines of work for each unit of effort of a level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to search. ``deterministic`` is CP-SAT's own measure of work, about a second each."""

    deterministic: float = 40.0
    seconds: float = 120.0
    workers: int = 2
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the search tells: the level under way, its best cost and bound, and what is empty."""

    level: Level | None
    cost: int
    bound: int
    gap: float
    empty_seats: int
    fraction: float
    seconds: float


class Progress(Protocol):
    """Whoever watches a search."""

    def report(self, step: Step) -> None:
        """Take note of a step."""

    def should_stop(self) -> bool:
        """Say whether to stop now and keep the best."""


class Unwatched:
    """Nobody watches."""

    def report(self, step: Step) -> None:
        """Take no note."""

    def should_stop(self) -> bool:
        """Go on."""
        return False


def solve(
    problem: RosterProblem, effort: Effort | None = None, progress: Progress | None = None
) -> RosterPlan:
    """Return the best roster found, with the proven bound of each level; never raises for want of hands."""
    return _Search(problem, effort or Effort(), progress or Unwatched()).run()


def gap_of(cost: int, bound: int) -> float:
    """Return (cost − bound) ÷ cost, 0 for a cost of 0."""
    return round((cost - bound) / cost, 4) if cost > bound else 0.0


class _Search:
    """One search: the roll is the best roster so far."""

    def __init__(self, problem: RosterProblem, effort: Effort, progress: Progress) -> None:
        self.agenda = Agenda(problem)
        self.effort = effort
        self.progress = progress
        self.started = time.monotonic()
        self.stopped = False
        self.level: Level | None = None
        self.bound = 0
        self.may_sit = eligible(self.agenda)
        self.locked = {(self.agenda.by_key[k.patrol].index, k.seat) for k in problem.locks}
        self.roll = first_roster(self.agenda, self.may_sit)
        self._tell()
        self.model = RosterModel(self.agenda, self.may_sit)

    def run(self) -> RosterPlan:
        bounds: dict[Level, int] = {}
        left = self.effort.deterministic
        asked = {wish.level for wish in WISHES if wish.asked(self.agenda.problem)}
        shares = {level: SHARES[level] if level in asked else 0.0 for level in LEVELS}
        for n, level in enumerate(LEVELS):
            self.level, self.bound = level, 0
            share = shares[level] / (sum(shares[later] for later in LEVELS[n:]) or 1.0)
            proven, used = self._solve_level(level, left * share)
            left = max(0.0, left - used)
            cost = self._cost(level)
            self.bound = cost if proven else min(cost, max(0, self.bound))
            bounds[level] = self.bound
            self._tell()
        return self._plan(tuple(self._outcome(level, bounds[level]) for level in LEVELS))

    def _outcome(self, level: Level, bound: int) -> LevelOutcome:
        """Say what a level came to in the end: a later one may have bettered it by the way."""
        cost = self._cost(level)
        return LevelOutcome(
            level=level, cost=cost, bound=bound, gap=gap_of(cost, bound), proven=bound == cost
        )

    def _cost(self, level: Level | None, roll: Roll | None = None) -> int:
        return sum(wish.cost(roll or self.roll) for wish in WISHES if wish.level == level)

    def _solve_level(self, level: Level, work: float) -> tuple[bool, float]:
        """Improve one level and hold it; return whether it is proven and the work it took."""
        self._polish(level)
        objective = self.model.objective(level)
        cost = self._cost(level)
        if cost == 0:  # no cost is below 0
            self.model.cp.add(objective <= 0)
            return True, 0.0
        seconds = self.effort.seconds - (time.monotonic() - self.started)
        if self.stopped or seconds <= 0.05 or self.progress.should_stop():
            self.stopped = True
            return False, 0.0
        self._by_lines(level, work)
        self.model.hint(self.roll)
        self.model.cp.minimize(objective)
        solver = self._solver(work, seconds)
        with self._watched(solver):
            status = solver.solve(self.model.cp, _Better(self._take))
        self.model.cp.clear_objective()
        proven = status == cp_model.OPTIMAL
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            # Of equal rosters the first told is a matter of threads; the last one is not.
            self._take(solver.value, equal=True)
            self.bound = max(self.bound, _whole(solver.best_objective_bound))
        self.model.cp.add(objective <= self._cost(level))
        if time.monotonic() - self.started >= self.effort.seconds:
            self.stopped = True
        return proven, solver.response_proto.deterministic_time

    def _by_lines(self, level: Level, work: float) -> None:
        """Better who sits where by lines of work, with every rule asked of each gain."""
        better = {"fairness": RosterLines.even_out, "preferences": RosterLines.prefer}.get(level)
        if better is None or self.agenda.sat:  # where little may change, little is to be gained
            return
        lines = lines_of(self.roll, self.may_sit, self.locked, self._seat_cost)
        if lines is None:
            return
        earlier = LEVELS[: LEVELS.index(level)]

        def take(trial: Roll) -> bool:
            better_or_same = self._cost(level, trial) <= self._cost(level) and all(
                self._cost(e, trial) <= self._cost(e) for e in earlier
            )
            if not better_or_same or not stands(trial):
                return False
            self.roll = trial
            return True

        def stop() -> bool:
            if time.monotonic() - told[0] >= POLL_S:
                told[0] = time.monotonic()
                self._tell()
                self.stopped = self.stopped or self.progress.should_stop()
            return self.stopped

        seconds = self.effort.seconds - (time.monotonic() - self.started)
        if self.stopped or seconds <= 0.05:
            return
        told = [time.monotonic()]
        better(
            lines,
            line_search.Effort(
                rounds=max(1, int(LINE_ROUNDS * work)),
                seconds=seconds,
                workers=self.effort.workers,
                seed=self.effort.seed,
            ),
            take,
            stop,
        )

    def _seat_cost(self, member: Member, slot: Slot, seat: int) -> int:
        return sum(w.seat_cost(member, slot, seat) for w in WISHES if w.level == "preferences")

    def _polish(self, level: Level) -> None:
        """Try quick exchanges before the search, and keep them where no level loses."""
        quick = {"fairness": even_out, "preferences": bring_home}.get(level)
        if quick is None:
            return
        trial = self.roll.copy()
        quick(trial, self.may_sit, keep=self.locked)
        earlier = LEVELS[: LEVELS.index(level)]
        if all(self._cost(e, trial) <= self._cost(e) for e in earlier) and self._cost(
            level, trial
        ) < self._cost(level):
            self.roll = trial
            self._tell()

    def _solver(self, work: float, seconds: float) -> cp_model.CpSolver:
        solver = cp_model.CpSolver()
        p = solver.parameters
        p.catch_sigint_signal = False  # whoever watches decides when to stop
        p.random_seed = self.effort.seed
        p.max_deterministic_time = max(work, 0.05)
        p.max_time_in_seconds = seconds
        p.num_workers = self.effort.workers
        if self.effort.workers > 1:
            # Interleaved search is the one that repeats with several workers.
            p.interleave_search = True
            p.subsolvers.extend(["max_lp", "default_lp", "quick_restart"])
        else:
            p.linearization_level = 2
        return solver

    @contextmanager
    def _watched(self, solver: cp_model.CpSolver) -> Iterator[None]:
        """Ask the watcher, from a thread beside the search, whether to stop."""
        done = threading.Event()

        def bound_moved(bound: float) -> None:
            self.bound = max(self.bound, _whole(bound))

        def watch() -> None:
            while not done.wait(POLL_S):
                if self.progress.should_stop():
                    self.stopped = True
                    solver.stop_search()
                    return
                self._tell()

        solver.best_bound_callback = bound_moved
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _take(self, value: Callable[[Any], int], *, equal: bool = False) -> None:
        """Keep a solution's roster if it is better; it is replaced whole, never half.

        The model's objective may stand above the true cost (a spread variable need not be tight),
        so a later solution is not always a better roster.
        """
        roll = Roll(self.agenda)
        for (index, seat), members in self.model.seat.items():
            for member, var in members.items():
                if value(var):
                    roll.put(self.agenda.slots[index], seat, member)
        cost, best = self._cost(self.level, roll), self._cost(self.level)
        if cost < best or (equal and cost == best):
            self.roll = roll

    def _tell(self) -> None:
        roll, level = self.roll, self.level
        cost = self._cost(level, roll)
        bound = min(self.bound, cost)
        done = SHARES_BEFORE[level] if level else 0.0
        spent = min(1.0, (time.monotonic() - self.started) / max(self.effort.seconds, 0.001))
        empty = sum(
            (slot.index, n) not in roll.seated
            for slot in self.agenda.slots
            if slot.tier != "extra"
            for n in range(len(slot.type.seats))
        )
        self.progress.report(
            Step(
                level=level,
                cost=cost,
                bound=bound,
                gap=gap_of(cost, bound),
                empty_seats=empty,
                fraction=min(0.99, max(done, spent)),
                seconds=round(time.monotonic() - self.started, 1),
            )
        )

    def _plan(self, levels: tuple[LevelOutcome, ...]) -> RosterPlan:
        roll = self.roll
        patrols = []
        for slot in self.agenda.slots:
            walked = roll.walked(slot)
            if slot.tier == "extra" and not walked:
                continue
            patrols.append(
                PlannedPatrol(
                    key=slot.key,
                    day=slot.day,
                    shift=slot.shift.key,
                    zone=slot.zone.key,
                    type=slot.type.key,
                    tier=slot.tier,
                    walked=walked,
                    seats=tuple(
                        PlannedSeat(
                            member=roll.seated.get((slot.index, n)),
                            leader=seat.leader and (slot.index, n) in roll.seated,
                        )
                        for n, seat in enumerate(slot.type.seats)
                    ),
                )
            )
        proven = all(level.proven for level in levels)
        return RosterPlan(
            problem=digest(roll.problem),
            status="proven" if proven else "stopped" if self.stopped else "found",
            patrols=tuple(patrols),
            empty_seats=empty_seats(roll),
            requirements=figures.requirements(roll),
            loads=figures.loads(roll),
            fairness=figures.fairness(roll),
            coverage_gaps=figures.coverage_gaps(roll),
            levels=levels,
            seed=self.effort.seed,
        )


SHARES_BEFORE: dict[Level, float] = {
    level: sum(SHARES[earlier] for earlier in LEVELS[:n]) for n, level in enumerate(LEVELS)
}


def stands(roll: Roll) -> bool:
    """Say whether a whole roll breaks no hard rule; static ones are kept by who may sit."""
    agenda = roll.agenda
    moving = [rule for rule in HARD if not rule.static]
    for slot in agenda.slots:
        if roll.walked(slot) and any(rule.refuses_team(roll, slot) for rule in HARD):
            return False
    for (index, seat), key in list(roll.seated.items()):
        slot, member = agenda.slots[index], agenda.members[key]
        roll.take_away(slot, seat)
        stopped = any(rule.stops(roll, member, slot, seat) for rule in moving)
        roll.put(slot, seat, key)
        if stopped:
            return False
    return True


def _whole(bound: float) -> int:
    """Round a bound up to the next whole cost: costs are whole."""
    return int(-(-(bound - 1e-6) // 1))


class _Better(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
    """Tell of every better roster."""

    def __init__(self, better: Callable[[Callable[[Any], int]], None]) -> None:
        super().__init__()
        self._tell_better = better

    def on_solution_callback(self) -> None:
        """Hand over the values."""
        self._tell_better(self.value)
