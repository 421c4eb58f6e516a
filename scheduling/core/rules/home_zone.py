"""Preferences: a member walks the home zone where that costs nothing more important."""

from typing import TYPE_CHECKING

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class HomeZone(Wish):
    """优先安排责任巡区: each patrol outside it costs 1."""

    key = "home_zone"
    level = "preferences"
    parameters = ("Member.home_zone",)
    says = (
        "优先安排责任巡区；每次在外计 1",
        "the home zone where that costs nothing else; each patrol outside it costs 1",
    )

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        return [
            (1, var)
            for slot in model.agenda.slots
            for n in range(len(slot.type.seats))
            for member, var in model.seat[slot.index, n].items()
            if model.agenda.members[member].home_zone not in (None, slot.zone.key)
        ]

    def seat_cost(self, member: Member, slot: Slot, seat: int) -> int:
        """See Wish."""
        return int(member.home_zone not in (None, slot.zone.key))

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        slots = roll.agenda.slots
        return sum(
            roll.agenda.members[member].home_zone not in (None, slots[index].zone.key)
            for (index, _), member in roll.seated.items()
        )
