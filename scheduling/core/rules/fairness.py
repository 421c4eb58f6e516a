"""Fairness: the spread of load within each force, and within each firm of a force."""

from typing import TYPE_CHECKING

from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term

LOAD_MAX_BP = 30_000_000


class EqualLoad(Wish):
    """同一力量内负荷均衡, pro rata to availability and with what was carried over."""

    key = "fairness"
    level = "fairness"
    parameters = (
        "Member.available_min",
        "Member.carried_over_bp",
        "Weights.night_pct",
        "Weights.weekend_pct",
        "Weights.holiday_pct",
    )
    says = (
        "同一力量内加权工时按可用工时均衡，含以往结余；极差（万分比）之和",
        "weighted minutes are even within a force pro rata to availability, with what was carried over; the sum of spreads in basis points",
    )

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for n, (force, _, members) in enumerate(model.agenda.fairness_groups()):
            high = model.cp.new_int_var(-LOAD_MAX_BP, LOAD_MAX_BP, f"high {force} {n}")
            low = model.cp.new_int_var(-LOAD_MAX_BP, LOAD_MAX_BP, f"low {force} {n}")
            for member in members:
                load = member.carried_over_bp + sum(
                    model.agenda.load_bp(member, slot.day, slot.shift) * var
                    for slot, var in model.duties(member.key)
                )
                model.cp.add(load <= high)
                model.cp.add(load >= low)
            spread = model.cp.new_int_var(0, 2 * LOAD_MAX_BP, f"spread {force} {n}")
            model.cp.add(spread == high - low)
            found.append((1, spread))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        total = 0
        for _, _, members in roll.agenda.fairness_groups():
            loads = [roll.load_bp(m.key) for m in members]
            total += max(loads) - min(loads)
        return total
