"""Keep the team: enter, change and retire members. A member who left stays in the books."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from sqlalchemy import Row, func, or_, select, text
from sqlalchemy.orm import Session

from grid.cells import PatrolZone
from grid.communities import Employer
from grid.errors import Conflict, DomainError, NotFound
from grid.member_words import CONTRACTS, FORCES, QUALIFICATIONS
from grid.people import Force, Member

HOURS_MAX = 60
"""A contract of more hours a week is a slip of the pen: 40 is the law's, 60 leaves overtime room."""


class MemberUnfit(DomainError):
    """Facts of a member that cannot be."""

    zh = "队员资料没有保存：{what}。"
    en = "The member was not saved: {what_en}."


class StaffNumberTaken(Conflict):
    """Two members with one staff number."""

    zh = "编号“{staff_number}”已是{name}的。请换一个编号，或直接修改该队员。"
    en = "Staff number “{staff_number}” is {name}'s. Choose another, or change that member."


class MemberChanged(Conflict):
    """Somebody changed the member while the form was open."""

    zh = "{name}的资料在您打开页面后已被别人修改。请重新打开该队员，核对后再改。"
    en = "{name} was changed by somebody else meanwhile. Open the member again and look before you change it."


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with one field, as a sentence without its full stop."""

    field: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFacts:
    """Everything the lead says of a member; the names are the table's columns."""

    staff_number: str
    name: str
    force: str
    employer_id: int | None = None
    home_zone_id: int | None = None
    phone: str | None = None
    qualifications: tuple[str, ...] = ()
    contract: str = "full_time"
    max_minutes_week: int = 2400
    max_patrols_week: int = 5
    max_nights_week: int = 2
    days_off: tuple[int, ...] = ()
    unavailable: tuple[dict[str, object], ...] = ()
    active_from: date | None = None
    active_to: date | None = None

    def columns(self) -> dict[str, object]:
        """Return the facts as the table holds them."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}


def facts_of(member: Member) -> MemberFacts:
    """Return what is said of a member now."""
    found: dict[str, Any] = {}
    for f in fields(MemberFacts):
        value = getattr(member, f.name)
        found[f.name] = tuple(value) if isinstance(value, list) else value
    return MemberFacts(**found)


def misfits(facts: MemberFacts) -> list[Misfit]:
    """Return everything that is wrong with the facts of a member, field by field."""
    kinds, windows = facts.qualifications, facts.unavailable
    checks = (
        ("staff_number", bool(re.fullmatch(r"[\w.-]{1,32}", facts.staff_number)),
         "编号应为 1–32 个字母、数字或汉字，不含空格",
         "the staff number is 1 to 32 letters or digits without spaces"),
        ("name", bool(re.fullmatch(r"[^\x00-\x1f]{1,40}", facts.name)) and bool(facts.name.strip()),
         "姓名应为 1–40 个字", "the name has 1 to 40 characters"),
        ("force", facts.force in {f.value for f in Force},
         f"力量应为{'、'.join(FORCES.values())}之一",
         f"the force is one of {', '.join(f.value for f in Force)}"),
        ("employer", facts.force != Force.GUARD or facts.employer_id is not None,
         "物业保安须填写所属物业公司：保安只巡本公司服务的小区",
         "a guard needs an employer: guards patrol their employer's estates"),
        ("phone", facts.phone is None or bool(re.fullmatch(r"\+?[0-9][0-9 -]{4,18}", facts.phone)),
         "电话应为 5–20 位数字", "the phone number has 5 to 20 digits"),
        ("qualifications", all(0 < len(q) <= 20 for q in kinds) and len(kinds) <= 12,
         "资格每项不超过 20 字，最多 12 项", "at most 12 qualifications of 20 characters each"),
        ("qualifications", "enforcement" not in kinds or facts.force == Force.OFFICER,
         f"只有民警能有{QUALIFICATIONS['enforcement']}：{FORCES.get(Force(facts.force)) if facts.force in set(Force) else '其他力量'}不得单独执法",
         "only an officer can hold the enforcement qualification"),
        ("contract", facts.contract in CONTRACTS,
         f"合同应为{'或'.join(CONTRACTS.values())}", "the contract is full_time or part_time"),
        ("max_minutes_week", 0 <= facts.max_minutes_week <= HOURS_MAX * 60,
         f"每周工时上限应在 0 到 {HOURS_MAX} 小时之间",
         f"the weekly limit lies between 0 and {HOURS_MAX} hours"),
        ("max_patrols_week", 0 <= facts.max_patrols_week <= 14,
         "每周巡逻上限应在 0 到 14 次之间", "at most 0 to 14 patrols a week"),
        ("max_nights_week", 0 <= facts.max_nights_week <= 7,
         "每周夜班上限应在 0 到 7 次之间", "at most 0 to 7 nights a week"),
        ("days_off", set(facts.days_off) <= set(range(1, 8)) and len(set(facts.days_off)) < 7,
         "固定休息日是周一到周日中的几天，不能七天都休息（不再上岗请填离队日）",
         "days off are some of Monday to Sunday, never all seven (to retire a member, give the last day)"),
        ("unavailable", len(windows) <= 20 and all(_window_fits(w) for w in windows),
         "不可排时段应有星期，从 0 点到 24 点之间开始，最长 24 小时，最多 20 段",
         "closed hours have weekdays, begin within the day and last at most 24 hours; at most 20"),
        ("active_to", facts.active_from is None or facts.active_to is None
         or facts.active_to >= facts.active_from,
         "离队日不能早于到岗日", "the day of leaving is not before the first day"),
        ("active_from", all(d is None or 2000 <= d.year <= 2100
                            for d in (facts.active_from, facts.active_to)),
         "日期应在 2000 到 2100 年之间", "dates lie between 2000 and 2100"),
    )  # fmt: skip
    return [Misfit(field, zh, en) for field, fits, zh, en in checks if not fits]


def _window_fits(window: dict[str, object]) -> bool:
    weekdays, start, end = (window.get(k) for k in ("weekdays", "start_min", "end_min"))
    return (
        isinstance(weekdays, list)
        and bool(weekdays)
        and set(weekdays) <= set(range(1, 8))
        and isinstance(start, int)
        and isinstance(end, int)
        and 0 <= start < 1440
        and start < end <= start + 1440
    )


def refuse_unfit(facts: MemberFacts) -> None:
    """Raise MemberUnfit with everything that is wrong."""
    wrong = misfits(facts)
    if wrong:
        raise MemberUnfit(
            what="；".join(m.zh for m in wrong), what_en="; ".join(m.en for m in wrong)
        )


def find_member(session: Session, community_id: int, member_id: int) -> Member:
    """Return a member of this community. Raises NotFound."""
    row = session.scalar(
        select(Member).where(Member.id == member_id, Member.community_id == community_id)
    )
    if row is None:
        raise NotFound(thing="队员", name=member_id)
    return row


def employers(session: Session, community_id: int) -> Sequence[Employer]:
    """Return the community's property firms by name."""
    return session.scalars(
        select(Employer).where(Employer.community_id == community_id).order_by(Employer.name)
    ).all()


