"""Composition: a seat is for certain forces, and may ask for a qualification."""

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot


class SeatForce(Rule):
    """联动编组: who may take which seat of a patrol type."""

    key = "seat"
    static = True
    parameters = (
        "Seat.forces",
        "Seat.qualifications",
        "Seat.leader",
        "Seat.required",
        "Member.force",
        "Member.qualifications",
    )
    says = (
        "每个席位由规定的力量担任，并具备席位要求的资格（联动编组）",
        "a seat is taken by one of its forces, with the qualifications it asks for",
    )
    counts_as = ("缺少资格", "lack the qualification")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        wanted = slot.type.seats[seat]
        if member.force not in wanted.forces:
            return Stop(self.key, "不属于该席位要求的力量", "not of a force this seat is for")
        missing = [q for q in wanted.qualifications if q not in member.qualifications]
        if missing:
            return Stop(
                self.key,
                f"缺少资格：{'、'.join(missing)}",
                f"lacks the qualification {', '.join(missing)}",
            )
        return None
