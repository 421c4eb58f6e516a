"""Leave (请假): asked for by a member, decided by the team lead; only what is approved counts."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Key


class LeaveState(StrEnum):
    """待审批, 已批准, 未批准, 已撤回."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Leave(Base):
    """Leave of one member, first and last day included."""

    __tablename__ = "leave"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days_forward"),
        CheckConstraint("state IN ('asked','approved','refused','withdrawn')", name="state_known"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=LeaveState.APPROVED, server_default="approved")
    """What the lead enters is approved from the start."""
    asked_by: Mapped[str] = mapped_column(default="", server_default="")
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision: Mapped[str] = mapped_column(default="", server_default="")
    """Why it was refused, or what the lead adds."""