def zones_on(session: Session, community_id: int, day: date) -> Sequence[PatrolZone]:
    """Return the patrol zones that hold on a day, by code."""
    return session.scalars(
        select(PatrolZone)
        .where(
            PatrolZone.community_id == community_id,
            PatrolZone.valid_from <= day,
            or_(PatrolZone.valid_to.is_(None), PatrolZone.valid_to > day),
        )
        .order_by(PatrolZone.code)
    ).all()


def serves(day: date) -> Any:  # noqa: ANN401 - an SQL expression
    """Return the condition that a member serves on a day or will."""
    return or_(Member.active_to.is_(None), Member.active_to > day)


def listed(
    session: Session,
    community_id: int,
    day: date,
    *,
    force: str = "",
    words: str = "",
    retired: bool = False,
) -> Sequence[Row[Member, str, str]]:
    """Return (Member, employer, zone) of those who serve, or of those who left, force by force."""
    wanted = [Member.community_id == community_id]
    wanted.append(Member.active_to <= day if retired else serves(day))
    if force:
        wanted.append(Member.force == force)
    if words:
        wanted.append(
            or_(
                Member.name.icontains(words, autoescape=True),
                Member.staff_number.icontains(words, autoescape=True),
                Employer.name.icontains(words, autoescape=True),
            )
        )
    rows = session.execute(
        select(Member, Employer.name, PatrolZone.name)
        .outerjoin(Employer, Employer.id == Member.employer_id)
        .outerjoin(PatrolZone, PatrolZone.id == Member.home_zone_id)
        .where(*wanted)
        .order_by(Member.staff_number)
    ).all()
    forces = list(Force)
    return sorted(rows, key=lambda row: forces.index(Force(row[0].force)))


