"""Grid cells (网格) and the patrol zones (巡区) made of them, with the days they are valid."""

from datetime import date

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grid.database import Base, Key, geometry


class PatrolZoneCell(Base):
    """Which grid cells a patrol zone is the union of."""

    __tablename__ = "patrol_zone_cell"

    zone_id: Mapped[int] = mapped_column(
        ForeignKey("patrol_zone.id", ondelete="CASCADE"), primary_key=True
    )
    cell_id: Mapped[int] = mapped_column(
        ForeignKey("grid_cell.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class GridCell(Base):
    """A grid cell: the 12 digits of its community and 3 of its own, kept for life.

    A border that moves makes a new row of the same code from that day on; the rows of one code
    never hold on the same day.
    """

    __tablename__ = "grid_cell"
    __table_args__ = (
        UniqueConstraint("code", "valid_from"),
        ExcludeConstraint(
            ("code", "="),
            (text("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_grid_cell_code_valid_once",
        ),
        CheckConstraint("code ~ '^[0-9]{15}$'", name="code_15_digits"),
        CheckConstraint("ST_IsValid(boundary)", name="boundary_valid"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity_forward"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), index=True
    )
    code: Mapped[str] = mapped_column(String(15))
    name: Mapped[str]
    boundary: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The first day on which the cell no longer holds."""
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class PatrolZone(Base):
    """A patrol zone: a contiguous union of grid cells that one team walks in one shift."""

    __tablename__ = "patrol_zone"
    __table_args__ = (
        UniqueConstraint("community_id", "code", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity_forward"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(
        ForeignKey("community.id", ondelete="CASCADE"), index=True
    )
    estate_id: Mapped[int | None] = mapped_column(ForeignKey("estate.id"))
    """The estate the zone lies in: whose property guards may patrol it."""
    code: Mapped[str]
    name: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    cells: Mapped[list[GridCell]] = relationship(secondary="patrol_zone_cell")
