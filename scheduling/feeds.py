"""A member's published patrols as a calendar to subscribe to, behind a secret that can be revoked.

Only the hash of a secret is kept. A patrol keeps its event's identity over every new version of
its week; whenever what it says changes, its number in the sequence grows, so that calendars take
the change. Nobody else is named in it: a subscribed calendar often lies on others' servers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from sqlalchemy import DateTime, ForeignKey, Index, String, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.cells import PatrolZone
from grid.database import Base, Instant, Key
from grid.errors import DomainError
from grid.intake import LOCAL
from grid.people import Member
from scheduling.demand import PatrolType, ShiftTemplate
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion

SHOWN_BACK_DAYS = 28
"""What is older leaves the calendar."""
READS_PER_HOUR = 60
"""Calendars ask every quarter of an hour at most; more is a fault, or somebody else."""
WINDOW = timedelta(hours=1)


class CalendarFeed(Base):
    """A secret address under which a member's patrols are read; at most one per member holds."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        Index(
            "uq_calendar_feed_one_open",
            "member_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[Instant]
    created_by: Mapped[str]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """The row stays, so that whoever still asks is told that it was revoked."""
    revoked_by: Mapped[str | None]
    last_read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    window_started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reads: Mapped[int] = mapped_column(default=0, server_default="0")
    """Reads since the window started."""


class FeedEvent(Base):
    """What was last told of one patrol to one member's calendar."""

    __tablename__ = "feed_event"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    uid: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[Instant]


class NoSuchFeed(DomainError):
    """No secret of ours."""

    zh = "没有这个日历订阅地址。请在手机上打开“日历订阅”重新生成，并更换日历里的地址。"
    en = "There is no calendar at this address. Open “Calendar” on the site, make a new address, and put it into your calendar."
    status = 404


class FeedRevoked(DomainError):
    """A secret that was replaced or taken back."""

    zh = "这个日历订阅地址已停用。请在日历里删除它；需要时到“日历订阅”生成新的地址。"
    en = "This calendar address was revoked. Remove it from your calendar; make a new one under “Calendar” if you need it."
    status = 410


class FeedEnded(DomainError):
    """The member no longer serves."""

    zh = "该队员已离队，日历订阅已终止。请在日历里删除这个地址；如有疑问请联系队长。"
    en = "This member has left the team, so the calendar has ended. Remove the address from your calendar, or ask the team lead."
    status = 410


class FeedBusy(DomainError):
    """Read far more often than any calendar does."""

    zh = "这个日历订阅地址读取过于频繁（每小时最多 {most} 次）。请在日历里把刷新间隔改为 15 分钟以上，{minutes} 分钟后会自动恢复。"
    en = "This calendar is read too often (at most {most} times an hour). Set the refresh interval to 15 minutes or more; it works again in {minutes} minutes."
    status = 429


@dataclass(frozen=True, slots=True)
class Shift:
    """One patrol of a member as the calendar tells it."""

    uid: str
    sequence: int
    changed_at: datetime
    starts: datetime
    """On the community's clock."""
    ends: datetime
    zone: str
    shift: str
    type: str
    leader: bool
    week_start: date


def open_feed(
    session: Session, member: Member, token_hash: str, *, by: str, now: datetime
) -> CalendarFeed:
    """Give a member a new secret address; the one before is revoked with it."""
    # Two presses of the button go one after the other.
    session.execute(select(Member.id).where(Member.id == member.id).with_for_update())
    revoke_feed(session, member.id, by=by, now=now)
    feed = CalendarFeed(member_id=member.id, token_hash=token_hash, created_at=now, created_by=by)
    session.add(feed)
    session.flush()
    return feed


def revoke_feed(session: Session, member_id: int, *, by: str, now: datetime) -> bool:
    """Revoke a member's address; say whether there was one."""
    found = session.scalars(
        update(CalendarFeed)
        .where(CalendarFeed.member_id == member_id, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=by)
        .returning(CalendarFeed.id)
    ).all()
    return bool(found)


def feed_of(session: Session, member_id: int) -> CalendarFeed | None:
    """Return the address of a member that holds."""
    return session.scalar(
        select(CalendarFeed).where(
            CalendarFeed.member_id == member_id, CalendarFeed.revoked_at.is_(None)
        )
    )


def feeds_of_team(session: Session, community_id: int) -> Sequence[tuple[CalendarFeed, Member]]:
    """Return every address of a community that holds, by staff number."""
    rows = session.execute(
        select(CalendarFeed, Member)
        .join(Member, Member.id == CalendarFeed.member_id)
        .where(Member.community_id == community_id, CalendarFeed.revoked_at.is_(None))
        .order_by(Member.staff_number)
    )
    return [(feed, member) for feed, member in rows]