def counts(session: Session, community_id: int, day: date) -> dict[str, int]:
    """Return how many of each force serve on a day or will."""
    rows = session.execute(
        select(Member.force, func.count())
        .where(Member.community_id == community_id, serves(day))
        .group_by(Member.force)
    )
    found = {force: n for force, n in rows}
    return {f.value: found[f.value] for f in Force if f.value in found}


def _refuse_strangers(session: Session, community_id: int, facts: MemberFacts) -> None:
    """An employer or zone of another community is none."""
    if facts.employer_id is not None and facts.employer_id not in {
        firm.id for firm in employers(session, community_id)
    }:
        raise NotFound(thing="物业公司", name=facts.employer_id)
    if facts.home_zone_id is not None:
        zone = session.get(PatrolZone, facts.home_zone_id)
        if zone is None or zone.community_id != community_id:
            raise NotFound(thing="巡区", name=facts.home_zone_id)


def _refuse_taken(
    session: Session, community_id: int, staff_number: str, member_id: int | None
) -> None:
    taken = session.scalar(
        select(Member).where(
            Member.community_id == community_id, Member.staff_number == staff_number
        )
    )
    if taken is not None and taken.id != member_id:
        raise StaffNumberTaken(staff_number=staff_number, name=taken.name)


def enter(session: Session, community_id: int, facts: MemberFacts) -> Member:
    """Enter a new member. Raises MemberUnfit, StaffNumberTaken or NotFound."""
    refuse_unfit(facts)
    _refuse_strangers(session, community_id, facts)
    # Two leads at once: the second one waits here and then sees the first one's member.
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('members', :c))"), {"c": community_id}
    )
    _refuse_taken(session, community_id, facts.staff_number, None)
    member = Member(community_id=community_id, **facts.columns())
    session.add(member)
    session.flush()
    return member


def change(session: Session, member: Member, facts: MemberFacts, revision: int) -> dict[str, Any]:
    """Change a member; return the columns that changed, with what they were.

    ``revision`` is the one the form was opened on. The staff number stays: rosters name it.
    Raises MemberChanged, MemberUnfit or NotFound.
    """
    refuse_unfit(facts)
    _refuse_strangers(session, member.community_id, facts)
    session.refresh(member, with_for_update=True)
    if member.revision != revision:
        raise MemberChanged(name=member.name)
    was, now = facts_of(member).columns(), facts.columns()
    now["staff_number"] = member.staff_number
    changed = {column: was[column] for column in now if now[column] != was[column]}
    for column in changed:
        setattr(member, column, now[column])
    if changed:
        member.revision += 1
    session.flush()
    return changed


def retire(session: Session, member: Member, day: date) -> None:
    """Let a member serve no longer from ``day`` on; the row stays. Raises MemberUnfit."""
    session.refresh(member, with_for_update=True)
    refuse_unfit(replace(facts_of(member), active_to=day))
    member.active_to = day
    member.revision += 1
    session.flush()


def bring_back(session: Session, member: Member) -> None:
    """Let a retired member serve again."""
    session.refresh(member, with_for_update=True)
    member.active_to = None
    member.revision += 1
    session.flush()
