"""Employer and estate: a property guard patrols the employer's own estates unless lent."""

from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules.rule import Rule, Stop
from scheduling.core.slots import Slot


class OwnEstate(Rule):
    """保安只在本公司服务的小区巡逻（借调除外）."""

    key = "estate"
    static = True
    parameters = (
        "Law.estate_bound",
        "Member.employer",
        "Member.lent_to",
        "Zone.employers",
    )
    says = (
        "物业保安只在本公司服务的小区巡逻，借调除外",
        "a guard patrols the estates of the employer, unless lent",
    )
    counts_as = ("不在本物业服务的小区", "not at their employer's estate")

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """See Rule."""
        if (
            member.force in roll.problem.law.estate_bound
            and member.employer not in slot.zone.employers
            and slot.zone.key not in member.lent_to
        ):
            return Stop(
                self.key,
                f"{slot.zone.name}不在其所属物业的服务范围",
                f"{slot.zone.name} is not kept by the employer",
            )
        return None
