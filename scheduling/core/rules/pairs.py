"""Pairs: two who always walk together, and two who never do."""

from typing import TYPE_CHECKING, Any

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class Apart(Rule):
    """两人不同组."""

    key = "apart"
    parameters = ("Pair.one", "Pair.other", "Pair.kind")
    says = ("约定不同组的两人不在同一次巡逻", "two who are kept apart are never on one patrol")
    counts_as = ("与不同组的人同队", "kept apart from somebody on the team")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        never = roll.agenda.apart.get(member.key)
        if not never:
            return None
        for other in roll.team(slot).values():
            if other in never:
                return self._stop(roll, member.key, other)
        return None

    def refuses_team(self, roll: Roll, slot: Slot) -> Stop | None:
        """See Rule."""
        if not roll.agenda.apart:
            return None
        team = set(roll.team(slot).values())
        for one in sorted(team):
            for other in sorted(team & roll.agenda.apart.get(one, set())):
                return self._stop(roll, one, other)
        return None

    def _stop(self, roll: Roll, one: str, other: str) -> Stop:
        names = [roll.agenda.members[key].name for key in (one, other)]
        return Stop(
            self.key,
            f"{names[0]}与{names[1]}约定不同组",
            f"{names[0]} and {names[1]} are kept apart",
        )

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for slot in model.agenda.slots if model.agenda.apart else ():
            for pair in model.problem.pairs:
                if pair.kind == "apart":
                    one, other = (_on(model, slot, key) for key in (pair.one, pair.other))
                    if one and other:
                        model.cp.add(sum(one) + sum(other) <= 1)


class Together(Rule):
    """两人总在同组: a team with one of them and without the other does not go."""

    key = "together"
    parameters = ("Pair.one", "Pair.other", "Pair.kind")
    says = (
        "约定同组的两人只一起巡逻：一人不能来，另一人也不上勤",
        "two who walk together never walk without each other: where one cannot, neither does",
    )
    counts_as = ("同组的人不在队中", "without the other one of a pair")

    def refuses_team(self, roll: Roll, slot: Slot) -> Stop | None:
        """See Rule."""
        together = roll.agenda.together
        if not together:
            return None
        team = set(roll.team(slot).values())
        for one in sorted(team):
            for other in sorted(together.get(one, set()) - team):
                names = [roll.agenda.members[key].name for key in (one, other)]
                return Stop(
                    self.key,
                    f"{names[0]}须与{names[1]}同组",
                    f"{names[0]} walks only together with {names[1]}",
                )
        return None

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for slot in model.agenda.slots if model.agenda.together else ():
            for pair in model.problem.pairs:
                if pair.kind == "together":
                    one, other = (_on(model, slot, key) for key in (pair.one, pair.other))
                    if one or other:
                        model.cp.add(sum(one) == sum(other))


def _on(model: "RosterModel", slot: Slot, member: str) -> list[Any]:
    """Return the variables of a member's seats on a patrol."""
    return [
        taken[member]
        for n in range(len(slot.type.seats))
        for taken in [model.seat[slot.index, n]]
        if member in taken
    ]
