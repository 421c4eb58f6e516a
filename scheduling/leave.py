"""Leave (请假): asked for by a member, decided by the team lead; only what is approved counts."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Key
from grid.errors import Conflict, DomainError, NotFound
from grid.people import Member

DAYS_MAX = 180
"""Longer leave is no leave any more: the member is retired and brought back."""
DAYS_BACK = 31
"""How far back the lead may enter leave that was taken."""
AHEAD_DAYS = 400


class LeaveState(StrEnum):
    """待审批, 已批准, 未批准, 已撤回."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Leave(Base):
    """Leave of one member, first and last day included."""

    __tablename__ = "leave"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days_forward"),
        CheckConstraint("state IN ('asked','approved','refused','withdrawn')", name="state_known"),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=LeaveState.APPROVED, server_default="approved")
    """What the lead enters is approved from the start."""
    asked_by: Mapped[str] = mapped_column(default="", server_default="")
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision: Mapped[str] = mapped_column(default="", server_default="")
    """Why it was refused, or what the lead adds."""


class LeaveUnfit(DomainError):
    """Days that cannot be leave."""

    zh = "请假没有提交：{what}。请{cure}。"
    en = "The leave was not taken: {what_en}. {cure_en}."


class LeaveOverlaps(Conflict):
    """Leave on days that are leave already."""

    zh = "{first} 至 {last} 已有一条请假（{state}），日期重叠。请改日期，或先撤回原来的。"
    en = "There is leave from {first} to {last} already ({state_en}). Choose other days, or withdraw that one."


class LeaveDecided(Conflict):
    """A step on leave that somebody settled meanwhile."""

    zh = "这条请假现在是“{state}”{by}，不能再改。请刷新页面查看。"
    en = "This leave is {state_en} now{by_en} and can no longer be changed. Reload the page."


NAMES = {
    LeaveState.ASKED: ("待审批", "waiting"),
    LeaveState.APPROVED: ("已批准", "approved"),
    LeaveState.REFUSED: ("未批准", "refused"),
    LeaveState.WITHDRAWN: ("已撤回", "withdrawn"),
}


def _refuse_unfit(first: date, last: date, earliest: date, today: date) -> None:
    days = (last - first).days + 1
    for fits, what, cure, what_en, cure_en in (
        (days >= 1, "结束日早于开始日", "更正日期", "it ends before it begins", "Correct the days"),
        (days <= DAYS_MAX, f"超过 {DAYS_MAX} 天", "改短，长期离岗请联系队长",
         f"it is longer than {DAYS_MAX} days", "Shorten it, or speak with the team lead"),
        (first >= earliest, "开始日已经过去", "从今天或以后开始；已请的假由队长补录",
         "it begins in the past", "Begin today or later; the lead enters leave that was taken"),
        (last <= today + timedelta(days=AHEAD_DAYS), "日期太远", "选择一年以内的日期",
         "it is too far ahead", "Choose days within a year"),
    ):  # fmt: skip
        if not fits:
            raise LeaveUnfit(what=what, cure=cure, what_en=what_en, cure_en=cure_en)


def _refuse_overlap(session: Session, member_id: int, first: date, last: date) -> None:
    # Whoever asks for the same member at the same time waits here.
    session.execute(select(Member.id).where(Member.id == member_id).with_for_update())
    other = session.scalar(
        select(Leave)
        .where(
            Leave.member_id == member_id,
            Leave.state.in_([LeaveState.ASKED, LeaveState.APPROVED]),
            Leave.first_day <= last,
            Leave.last_day >= first,
        )
        .order_by(Leave.first_day)
        .limit(1)
    )
    if other is not None:
        zh, en = NAMES[LeaveState(other.state)]
        raise LeaveOverlaps(first=other.first_day, last=other.last_day, state=zh, state_en=en)


def ask_leave(
    session: Session,
    member: Member,
    first: date,
    last: date,
    *,
    reason: str,
    by: str,
    today: date,
    now: datetime,
) -> Leave:
    """Ask for leave. Raises LeaveUnfit or LeaveOverlaps."""
    _refuse_unfit(first, last, today, today)
    _refuse_overlap(session, member.id, first, last)
    leave = Leave(
        member_id=member.id,
        first_day=first,
        last_day=last,
        reason=reason.strip(),
        state=LeaveState.ASKED,
        asked_by=by,
        asked_at=now,
    )
    session.add(leave)
    session.flush()
    return leave


