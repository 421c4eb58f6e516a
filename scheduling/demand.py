"""What is asked of a week: shift templates, patrol types, and requirements from hotspots."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant, Key


class ShiftTemplate(Base):
    """A shift (班次): start and end in minutes from midnight; an end past 1440 is the next day."""

    __tablename__ = "shift_template"
    __table_args__ = (
        UniqueConstraint("community_id", "code"),
        CheckConstraint("start_min BETWEEN 0 AND 1439", name="start_in_day"),
        CheckConstraint("end_min > start_min AND end_min <= start_min + 720", name="length_legal"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    code: Mapped[str]
    name: Mapped[str]
    start_min: Mapped[int]
    end_min: Mapped[int]
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    """ISO weekdays on which the shift is walked, 1 = Monday."""
    active: Mapped[bool] = mapped_column(default=True, server_default="true")


class PatrolType(Base):
    """A patrol type and its composition (联动编组 警+民+保) as data."""

    __tablename__ = "patrol_type"
    __table_args__ = (UniqueConstraint("community_id", "code"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    code: Mapped[str]
    name: Mapped[str]
    composition: Mapped[list[dict[str, object]]] = mapped_column(JSONB)
    """Seats in order: [{"forces": ["officer"], "leader": true}, …]; scheduling.core reads it."""
    enforcement: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Whether it enforces, and so is led by an officer; else it observes and reports."""
    duties: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, server_default="{}")
    """Codes of the duties it carries: with them the duty matrix shapes its composition."""
    active: Mapped[bool] = mapped_column(default=True, server_default="true")


class CoverDemand(Base):
    """The usual cover: how many patrols of a type a zone gets in a shift, at least and ideally."""

    __tablename__ = "cover_demand"
    __table_args__ = (
        UniqueConstraint("zone_id", "shift_template_id", "patrol_type_id", "minimum"),
        CheckConstraint("minimum >= 0 AND ideal >= minimum", name="ideal_over_minimum"),
        CheckConstraint("importance BETWEEN 1 AND 100", name="importance_in_percent"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("patrol_zone.id", ondelete="CASCADE"))
    shift_template_id: Mapped[int] = mapped_column(
        ForeignKey("shift_template.id", ondelete="CASCADE")
    )
    patrol_type_id: Mapped[int] = mapped_column(ForeignKey("patrol_type.id", ondelete="CASCADE"))
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    minimum: Mapped[int] = mapped_column(default=1)
    ideal: Mapped[int] = mapped_column(default=1)
    importance: Mapped[int] = mapped_column(default=5, server_default="5")
    """What orders the seats that stay empty: 1 the least, 100 the most."""


class PatrolRequirement(Base):
    """A patrol requirement raised from a hot place: so many visits a week, in these hours, until a day."""

    __tablename__ = "patrol_requirement"
    __table_args__ = (
        CheckConstraint("valid_to > valid_from", name="validity_forward"),
        CheckConstraint("visits_per_week BETWEEN 1 AND 21", name="visits_sensible"),
        CheckConstraint("band_end_min > band_start_min", name="band_forward"),
        CheckConstraint("num_nonnulls(building_id, cell_id, key_place_id) <= 1", name="one_place"),
        Index("ix_patrol_requirement_community_valid", "community_id", "valid_to"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    zone_id: Mapped[int] = mapped_column(ForeignKey("patrol_zone.id"))
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id", ondelete="SET NULL"))
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("grid_cell.id", ondelete="SET NULL"))
    key_place_id: Mapped[int | None] = mapped_column(
        ForeignKey("key_place.id", ondelete="SET NULL")
    )
    category: Mapped[str | None]
    """The incident category behind it: 噪音扰民 …"""
    band_start_min: Mapped[int]
    band_end_min: Mapped[int]
    """The hours that count, minutes from midnight; past 1440 is the next day."""
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    visits_per_week: Mapped[int]
    dwell_min: Mapped[int] = mapped_column(default=10)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    reason: Mapped[str]
    evidence: Mapped[dict[str, object]] = mapped_column(JSONB, default=dict)
    """The counts it was raised on: n, period, hours, last year."""
    raised_by: Mapped[str]
    raised_at: Mapped[Instant]
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default="false")
