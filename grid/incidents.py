"""Incidents (事件): what was reported, from where, about which place, and how it ended."""

from datetime import datetime
from enum import StrEnum

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant, Key, geometry


class Source(StrEnum):
    """Where an incident came from (来源)."""

    HOTLINE = "hotline"
    WECHAT = "wechat"
    H12345 = "h12345"
    P110 = "p110"
    SUPERIOR = "superior"
    PATROL = "patrol"
    STEWARD = "steward"
    DEVICE = "device"


class IncidentClass(StrEnum):
    """What an incident is: 警情, 治安案件, 隐患, 诉求, 矛盾纠纷."""

    POLICE_CALL = "police_call"
    SECURITY_CASE = "security_case"
    HAZARD = "hazard"
    REQUEST = "request"
    DISPUTE = "dispute"


class Urgency(StrEnum):
    """轻重缓急: 急事, 大事, 一般."""

    EMERGENCY = "emergency"
    MAJOR = "major"
    ROUTINE = "routine"


class IncidentState(StrEnum):
    """待受理, 已受理, 已派遣, 已处置, 已核查, 已结案."""

    REPORTED = "reported"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    HANDLED = "handled"
    VERIFIED = "verified"
    CLOSED = "closed"


class Provenance(StrEnum):
    """How an incident got its coordinate."""

    GIVEN = "given"
    ADDRESS = "address"
    MAP = "map"
    NONE = "none"


class Incident(Base):
    """One incident. (community, source, ticket_number) names it: importing it again changes nothing."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("community_id", "source", "ticket_number"),
        CheckConstraint(
            "source IN ('hotline','wechat','h12345','p110','superior','patrol','steward','device')",
            name="source_known",
        ),
        CheckConstraint(
            "incident_class IN ('police_call','security_case','hazard','request','dispute')",
            name="class_known",
        ),
        CheckConstraint("urgency IN ('emergency','major','routine')", name="urgency_known"),
        CheckConstraint(
            "state IN ('reported','accepted','dispatched','handled','verified','closed')",
            name="state_known",
        ),
        CheckConstraint("(location IS NULL) = (provenance = 'none')", name="location_explained"),
        Index("ix_incident_community_occurred", "community_id", "occurred_at"),
        Index("ix_incident_cell", "cell_id", "occurred_at"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    source: Mapped[str]
    ticket_number: Mapped[str]
    incident_class: Mapped[str]
    category: Mapped[str]
    """The kind within the class, in the words people use: 噪音扰民, 高空抛物, 占用消防通道 …"""
    urgency: Mapped[str] = mapped_column(default=Urgency.ROUTINE)
    state: Mapped[str] = mapped_column(default=IncidentState.REPORTED)
    description: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    location: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))
    provenance: Mapped[str] = mapped_column(default=Provenance.NONE)
    source_crs: Mapped[str] = mapped_column(default="EPSG:4326")
    building_id: Mapped[int | None] = mapped_column(ForeignKey("building.id", ondelete="SET NULL"))
    cell_id: Mapped[int | None] = mapped_column(ForeignKey("grid_cell.id", ondelete="SET NULL"))
    occurred_at: Mapped[Instant]
    reported_at: Mapped[Instant]
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    satisfied: Mapped[bool | None]
    """What the callback (回访) answered; null where nobody was asked."""
    patrol_id: Mapped[int | None]
    """The patrol that found it, where one did."""
    reported_by: Mapped[str | None] = mapped_column(index=True)
    """The account or program that entered it here; null for what came in with a batch."""
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class MediationCase(Base):
    """A dispute under mediation (调解案件) and how it ended."""

    __tablename__ = "mediation_case"
    __table_args__ = (UniqueConstraint("community_id", "number"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id", ondelete="SET NULL"))
    number: Mapped[str]
    level: Mapped[str]
    """grid_mediator, committee, mediation_room, judge_studio."""
    opened_at: Mapped[Instant]
    settled: Mapped[bool] = mapped_column(default=False, server_default="false")
    judicial_confirmation: Mapped[bool] = mapped_column(default=False, server_default="false")
