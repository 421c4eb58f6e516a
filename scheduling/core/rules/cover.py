"""Cover: the minimum first, then the ideal; an empty seat costs the importance of its demand."""

from typing import TYPE_CHECKING

from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class MinimumCover(Wish):
    """最低勤务: required seats of patrols that must be walked."""

    key = "cover_minimum"
    level = "cover_minimum"
    parameters = (
        "Demand.minimum",
        "Demand.importance",
    )
    says = (
        "最低勤务的必到席位；每个空缺计重要度",
        "required seats of the minimum cover; each empty one costs the importance",
    )

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        return [
            (
                slot.importance * sum(seat.required for seat in slot.type.seats),
                model.idle[slot.index],
            )
            for slot in model.agenda.slots
            if slot.tier == "minimum"
        ]

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        # Seat by seat: a draft edited by hand may hold half a team for a while.
        return sum(
            slot.importance
            * sum(
                seat.required and (slot.index, n) not in roll.seated
                for n, seat in enumerate(slot.type.seats)
            )
            for slot in roll.agenda.slots
            if slot.tier == "minimum" and not roll.walked(slot)
        )


class IdealCover(Wish):
    """理想勤务: ideal patrols, every optional seat, and no patrol added without need."""

    key = "cover_ideal"
    level = "cover_ideal"
    parameters = (
        "Demand.ideal",
        "Demand.extra",
        "Demand.importance",
    )
    says = (
        "理想勤务与可选席位；每个空缺计重要度，每次加巡计 1",
        "ideal patrols and optional seats; each empty one costs the importance, each extra patrol 1",
    )

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for slot in model.agenda.slots:
            if slot.tier == "extra":
                found.append((1, model.walked[slot.index]))
                continue
            for n, seat in enumerate(slot.type.seats):
                if not seat.required:
                    found.append((slot.importance, 1))
                    found += [(-slot.importance, v) for v in model.seat[slot.index, n].values()]
                elif slot.tier == "ideal":
                    found.append((slot.importance, model.idle[slot.index]))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        total = 0
        for slot in roll.agenda.slots:
            if slot.tier == "extra":
                total += roll.walked(slot)
                continue
            for n, seat in enumerate(slot.type.seats):
                wanted = not seat.required or slot.tier == "ideal"
                if wanted and (slot.index, n) not in roll.seated:
                    total += slot.importance
        return total
