"""The joint service team: members of six forces under contract, and the resident stewards."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Key


class Force(StrEnum):
    """Whom a member serves with (力量)."""

    OFFICER = "officer"
    AUXILIARY = "auxiliary"
    GRID_MEMBER = "grid_member"
    GUARD = "guard"
    GROUP_LEADER = "group_leader"
    VOLUNTEER = "volunteer"


class Member(Base):
    """A member of the joint service team and what the contract allows."""

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("community_id", "staff_number"),
        CheckConstraint(
            "force IN ('officer','auxiliary','grid_member','guard','group_leader','volunteer')",
            name="force_known",
        ),
        CheckConstraint("force <> 'guard' OR employer_id IS NOT NULL", name="guard_has_employer"),
        CheckConstraint("max_minutes_week >= 0 AND max_patrols_week >= 0", name="limits_positive"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    staff_number: Mapped[str]
    name: Mapped[str]
    force: Mapped[str]
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    home_zone_id: Mapped[int | None] = mapped_column(
        ForeignKey("patrol_zone.id", ondelete="SET NULL")
    )
    phone: Mapped[str | None] = mapped_column(String(32))
    qualifications: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    """leader (可带班), enforcement (执法资格), first_aid, trainee (见习: walks beside
    somebody who may go alone) …"""
    contract: Mapped[str] = mapped_column(default="full_time", server_default="full_time")
    """full_time or part_time."""
    max_minutes_week: Mapped[int] = mapped_column(default=2400, server_default="2400")
    max_patrols_week: Mapped[int] = mapped_column(default=5, server_default="5")
    max_nights_week: Mapped[int] = mapped_column(default=2, server_default="2")
    days_off: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    """ISO weekdays that are always free, 1 = Monday."""
    unavailable: Mapped[list[dict[str, object]]] = mapped_column(
        JSONB, default=list, server_default="[]"
    )
    """Hours in which the member cannot be asked: [{"weekdays": [1, 3], "start_min": 480,
    "end_min": 720}, …]; an end past 1440 lies in the next day."""
    active_from: Mapped[date | None]
    active_to: Mapped[date | None]
    """The first day on which the member no longer serves; the row stays for the rosters it is in."""
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    """Counts the changes, so that a form opened before somebody else's change is noticed."""
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class MemberBefore(Base):
    """What a member was before an import changed it: what undoing the batch goes back to."""

    __tablename__ = "member_before"
    __table_args__ = (UniqueConstraint("batch_id", "member_id"),)

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    before: Mapped[dict[str, object]] = mapped_column(JSONB)
    revision: Mapped[int]
    """The member's revision right after the import: a later change forbids undoing."""


class Steward(Base):
    """A resident steward (小管家): sees, reports, earns points; not rostered."""

    __tablename__ = "steward"
    __table_args__ = (UniqueConstraint("community_id", "number"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id", ondelete="SET NULL"))
    number: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str | None] = mapped_column(String(32))
    points: Mapped[int] = mapped_column(default=0, server_default="0")
