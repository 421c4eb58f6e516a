"""Swaps (换班): proposed by a member, accepted by the other, checked by rule, approved by the lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Instant, Key
from grid.errors import Conflict, DomainError, NotFound
from grid.people import Member
from scheduling.core.reseat import Breach, Exchange
from scheduling.exchange import (
    PublishedWeek,
    Verdict,
    apply_exchange,
    begins_at,
    held_week,
    published_week,
)
from scheduling.publish import RosterIsLocked
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion


class SwapState(StrEnum):
    """待对方答复, 待队长审批, 已换班, 对方不同意, 未批准, 已撤回, 已失效, 已过期."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    DECLINED = "declined"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBSOLETE = "obsolete"
    EXPIRED = "expired"


OPEN = (SwapState.PROPOSED, SwapState.ACCEPTED)


class Swap(Base):
    """One proposal: my patrol against yours, or mine given to you.

    Patrols are named by week and key, as the roster's problem names them: a proposal outlives a
    new version of the week in which both still sit where they sat.
    """

    __tablename__ = "swap"
    __table_args__ = (
        CheckConstraint(
            "state IN ('proposed','accepted','approved','declined','refused','withdrawn',"
            "'obsolete','expired')",
            name="state_known",
        ),
        CheckConstraint("asker_id <> other_id", name="two_members"),
        Index("ix_swap_community_week", "community_id", "week_start"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    week_start: Mapped[date]
    asker_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    asker_patrol: Mapped[str]
    """Key of the asker's patrol."""
    other_id: Mapped[int] = mapped_column(ForeignKey("member.id"), index=True)
    other_patrol: Mapped[str | None]
    """Key of the other's patrol; null where the asker's is given away."""
    begins_at: Mapped[Instant]
    """Start of the earlier of the patrols: from then on the proposal has expired."""
    note: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=SwapState.PROPOSED)
    asked_by: Mapped[str]
    asked_at: Mapped[Instant]
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision: Mapped[str] = mapped_column(default="")
    """Why it was declined or refused, or has lapsed."""
    roster_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("roster_version.id", ondelete="SET NULL")
    )
    """The version that the swap, once approved, made."""


NAMES = {
    SwapState.PROPOSED: ("待对方答复", "waiting for the other"),
    SwapState.ACCEPTED: ("待队长审批", "waiting for the team lead"),
    SwapState.APPROVED: ("已换班", "done"),
    SwapState.DECLINED: ("对方不同意", "declined"),
    SwapState.REFUSED: ("未批准", "refused"),
    SwapState.WITHDRAWN: ("已撤回", "withdrawn"),
    SwapState.OBSOLETE: ("已失效", "obsolete"),
    SwapState.EXPIRED: ("已过期", "expired"),
}


class SwapUnfit(DomainError):
    """Something that cannot be swapped."""

    zh = "换班没有提交：{what}。请{cure}。"
    en = "The swap was not taken: {what_en}. {cure_en}."


class SwapPending(Conflict):
    """A second proposal for a patrol that is being swapped."""

    zh = "这次巡逻已有一条换班在办理（{state}）。请先撤回原来的，或等它办完。"
    en = "This patrol is being swapped already ({state_en}). Withdraw that proposal first, or wait for it."


class SwapSettled(Conflict):
    """A step on a proposal that does not wait for it any more."""

    zh = "这条换班现在是“{state}”{why}，不能执行此步骤。请刷新页面查看。"
    en = "This swap is {state_en} now{why_en}, so this step does not follow. Reload the page."


class SwapBreaksRules(Conflict):
    """A swap that the rules forbid today."""

    zh = "按规定不能这样换：{why}。请换一个人或换一次巡逻。"
    en = "The rules forbid this swap: {why_en}. Choose another person or patrol."


def breaks_rules(breaches: Sequence[Breach], names: Mapping[str, str]) -> SwapBreaksRules:
    """Return the refusal that names every rule."""
    return SwapBreaksRules(
        why="；".join(f"{names.get(b.member, b.member)}：{b.zh}" for b in breaches),
        why_en="; ".join(f"{names.get(b.member, b.member)}: {b.en}" for b in breaches),
    )


