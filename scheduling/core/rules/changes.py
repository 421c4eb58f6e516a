"""Changes: where a roster stands already, as few seats as can be hold somebody else."""

from typing import TYPE_CHECKING

from scheduling.core.problem import RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class FewestChanges(Wish):
    """与原排班差别最少: each seat that holds another, nobody, or somebody anew costs 1."""

    key = "changes"
    level = "changes"
    parameters = ("RosterProblem.baseline",)
    says = (
        "与已有排班相比，换了人、空出或新坐人的席位每个计 1",
        "each seat that holds somebody else than in the roster that stands costs 1",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return bool(problem.baseline)

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        sat = model.agenda.sat
        found: list[Term] = []
        if not sat:
            return found
        for place, taken in model.seat.items():
            had = sat.get(place)
            if had is None:
                found += [(1, var) for var in taken.values()]
                continue
            found.append((1, 1))  # whoever sat there and cannot stay is a change in any case
            if had in taken:
                found.append((-1, taken[had]))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        sat = roll.agenda.sat
        if not sat:
            return 0
        return sum(
            roll.seated.get(place) != sat.get(place) for place in roll.seated.keys() | sat.keys()
        )
