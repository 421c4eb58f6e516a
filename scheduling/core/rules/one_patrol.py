"""One patrol at a time, and so many a day (one, as the law's data say)."""

from typing import TYPE_CHECKING

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class OnePatrol(Rule):
    """一人同一时间只在一个巡逻."""

    key = "one_patrol"
    parameters = ("Law.patrols_per_day",)
    says = (
        "一人同一时间只在一个巡逻，一天不超过规定次数",
        "one patrol at a time, and no more a day than the law says",
    )
    counts_as = ("当日已有巡逻", "already on a patrol that day")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        others = [s for s in roll.patrols[member.key] if s.day == slot.day]
        if len(others) >= roll.problem.law.patrols_per_day:
            return Stop(
                self.key,
                f"当日已排{others[0].zone.name}{others[0].shift.name}",
                f"already walks {others[0].zone.name} {others[0].shift.name} that day",
            )
        for other in roll.patrols[member.key]:
            if slot.start_min < other.end_min and other.start_min < slot.end_min:
                return Stop(self.key, "同一时间已有巡逻", "already on a patrol at that time")
        return None

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        limit = model.problem.law.patrols_per_day
        for member in model.problem.members:
            for day in range(len(model.problem.days)):
                today = model.on_day(member.key, day)
                if len(today) > limit:
                    model.cp.add(sum(today) <= limit)
            if limit > 1 or model.problem.law.rest_min == 0:
                duties = model.duties(member.key)
                for n, (slot, var) in enumerate(duties):
                    for other, other_var in duties[n + 1 :]:
                        if other.start_min < slot.end_min:
                            model.cp.add(var + other_var <= 1)