def enter_leave(
    session: Session,
    member: Member,
    first: date,
    last: date,
    *,
    reason: str,
    by: str,
    today: date,
    now: datetime,
) -> Leave:
    """Enter leave as the lead: approved at once, also for days just past."""
    _refuse_unfit(first, last, today - timedelta(days=DAYS_BACK), today)
    _refuse_overlap(session, member.id, first, last)
    leave = Leave(
        member_id=member.id,
        first_day=first,
        last_day=last,
        reason=reason.strip(),
        state=LeaveState.APPROVED,
        asked_by=by,
        asked_at=now,
        decided_by=by,
        decided_at=now,
    )
    session.add(leave)
    session.flush()
    return leave


def find_leave(
    session: Session, community_id: int, leave_id: int, *, member_id: int | None = None
) -> tuple[Leave, Member]:
    """Return leave of this community, or of one member only, held until the transaction ends."""
    query = (
        select(Leave, Member)
        .join(Member, Member.id == Leave.member_id)
        .where(Leave.id == leave_id, Member.community_id == community_id)
        .with_for_update(of=Leave)
    )
    if member_id is not None:
        query = query.where(Leave.member_id == member_id)
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound(thing="请假", name=leave_id)
    session.refresh(found[0])
    return found[0], found[1]


def _expect(leave: Leave, *states: LeaveState) -> None:
    if leave.state not in states:
        zh, en = NAMES[LeaveState(leave.state)]
        by = leave.decided_by
        raise LeaveDecided(
            state=zh,
            state_en=en,
            by=f"（{by} 处理）" if by else "",
            by_en=f" (by {by})" if by else "",
        )


def decide_leave(
    session: Session,
    community_id: int,
    leave_id: int,
    *,
    approve: bool,
    decision: str,
    by: str,
    now: datetime,
) -> tuple[Leave, Member]:
    """Approve leave, or refuse it with a reason. Raises NotFound, LeaveDecided or LeaveUnfit."""
    leave, member = find_leave(session, community_id, leave_id)
    _expect(leave, LeaveState.ASKED)
    if not approve and not decision.strip():
        raise LeaveUnfit(
            what="没有写明不批准的理由",
            cure="写一句理由，队员会看到",
            what_en="no reason is given for the refusal",
            cure_en="Give one; the member reads it",
        )
    leave.state = LeaveState.APPROVED if approve else LeaveState.REFUSED
    leave.decision = decision.strip()
    leave.decided_by, leave.decided_at = by, now
    session.flush()
    return leave, member


def withdraw_leave(
    session: Session,
    community_id: int,
    leave_id: int,
    *,
    by: str,
    now: datetime,
    member_id: int | None = None,
) -> tuple[Leave, Member]:
    """Take leave back: a member what is not decided yet, the lead approved leave too."""
    leave, member = find_leave(session, community_id, leave_id, member_id=member_id)
    if member_id is None:
        _expect(leave, LeaveState.ASKED, LeaveState.APPROVED)
    else:
        _expect(leave, LeaveState.ASKED)
    leave.state = LeaveState.WITHDRAWN
    leave.decided_by, leave.decided_at = by, now
    session.flush()
    return leave, member


def leave_of_member(session: Session, member_id: int, limit: int = 30) -> Sequence[Leave]:
    """Return a member's leave, the latest first."""
    return session.scalars(
        select(Leave)
        .where(Leave.member_id == member_id)
        .order_by(Leave.first_day.desc(), Leave.id.desc())
        .limit(limit)
    ).all()


def waiting_leave(session: Session, community_id: int) -> list[tuple[Leave, Member]]:
    """Return what waits for the lead, the soonest first."""
    rows = session.execute(
        select(Leave, Member)
        .join(Member, Member.id == Leave.member_id)
        .where(Member.community_id == community_id, Leave.state == LeaveState.ASKED)
        .order_by(Leave.first_day, Leave.id)
    )
    return [(leave, member) for leave, member in rows]


def leave_between(
    session: Session, community_id: int, first: date, last: date
) -> list[tuple[Leave, Member]]:
    """Return leave that was decided and touches these days."""
    rows = session.execute(
        select(Leave, Member)
        .join(Member, Member.id == Leave.member_id)
        .where(
            Member.community_id == community_id,
            Leave.state != LeaveState.ASKED,
            Leave.first_day <= last,
            Leave.last_day >= first,
        )
        .order_by(Leave.first_day.desc(), Leave.id.desc())
    )
    return [(leave, member) for leave, member in rows]
