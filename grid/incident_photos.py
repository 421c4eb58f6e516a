"""Photos of incidents, reduced on the phone; each found by the client id of the report it is of."""

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant, Key


class IncidentPhoto(Base):
    """A photo of a place (never of a person). It may arrive before its report does."""

    __tablename__ = "incident_photo"

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(unique=True)
    report_client_id: Mapped[str] = mapped_column(index=True)
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    taken_at: Mapped[Instant]
    sent_by: Mapped[str]
