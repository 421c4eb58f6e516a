"""A roster version's states: draft → reviewed → published → locked, and what each step asks.

A draft is reviewed by somebody who neither made nor edited it. A published roster is what
patrollers go by; at most one per week. A locked one is history: no edit is taken any more.
Publishing another version of the week takes the published one back to reviewed. Back again go: a
reviewed version to draft, and a published one to reviewed while none of its patrols has begun.
"""

import json
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grid.errors import Conflict, DomainError
from grid.intake import LOCAL
from scheduling.living_patrols import exchange_patrols
from scheduling.rosters import Patrol, RosterEdit, RosterState, RosterVersion
from scheduling.versions import find_version, report_of

NAMES = {
    RosterState.DRAFT: ("草稿", "a draft"),
    RosterState.REVIEWED: ("已审核", "reviewed"),
    RosterState.PUBLISHED: ("已发布", "published"),
    RosterState.LOCKED: ("已锁定", "locked"),
}


class RosterIsLocked(Conflict):
    """An edit to a locked roster."""

    zh = "{week} 这一周的第 {number} 版排班已锁定，不能再改动。如需调整，请从下一周起重新排班。"
    en = "Version {number} of the week of {week} is locked and can no longer be changed. Make changes from the next week on."


class WrongState(Conflict):
    """A step that does not follow from the version's state."""

    zh = "第 {number} 版排班现在是“{state}”，不能执行此步骤。请刷新页面查看最新状态。"
    en = "Version {number} is {state_en} now, so this step does not follow. Reload the page to see its state."


class BreaksTheLaw(DomainError):
    """A roster with hard violations is never published."""

    zh = "独立检查发现 {n} 处硬性违规，不能审核或发布：{first}。请重新生成排班。"
    en = "The independent check found {n} hard violations, so it can be neither reviewed nor published: {first}. Generate the roster anew."
    status = 409


class OwnRoster(Conflict):
    """Whoever made a roster does not review it."""

    zh = "第 {number} 版排班由您制表或调整过，须由另一人审核。请点“送审”，请另一位队长或街道办账号登录后审核；本社区没有这样的账号时，请管理员在“账号”页新建一个。"
    en = "You made or edited version {number}, so somebody else must review it. Send it for review and have another team lead or the street office sign in and review it; where there is no such account, ask the administrator to make one."


class ChangedSinceRead(Conflict):
    """The reviewer read something else than what would be reviewed."""

    zh = "第 {number} 版排班在您查看之后又被调整过。请重新查看后再审核。"
    en = "Version {number} was edited after you opened it. Read it again, then review it."


class OnlyAQuestion(Conflict):
    """A what-if is never what people go by."""

    zh = "第 {number} 版是假设方案，只供比较，不能送审或发布。请在正式草稿上做同样的调整。"
    en = "Version {number} is a what-if, there to compare with; it is neither reviewed nor published. Make the same change on a real draft."


class WasPublished(Conflict):
    """What people went by stays as it was."""

    zh = "第 {number} 版排班曾经发布过，作为记录保留，不能退回草稿。请另存为草稿，在新草稿上调整。"
    en = "Version {number} was published once and stays as a record, so it does not go back to draft. Copy it to a draft and edit that."


class AlreadyWalked(Conflict):
    """A published roster whose patrols have begun is not taken back."""

    zh = "{week} 这一周第 {number} 版的巡逻已经开始，不能撤回发布。要改后面几天，请另存为草稿调整，审核后发布新的一版，或用换班、替班。"
    en = "Patrols of version {number} of the week of {week} have begun, so it cannot be withdrawn. For the days to come, copy it to a draft, have that reviewed and publish it, or swap and replace."


def authors_of(session: Session, version: RosterVersion) -> frozenset[str]:
    """Return whoever made a version or edited it by hand: none of them reviews it."""
    editors = session.scalars(
        select(RosterEdit.made_by).where(RosterEdit.roster_version_id == version.id).distinct()
    )
    return frozenset({version.created_by, *editors})


def mark_of(version: RosterVersion) -> str:
    """Return what changes when anything in a version's problem or plan does."""
    content = json.dumps([version.problem, version.plan], sort_keys=True, ensure_ascii=False)
    return sha256(content.encode()).hexdigest()[:16]


def submit(
    session: Session, community_id: int, version_id: int, *, by: str, now: datetime
) -> RosterVersion:
    """Send a draft for review: from now on the street office sees it."""
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.DRAFT)
    _refuse_violations(version)
    version.submitted_by, version.submitted_at = by, now
    session.flush()
    return version


