"""The roster as a CP-SAT model: seats that may be taken, and what rules and wishes make of them.

A seat variable exists only where every static rule allows the member; the rest is the rules' own.
"""

from functools import cached_property
from itertools import groupby
from typing import Any

from ortools.sat.python import cp_model

from scheduling.core.plan import LEVELS, Level
from scheduling.core.problem import RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD, WISHES
from scheduling.core.slots import Agenda, Slot

Term = tuple[int, Any]
"""A coefficient, and a variable or the number 1."""


def eligible(agenda: Agenda) -> dict[tuple[int, int], list[str]]:
    """Return who may take each seat by the static rules: (slot index, seat) → member keys."""
    nobody = Roll(agenda)
    static = [rule for rule in HARD if rule.static]
    found = {}
    for slot in agenda.slots:
        for n in range(len(slot.type.seats)):
            found[slot.index, n] = [
                m.key
                for m in agenda.problem.members
                if not any(rule.stops(nobody, m, slot, n) for rule in static)
            ]
    return found


class RosterModel:
    """Variables of one problem. Rules read them; :meth:`objective` is a level's cost."""

    def __init__(self, agenda: Agenda, may_sit: dict[tuple[int, int], list[str]]) -> None:
        self.agenda = agenda
        self.problem: RosterProblem = agenda.problem
        self.cp = cp_model.CpModel()
        self.walked = [self.cp.new_bool_var(f"walked {s.key}") for s in agenda.slots]
        self.idle = [walked.negated() for walked in self.walked]
        self.seat: dict[tuple[int, int], dict[str, Any]] = {
            place: {m: self.cp.new_bool_var(f"{m} in {place}") for m in members}
            for place, members in may_sit.items()
        }
        self._duties = self._shift_variables()
        self._works: dict[tuple[str, int], Any] = {}
        for rule in HARD:
            rule.post(self)

    def _shift_variables(self) -> dict[str, list[tuple[Slot, Any]]]:
        """Make one variable per member, day and shift: whichever zone and seat it is."""
        sits: dict[tuple[str, int, str], list[Any]] = {}
        stands_for: dict[tuple[str, int, str], Slot] = {}
        for slot in self.agenda.slots:
            for n in range(len(slot.type.seats)):
                for member, var in self.seat[slot.index, n].items():
                    key = (member, slot.day, slot.shift.key)
                    sits.setdefault(key, []).append(var)
                    stands_for.setdefault(key, slot)
        found: dict[str, list[tuple[Slot, Any]]] = {m.key: [] for m in self.problem.members}
        for key, variables in sits.items():
            on_shift = self.cp.new_bool_var("{} on {} {}".format(*key))
            self.cp.add(sum(variables) == on_shift)
            found[key[0]].append((stands_for[key], on_shift))
        for duties in found.values():
            duties.sort(key=lambda duty: (duty[0].start_min, duty[0].end_min, duty[0].shift.key))
        return found

    def duties(self, member: str) -> list[tuple[Slot, Any]]:
        """Return (a slot standing for day and shift, variable) of a member, in order of start."""
        return self._duties[member]

    def on_day(self, member: str, day: int) -> list[Any]:
        """Return a member's shift variables of one day."""
        return [var for slot, var in self._duties[member] if slot.day == day]

    def works(self, member: str, day: int) -> Any:  # noqa: ANN401 - an expression of CP-SAT
        """Return 1 where the member works that day."""
        if self.problem.law.patrols_per_day == 1:
            return sum(self.on_day(member, day))
        if (member, day) not in self._works:
            worked = self.cp.new_bool_var(f"{member} works {day}")
            self.cp.add_max_equality(worked, [*self.on_day(member, day), 0])
            self._works[member, day] = worked
        return self._works[member, day]

    def slots_of_demand(self) -> list[list[Slot]]:
        """Return the slots of each demand, in order."""
        return [list(group) for _, group in groupby(self.agenda.slots, key=lambda s: id(s.demand))]

    @cached_property
    def _terms(self) -> dict[Level, list[Term]]:
        found: dict[Level, list[Term]] = {level: [] for level in LEVELS}
        for wish in WISHES:
            found[wish.level] += wish.terms(self)
        return found

    def objective(self, level: Level) -> Any:  # noqa: ANN401 - an expression of CP-SAT
        """Return a level's cost as a linear expression."""
        return sum(coefficient * variable for coefficient, variable in self._terms[level])

    def hint(self, roll: Roll) -> None:
        """Tell the search a whole roster to start from."""
        self.cp.clear_hints()
        for slot in self.agenda.slots:
            self.cp.add_hint(self.walked[slot.index], roll.walked(slot))
            for n in range(len(slot.type.seats)):
                sits = roll.seated.get((slot.index, n))
                for member, var in self.seat[slot.index, n].items():
                    self.cp.add_hint(var, member == sits)
        for member, duties in self._duties.items():
            on = {(slot.day, slot.shift.key) for slot in roll.patrols[member]}
            for slot, var in duties:
                self.cp.add_hint(var, (slot.day, slot.shift.key) in on)
