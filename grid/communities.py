"""Communities and what stands in them: street offices, estates, employers, buildings."""

from datetime import date
from enum import StrEnum

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Key, geometry


class EstateKind(StrEnum):
    """What an estate (小区) was built as."""

    PUBLIC_RENTAL = "public_rental"
    RESETTLEMENT = "resettlement"
    FACTORY_QUARTER = "factory_quarter"
    COMMERCIAL = "commercial"
    OTHER = "other"


class StreetOffice(Base):
    """A street office (街道办), named by its 9-digit statistical code."""

    __tablename__ = "street_office"
    __table_args__ = (CheckConstraint("code ~ '^[0-9]{9}$'", name="code_9_digits"),)

    id: Mapped[Key]
    code: Mapped[str] = mapped_column(String(9), unique=True)
    name: Mapped[str]


class Community(Base):
    """A community (社区), named by its 12-digit statistical code; its boundary in WGS 84."""

    __tablename__ = "community"
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9]{12}$'", name="code_12_digits"),
        CheckConstraint("ST_IsValid(boundary)", name="boundary_valid"),
    )

    id: Mapped[Key]
    street_office_id: Mapped[int] = mapped_column(ForeignKey("street_office.id"))
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str]
    boundary: Mapped[WKBElement | None] = mapped_column(geometry("MULTIPOLYGON"))
    metric_srid: Mapped[int] = mapped_column(default=4544, server_default="4544")
    """The CGCS2000 3-degree zone in which areas and distances are measured."""


class Employer(Base):
    """A property firm (物业公司) whose guards patrol its own estates."""

    __tablename__ = "employer"
    __table_args__ = (UniqueConstraint("community_id", "name"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    name: Mapped[str]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class Estate(Base):
    """An estate (小区): a named part of the community, kept by at most one employer."""

    __tablename__ = "estate"
    __table_args__ = (
        UniqueConstraint("community_id", "name"),
        CheckConstraint("ST_IsValid(boundary)", name="boundary_valid"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"))
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default=EstateKind.OTHER)
    boundary: Mapped[WKBElement | None] = mapped_column(geometry("MULTIPOLYGON"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class Building(Base):
    """A building (楼栋): an element of the standard address, with counts, never persons."""

    __tablename__ = "building"
    __table_args__ = (
        UniqueConstraint("community_id", "source_key"),
        CheckConstraint("ST_IsValid(footprint)", name="footprint_valid"),
        CheckConstraint("households >= 0 AND residents >= 0", name="counts_not_negative"),
        Index("ix_building_estate_number", "estate_id", "number"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    estate_id: Mapped[int | None] = mapped_column(ForeignKey("estate.id"))
    source_key: Mapped[str]
    """What names this building in its source (an OSM id, a row's own key): makes import idempotent."""
    number: Mapped[str | None]
    """The building's number within its estate: the 3 of 3栋."""
    name: Mapped[str | None]
    use: Mapped[str] = mapped_column(default="residential", server_default="residential")
    floors: Mapped[int | None]
    units: Mapped[int] = mapped_column(default=1, server_default="1")
    """Stairwells (单元)."""
    households: Mapped[int] = mapped_column(default=0, server_default="0")
    residents: Mapped[int] = mapped_column(default=0, server_default="0")
    counts_estimated: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Whether households and residents are reckoned from the footprint, and nobody's count."""
    footprint: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class ImportBatch(Base):
    """One committed import: what came in together is undone together."""

    __tablename__ = "import_batch"

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    kind: Mapped[str]
    filename: Mapped[str]
    source_crs: Mapped[str]
    """The coordinate system the points came in, as chosen or known: EPSG:4490, GCJ-02, BD-09 …"""
    rows: Mapped[int]
    warnings: Mapped[int] = mapped_column(default=0, server_default="0")
    imported_on: Mapped[date]
    imported_by: Mapped[str] = mapped_column(default="", server_default="")
    undone: Mapped[bool] = mapped_column(default=False, server_default="false")
