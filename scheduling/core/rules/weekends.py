"""Weekends: how many of four, how many in a row, and worked whole or not at all.

A weekend is the Saturday and Sunday of a week of the roster, less a day that the calendar makes a
compensatory workday (调休上班). It is worked when a patrol starts on one of its days.
"""

from typing import TYPE_CHECKING, Any

from scheduling.core.problem import Member, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.promise import BROKEN
from scheduling.core.rules.rule import Rule, Stop, Wish
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term

FOUR = 4


class _Weekends(Rule):
    """Of so many weekends in a row, no more than so many are worked."""

    zh: str
    en: str

    def limit(self, member: Member) -> tuple[int, int] | None:
        """Return (weekends in a row, the most of them that are worked)."""
        raise NotImplementedError

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        limit = self.limit(member)
        if limit is None:
            return None
        weekends = roll.agenda.weekends
        here = next((n for n, days in enumerate(weekends) if slot.day in days), None)
        if here is None:
            return None
        days = {other.day for other in roll.patrols[member.key]} | {slot.day}
        had = len(member.weekends_before)
        worked = [*member.weekends_before, *(bool(days & set(weekend)) for weekend in weekends)]
        span, most = limit
        for first in range(max(0, had + here - span + 1), had + here + 1):
            if sum(worked[first : first + span]) > most:
                return Stop(self.key, self.zh.format(most=most), self.en.format(most=most))
        return None

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for member in model.problem.members:
            limit = self.limit(member)
            if limit is None:
                continue
            span, most = limit
            had = len(member.weekends_before)
            worked: list[Any] = [
                *member.weekends_before,
                *(works(model, member, days) for days in model.agenda.weekends),
            ]
            for last in range(had, len(worked)):
                window = range(max(0, last - span + 1), last + 1)
                past = sum(bool(worked[n]) for n in window if n < had)
                inside = [worked[n] for n in window if n >= had]
                model.cp.add(sum(inside) <= max(0, most - past))


def works(model: "RosterModel", member: Member, days: tuple[int, ...]) -> Any:  # noqa: ANN401 - an expression of CP-SAT
    """Return a variable that is 1 where a member works on one of the days."""
    worked = model.cp.new_bool_var(f"{member.key} works on {days}")
    for day in days:
        for var in model.on_day(member.key, day):
            model.cp.add_implication(var, worked)
    return worked


class WeekendsInFour(_Weekends):
    """四个周末中上勤周末数上限."""

    key = "weekends_in_four"
    parameters = ("Limits.weekends_in_four", "Member.weekends_before")
    says = (
        "任意连续四个周末中，上勤的周末不超过上限，本周之前的周末也计入",
        "of any four weekends in a row no more than so many are worked, those before included",
    )
    counts_as = ("周末已满", "weekends used up")
    zh = "四个周末中上勤将超过上限{most}个"
    en = "would work more than {most} of four weekends"

    def limit(self, member: Member) -> tuple[int, int] | None:
        """Return four, and the contract's most."""
        most = member.limits.weekends_in_four
        return None if most is None else (FOUR, most)


class WeekendsInARow(_Weekends):
    """连续上勤周末数上限."""

    key = "weekends_row"
    parameters = ("Limits.weekends_row", "Member.weekends_before")
    says = (
        "连续上勤的周末不超过上限，本周之前的周末也计入",
        "no more weekends in a row are worked than so many, those before included",
    )
    counts_as = ("连续周末已满", "too many weekends in a row")
    zh = "连续上勤周末将超过上限{most}个"
    en = "would work more than {most} weekends in a row"

    def limit(self, member: Member) -> tuple[int, int] | None:
        """Return one more than the contract's most, and the most."""
        most = member.limits.weekends_row
        return None if most is None else (most + 1, most)


class CompleteWeekends(Wish):
    """周末要么两天都上勤，要么都休息: half a weekend costs a broken promise."""

    key = "complete_weekends"
    level = "fairness"
    parameters = ("Limits.complete_weekends",)
    says = (
        f"周末两天要么都上勤，要么都休息；每个只上一天的周末计 {BROKEN}",
        f"both days of a weekend are worked, or neither; each half weekend costs {BROKEN}",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return any(m.limits.complete_weekends for m in problem.members)

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for member in model.problem.members:
            if not member.limits.complete_weekends:
                continue
            for days in model.agenda.weekends:
                if len(days) == 2:
                    half = model.cp.new_bool_var(f"{member.key} half weekend {days}")
                    one, other = (model.works(member.key, day) for day in days)
                    model.cp.add(half >= one - other)
                    model.cp.add(half >= other - one)
                    found.append((BROKEN, half))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        broken = 0
        for member in roll.problem.members:
            if member.limits.complete_weekends:
                days = {slot.day for slot in roll.patrols[member.key]}
                broken += sum(
                    len(weekend) == 2 and len(days & set(weekend)) == 1
                    for weekend in roll.agenda.weekends
                )
        return broken * BROKEN
