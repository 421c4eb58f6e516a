"""Which shift may follow which on the next day: forbidden successions, and orders that are kept."""

from typing import TYPE_CHECKING, Any

from scheduling.core.problem import Member, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.promise import BROKEN
from scheduling.core.rules.rule import Rule, Stop, Wish
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class ForbiddenSuccession(Rule):
    """某班次的次日不得上另一班次, over the border of the week too."""

    key = "forbidden_succession"
    parameters = ("Law.forbidden_successions", "Member.shift_before")
    says = (
        "上过某班次的次日不得上被禁止衔接的班次，跨周也算",
        "a shift is never worked on the day after one that it may not follow, over the week's border too",
    )
    counts_as = ("班次衔接被禁止", "barred by the shift of the day before or after")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        forbidden = roll.agenda.forbidden
        if not forbidden:
            return None
        here = slot.shift.key
        if slot.day == 0 and (member.shift_before, here) in forbidden:
            return self._stop("上周日", "the Sunday before")
        for other in roll.patrols[member.key]:
            there = other.shift.key
            if (other.day == slot.day - 1 and (there, here) in forbidden) or (
                other.day == slot.day + 1 and (here, there) in forbidden
            ):
                when = roll.problem.date_of(other.day)
                return self._stop(
                    f"{when.month}月{when.day}日{other.shift.name}",
                    f"{other.shift.name} on {when.isoformat()}",
                )
        return None

    def _stop(self, zh: str, en: str) -> Stop:
        return Stop(self.key, f"与{zh}的班次不得衔接", f"the shift may not go with {en}")

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        forbidden = model.agenda.forbidden
        for member in model.problem.members if forbidden else ():
            duties = model.duties(member.key)
            for slot, var in duties:
                if slot.day == 0 and (member.shift_before, slot.shift.key) in forbidden:
                    model.cp.add(var == 0)
                for other, other_var in duties:
                    if other.day == slot.day + 1 and (slot.shift.key, other.shift.key) in forbidden:
                        model.cp.add(var + other_var <= 1)


class OnlyAfter(Wish):
    """某班次只排在指定班次的次日: each time it is not costs a broken promise."""

    key = "only_after"
    level = "fairness"
    parameters = ("Law.only_after", "Member.shift_before")
    says = (
        f"某班次只排在指定班次的次日；每次不符计 {BROKEN}",
        f"a shift is worked only on the day after one of those named; each time it is not costs {BROKEN}",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return bool(problem.law.only_after)

    @staticmethod
    def _firsts(problem: RosterProblem) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for succession in problem.law.only_after:
            found.setdefault(succession.then, set()).add(succession.first)
        return found

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        firsts = self._firsts(model.problem)
        found: list[Term] = []
        for member in model.problem.members if firsts else ():
            on: dict[tuple[int, str], Any] = {
                (slot.day, slot.shift.key): var for slot, var in model.duties(member.key)
            }
            for (day, shift), var in on.items():
                if shift not in firsts or (day == 0 and member.shift_before in firsts[shift]):
                    continue
                broken = model.cp.new_bool_var(f"{member.key} {shift} {day} out of order")
                before = [on[day - 1, f] for f in firsts[shift] if (day - 1, f) in on]
                model.cp.add(broken >= var - sum(before))
                found.append((BROKEN, broken))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        firsts = self._firsts(roll.problem)
        broken = 0
        for member in roll.problem.members if firsts else ():
            worked = {(slot.day, slot.shift.key) for slot in roll.patrols[member.key]}
            if member.shift_before is not None:
                worked.add((-1, member.shift_before))
            broken += sum(
                shift in firsts and not any((day - 1, f) in worked for f in firsts[shift])
                for day, shift in worked
                if day >= 0
            )
        return broken * BROKEN