def review(
    session: Session, community_id: int, version_id: int, *, by: str, seen: str | None = None
) -> RosterVersion:
    """Mark a draft as reviewed, by somebody who is not its author.

    ``seen`` is the mark of what the reviewer read (:func:`mark_of`). Raises OwnRoster,
    ChangedSinceRead, BreaksTheLaw, OnlyAQuestion, WrongState or RosterIsLocked.
    """
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.DRAFT)
    if by in authors_of(session, version):
        raise OwnRoster(number=version.number)
    if seen and seen != mark_of(version):
        raise ChangedSinceRead(number=version.number)
    _refuse_violations(version)
    version.state = RosterState.REVIEWED
    version.reviewed_by = by
    session.flush()
    return version


def send_back(session: Session, community_id: int, version_id: int) -> RosterVersion:
    """Take a version that was sent or reviewed back to a draft to be worked on."""
    version = _held(session, community_id, version_id)
    if version.state != RosterState.DRAFT or version.submitted_at is None:
        _expect(version, RosterState.REVIEWED)
    if version.published_by is not None:
        raise WasPublished(number=version.number)
    version.state = RosterState.DRAFT
    version.submitted_by = version.submitted_at = version.reviewed_by = None
    session.flush()
    return version


def publish(session: Session, community_id: int, version_id: int, *, by: str) -> RosterVersion:
    """Publish a reviewed version; the week's published one goes back to reviewed."""
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.REVIEWED)
    _refuse_violations(version)
    one_at_a_time(session, community_id, version.week_start)
    others = session.scalars(
        select(RosterVersion)
        .where(
            RosterVersion.community_id == community_id,
            RosterVersion.week_start == version.week_start,
            RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
        )
        .with_for_update()
    ).all()
    for other in others:
        if other.state == RosterState.LOCKED:
            raise RosterIsLocked(week=other.week_start.isoformat(), number=other.number)
        other.state = RosterState.REVIEWED
    session.flush()
    version.state = RosterState.PUBLISHED
    version.published_by = by
    session.flush()
    for other in others:
        exchange_patrols(session, other.id, version.id)
    return version


def withdraw(
    session: Session, community_id: int, version_id: int, *, now: datetime
) -> RosterVersion:
    """Take a published version back to reviewed, while none of its patrols has begun."""
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.PUBLISHED)
    first = session.execute(
        select(Patrol.day, Patrol.start_min)
        .where(Patrol.roster_version_id == version.id)
        .order_by(Patrol.day, Patrol.start_min)
        .limit(1)
    ).one_or_none()
    if first is not None:
        begins = datetime.combine(first.day, time(), LOCAL) + timedelta(minutes=first.start_min)
        if begins <= now:
            raise AlreadyWalked(week=version.week_start.isoformat(), number=version.number)
    version.state = RosterState.REVIEWED
    version.published_by = None
    session.flush()
    return version


def lock(session: Session, community_id: int, version_id: int) -> RosterVersion:
    """Close a published version for good."""
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.PUBLISHED)
    version.state = RosterState.LOCKED
    session.flush()
    return version


def one_at_a_time(session: Session, community_id: int, week_start: date) -> None:
    """Wait for whoever is making or publishing a version of this week, until they commit.

    Only then look which version is published: a swap approved meanwhile has made a new one.
    """
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"roster {community_id} {week_start}"},
    )


def _held(session: Session, community_id: int, version_id: int) -> RosterVersion:
    find_version(session, community_id, version_id)
    version = session.get_one(RosterVersion, version_id, with_for_update=True)
    if version.state == RosterState.LOCKED:
        raise RosterIsLocked(week=version.week_start.isoformat(), number=version.number)
    return version


def _expect(version: RosterVersion, state: RosterState) -> None:
    if version.state != state:
        zh, en = NAMES[RosterState(version.state)]
        raise WrongState(number=version.number, state=zh, state_en=en)


def _refuse_violations(version: RosterVersion) -> None:
    """Check the stored plan itself anew: the count beside it could be old."""
    if version.what_if:
        raise OnlyAQuestion(number=version.number)
    report = report_of(version)
    if not report.clean:
        first = report.violations[0].zh if report.violations else report.mismatches[0].figure
        raise BreaksTheLaw(n=len(report.violations) + len(report.mismatches), first=first)
