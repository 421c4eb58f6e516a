"""Leave, days off and hours in which a member cannot be asked."""

from scheduling.core.problem import DAY_MIN, Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot


class Leave(Rule):
    """请假: not a minute of a patrol falls on a day of leave, overnight ones included."""

    key = "leave"
    static = True
    parameters = ("Member.leave",)
    says = (
        "请假日没有一分钟巡逻，跨夜的班也算",
        "not a minute of a patrol falls on a day of leave, overnight ones included",
    )
    counts_as = ("请假", "on leave")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        for day in member.leave:
            if slot.start_min < (day + 1) * DAY_MIN and slot.end_min > day * DAY_MIN:
                return Stop(self.key, "请假", "on leave")
        return None


class DayOff(Rule):
    """固定休息日: no patrol starts on it."""

    key = "day_off"
    static = True
    parameters = ("Member.days_off",)
    says = (
        "固定休息日不出发",
        "no patrol starts on a day off",
    )
    counts_as = ("当日休息", "have the day off")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        if slot.day in member.days_off:
            return Stop(self.key, "当日为固定休息日", "has the day off")
        return None


class Unavailable(Rule):
    """不可排时段."""

    key = "unavailable"
    static = True
    parameters = (
        "Member.unavailable",
        "Absence.start_min",
        "Absence.end_min",
    )
    says = (
        "不可排的时段不排班",
        "no patrol falls into hours in which the member is not available",
    )
    counts_as = ("该时段不可排", "not available then")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        for absence in member.unavailable:
            if slot.start_min < absence.end_min and slot.end_min > absence.start_min:
                return Stop(self.key, "该时段不可排班", "is not available at these hours")
        return None
