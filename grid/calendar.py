"""The working calendar: which days are worked, as data that the team lead can edit."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant, Key


class DayKind(StrEnum):
    """What a day is (工作日 / 周末 / 法定节假日 / 调休上班)."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    COMPENSATORY_WORKDAY = "compensatory_workday"


class CalendarDay(Base):
    """One day of the calendar. A year with no rows is unknown, and that is said."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('workday','weekend','holiday','compensatory_workday')", name="kind_known"
        ),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str | None]
    source: Mapped[str] = mapped_column(default="chinesecalendar")


class CalendarEdit(Base):
    """One edit of a day by a person, with what the day was before: it can be taken back."""

    __tablename__ = "calendar_edit"

    id: Mapped[Key]
    day: Mapped[date] = mapped_column(index=True)
    kind_before: Mapped[str | None]
    """None where the day's year was unknown."""
    name_before: Mapped[str | None]
    source_before: Mapped[str | None]
    kind: Mapped[str]
    name: Mapped[str | None]
    reason: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[Instant]
    undone_by: Mapped[str | None]
    undone_at: Mapped[Instant | None]
