"""Rotation: not the same zone more than so many times a week."""

from typing import TYPE_CHECKING, Any

from scheduling.core.problem import WEEK_DAYS, Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class ZoneRotation(Rule):
    """同一巡区一周巡逻次数上限."""

    key = "zone_week"
    parameters = ("Limits.zone_week",)
    says = (
        "一周内在同一巡区的巡逻次数不超过上限（轮换）",
        "no more patrols in one zone a week than so many: zones are rotated",
    )
    counts_as = ("该巡区次数已满", "patrols in the zone used up")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        most = member.limits.zone_week
        if most is None:
            return None
        week = slot.day // WEEK_DAYS
        had = sum(
            other.zone is slot.zone and other.day // WEEK_DAYS == week
            for other in roll.patrols[member.key]
        )
        if had < most:
            return None
        return Stop(
            self.key,
            f"本周在{slot.zone.name}已排{had}次，上限{most}次",
            f"already has {had} of at most {most} patrols in {slot.zone.name} this week",
        )

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        most = {m.key: m.limits.zone_week for m in model.problem.members}
        if all(limit is None for limit in most.values()):
            return
        taken: dict[tuple[str, str, int], list[Any]] = {}
        for slot in model.agenda.slots:
            for n in range(len(slot.type.seats)):
                for member, var in model.seat[slot.index, n].items():
                    if most[member] is not None:
                        place = (member, slot.zone.key, slot.day // WEEK_DAYS)
                        taken.setdefault(place, []).append(var)
        for (member, _, _), variables in taken.items():
            limit = most[member]
            if limit is not None and len(variables) > limit:
                model.cp.add(sum(variables) <= limit)
