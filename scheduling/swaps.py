"""Swaps (换班): proposed by a member, accepted by the other, checked by rule, approved by the lead."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant, Key


class SwapState(StrEnum):
    """待对方答复, 待队长审批, 已换班, 对方不同意, 未批准, 已撤回, 已失效, 已过期."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    DECLINED = "declined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBSOLETE = "obsolete"
    EXPIRED = "expired"


OPEN = (SwapState.PROPOSED, SwapState.ACCEPTED)


class Swap(Base):
    """One proposal: my patrol against yours, or mine given to you.

    Patrols are named by week and key, as the roster's problem names them: a proposal outlives a
    new version of the week in which both still sit where they sat.
    """

    __tablename__ = "swap"
    __table_args__ = (
        CheckConstraint(
            "state IN ('proposed','accepted','approved','declined','refused','withdrawn',"
            "'obsolete','expired')",
            name="state_known",
        ),
        CheckConstraint("asker_id <> other_id", name="two_members"),
        Index("ix_swap_community_week", "community_id", "week_start"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    week_start: Mapped[date]
    asker_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    asker_patrol: Mapped[str]
    """Key of the asker's patrol."""
    other_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    other_patrol: Mapped[str | None]
    """Key of the other's patrol; null where the asker's is given away."""
    begins_at: Mapped[Instant]
    """Start of the earlier of the patrols: from then on the proposal has expired."""
    note: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=SwapState.PROPOSED)
    asked_by: Mapped[str]
    asked_at: Mapped[Instant]
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision: Mapped[str] = mapped_column(default="")
    """Why it was declined or refused, or has lapsed."""
    roster_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("roster_version.id", ondelete="SET NULL")
    )
    """The version that the swap, once approved, made."""
