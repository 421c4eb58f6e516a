"""A roster version's states: draft → reviewed → published → locked, and what each step asks.

A published roster is what patrollers go by; at most one per week. A locked one is history: no
edit is taken any more. Publishing another version of the week takes the published one back to
reviewed.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.errors import Conflict, DomainError
from scheduling.rosters import RosterState, RosterVersion
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


def review(session: Session, community_id: int, version_id: int, *, by: str) -> RosterVersion:
    """Mark a draft as reviewed; whoever reviewed it is recorded, also where it is the author."""
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.DRAFT)
    _refuse_violations(version)
    version.state = RosterState.REVIEWED
    version.reviewed_by = by
    session.flush()
    return version


def publish(session: Session, community_id: int, version_id: int, *, by: str) -> RosterVersion:
    """Publish a reviewed version; the week's published one goes back to reviewed."""
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.REVIEWED)
    _refuse_violations(version)
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
    return version


def lock(session: Session, community_id: int, version_id: int) -> RosterVersion:
    """Close a published version for good."""
    version = _held(session, community_id, version_id)
    _expect(version, RosterState.PUBLISHED)
    version.state = RosterState.LOCKED
    session.flush()
    return version


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
    report = report_of(version)
    if not report.clean:
        first = report.violations[0].zh if report.violations else report.mismatches[0].figure
        raise BreaksTheLaw(n=len(report.violations) + len(report.mismatches), first=first)
