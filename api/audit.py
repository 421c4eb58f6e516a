"""The audit log (审计日志): appended to, never changed; the database itself refuses edits."""

from datetime import UTC, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Instant, Key


class AuditEntry(Base):
    """Who did what to which thing, when and from where."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_at", "at"),)

    id: Mapped[Key]
    at: Mapped[Instant]
    actor: Mapped[str]
    action: Mapped[str]
    """A dotted verb: sign_in.ok, roster.publish, incident.export …"""
    target: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    community_id: Mapped[int | None] = mapped_column(ForeignKey("community.id"))
    details: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    target: str,
    address: str = "",
    community_id: int | None = None,
    details: dict[str, object] | None = None,
) -> None:
    """Append one entry in the caller's transaction: the act and its record stand or fall together."""
    session.add(
        AuditEntry(
            at=datetime.now(UTC),
            actor=actor,
            action=action,
            target=target,
            address=address,
            community_id=community_id,
            details=details or {},
        )
    )
