"""Weekly limits of the contract: minutes, patrols and nights, in each week of the roster."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from scheduling.core.problem import WEEK_DAYS, Limits, Member, Shift
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Count, Rule, Stop
from scheduling.core.slots import Agenda, Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class _Weekly(Rule):
    """A sum over a week with a limit."""

    zh: ClassVar[str]
    en: ClassVar[str]

    @abstractmethod
    def amount(self, agenda: Agenda, shift: Shift) -> int:
        """Return what one patrol adds."""

    @abstractmethod
    def limit(self, limits: Limits) -> int:
        """Return the most a week may hold."""

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        more = self.amount(roll.agenda, slot.shift)
        week = slot.day // WEEK_DAYS
        had = sum(
            self.amount(roll.agenda, other.shift)
            for other in roll.patrols[member.key]
            if other.day // WEEK_DAYS == week
        )
        limit = self.limit(member.limits)
        if more and had + more > limit:
            said = {"had": had, "limit": limit, "hours": limit / 60}
            return Stop(self.key, self.zh.format(**said), self.en.format(**said))
        return None

    def counts(self, agenda: Agenda, member: Member) -> Iterator[Count]:
        """See Rule."""
        for week in range(-(-len(agenda.problem.days) // WEEK_DAYS)):
            units = self._in_week(agenda, week)
            yield Count(f"{self.key} {week}", units, self.limit(member.limits))

    def _in_week(self, agenda: Agenda, week: int) -> Callable[[int, Shift], int]:
        return lambda day, shift: self.amount(agenda, shift) if day // WEEK_DAYS == week else 0

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for member in model.problem.members:
            weeks: dict[int, list[Any]] = {}
            for slot, var in model.duties(member.key):
                amount = self.amount(model.agenda, slot.shift)
                if amount:
                    weeks.setdefault(slot.day // WEEK_DAYS, []).append(amount * var)
            for terms in weeks.values():
                model.cp.add(sum(terms) <= self.limit(member.limits))


class WeeklyMinutes(_Weekly):
    """每周工时上限."""

    key = "minutes_week"
    parameters = ("Limits.minutes_week",)
    says = (
        "一周的工时不超过合同上限",
        "no more minutes a week than the contract allows",
    )
    counts_as = ("工时已满", "hours used up")
    zh = "本周工时将超过上限{hours:g}小时"
    en = "would work more than {hours:g} hours this week"

    def amount(self, agenda: Agenda, shift: Shift) -> int:
        """Return the minutes of the shift."""
        return shift.minutes

    def limit(self, limits: Limits) -> int:
        """Return minutes a week."""
        return limits.minutes_week


class WeeklyPatrols(_Weekly):
    """每周巡逻次数上限."""

    key = "patrols_week"
    parameters = ("Limits.patrols_week",)
    says = (
        "一周的巡逻次数不超过合同上限",
        "no more patrols a week than the contract allows",
    )
    counts_as = ("次数已满", "patrols used up")
    zh = "本周已排{had}次，达到上限{limit}次"
    en = "already has {had} of at most {limit} patrols this week"

    def amount(self, agenda: Agenda, shift: Shift) -> int:
        """Return 1."""
        return 1

    def limit(self, limits: Limits) -> int:
        """Return patrols a week."""
        return limits.patrols_week


class WeeklyNights(_Weekly):
    """每周夜班上限."""

    key = "nights_week"
    parameters = (
        "Limits.nights_week",
        "Law.night_after_min",
    )
    says = (
        "一周的夜班不超过合同上限",
        "no more nights a week than the contract allows",
    )
    counts_as = ("夜班已满", "nights used up")
    zh = "本周夜班已排{had}次，上限{limit}次"
    en = "already has {had} of at most {limit} nights this week"

    def amount(self, agenda: Agenda, shift: Shift) -> int:
        """Return 1 for a night patrol."""
        return int(agenda.is_night(shift))

    def limit(self, limits: Limits) -> int:
        """Return nights a week."""
        return limits.nights_week
