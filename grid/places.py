"""Key places (重点部位) and the checkpoints (必到点) a patrol must reach. Places, never persons."""

from geoalchemy2 import WKBElement
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Key, geometry


class KeyPlace(Base):
    """A place that needs watching: a garage, a fire lane, a roof, a gate, the riverside."""

    __tablename__ = "key_place"
    __table_args__ = (UniqueConstraint("community_id", "source_key"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    estate_id: Mapped[int | None] = mapped_column(ForeignKey("estate.id"))
    source_key: Mapped[str]
    kind: Mapped[str]
    """garage, fire_lane, roof, gate, riverside, square, warehouse, police_room, other."""
    name: Mapped[str]
    location: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)


class Checkpoint(Base):
    """A stop that a route must visit, and how long to stay."""

    __tablename__ = "checkpoint"
    __table_args__ = (
        UniqueConstraint("community_id", "code"),
        CheckConstraint("dwell_min BETWEEN 0 AND 120", name="dwell_sensible"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    key_place_id: Mapped[int | None] = mapped_column(ForeignKey("key_place.id"))
    code: Mapped[str]
    name: Mapped[str]
    location: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    dwell_min: Mapped[int] = mapped_column(default=2, server_default="2")
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("import_batch.id"), index=True)