@dataclass(frozen=True, slots=True)
class Done:
    """An approved swap: the version it made, and the proposals that fell with it."""

    swap: Swap
    version: RosterVersion
    obsolete: Sequence[Swap]


def exchange_of(session: Session, swap: Swap) -> Exchange:
    """Return a proposal as the rules are asked about it."""
    asker, other = people_of(session, swap)
    return Exchange(asker.staff_number, swap.asker_patrol, other.staff_number, swap.other_patrol)


def own_patrol(
    session: Session, community_id: int, member_id: int, patrol_id: int
) -> tuple[Patrol, RosterVersion]:
    """Return a published patrol that a member is on. Raises NotFound or RosterIsLocked."""
    found = session.execute(
        select(Patrol, RosterVersion)
        .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
        .join(Assignment, Assignment.patrol_id == Patrol.id)
        .where(
            Patrol.id == patrol_id,
            Assignment.member_id == member_id,
            RosterVersion.community_id == community_id,
            RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
        )
    ).one_or_none()
    if found is None:
        raise NotFound(thing="巡逻", name=patrol_id)
    patrol, version = found
    if version.state == RosterState.LOCKED:
        raise RosterIsLocked(week=version.week_start.isoformat(), number=version.number)
    return patrol, version


def _refuse_begun(patrol: Patrol, now: datetime) -> None:
    if begins_at(patrol.day, patrol.start_min) <= now:
        raise SwapUnfit(
            what="这次巡逻已经开始或结束",
            cure="选择还没开始的巡逻",
            what_en="the patrol has begun or is over",
            cure_en="Choose one that has not begun",
        )


def propose(
    session: Session,
    asker: Member,
    patrol_id: int,
    other_id: int,
    *,
    other_patrol: str | None,
    note: str,
    by: str,
    now: datetime,
) -> Swap:
    """Propose to exchange one's patrol against another's of the week, or to give it away.

    ``other_patrol`` is the key of the other's patrol. Raises NotFound, RosterIsLocked, SwapUnfit,
    SwapPending or SwapBreaksRules.
    """
    patrol, version = own_patrol(session, asker.community_id, asker.id, patrol_id)
    _refuse_begun(patrol, now)
    other = session.get(Member, other_id)
    if other is None or other.community_id != asker.community_id or other.id == asker.id:
        raise NotFound(thing="队员", name=other_id)
    begins = begins_at(patrol.day, patrol.start_min)
    if other_patrol is not None:
        theirs = session.scalar(
            select(Patrol)
            .join(Assignment, Assignment.patrol_id == Patrol.id)
            .where(
                Patrol.roster_version_id == version.id,
                Patrol.key == other_patrol,
                Assignment.member_id == other.id,
            )
        )
        if theirs is None:
            raise NotFound(thing="巡逻", name=other_patrol)
        _refuse_begun(theirs, now)
        begins = min(begins, begins_at(theirs.day, theirs.start_min))
    # Whoever proposes for the same member at the same time waits here.
    session.execute(select(Member.id).where(Member.id == asker.id).with_for_update())
    pending = session.scalar(
        select(Swap).where(
            Swap.asker_id == asker.id,
            Swap.week_start == version.week_start,
            Swap.asker_patrol == patrol.key,
            Swap.state.in_(OPEN),
            Swap.begins_at > now,
        )
    )
    if pending is not None:
        zh, en = NAMES[SwapState(pending.state)]
        raise SwapPending(state=zh, state_en=en)
    asked = Exchange(asker.staff_number, patrol.key, other.staff_number, other_patrol)
    verdict = PublishedWeek(session, version).verdict(asked)
    _refuse_breaches(verdict, asker, other)
    swap = Swap(
        community_id=asker.community_id,
        week_start=version.week_start,
        asker_id=asker.id,
        asker_patrol=patrol.key,
        other_id=other.id,
        other_patrol=other_patrol,
        begins_at=begins,
        note=note.strip(),
        state=SwapState.PROPOSED,
        asked_by=by,
        asked_at=now,
        decision="",
    )
    session.add(swap)
    session.flush()
    return swap


