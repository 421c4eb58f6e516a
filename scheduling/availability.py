"""When a member can be asked: weekly hours that are closed, and wishes for and against days."""

from datetime import date, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grid.database import Base, Instant, Key
from grid.people import Member
from scheduling.core.problem import DAY_MIN, WEEK_DAYS, Absence


class MemberRequest(Base):
    """A member's wish (排班意愿): to be asked, or not, on a day, or in one shift of it."""

    __tablename__ = "member_request"
    __table_args__ = (
        UniqueConstraint(
            "member_id", "day", "shift_template_id", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("weight BETWEEN 1 AND 10", name="weight_in_ten"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    day: Mapped[date]
    shift_template_id: Mapped[int | None] = mapped_column(
        ForeignKey("shift_template.id", ondelete="CASCADE")
    )
    """Null is the whole day."""
    wants: Mapped[bool]
    """True: please; False: please not."""
    weight: Mapped[int] = mapped_column(default=5, server_default="5")
    """1 a little, 10 very much. A wish is weighed last and never breaks a rule."""
    asked_at: Mapped[Instant]


def absences(member: Member, first: date) -> tuple[Absence, ...]:
    """Return the closed hours of the week that starts on ``first``, in minutes of the roster.

    Those of the eve that run past midnight are there too: they close the first day's early hours.
    """
    found = set()
    for window in member.unavailable:
        weekdays, start, end = _window(window)
        for n in range(-1, WEEK_DAYS):
            if (first + timedelta(days=n)).isoweekday() in weekdays:
                begins, ends = n * DAY_MIN + start, n * DAY_MIN + end
                if ends > 0:
                    found.add((max(0, begins), ends))
    return tuple(Absence(start_min=start, end_min=end) for start, end in sorted(found))


def _window(stored: dict[str, object]) -> tuple[frozenset[int], int, int]:
    weekdays, start, end = stored["weekdays"], stored["start_min"], stored["end_min"]
    assert isinstance(weekdays, list)
    assert isinstance(start, int)
    assert isinstance(end, int)
    return frozenset(weekdays), start, end
