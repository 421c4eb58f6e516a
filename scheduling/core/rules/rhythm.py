"""Rhythm: no single days of work or rest, and no rest that never ends.

Soft, because each asks for more work or more rest than a week may have: a day's patrol that only
one person can walk would otherwise stay empty for the sake of its neighbours. What lies before
the roster counts where it is known, and a run at the roster's end may go on after it.
"""

from typing import TYPE_CHECKING, Any

from scheduling.core.problem import Member, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.promise import BROKEN
from scheduling.core.rules.rule import Wish

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class _Rhythm(Wish):
    """Days that break a rhythm, each for a broken promise."""

    level = "fairness"

    def wanted(self, member: Member) -> int:
        """Return how many days; 0 asks for nothing."""
        raise NotImplementedError

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return any(self.wanted(m) for m in problem.members)

    def patterns(self, member: Member, days: int) -> list[tuple[range, range]]:
        """Return each pattern that breaks it as (days worked, days free); day -1 is the eve."""
        raise NotImplementedError

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        days = len(model.problem.days)
        for member in model.problem.members:
            if not self.wanted(member):
                continue
            works: dict[int, Any] = {day: model.works(member.key, day) for day in range(days)}
            for n, (on, off) in enumerate(self.patterns(member, days)):
                broken = model.cp.new_bool_var(f"{self.key} {member.key} {n}")
                model.cp.add(
                    broken >= sum(works[d] for d in on) - sum(works[d] for d in off) - len(on) + 1
                )
                found.append((BROKEN, broken))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        broken = 0
        days = len(roll.problem.days)
        for member in roll.problem.members:
            if self.wanted(member):
                worked = {slot.day for slot in roll.patrols[member.key]}
                broken += sum(
                    worked.issuperset(on) and worked.isdisjoint(off)
                    for on, off in self.patterns(member, days)
                )
        return broken * BROKEN


class LeastRun(_Rhythm):
    """连续上勤天数下限."""

    key = "least_run_days"
    parameters = ("Limits.least_run_days", "Member.run_before_days")
    says = (
        f"上勤至少连续约定的天数；每段不足的计 {BROKEN}",
        f"days of work come at least so many in a row; each shorter run costs {BROKEN}",
    )

    def wanted(self, member: Member) -> int:
        """Return days in a row."""
        return member.limits.least_run_days if member.limits.least_run_days > 1 else 0

    def patterns(self, member: Member, days: int) -> list[tuple[range, range]]:
        """Return every run that is too short and ends within the roster."""
        least, before = self.wanted(member), member.run_before_days
        found = []
        for length in range(least):
            for first in range(days - length):
                if first == 0:
                    if 0 < before + length < least:
                        found.append((range(length), range(length, length + 1)))
                elif length:
                    run = range(first, first + length)
                    # The days on both sides are free: every second day of a wider range.
                    found.append((run, range(first - 1, first + length + 1, length + 1)))
        return found


class LeastOff(_Rhythm):
    """连续休息天数下限."""

    key = "least_off_days"
    parameters = ("Limits.least_off_days", "Member.run_before_days")
    says = (
        f"两段上勤之间至少连续休息约定的天数；每段不足的计 {BROKEN}",
        f"days off between work come at least so many in a row; each shorter rest costs {BROKEN}",
    )

    def wanted(self, member: Member) -> int:
        """Return days in a row."""
        return member.limits.least_off_days if member.limits.least_off_days > 1 else 0

    def patterns(self, member: Member, days: int) -> list[tuple[range, range]]:
        """Return every rest between two days of work that is too short."""
        found = []
        for length in range(1, self.wanted(member)):
            for first in range(days - length):
                off = range(first, first + length)
                if first > 0:
                    found.append((range(first - 1, first + length + 1, length + 1), off))
                elif member.run_before_days:
                    found.append((range(length, length + 1), off))
        return found


class MostOff(_Rhythm):
    """连续休息天数上限."""

    key = "most_off_days"
    parameters = ("Limits.most_off_days", "Member.leave")
    says = (
        f"连续休息不超过约定的天数（请假不算）；每多一天计 {BROKEN}",
        f"no more days off in a row than so many, leave aside; each day more costs {BROKEN}",
    )

    def wanted(self, member: Member) -> int:
        """Return days in a row."""
        return member.limits.most_off_days or 0

    def patterns(self, member: Member, days: int) -> list[tuple[range, range]]:
        """Return every window of one day more without a day of leave in it."""
        span = self.wanted(member) + 1
        return [
            (range(0), range(first, first + span))
            for first in range(days - span + 1)
            if not set(member.leave) & set(range(first, first + span))
        ]
