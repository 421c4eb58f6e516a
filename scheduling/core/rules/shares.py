"""Shares of nights, weekends and holidays: each spread evenly within a force, beside the load."""

from typing import TYPE_CHECKING

from scheduling.core.problem import RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.fairness import LOAD_MAX_BP
from scheduling.core.rules.rule import Wish
from scheduling.core.slots import BP, Agenda, Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class EqualShares(Wish):
    """夜班、周末、节假日分摊均衡, in minutes of each ÷ available minutes."""

    key = "shares"
    level = "fairness"
    parameters = ("Shares.nights", "Shares.weekends", "Shares.holidays")
    says = (
        "同一力量内夜班、周末、节假日的工时按可用工时分摊均衡；各自的极差（万分比）乘以权重",
        "minutes of nights, weekends and holidays are even within a force pro rata to availability; "
        "each spread in basis points counts by its weight",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return problem.shares is not None

    @staticmethod
    def _kinds(agenda: Agenda) -> list[tuple[int, str]]:
        wanted = agenda.problem.shares
        if wanted is None:
            return []
        weights = (
            (wanted.nights, "night"),
            (wanted.weekends, "weekend"),
            (wanted.holidays, "holiday"),
        )
        return [(weight, kind) for weight, kind in weights if weight]

    @staticmethod
    def _counts(agenda: Agenda, slot: Slot, kind: str) -> bool:
        if kind == "night":
            return agenda.is_night(slot.shift)
        return agenda.problem.days[slot.day] == kind

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        agenda = model.agenda
        found: list[Term] = []
        for weight, kind in self._kinds(agenda):
            for n, (force, _, members) in enumerate(agenda.fairness_groups()):
                high = model.cp.new_int_var(0, LOAD_MAX_BP, f"high {kind} {force} {n}")
                low = model.cp.new_int_var(0, LOAD_MAX_BP, f"low {kind} {force} {n}")
                for member in members:
                    share = sum(
                        slot.shift.minutes * BP // member.available_min * var
                        for slot, var in model.duties(member.key)
                        if self._counts(agenda, slot, kind)
                    )
                    model.cp.add(share <= high)
                    model.cp.add(share >= low)
                spread = model.cp.new_int_var(0, LOAD_MAX_BP, f"spread {kind} {force} {n}")
                model.cp.add(spread == high - low)
                found.append((weight, spread))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        total = 0
        for weight, kind in self._kinds(roll.agenda):
            for _, _, members in roll.agenda.fairness_groups():
                shares = [
                    sum(
                        slot.shift.minutes * BP // member.available_min
                        for slot in roll.patrols[member.key]
                        if self._counts(roll.agenda, slot, kind)
                    )
                    for member in members
                ]
                total += weight * (max(shares) - min(shares))
        return total
