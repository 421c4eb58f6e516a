"""Zone familiarity: somebody on every team knows the zone."""

from typing import TYPE_CHECKING

from scheduling.core.problem import Member, Zone
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class FamiliarTeam(Rule):
    """队伍中至少一人熟悉该巡区: by known zones or as the home zone."""

    key = "familiar_team"
    parameters = ("Law.familiar_team", "Member.known_zones", "Member.home_zone")
    says = (
        "每支队伍中至少有一人熟悉该巡区（熟悉的巡区或责任巡区）",
        "somebody on every team knows the zone, as one of the known zones or as the home zone",
    )
    counts_as = ("队伍中无人熟悉该巡区", "on a team that does not know the zone")

    def refuses_team(self, roll: Roll, slot: Slot) -> Stop | None:
        """See Rule."""
        if not roll.problem.law.familiar_team:
            return None
        team = roll.team(slot).values()
        if not team or any(_knows(roll.agenda.members[m], slot.zone) for m in team):
            return None
        return Stop(
            self.key,
            f"队伍中没有人熟悉{slot.zone.name}",
            f"nobody on the team knows {slot.zone.name}",
        )

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for slot in model.agenda.slots if model.problem.law.familiar_team else ():
            who_knows = [
                var
                for n in range(len(slot.type.seats))
                for member, var in model.seat[slot.index, n].items()
                if _knows(model.agenda.members[member], slot.zone)
            ]
            model.cp.add(sum(who_knows) >= model.walked[slot.index])


def _knows(member: Member, zone: Zone) -> bool:
    return zone.key in member.known_zones or member.home_zone == zone.key
