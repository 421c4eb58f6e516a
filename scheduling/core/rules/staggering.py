"""Staggering (错时巡逻): no long gap in a zone, and no start that can be learned by watching.

What is decided here is only which of the patrols that were asked for are walked, where hands or
requirements leave a choice that costs no cover: that closes gaps and varies starts. When patrols
start, and how many there are, is the demand's (shifts and cover); where everything asked for is
walked, nothing is left to decide, and the cost says what the demand itself leaves open.
"""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from scheduling.core.figures import coverage_gaps
from scheduling.core.problem import DAY_MIN, WEEK_DAYS, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish
from scheduling.core.slots import Agenda, Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class GapBound(Wish):
    """每个巡区每天的空档不超过上限: each minute over the bound costs 1."""

    key = "gap_bound"
    level = "staggering"
    parameters = ("Staggering.gap_max_min",)
    says = (
        "每个巡区每天最长的空档不超过上限；超出的每一分钟计 1",
        "no zone is without a team for longer than the bound on any day; each minute over it costs 1",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return problem.staggering is not None and problem.staggering.gap_max_min is not None

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish: a gap lies between an end (or the day's begin) and a start (or its end)."""
        problem = model.problem
        if problem.staggering is None or problem.staggering.gap_max_min is None:
            return []
        bound = problem.staggering.gap_max_min
        first, last = problem.patrol_day_start_min, problem.patrol_day_end_min
        found: list[Term] = []
        for (zone, day), spans in _spans(model.agenda).items():
            over = model.cp.new_int_var(0, max(0, last - first - bound), f"over {zone} {day}")
            begins = {first, *(end for _, end, _ in spans if first < end < last)}
            ends = {last, *(start for start, _, _ in spans if first < start < last)}
            for begin in begins:
                for end in ends:
                    if end - begin > bound:
                        inside = [
                            model.walked[slot.index]
                            for start, stop, slot in spans
                            if start < end and stop > begin
                        ]
                        model.cp.add(over >= (end - begin - bound) * (1 - sum(inside)))
            found.append((1, over))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        asked = roll.problem.staggering
        if asked is None or asked.gap_max_min is None:
            return 0
        return sum(max(0, gap.gap_min - asked.gap_max_min) for gap in coverage_gaps(roll))


def _spans(agenda: Agenda) -> dict[tuple[str, int], list[tuple[int, int, Slot]]]:
    """Return (start, end, patrol) by zone and day, in the day's minutes; every zone and day is there."""
    problem = agenda.problem
    days = range(len(problem.days))
    found: dict[tuple[str, int], list[tuple[int, int, Slot]]] = {
        (zone.key, day): [] for zone in problem.zones for day in days
    }
    for slot in agenda.slots:
        start, end = slot.shift.start_min, slot.shift.end_min
        found[slot.zone.key, slot.day].append((start, end, slot))
        if end > DAY_MIN and slot.day + 1 in days:
            found[slot.zone.key, slot.day + 1].append((0, end - DAY_MIN, slot))
    return found


class SameStart(Wish):
    """同一巡区不总在同一时刻出发: each day over so many of a week costs as minutes of a gap."""

    key = "same_start"
    level = "staggering"
    parameters = ("Staggering.same_start_days", "Staggering.same_start_counts_min")
    says = (
        "同一巡区一周内在同一时刻出发的天数不超过上限；每超一天按设定的分钟数计",
        "teams start at one minute in a zone on no more than so many days a week; "
        "each day over it costs the minutes it is said to count",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return problem.staggering is not None and problem.staggering.same_start_days is not None

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        asked = model.problem.staggering
        if asked is None or asked.same_start_days is None:
            return []
        starts: dict[tuple[str, int, int], dict[int, list[Any]]] = {}
        for slot in model.agenda.slots:
            place = (slot.zone.key, slot.shift.start_min, slot.day // WEEK_DAYS)
            walked = model.walked[slot.index]
            starts.setdefault(place, {}).setdefault(slot.day, []).append(walked)
        found: list[Term] = []
        for place, days in starts.items():
            if len(days) <= asked.same_start_days:
                continue
            over = model.cp.new_int_var(0, WEEK_DAYS, f"over same start {place}")
            started = []
            for day, patrols in days.items():
                begun = model.cp.new_bool_var(f"start {place} {day}")
                for walked in patrols:
                    model.cp.add_implication(walked, begun)
                started.append(begun)
            model.cp.add(over >= sum(started) - asked.same_start_days)
            found.append((asked.same_start_counts_min, over))
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        asked = roll.problem.staggering
        if asked is None or asked.same_start_days is None:
            return 0
        days: dict[tuple[str, int, int], set[int]] = defaultdict(set)
        for slot in roll.agenda.slots:
            if roll.walked(slot):
                days[slot.zone.key, slot.shift.start_min, slot.day // WEEK_DAYS].add(slot.day)
        over = sum(max(0, len(each) - asked.same_start_days) for each in days.values())
        return over * asked.same_start_counts_min
