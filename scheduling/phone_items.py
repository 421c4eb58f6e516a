"""What arrived from phones: one row per client id, so that everything arrives exactly once."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant


class PhoneItem(Base):
    """One thing a phone sent, and what was answered; a conflict keeps all that was sent."""

    __tablename__ = "phone_item"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('start','check_in','track','report','photo','alarm','end')",
            name="kind_known",
        ),
        CheckConstraint("state IN ('stored','conflict')", name="state_known"),
        Index("ix_phone_item_patrol", "patrol_id", "kind"),
        Index("ix_phone_item_community_server_at", "community_id", "server_at"),
    )

    client_id: Mapped[str] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    patrol_id: Mapped[int | None]
    """As the phone said it: the patrol may be gone since."""
    kind: Mapped[str]
    state: Mapped[str]
    flags: Mapped[list[str]] = mapped_column(JSONB, default=list)
    device_at: Mapped[Instant]
    """When it happened by the phone's clock."""
    server_at: Mapped[Instant]
    skew_s: Mapped[int]
    """How far the phone's clock was ahead of ours when it was sent, in seconds."""
    payload: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)
    """All that was sent where it could not be put in its place; empty otherwise."""
