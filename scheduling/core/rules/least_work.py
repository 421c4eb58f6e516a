"""Least work: the minutes and patrols a week that a contract promises, where the week has them.

Soft, because a quiet week or a crowded team has no work for everybody, and a seat is never filled
twice. A week in which the member has leave promises nothing.
"""

from typing import TYPE_CHECKING, ClassVar

from scheduling.core.problem import WEEK_DAYS, Member, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.promise import BROKEN, MINUTE_SHORT
from scheduling.core.rules.rule import Wish
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class _LeastWork(Wish):
    """A sum over a week that should reach so much."""

    level = "fairness"
    each: ClassVar[int]

    def least(self, member: Member) -> int:
        """Return what a week should hold."""
        raise NotImplementedError

    def amount(self, slot: Slot) -> int:
        """Return what one patrol adds."""
        raise NotImplementedError

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return any(self.least(m) for m in problem.members)

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for member in model.problem.members:
            least = self.least(member)
            for week in _weeks(model.problem, member) if least else ():
                short = model.cp.new_int_var(0, least, f"{self.key} {member.key} {week}")
                made = sum(
                    self.amount(slot) * var
                    for slot, var in model.duties(member.key)
                    if slot.day // WEEK_DAYS == week
                )
                model.cp.add(short + made >= least)
                found.append((self.each, short))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        total = 0
        for member in roll.problem.members:
            least = self.least(member)
            for week in _weeks(roll.problem, member) if least else ():
                made = sum(
                    self.amount(slot)
                    for slot in roll.patrols[member.key]
                    if slot.day // WEEK_DAYS == week
                )
                total += max(0, least - made)
        return total * self.each


def _weeks(problem: RosterProblem, member: Member) -> list[int]:
    """Return the whole weeks of the roster in which the member has no leave."""
    away = {day // WEEK_DAYS for day in member.leave}
    return [week for week in range(len(problem.days) // WEEK_DAYS) if week not in away]


class LeastMinutes(_LeastWork):
    """每周最少工时."""

    key = "least_minutes_week"
    parameters = ("Limits.least_minutes_week",)
    says = (
        f"没有请假的一周，工时尽量达到合同约定；每缺一分钟计 {MINUTE_SHORT}",
        f"a week without leave reaches the contract's minutes; each one missing costs {MINUTE_SHORT}",
    )
    each = MINUTE_SHORT

    def least(self, member: Member) -> int:
        """Return minutes a week."""
        return member.limits.least_minutes_week

    def amount(self, slot: Slot) -> int:
        """Return the minutes of the shift."""
        return slot.shift.minutes


class LeastPatrols(_LeastWork):
    """每周最少巡逻次数."""

    key = "least_patrols_week"
    parameters = ("Limits.least_patrols_week",)
    says = (
        f"没有请假的一周，巡逻次数尽量达到合同约定；每缺一次计 {BROKEN}",
        f"a week without leave reaches the contract's patrols; each one missing costs {BROKEN}",
    )
    each = BROKEN

    def least(self, member: Member) -> int:
        """Return patrols a week."""
        return member.limits.least_patrols_week

    def amount(self, slot: Slot) -> int:
        """Return 1."""
        return 1