def find_swap(session: Session, community_id: int, swap_id: int) -> Swap:
    """Return a proposal of this community, held until the transaction ends. Raises NotFound."""
    swap = session.scalar(
        select(Swap).where(Swap.id == swap_id, Swap.community_id == community_id).with_for_update()
    )
    if swap is None:
        raise NotFound(thing="换班", name=swap_id)
    session.refresh(swap)
    return swap


def _expect(swap: Swap, *states: SwapState) -> None:
    if swap.state not in states:
        zh, en = NAMES[SwapState(swap.state)]
        why = swap.decision
        raise SwapSettled(
            state=zh,
            state_en=en,
            why=f"（{why}）" if why else "",
            why_en=f" ({why})" if why else "",
        )


def _verdict(session: Session, swap: Swap) -> tuple[PublishedWeek, Exchange, Verdict]:
    week = PublishedWeek(session, held_week(session, swap.community_id, swap.week_start))
    asked = exchange_of(session, swap)
    return week, asked, week.verdict(asked)


def _refuse_breaches(verdict: Verdict, *people: Member) -> None:
    if not verdict.there:
        raise SwapUnfit(
            what="其中一人不在这一周的排班名单里",
            cure="换一个人，或请队长重新排班",
            what_en="one of the two is not on the week's roster",
            cure_en="Choose another, or ask the lead for a new roster",
        )
    if verdict.breaches:
        raise breaks_rules(verdict.breaches, {m.staff_number: m.name for m in people})


def people_of(session: Session, swap: Swap) -> tuple[Member, Member]:
    """Return who asks and who is asked."""
    return session.get_one(Member, swap.asker_id), session.get_one(Member, swap.other_id)


def _lapsed(session: Session, swap: Swap, now: datetime) -> tuple[SwapState, str] | None:
    """Say whether an open proposal can no longer come about, and why."""
    if swap.state not in OPEN:
        return None
    if swap.begins_at <= now:
        return SwapState.EXPIRED, "巡逻已经开始，换班没有办完"
    version = published_week(session, swap.community_id, swap.week_start)
    if version is None:
        return SwapState.OBSOLETE, "这一周的排班已不是发布状态"
    if version.state == RosterState.LOCKED:
        return SwapState.OBSOLETE, "这一周的排班已锁定"
    sits = {(swap.asker_id, swap.asker_patrol)}
    if swap.other_patrol is not None:
        sits.add((swap.other_id, swap.other_patrol))
    there = session.execute(
        select(Assignment.member_id, Patrol.key)
        .join(Patrol, Patrol.id == Assignment.patrol_id)
        .where(
            Patrol.roster_version_id == version.id,
            Patrol.key.in_([key for _, key in sits]),
            Assignment.member_id.in_([who for who, _ in sits]),
        )
    )
    if not sits <= {(member, key) for member, key in there}:
        return SwapState.OBSOLETE, "排班已变动，其中一方已不在原来的巡逻上"
    return None


def let_lapse(session: Session, community_id: int, now: datetime) -> Sequence[Swap]:
    """Close every open proposal that can no longer come about, each with its reason."""
    closed = []
    for swap in session.scalars(
        select(Swap)
        .where(Swap.community_id == community_id, Swap.state.in_(OPEN))
        .order_by(Swap.id)
        .with_for_update(skip_locked=True)
    ):
        lapsed = _lapsed(session, swap, now)
        if lapsed is not None:
            swap.state, swap.decision = lapsed
            swap.decided_at = now
            closed.append(swap)
    session.flush()
    return closed


def _refuse_lapsed(session: Session, swap: Swap, now: datetime) -> None:
    lapsed = _lapsed(session, swap, now)
    if lapsed is not None:
        zh, en = NAMES[lapsed[0]]
        raise SwapSettled(state=zh, state_en=en, why=f"（{lapsed[1]}）", why_en="")


