"""Photos of incidents, reduced on the phone; each found by the client id of the report it is of."""

from sqlalchemy import ForeignKey, LargeBinary, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Instant, Key
from grid.incidents import Incident


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


def photos_of(session: Session, incident_id: int) -> list[int]:
    """Return the ids of an incident's photos, in the order they were taken.

    A photo knows its report by the report's client id, which the incident keeps as its ticket.
    """
    return list(
        session.scalars(
            select(IncidentPhoto.id)
            .join(
                Incident,
                (Incident.ticket_number == "phone-" + IncidentPhoto.report_client_id)
                & (Incident.community_id == IncidentPhoto.community_id),
            )
            .where(Incident.id == incident_id)
            .order_by(IncidentPhoto.taken_at, IncidentPhoto.id)
        )
    )
