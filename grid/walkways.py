"""Walkways: the lines a patrol can walk, as imported or drawn."""

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Key, geometry


class Walkway(Base):
    """A line on the ground that can be walked in both directions."""

    __tablename__ = "walkway"
    __table_args__ = (
        UniqueConstraint("community_id", "source_key"),
        CheckConstraint("ST_IsValid(line) AND ST_NPoints(line) >= 2", name="line_valid"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    source_key: Mapped[str]
    kind: Mapped[str]
    """The OSM highway value or its like: footway, path, steps, service, residential …"""
    name: Mapped[str | None]
    line: Mapped[WKBElement] = mapped_column(geometry("LINESTRING"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)