def answer(
    session: Session, other: Member, swap_id: int, *, accept: bool, reason: str, now: datetime
) -> Swap:
    """Accept or decline what was proposed to one. Raises NotFound, SwapSettled, SwapBreaksRules."""
    swap = find_swap(session, other.community_id, swap_id)
    if swap.other_id != other.id:
        raise NotFound(thing="换班", name=swap_id)
    _expect(swap, SwapState.PROPOSED)
    if accept:
        _refuse_lapsed(session, swap, now)
        _refuse_breaches(_verdict(session, swap)[2], *people_of(session, swap))
    swap.state = SwapState.ACCEPTED if accept else SwapState.DECLINED
    swap.decision = "" if accept else reason.strip()
    swap.answered_at = now
    session.flush()
    return swap


def withdraw(session: Session, asker: Member, swap_id: int, *, now: datetime) -> Swap:
    """Take one's own proposal back before the lead decided. Raises NotFound or SwapSettled."""
    swap = find_swap(session, asker.community_id, swap_id)
    if swap.asker_id != asker.id:
        raise NotFound(thing="换班", name=swap_id)
    _expect(swap, *OPEN)
    swap.state, swap.decided_at = SwapState.WITHDRAWN, now
    session.flush()
    return swap


def refuse(
    session: Session, community_id: int, swap_id: int, *, decision: str, by: str, now: datetime
) -> Swap:
    """Refuse a swap as the lead, with the reason both read. Raises SwapSettled or SwapUnfit."""
    swap = find_swap(session, community_id, swap_id)
    _expect(swap, *OPEN)
    if not decision.strip():
        raise SwapUnfit(
            what="没有写明不批准的理由",
            cure="写一句理由，双方会看到",
            what_en="no reason is given for the refusal",
            cure_en="Give one; both read it",
        )
    swap.state, swap.decision = SwapState.REFUSED, decision.strip()
    swap.decided_by, swap.decided_at = by, now
    session.flush()
    return swap


def approve(session: Session, community_id: int, swap_id: int, *, by: str, now: datetime) -> Done:
    """Approve a swap that both want: the week is published anew with the change.

    The rules are asked once more, with everything told since. Raises SwapSettled, SwapBreaksRules,
    RosterIsLocked (the week was closed) or NotFound.
    """
    swap = find_swap(session, community_id, swap_id)
    _expect(swap, SwapState.ACCEPTED)
    # The week first: a closed one is said to be closed, and two approvals go one after the other.
    week, asked, verdict = _verdict(session, swap)
    _refuse_lapsed(session, swap, now)
    _refuse_breaches(verdict, *people_of(session, swap))
    version = apply_exchange(session, week, asked, proposed_by=swap.asked_by, by=by, at=now)
    swap.state, swap.roster_version_id = SwapState.APPROVED, version.id
    swap.decided_by, swap.decided_at = by, now
    session.flush()
    return Done(swap, version, let_lapse(session, community_id, now))


def swaps_of_member(session: Session, member_id: int, limit: int = 40) -> Sequence[Swap]:
    """Return the proposals a member made or received, the latest first."""
    return session.scalars(
        select(Swap)
        .where((Swap.asker_id == member_id) | (Swap.other_id == member_id))
        .order_by(Swap.id.desc())
        .limit(limit)
    ).all()


def swaps_of_team(session: Session, community_id: int, limit: int = 100) -> Sequence[Swap]:
    """Return the community's proposals, the latest first."""
    return session.scalars(
        select(Swap).where(Swap.community_id == community_id).order_by(Swap.id.desc()).limit(limit)
    ).all()


def swaps_to_answer(session: Session, member_id: int) -> int:
    """Count the proposals that wait for a member's answer."""
    found = session.scalar(
        select(func.count())
        .select_from(Swap)
        .where(
            Swap.other_id == member_id,
            Swap.state == SwapState.PROPOSED,
        )
    )
    return found or 0
