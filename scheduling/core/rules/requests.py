"""Preferences: members' wishes to be asked, or not, on a day or in a shift."""

from typing import TYPE_CHECKING

from scheduling.core.problem import Member, Request
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class Requests(Wish):
    """尽量照顾排班意愿: each wish that is not granted costs its weight, once."""

    key = "requests"
    level = "preferences"
    parameters = (
        "Request.day",
        "Request.shift",
        "Request.wants",
        "Request.weight",
    )
    says = (
        "照顾排班意愿；每个未满足的计其权重",
        "wishes to be asked or not; each one not granted costs its weight",
    )

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for member in model.problem.members:
            for request in member.requests:
                if request.shift is None:
                    works = model.works(member.key, request.day)
                else:
                    works = sum(
                        var
                        for slot, var in model.duties(member.key)
                        if (slot.day, slot.shift.key) == (request.day, request.shift)
                    )
                found.append((request.weight, 1 - works if request.wants else works))
        return found

    def seat_cost(self, member: Member, slot: Slot, seat: int) -> int:
        """See Wish: only what is not wished for; a day that is wished for is missed, not made."""
        return sum(r.weight for r in member.requests if not r.wants and _is_meant(r, slot))

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        return sum(
            request.weight
            for member in roll.problem.members
            for request in member.requests
            if any(_is_meant(request, slot) for slot in roll.patrols[member.key]) != request.wants
        )


def _is_meant(request: Request, slot: Slot) -> bool:
    return slot.day == request.day and request.shift in (None, slot.shift.key)
