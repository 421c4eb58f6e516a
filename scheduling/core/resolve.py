"""Solve the rest of a roster anew with the fewest changes: locks stay, and as much else as can be.

The levels are those of a first solve, with one between cover and fairness: how many seats hold
somebody else than before. So nobody's week changes for the sake of fairness, and as few weeks as
can be for the sake of cover. It begins from what is left of the roster, so whoever stops it early
has a legal roster that changes little.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from ortools.sat.python import cp_model

from scheduling.core.consequences import costs
from scheduling.core.desk import QuickRoll
from scheduling.core.model import RosterModel, eligible
from scheduling.core.plan import LEVELS, Level, LevelOutcome, RosterPlan
from scheduling.core.problem import RosterProblem
from scheduling.core.replacements import BEFORE_CHANGES
from scheduling.core.reseat import plan_of_roll
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD
from scheduling.core.slots import Agenda, Slot
from scheduling.core.solve import Effort, Progress, Step, Unwatched, gap_of

POLL_S = 0.2
SHARES = {"changes": 0.3, "fairness": 0.2, "preferences": 0.1}
"""What part of the effort a level may take; each of the others a tenth."""


def resolve(
    problem: RosterProblem,
    before: RosterPlan,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> RosterPlan:
    """Return a roster for ``problem`` that is covered as well as can be and differs least.

    ``before`` is a roster of a problem with the same demands; people on leave now, or locked
    elsewhere, leave their seats first.
    """
    return _Search(problem, before, effort or Effort(), progress or Unwatched()).run()


def changed_seats(one: RosterPlan, other: RosterPlan) -> int:
    """Count the seats that hold somebody else, or nobody where somebody sat, or the reverse."""
    seats = [
        {(p.key, n): s.member for p in plan.patrols for n, s in enumerate(p.seats)}
        for plan in (one, other)
    ]
    return sum(seats[0].get(k) != seats[1].get(k) for k in seats[0].keys() | seats[1].keys())


class _Search:
    def __init__(
        self, problem: RosterProblem, before: RosterPlan, effort: Effort, progress: Progress
    ) -> None:
        self.agenda = Agenda(problem)
        self.before = before
        self.effort = effort
        self.progress = progress
        self.began = time.monotonic()
        self.stopped = False
        self.may_sit = eligible(self.agenda)
        self.sat = {
            (self.agenda.by_key[p.key].index, n): seat.member
            for p in before.patrols
            if p.key in self.agenda.by_key
            for n, seat in enumerate(p.seats)
            if seat.member is not None
        }
        self._walk_first_ones_first()
        self.roll = self._what_is_left()
        self.model = RosterModel(self.agenda, self.may_sit)

    def run(self) -> RosterPlan:
        """Go through the levels, each held before the next."""
        proven: dict[str, bool] = {}
        order: list[str] = [*BEFORE_CHANGES, "changes"]
        order += [level for level in LEVELS if level not in order]
        for n, level in enumerate(order):
            self._tell(level, n / len(order))
            proven[level] = self._level(level)
        return self._plan(proven)

    def _cost(self, level: str, roll: Roll) -> int:
        if level == "changes":
            return sum(
                roll.seated.get(place) != self.sat.get(place)
                for place in roll.seated.keys() | self.sat.keys()
            )
        return costs(roll)[level]

    def _objective(self, level: str) -> Any:  # noqa: ANN401 - an expression of CP-SAT
        if level != "changes":
            return self.model.objective(next(known for known in LEVELS if known == level))
        terms: list[Any] = []
        for place, taken in self.model.seat.items():
            had = self.sat.get(place)
            if had is None:
                terms += taken.values()
            elif had in taken:
                terms.append(1 - taken[had])
            else:
                terms.append(1)  # whoever sat there cannot stay: changed in any case
        return sum(terms)

    def _level(self, level: str) -> bool:
        """Improve one level from the best so far and hold it; return whether it is proven."""
        objective = self._objective(level)
        best = self._cost(level, self.roll)
        left = self.effort.seconds - (time.monotonic() - self.began)
        if best == 0 or self.stopped or left < 0.1 or self.progress.should_stop():
            self.stopped = self.stopped or best > 0
            self.model.cp.add(objective <= best)
            return best == 0
        self.model.hint(self.roll)
        self.model.cp.minimize(objective)
        solver = cp_model.CpSolver()
        p = solver.parameters
        p.catch_sigint_signal = False
        p.random_seed = self.effort.seed
        p.max_deterministic_time = max(0.05, self.effort.deterministic * SHARES.get(level, 0.1))
        p.max_time_in_seconds = left
        p.num_workers = self.effort.workers
        if self.effort.workers > 1:
            p.interleave_search = True  # the search that repeats with several workers
        else:
            p.linearization_level = 2
        with self._watched(solver):
            status = solver.solve(self.model.cp)
        self.model.cp.clear_objective()
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            found = self._read(solver)
            if self._cost(level, found) <= best:
                self.roll = found
        self.model.cp.add(objective <= self._cost(level, self.roll))
        return bool(status == cp_model.OPTIMAL)

    def _read(self, solver: cp_model.CpSolver) -> QuickRoll:
        roll = QuickRoll(self.agenda)
        for (index, seat), members in self.model.seat.items():
            for member, var in members.items():
                if solver.boolean_value(var):
                    roll.put(self.agenda.slots[index], seat, member)
        return roll

    @contextmanager
    def _watched(self, solver: cp_model.CpSolver) -> Iterator[None]:
        """Ask the watcher, from a thread beside the search, whether to stop."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(POLL_S):
                if self.progress.should_stop():
                    self.stopped = True
                    solver.stop_search()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _walk_first_ones_first(self) -> None:
        """Rename alike patrols of one demand so that those that go come first, as the model asks.

        An edit by hand may have left the second of two alike patrols and not the first; to rename
        them changes nobody's week. One with a lock keeps its name.
        """
        locked = {lock.patrol for lock in self.agenda.problem.locks}
        for _, group in groupby(self.agenda.slots, key=lambda s: id(s.demand)):
            slots = list(group)
            if len(slots) < 2 or any(slot.key in locked for slot in slots):
                continue
            seats = range(len(slots[0].type.seats))
            teams = [{n: self.sat.pop((slot.index, n), None) for n in seats} for slot in slots]
            teams.sort(key=lambda team: -sum(who is not None for who in team.values()))
            for slot, team in zip(slots, teams, strict=True):
                for n, member in team.items():
                    if member is not None:
                        self.sat[slot.index, n] = member

    def _what_is_left(self) -> QuickRoll:
        """Seat everybody who may stay, locks first, team by team; half a team goes home."""
        roll = QuickRoll(self.agenda)
        locked = {
            (self.agenda.by_key[k.patrol].index, k.seat): k.member
            for k in self.agenda.problem.locks
        }
        wanted = {**self.sat, **locked}
        first = {index for index, _ in locked}
        for slot in sorted(
            self.agenda.slots, key=lambda s: (s.index not in first, -s.importance, s.index)
        ):
            for seat in range(len(slot.type.seats)):
                member = wanted.get((slot.index, seat))
                if member is not None and self._may(roll, member, slot, seat):
                    roll.put(slot, seat, member)
            team = roll.team(slot)
            if team and not (roll.walked(slot) and self._stands(roll, slot)):
                for seat in range(len(slot.type.seats)):
                    if seat not in team and slot.type.seats[seat].required:
                        self._fill(roll, slot, seat)
            if not (roll.walked(slot) and self._stands(roll, slot)):
                for seat in roll.team(slot):
                    roll.take_away(slot, seat)
        return roll

    def _may(self, roll: Roll, member: str, slot: Slot, seat: int) -> bool:
        who = self.agenda.members[member]
        return (
            member in self.may_sit[slot.index, seat]
            and member not in roll.team(slot).values()
            and not any(rule.stops(roll, who, slot, seat) for rule in HARD)
        )

    def _fill(self, roll: Roll, slot: Slot, seat: int) -> None:
        """Seat the least loaded whom nobody else's week needs."""
        busy = {who for (index, _), who in self.sat.items() if index != slot.index
                and self.agenda.slots[index].day == slot.day}  # fmt: skip
        free = [
            m
            for m in self.may_sit[slot.index, seat]
            if m not in busy and self._may(roll, m, slot, seat)
        ]
        if free:
            roll.put(slot, seat, min(free, key=lambda m: (roll.load_bp(m), m)))

    @staticmethod
    def _stands(roll: Roll, slot: Slot) -> bool:
        return not any(rule.refuses_team(roll, slot) for rule in HARD)

    def _tell(self, level: str, fraction: float) -> None:
        known: Level | None = next((n for n in LEVELS if n == level), None)
        seconds = round(time.monotonic() - self.began, 1)
        empty = sum(
            (slot.index, n) not in self.roll.seated
            for slot in self.agenda.slots
            if slot.tier != "extra"
            for n in range(len(slot.type.seats))
        )
        self.progress.report(
            Step(
                level=known, cost=self._cost(level, self.roll), bound=0, gap=0.0,
                empty_seats=empty, fraction=fraction, seconds=seconds,
            )
        )  # fmt: skip

    def _plan(self, proven: dict[str, bool]) -> RosterPlan:
        """Return the plan; of what comes after the changes nothing is proven of the week at large."""
        outcomes, holds = [], True
        for level in LEVELS:
            cost = self._cost(level, self.roll)
            holds = holds and (level in BEFORE_CHANGES or cost == 0) and proven[level]
            bound = cost if holds else 0
            outcomes.append(
                LevelOutcome(
                    level=level, cost=cost, bound=bound, gap=gap_of(cost, bound),
                    proven=bound == cost,
                )
            )  # fmt: skip
        nothing = RosterPlan(
            problem="", status="found", patrols=(), empty_seats=(), requirements=(), loads=(),
            fairness=(), coverage_gaps=(), levels=tuple(outcomes), seed=self.effort.seed,
        )  # fmt: skip
        return plan_of_roll(self.roll, nothing)
