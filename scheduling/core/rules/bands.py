"""Cover by zone and hours: at every moment of a band so many teams at least, and at most.

Soft, at the level of the ideal cover: which patrols are asked for, and when, is the demand's.
"""

from typing import TYPE_CHECKING

from scheduling.core.problem import DAY_MIN, CoverBand, RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Wish
from scheduling.core.slots import Agenda, Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


class BandCover(Wish):
    """时段内各时刻的队伍数: the worst moment of each day counts, too few and too many."""

    key = "bands"
    level = "cover_ideal"
    parameters = (
        "CoverBand.zone", "CoverBand.days", "CoverBand.start_min", "CoverBand.end_min",
        "CoverBand.least", "CoverBand.most", "CoverBand.importance",
    )  # fmt: skip
    says = (
        "巡区在时段内任一时刻的队伍数不少于下限、不多于上限；每日按最差时刻，每缺一队或多一队计重要度",
        "at any moment of a band a zone has so many teams at least and at most; of each day the worst "
        "moment counts, every team missing or too many costs the importance",
    )

    def asked(self, problem: RosterProblem) -> bool:
        """See Wish."""
        return bool(problem.bands)

    def terms(self, model: "RosterModel") -> list["Term"]:
        """See Wish."""
        found: list[Term] = []
        for band in model.problem.bands:
            for day in band.days:
                moments = _moments(model.agenda, band, day)
                short = model.cp.new_int_var(0, band.least, f"short {band.key} {day}")
                most = max(len(there) for there in moments)
                over = model.cp.new_int_var(0, most, f"over {band.key} {day}")
                for there in moments:
                    teams = sum(model.walked[slot.index] for slot in there)
                    model.cp.add(short >= band.least - teams)
                    if band.most is not None:
                        model.cp.add(over >= teams - band.most)
                found += [(band.importance, short), (band.importance, over)]
        return found

    def cost(self, roll: Roll) -> int:
        """See Wish."""
        total = 0
        for band in roll.problem.bands:
            for day in band.days:
                teams = [
                    sum(roll.walked(slot) for slot in there)
                    for there in _moments(roll.agenda, band, day)
                ]
                total += band.importance * max(0, band.least - min(teams))
                if band.most is not None:
                    total += band.importance * max(0, max(teams) - band.most)
        return total


def _moments(agenda: Agenda, band: CoverBand, day: int) -> list[list[Slot]]:
    """Return the patrols there may be at each moment of a day's band at which they change."""
    first, last = day * DAY_MIN + band.start_min, day * DAY_MIN + band.end_min
    near = [
        slot
        for slot in agenda.slots
        if slot.zone.key == band.zone and slot.start_min < last and slot.end_min > first
    ]
    times = {first, *(t for s in near for t in (s.start_min, s.end_min) if first < t < last)}
    return [[s for s in near if s.start_min <= t < s.end_min] for t in sorted(times)]
