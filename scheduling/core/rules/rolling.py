"""Rolling windows: at most so many minutes in any so many days in a row, history included."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from scheduling.core.problem import Member, RollingLimit, Shift
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Count, Rule, Stop
from scheduling.core.slots import Agenda, Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class RollingMinutes(Rule):
    """任意连续若干天的工时上限; a window that reaches before the roster counts those days too."""

    key = "minutes_rolling"
    parameters = (
        "Limits.rolling",
        "RollingLimit.days",
        "RollingLimit.minutes",
        "Member.minutes_before",
    )
    says = (
        "任意连续若干天内的工时不超过上限，排班周之前的天数也计入",
        "no more minutes in any so many days in a row, those before the roster included",
    )
    counts_as = ("连续几天工时已满", "hours of so many days used up")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        for limit in member.limits.rolling:
            for first in range(slot.day - limit.days + 1, slot.day + 1):
                minutes = slot.shift.minutes + before(member, first)
                for other in roll.patrols[member.key]:
                    if first <= other.day < first + limit.days:
                        minutes += other.shift.minutes
                if minutes > limit.minutes:
                    return Stop(
                        self.key,
                        f"任意{limit.days}天内工时将超过上限{limit.minutes / 60:g}小时",
                        f"would work more than {limit.minutes / 60:g} hours in {limit.days} days",
                    )
        return None

    def counts(self, agenda: Agenda, member: Member) -> Iterator[Count]:
        """See Rule."""
        days = len(agenda.problem.days)
        longest = max((s.minutes for s in agenda.problem.shifts), default=0)
        for limit in member.limits.rolling:
            for first in range(1 - limit.days, days):
                most = max(0, limit.minutes - before(member, first))
                inside = min(days, first + limit.days) - max(0, first)
                if inside * longest <= most:
                    continue
                yield Count(f"{self.key} {limit.days} {first}", _within(first, limit.days), most)

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for member in model.problem.members:
            for limit in member.limits.rolling:
                self._post(model, member, limit)

    @staticmethod
    def _post(model: "RosterModel", member: Member, limit: RollingLimit) -> None:
        for first in range(1 - limit.days, len(model.problem.days)):
            inside = [
                slot.shift.minutes * var
                for slot, var in model.duties(member.key)
                if first <= slot.day < first + limit.days
            ]
            if inside:
                model.cp.add(sum(inside) <= max(0, limit.minutes - before(member, first)))


def _within(first: int, days: int) -> Callable[[int, Shift], int]:
    return lambda day, shift: shift.minutes if first <= day < first + days else 0


def before(member: Member, first: int) -> int:
    """Return the minutes worked before the roster from a day on (below 0: days before it)."""
    return sum(member.minutes_before[first:]) if first < 0 else 0