def read_feed(session: Session, token_hash: str, *, today: date, now: datetime) -> Member:
    """Return whose calendar a secret opens, and count the read.

    Raises NoSuchFeed, FeedRevoked, FeedEnded or FeedBusy.
    """
    found = session.execute(
        select(CalendarFeed, Member)
        .join(Member, Member.id == CalendarFeed.member_id)
        .where(CalendarFeed.token_hash == token_hash)
        .with_for_update(of=CalendarFeed)
    ).one_or_none()
    if found is None:
        raise NoSuchFeed()
    feed, member = found
    if member.active_to is not None and member.active_to <= today:
        raise FeedEnded()
    if feed.revoked_at is not None:
        raise FeedRevoked()
    _count(feed, now)
    session.flush()
    return member


def _count(feed: CalendarFeed, now: datetime) -> None:
    started = feed.window_started_at
    if started is None or not started <= now < started + WINDOW:
        started = feed.window_started_at = now
        feed.reads = 0
    if feed.reads >= READS_PER_HOUR:
        left = started + WINDOW - now
        raise FeedBusy(most=READS_PER_HOUR, minutes=int(left.total_seconds() // 60) + 1)
    feed.reads += 1
    feed.last_read_at = now


def shifts_of(session: Session, member: Member, *, today: date, now: datetime) -> list[Shift]:
    """Return a member's published patrols, in order; what changed is numbered anew."""
    rows = session.execute(
        select(RosterVersion.week_start, Patrol, PatrolZone.name, ShiftTemplate.name,
               PatrolType.name, Assignment.leader)
        .join(Patrol, Patrol.roster_version_id == RosterVersion.id)
        .join(Assignment, Assignment.patrol_id == Patrol.id)
        .join(PatrolZone, PatrolZone.id == Patrol.zone_id)
        .join(ShiftTemplate, ShiftTemplate.id == Patrol.shift_template_id)
        .join(PatrolType, PatrolType.id == Patrol.patrol_type_id)
        .where(
            RosterVersion.community_id == member.community_id,
            RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
            Assignment.member_id == member.id,
            Patrol.day >= today - timedelta(days=SHOWN_BACK_DAYS),
        )
        .order_by(Patrol.day, Patrol.start_min, Patrol.key)
    ).all()  # fmt: skip
    found: dict[str, Shift] = {}
    for week_start, patrol, zone, shift, kind, leader in rows:
        midnight = datetime.combine(patrol.day, time(), LOCAL)
        uid = _uid(member, week_start, patrol.key)
        found[uid] = Shift(
            uid=uid,
            sequence=0,
            changed_at=now,
            starts=midnight + timedelta(minutes=patrol.start_min),
            ends=midnight + timedelta(minutes=patrol.end_min),
            zone=zone,
            shift=shift,
            type=kind,
            leader=leader,
            week_start=week_start,
        )
    return _numbered(session, member.id, found, now)


def _uid(member: Member, week_start: date, patrol_key: str) -> str:
    """Return an event's identity: the member's place on the patrol of the week, in any version."""
    name = f"{member.community_id}/{member.id}/{week_start.isoformat()}/{patrol_key}"
    return f"{sha256(name.encode()).hexdigest()[:32]}@xunge"


_NUMBER = text(
    """
    INSERT INTO feed_event AS told (member_id, uid, digest, sequence, changed_at)
    SELECT :member_id, uid, digest, 0, :now
    FROM unnest(CAST(:uids AS text[]), CAST(:digests AS text[])) AS said (uid, digest)
    ON CONFLICT (member_id, uid) DO UPDATE
    SET digest = excluded.digest, sequence = told.sequence + 1, changed_at = excluded.changed_at
    WHERE told.digest <> excluded.digest
    """
)


def _numbered(
    session: Session, member_id: int, shifts: dict[str, Shift], now: datetime
) -> list[Shift]:
    digests = [
        sha256(
            repr(
                (s.starts.isoformat(), s.ends.isoformat(), s.zone, s.shift, s.type, s.leader)
            ).encode()
        ).hexdigest()
        for s in shifts.values()
    ]
    session.execute(
        _NUMBER,
        {"member_id": member_id, "uids": list(shifts), "digests": digests, "now": now},
    )
    told = {
        uid: (sequence, changed_at)
        for uid, sequence, changed_at in session.execute(
            select(FeedEvent.uid, FeedEvent.sequence, FeedEvent.changed_at).where(
                FeedEvent.member_id == member_id, FeedEvent.uid.in_(list(shifts))
            )
        )
    }
    return [
        replace(s, sequence=told[s.uid][0], changed_at=told[s.uid][1].astimezone(UTC))
        for s in shifts.values()
    ]
