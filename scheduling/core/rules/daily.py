"""Daily limits of the contract: minutes and patrols on one day, by the day they start on."""

from typing import TYPE_CHECKING

from scheduling.core.problem import Member, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.promise import BROKEN
from scheduling.core.rules.rule import Rule, Stop, Wish
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class DailyMinutes(Rule):
    """每日工时上限."""

    key = "minutes_day"
    parameters = ("Limits.minutes_day",)
    says = ("一天的工时不超过合同上限", "no more minutes on a day than the contract allows")
    counts_as = ("当日工时已满", "hours of the day used up")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        most = member.limits.minutes_day
        if most is None:
            return None
        had = sum(s.shift.minutes for s in roll.patrols[member.key] if s.day == slot.day)
        if had + slot.shift.minutes <= most:
            return None
        return Stop(
            self.key,
            f"当日工时将超过上限{most / 60:g}小时",
            f"would work more than {most / 60:g} hours that day",
        )

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for member in model.problem.members:
            most = member.limits.minutes_day
            if most is not None:
                for day in range(len(model.problem.days)):
                    today = [
                        s.shift.minutes * v for s, v in model.duties(member.key) if s.day == day
                    ]
                    model.cp.add(sum(today) <= most)


class DailyPatrols(Rule):
    """每日巡逻次数上限."""

    key = "patrols_day"
    parameters = ("Limits.patrols_day",)
    says = ("一天的巡逻次数不超过合同上限", "no more patrols on a day than the contract allows")
    counts_as = ("当日次数已满", "patrols of the day used up")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        most = member.limits.patrols_day
        if most is None or sum(s.day == slot.day for s in roll.patrols[member.key]) < most:
            return None
        return Stop(self.key, f"当日已达上限{most}次", f"at most {most} patrols a day")

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for member in model.problem.members:
            most = member.limits.patrols_day
            if most is not None:
                for day in range(len(model.problem.days)):
                    model.cp.add(sum(model.on_day(member.key, day)) <= most)


class LeastDaily(Wish):
    """上勤日的最少工时: a day that is worked for less costs a broken promise."""

    key = "least_minutes_day"
    level = "fairness"
    parameters = ("Limits.least_minutes_day",)
    says = (
        f"上勤的日子工时不低于约定；每个不足的日子计 {BROKEN}",
        f"a day that is worked at all is worked for so many minutes; each day that is not costs {BROKEN}",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return any(m.limits.least_minutes_day for m in problem.members)

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for member in model.problem.members:
            least = member.limits.least_minutes_day
            for day in range(len(model.problem.days)) if least else ():
                today = [(s, v) for s, v in model.duties(member.key) if s.day == day]
                minutes = sum(s.shift.minutes * v for s, v in today)
                short = model.cp.new_bool_var(f"{member.key} short on {day}")
                for _, var in today:
                    model.cp.add(minutes + least * short >= least * var)
                found.append((BROKEN, short))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        broken = 0
        for member in roll.problem.members:
            least = member.limits.least_minutes_day
            if least:
                minutes: dict[int, int] = {}
                for slot in roll.patrols[member.key]:
                    minutes[slot.day] = minutes.get(slot.day, 0) + slot.shift.minutes
                broken += sum(had < least for had in minutes.values())
        return broken * BROKEN
