"""Stored rosters: versions in their states, the patrols of a version, and who walks each."""

from datetime import date, datetime
from enum import StrEnum

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grid.database import Base, Instant, Key, geometry


class RosterState(StrEnum):
    """草稿, 已审核, 已发布, 已锁定."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    PUBLISHED = "published"
    LOCKED = "locked"


class RosterVersion(Base):
    """One version of a week's roster, with the problem it answers and what was proven of it."""

    __tablename__ = "roster_version"
    __table_args__ = (
        UniqueConstraint("community_id", "week_start", "number"),
        CheckConstraint("EXTRACT(ISODOW FROM week_start) = 1", name="starts_on_monday"),
        CheckConstraint("state IN ('draft','reviewed','published','locked')", name="state_known"),
        CheckConstraint("NOT what_if OR state = 'draft'", name="what_if_stays_draft"),
        Index(
            "uq_roster_version_one_published",
            "community_id",
            "week_start",
            unique=True,
            postgresql_where=text("state IN ('published','locked')"),
        ),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    week_start: Mapped[date]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default=RosterState.DRAFT)
    problem: Mapped[dict[str, object]] = mapped_column(JSONB)
    plan: Mapped[dict[str, object]] = mapped_column(JSONB)
    job_id: Mapped[str | None] = mapped_column(unique=True)
    """The solving job that made it: a job taken up again finds its version and makes no second."""
    violations: Mapped[int]
    """Hard violations by the independent checker."""
    created_by: Mapped[str]
    created_at: Mapped[Instant]
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When the draft was sent for review: from then on the street office reads it."""
    reviewed_by: Mapped[str | None]
    published_by: Mapped[str | None]
    what_if: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """A question asked of a roster (假设方案): never anything but a draft, the database says so."""
    made_from_id: Mapped[int | None] = mapped_column(
        ForeignKey("roster_version.id", ondelete="SET NULL")
    )
    """The version it was copied or solved from."""
    title: Mapped[str] = mapped_column(default="", server_default="")
    """What was asked, for a what-if."""
    patrols: Mapped[list["Patrol"]] = relationship(
        back_populates="roster", cascade="all, delete-orphan", passive_deletes=True
    )


class Patrol(Base):
    """A patrol (巡逻): one team in one zone for one shift, with seats that may be empty."""

    __tablename__ = "patrol"
    __table_args__ = (Index("ix_patrol_roster_day", "roster_version_id", "day"),)

    id: Mapped[Key]
    roster_version_id: Mapped[int] = mapped_column(
        ForeignKey("roster_version.id", ondelete="CASCADE")
    )
    key: Mapped[str]
    """The patrol's key in problem and plan."""
    day: Mapped[date]
    shift_template_id: Mapped[int] = mapped_column(ForeignKey("shift_template.id"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("patrol_zone.id"))
    patrol_type_id: Mapped[int] = mapped_column(ForeignKey("patrol_type.id"))
    start_min: Mapped[int]
    """Minutes from the day's midnight, community-local."""
    end_min: Mapped[int]
    empty_seats: Mapped[int] = mapped_column(default=0)
    roster: Mapped[RosterVersion] = relationship(back_populates="patrols")
    assignments: Mapped[list["Assignment"]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True
    )


class Assignment(Base):
    """A member on a patrol (派班), with the leader flag (带班)."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("patrol_id", "member_id"),)

    id: Mapped[Key]
    patrol_id: Mapped[int] = mapped_column(ForeignKey("patrol.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    seat: Mapped[int]
    leader: Mapped[bool] = mapped_column(default=False)


class RosterEdit(Base):
    """One edit of a draft by hand, with what takes it back; undone ones wait to be done again."""

    __tablename__ = "roster_edit"
    __table_args__ = (UniqueConstraint("roster_version_id", "number"),)

    id: Mapped[Key]
    roster_version_id: Mapped[int] = mapped_column(
        ForeignKey("roster_version.id", ondelete="CASCADE")
    )
    number: Mapped[int]
    kind: Mapped[str]
    """move, swap, place, remove, lock, unlock, sick, call_in, relax, drop."""
    seats: Mapped[list[list[object]]] = mapped_column(JSONB)
    """Every seat that changed: patrol, seat, who sat there, who sits there now."""
    before: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)
    """The parts of the problem that changed, as they were."""
    after: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)
    levels_before: Mapped[list[object]] = mapped_column(JSONB)
    """What was proven of each level by the search, as far as it still held."""
    levels_after: Mapped[list[object]] = mapped_column(JSONB)
    undone: Mapped[bool] = mapped_column(default=False)
    made_by: Mapped[str]
    made_at: Mapped[Instant]


class PatrolRoute(Base):
    """The walk of one patrol: its line in WGS 84 and its numbered stops."""

    __tablename__ = "patrol_route"

    id: Mapped[Key]
    patrol_id: Mapped[int] = mapped_column(ForeignKey("patrol.id", ondelete="CASCADE"), unique=True)
    line: Mapped[WKBElement | None] = mapped_column(geometry("LINESTRING"))
    """Null where there is nothing to walk on, or nowhere to walk to."""
    length_m: Mapped[int]
    minutes: Mapped[int]
    stops: Mapped[list[dict[str, object]]] = mapped_column(JSONB)
    """In order: kind (checkpoint, requirement, risk), id, name, lon, lat, arrive_min, dwell_min,
    required. ``arrive_min`` counts from the patrol day's midnight."""
    unreached: Mapped[list[dict[str, object]]] = mapped_column(JSONB, default=list)
    """Required stops that could not be reached, each with the minutes missing and a sentence."""
    notes: Mapped[list[list[str]]] = mapped_column(JSONB, default=list)
    """What a reader should know, each in Chinese and English."""


class CheckIn(Base):
    """A check-in (打卡) at a stop of a patrol; its client id makes it arrive once."""

    __tablename__ = "check_in"

    id: Mapped[Key]
    client_id: Mapped[str] = mapped_column(unique=True)
    patrol_id: Mapped[int] = mapped_column(ForeignKey("patrol.id", ondelete="CASCADE"), index=True)
    checkpoint_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))
    stop: Mapped[str]
    """The stop's key in the walk: checkpoint:7, requirement:3, risk:41."""
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    device_at: Mapped[Instant]
    """By the phone's clock, as it came."""
    server_at: Mapped[Instant]
    skew_s: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How far the phone's clock was ahead of ours when it was sent, in seconds."""
    method: Mapped[str] = mapped_column(default="tap", server_default="tap")
    """qr, gps, or tap where the phone knew no place."""
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    """Where the phone was, WGS 84; forgotten after 30 days."""
    distance_m: Mapped[int | None]
    """How far the phone was from the stop."""
    flags: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """What is odd about it (never a refusal): far, forged_code, revoked_code, clock …"""
