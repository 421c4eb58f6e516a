"""Requirements from hotspots: so many walked patrols in the zone in the hours that count."""

from typing import TYPE_CHECKING

from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class Requirements(Wish):
    """落实热点巡逻要求: each missing visit costs the requirement's importance."""

    key = "requirements"
    level = "requirements"
    parameters = (
        "Requirement.visits",
        "Requirement.dwell_min",
        "Requirement.importance",
        "Requirement.zone",
        "Requirement.days",
        "Requirement.band_start_min",
        "Requirement.band_end_min",
    )
    says = (
        "热点巡逻要求的次数；每缺一次计重要度",
        "visits that a hotspot requires; each missing one costs the importance",
    )

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for requirement in model.problem.requirements:
            short = model.cp.new_int_var(0, requirement.visits, f"short {requirement.key}")
            made = [model.walked[s.index] for s in model.agenda.visits[requirement.key]]
            model.cp.add(short + sum(made) >= requirement.visits)
            found.append((requirement.importance, short))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        return sum(
            r.importance * max(0, r.visits - sum(roll.walked(s) for s in roll.agenda.visits[r.key]))
            for r in roll.problem.requirements
        )
