"""Rest: at least 11 hours between two patrols, over the border of the week too."""

from typing import TYPE_CHECKING, Any

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class Rest(Rule):
    """两次勤务之间至少休息 11 小时."""

    key = "rest"
    parameters = (
        "Law.rest_min",
        "Member.last_end_min",
    )
    says = (
        "两次勤务之间的休息不少于规定时间，跨周也算",
        "so much rest between two patrols, over the border of the week too",
    )
    counts_as = ("休息不足", "too little rest")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        rest = roll.problem.law.rest_min
        if self._after_last_week(member, slot, rest):
            return self._stop(rest, "上周最后一次勤务", "the last patrol of the week before")
        for other in roll.patrols[member.key]:
            if slot.start_min < other.end_min + rest and other.start_min < slot.end_min + rest:
                when = roll.problem.date_of(other.day)
                return self._stop(
                    rest,
                    f"{when.month}月{when.day}日{other.shift.name}",
                    f"{other.shift.name} on {when.isoformat()}",
                )
        return None

    @staticmethod
    def _after_last_week(member: Member, slot: Slot, rest: int) -> bool:
        return member.last_end_min is not None and slot.start_min < member.last_end_min + rest

    def _stop(self, rest: int, zh: str, en: str) -> Stop:
        return Stop(
            self.key,
            f"与{zh}之间休息不足{rest / 60:g}小时",
            f"less than {rest / 60:g} hours of rest from {en}",
        )

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        rest = model.problem.law.rest_min
        one_a_day = model.problem.law.patrols_per_day == 1
        for member in model.problem.members:
            duties = model.duties(member.key)
            for n, (slot, var) in enumerate(duties):
                if self._after_last_week(member, slot, rest):
                    model.cp.add(var == 0)
                close: dict[int, list[Any]] = {}
                for other, other_var in duties[n + 1 :]:
                    if other.start_min < slot.end_min + rest and not (
                        one_a_day and other.day == slot.day
                    ):
                        close.setdefault(other.day, []).append(other_var)
                for others in close.values():
                    if one_a_day:  # those of one day exclude each other: one clause holds all
                        model.cp.add(var + sum(others) <= 1)
                    else:
                        for other_var in others:
                            model.cp.add(var + other_var <= 1)
