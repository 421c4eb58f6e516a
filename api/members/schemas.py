"""Members as programs see them; telephone numbers are masked."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from grid.member_words import masked_phone, ordered
from grid.people import Force, Member
from grid.team import MemberFacts


class Window(BaseModel):
    """Hours in which a member cannot be asked."""

    model_config = ConfigDict(extra="forbid")

    weekdays: list[int] = Field(min_length=1, max_length=7)
    """ISO weekdays on which they begin."""
    start_min: int = Field(ge=0, lt=1440)
    end_min: int = Field(gt=0, le=2880)
    """Past 1440 is the next day."""


class MemberIn(BaseModel):
    """What is said of a member."""

    model_config = ConfigDict(extra="forbid")

    staff_number: str = Field(min_length=1, max_length=32)
    name: str = Field(min_length=1, max_length=40)
    force: Force
    employer_id: int | None = Field(default=None, ge=1, le=2**62)
    home_zone_id: int | None = Field(default=None, ge=1, le=2**62)
    phone: str | None = Field(default=None, max_length=20)
    qualifications: list[str] = Field(default=[], max_length=12)
    contract: str = "full_time"
    max_minutes_week: int = Field(default=2400, ge=0, le=3600)
    max_patrols_week: int = Field(default=5, ge=0, le=14)
    max_nights_week: int = Field(default=2, ge=0, le=7)
    days_off: list[int] = Field(default=[], max_length=6)
    unavailable: list[Window] = Field(default=[], max_length=20)
    active_from: date | None = None
    active_to: date | None = None

    def facts(self) -> MemberFacts:
        """Return the facts as the books hold them."""
        said = self.model_dump(mode="python")
        return MemberFacts(
            **said
            | {
                "force": self.force.value,
                "qualifications": ordered(self.qualifications),
                "days_off": tuple(sorted(set(self.days_off))),
                "unavailable": tuple(w.model_dump() for w in self.unavailable),
            }
        )


class MemberChangeIn(MemberIn):
    """A change of a member: made on the revision that was read."""

    revision: int = Field(ge=1, le=2**31 - 1)

    def facts(self) -> MemberFacts:
        """Return the facts without the revision."""
        return MemberIn.model_validate(self.model_dump(exclude={"revision"})).facts()


class MemberOut(BaseModel):
    """A member of the team."""

    id: int
    revision: int
    staff_number: str
    name: str
    force: Force
    employer: str | None
    home_zone: str | None
    phone_masked: str
    qualifications: list[str]
    contract: str
    max_minutes_week: int
    max_patrols_week: int
    max_nights_week: int
    days_off: list[int]
    unavailable: list[Window]
    active_from: date | None
    active_to: date | None


def member_out(member: Member, employer: str | None, zone: str | None) -> MemberOut:
    """Return a member as a program sees them."""
    same = {
        name: getattr(member, name)
        for name in MemberOut.model_fields
        if name not in {"employer", "home_zone", "phone_masked"}
    }
    return MemberOut(
        **same, employer=employer, home_zone=zone, phone_masked=masked_phone(member.phone)
    )
