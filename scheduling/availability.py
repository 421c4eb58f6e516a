"""When a member can be asked: weekly hours that are closed, and wishes for and against days."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Instant, Key
from grid.errors import DomainError, NotFound
from grid.people import Member
from scheduling.core.problem import DAY_MIN, WEEK_DAYS, Absence, Request
from scheduling.demand import ShiftTemplate

WISHES_AHEAD_DAYS = 92
WISHES_MAX = 40


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


def requests_of_week(
    session: Session, community_id: int, first: date
) -> dict[int, tuple[Request, ...]]:
    """Return the wishes of the week that starts on ``first``, by member id.

    A wish for a shift that is no longer walked falls away.
    """
    rows = session.execute(
        select(MemberRequest, ShiftTemplate.code)
        .join(Member, Member.id == MemberRequest.member_id)
        .outerjoin(ShiftTemplate, ShiftTemplate.id == MemberRequest.shift_template_id)
        .where(
            Member.community_id == community_id,
            MemberRequest.day.between(first, first + timedelta(days=WEEK_DAYS - 1)),
            MemberRequest.shift_template_id.is_(None) | ShiftTemplate.active,
        )
        .order_by(MemberRequest.day, ShiftTemplate.code)
    )
    found: dict[int, list[Request]] = defaultdict(list)
    for wish, shift in rows:
        found[wish.member_id].append(
            Request(day=(wish.day - first).days, wants=wish.wants, shift=shift, weight=wish.weight)
        )
    return {member: tuple(wishes) for member, wishes in found.items()}


def _window(stored: dict[str, object]) -> tuple[frozenset[int], int, int]:
    weekdays, start, end = stored["weekdays"], stored["start_min"], stored["end_min"]
    assert isinstance(weekdays, list)
    assert isinstance(start, int)
    assert isinstance(end, int)
    return frozenset(weekdays), start, end


class WishUnfit(DomainError):
    """A wish that cannot be."""

    zh = "意愿没有保存：{what}。请{cure}。"
    en = "The wish was not kept: {what_en}. {cure_en}."


def add_wish(
    session: Session,
    member: Member,
    day: date,
    *,
    wants: bool,
    weight: int,
    shift_template_id: int | None,
    today: date,
    now: datetime,
) -> MemberRequest:
    """Keep a wish; another for the same day and shift takes its place. Raises WishUnfit."""
    # Whoever wishes for the same member at the same time waits here.
    session.execute(select(Member.id).where(Member.id == member.id).with_for_update())
    held = session.scalars(
        select(MemberRequest).where(
            MemberRequest.member_id == member.id, MemberRequest.day >= today
        )
    ).all()
    had = next((w for w in held if (w.day, w.shift_template_id) == (day, shift_template_id)), None)
    for fits, what, cure, what_en, cure_en in (
        (today < day <= today + timedelta(days=WISHES_AHEAD_DAYS),
         f"日期应在明天到 {WISHES_AHEAD_DAYS} 天之内", "改选日期",
         "the day is not within the next three months", "Choose another day"),
        (1 <= weight <= 10, "分量应为 1 到 10", "改选", "the weight is 1 to 10", "Choose another"),
        (had is not None or len(held) < WISHES_MAX,
         f"已有 {WISHES_MAX} 条意愿", "先删去不需要的",
         f"there are {WISHES_MAX} wishes already", "Delete some first"),
    ):  # fmt: skip
        if not fits:
            raise WishUnfit(what=what, cure=cure, what_en=what_en, cure_en=cure_en)
    if shift_template_id is not None:
        shift = session.get(ShiftTemplate, shift_template_id)
        if shift is None or shift.community_id != member.community_id:
            raise NotFound(thing="班次", name=shift_template_id)
    row = had or MemberRequest(member_id=member.id, day=day, shift_template_id=shift_template_id)
    row.wants, row.weight, row.asked_at = wants, weight, now
    session.add(row)
    session.flush()
    return row


def drop_wish(session: Session, member_id: int, wish_id: int) -> MemberRequest:
    """Delete one of a member's own wishes. Raises NotFound."""
    row = session.scalar(
        select(MemberRequest).where(
            MemberRequest.id == wish_id, MemberRequest.member_id == member_id
        )
    )
    if row is None:
        raise NotFound(thing="意愿", name=wish_id)
    session.delete(row)
    session.flush()
    return row


def wishes_of(
    session: Session, member_id: int, since: date
) -> list[tuple[MemberRequest, ShiftTemplate | None]]:
    """Return a member's wishes from a day on, each with its shift."""
    rows = session.execute(
        select(MemberRequest, ShiftTemplate)
        .outerjoin(ShiftTemplate, ShiftTemplate.id == MemberRequest.shift_template_id)
        .where(MemberRequest.member_id == member_id, MemberRequest.day >= since)
        .order_by(MemberRequest.day, ShiftTemplate.start_min)
    )
    return [(wish, shift) for wish, shift in rows]
