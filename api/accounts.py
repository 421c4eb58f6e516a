"""Who may sign in: accounts, their sessions, service tokens, and the throttle on guessing."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grid.database import Base, Instant, Key


class Role(StrEnum):
    """What an account may do: 队长, 队员, 街道办, 管理员, 审计员, 程序."""

    TEAM_LEAD = "team_lead"
    PATROLLER = "patroller"
    STREET_OFFICE = "street_office"
    ADMIN = "admin"
    AUDITOR = "auditor"
    SERVICE = "service"


class Account(Base):
    """A person's sign-in. The password is kept as an argon2 hash only."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(
            "role IN ('team_lead','patroller','street_office','admin','auditor','service')",
            name="role_known",
        ),
        CheckConstraint("role <> 'patroller' OR member_id IS NOT NULL", name="patroller_is_member"),
    )

    id: Mapped[Key]
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    community_id: Mapped[int | None] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    locale: Mapped[str] = mapped_column(default="zh", server_default="zh")
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignedInSession(Base):
    """A browser that is signed in. Only the hash of its cookie is kept."""

    __tablename__ = "session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    csrf_token: Mapped[str]
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    account: Mapped[Account] = relationship(lazy="joined")


class ServiceToken(Base):
    """A program's key (服务令牌): shown once, kept as a hash, revocable."""

    __tablename__ = "service_token"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    created_at: Mapped[Instant]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignInThrottle(Base):
    """Failed sign-ins from one address, so that guessing many names is slow too."""

    __tablename__ = "sign_in_throttle"

    address: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    window_started_at: Mapped[Instant]
