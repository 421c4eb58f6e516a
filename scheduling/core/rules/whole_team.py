"""A patrol goes with every required seat filled, or nobody is sent."""

from itertools import pairwise
from typing import TYPE_CHECKING

from scheduling.core.rules.rule import Rule

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class WholeTeam(Rule):
    """必到席位齐了才出发."""

    key = "whole_team"
    parameters = ("Seat.required",)
    says = (
        "必到席位齐了才出发，否则整队不出",
        "a patrol goes with every required seat filled, or nobody is sent",
    )
    counts_as = ("必到席位未齐", "without a required seat")

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for slot in model.agenda.slots:
            walked = model.walked[slot.index]
            for n, seat in enumerate(slot.type.seats):
                taken = list(model.seat[slot.index, n].values())
                if seat.required:
                    model.cp.add(sum(taken) == walked)
                else:
                    model.cp.add(sum(taken) <= walked)
        if model.agenda.sat:
            return  # who sat where makes each patrol unlike the others
        locked = {lock.patrol for lock in model.problem.locks}
        for slots in model.slots_of_demand():
            # Patrols of one demand are alike, so the first ones are walked first; a lock on one
            # of them makes it unlike the others.
            if not any(slot.key in locked for slot in slots):
                for earlier, later in pairwise(slots):
                    model.cp.add_implication(model.walked[later.index], model.walked[earlier.index])
