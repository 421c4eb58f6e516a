"""Legal power: an enforcement patrol is led by an officer; auxiliaries and trainees never go alone.

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
    parameters = (
        "Law.enforcement_leaders",
        "PatrolType.enforcement",
    )
    says = (
        "执法巡逻由民警带班",
        "only an officer leads an enforcement patrol",
    )
    counts_as = ("须由民警带班", "only an officer leads")

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
    """辅警、见习队员不单独上勤."""

    key = "never_alone"
    parameters = (
        "Law.never_alone",
        "Member.never_alone",
    )
    says = (
        "辅警和见习队员不单独上勤，须有可单独上勤的人同行",
        "auxiliaries and trainees walk beside somebody who may go alone",
    )
    counts_as = ("不得单独执勤", "never alone")

    def refuses_team(self, roll: Roll, slot: Slot) -> Stop | None:
        """See Rule."""
        team = [roll.agenda.members[m] for m in roll.team(slot).values()]
        if not team or any(roll.agenda.may_go_alone(member) for member in team):
            return None
        if any(member.never_alone for member in team):
            return Stop(
                self.key,
                "见习队员不得单独执勤，须有可单独上勤的队员同行",
                "trainees never patrol alone",
            )
        return Stop(
            self.key, "辅警不得单独执勤，须有其他力量同行", "auxiliaries never patrol alone"
        )

    def post(self, model: "RosterModel") -> None:
        """See Rule."""
        alone = {m.key: model.agenda.may_go_alone(m) for m in model.problem.members}
        for slot in model.agenda.slots:
            taken = [
                (alone[member], var)
                for n in range(len(slot.type.seats))
                for member, var in model.seat[slot.index, n].items()
            ]
            if not all(may for may, _ in taken):
                others = [var for may, var in taken if may]
                model.cp.add(sum(others) >= model.walked[slot.index])
