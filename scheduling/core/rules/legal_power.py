"""Legal power: an enforcement patrol is led by an officer, and an auxiliary never goes alone.

An auxiliary works under an officer or beside others and never enforces alone (国务院办公厅
《关于规范公安机关警务辅助人员管理工作的意见》). Two auxiliaries together are still alone.
"""

from typing import TYPE_CHECKING

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel


class OfficerLeads(Rule):
    """执法巡逻由民警带班."""

    key = "officer_leads"
    static = True

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        leaders = roll.problem.law.enforcement_leaders
        if slot.type.enforcement and slot.type.seats[seat].leader and member.force not in leaders:
            return self._stop()
        return None

    def refuses_team(self, roll: Roll, slot: Slot) -> Stop | None:
        """See Rule."""
        if not slot.type.enforcement:
            return None
        leaders = roll.problem.law.enforcement_leaders
        led = any(seat.leader for seat in slot.type.seats)
        for seat, member in roll.team(slot).items():
            may_lead = slot.type.seats[seat].leader or not led
            if may_lead and roll.agenda.members[member].force in leaders:
                return None
        return self._stop()

    def _stop(self) -> Stop:
        return Stop(self.key, "执法巡逻须由民警带班", "only an officer leads an enforcement patrol")

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        for slot in model.agenda.slots:
            if not slot.type.enforcement:
                continue
            led = any(seat.leader for seat in slot.type.seats)
            officers = [
                var
                for n, seat in enumerate(slot.type.seats)
                if seat.leader or not led
                for member, var in model.seat[slot.index, n].items()
                if model.agenda.members[member].force in model.problem.law.enforcement_leaders
            ]
            model.cp.add(sum(officers) >= model.walked[slot.index])


class NeverAlone(Rule):
    """辅警不单独上勤."""

    key = "never_alone"

    def refuses_team(self, roll: Roll, slot: Slot) -> Stop | None:
        """See Rule."""
        forces = [roll.agenda.members[m].force for m in roll.team(slot).values()]
        lone = roll.problem.law.never_alone
        if forces and all(force in lone for force in forces):
            return Stop(
                self.key, "辅警不得单独执勤，须有其他力量同行", "auxiliaries never patrol alone"
            )
        return None

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        lone = model.problem.law.never_alone
        for slot in model.agenda.slots:
            taken = [
                (model.agenda.members[member].force, var)
                for n in range(len(slot.type.seats))
                for member, var in model.seat[slot.index, n].items()
            ]
            if any(force in lone for force, _ in taken):
                others = [var for force, var in taken if force not in lone]
                model.cp.add(sum(others) >= model.walked[slot.index])
