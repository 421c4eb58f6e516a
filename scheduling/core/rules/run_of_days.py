"""Days in a row: no longer run than the contract allows, counting the days before the roster."""

from typing import TYPE_CHECKING

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class RunOfDays(Rule):
    """连续上勤天数上限."""

    key = "run_of_days"
    parameters = (
        "Limits.run_days",
        "Member.run_before_days",
    )
    says = (
        "连续上勤不超过规定天数，排班周之前的天数也计入",
        "no more days in a row than so many, those before the roster included",
    )
    counts_as = ("连续上勤已满", "too many days in a row")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        worked = {s.day for s in roll.patrols[member.key]} | {slot.day}
        first = last = slot.day
        while first - 1 in worked:
            first -= 1
        while last + 1 in worked:
            last += 1
        run = last - first + 1 + (member.run_before_days if first == 0 else 0)
        limit = member.limits.run_days
        if run > limit:
            return Stop(
                self.key,
                f"将连续上勤{run}天，超过上限{limit}天",
                f"would work {run} days in a row, more than {limit}",
            )
        return None

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        days = len(model.problem.days)
        for member in model.problem.members:
            limit = member.limits.run_days
            worked = [model.works(member.key, day) for day in range(days)]
            for start in range(days - limit):
                model.cp.add(sum(worked[start : start + limit + 1]) <= limit)
            left = max(0, limit - member.run_before_days)
            if member.run_before_days and left < days:
                model.cp.add(sum(worked[: left + 1]) <= left)
