"""Edit shifts, patrol types and cover: what can be meant is kept, what is used is not deleted.

Codes never change: stored versions name shifts and types by them, and carry their own copy of
hours and composition, so that an edit reaches only rosters made afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from grid.cells import PatrolZone
from grid.communities import Community
from grid.errors import Conflict, DomainError, NotFound
from grid.member_words import QUALIFICATIONS
from grid.people import Force
from scheduling.availability import MemberRequest
from scheduling.core.problem import DAY_MIN, Law, Seat
from scheduling.demand import CoverDemand, PatrolType, ShiftTemplate
from scheduling.duties import SEATS_MAX, load_matrix, refuse_unable
from scheduling.events import PATROLS_MAX, SpecialEvent
from scheduling.rosters import Patrol, RosterVersion

SHIFT_MAX_MIN = 720
NAME_MAX = 20


class ShiftUnfit(DomainError):
    """A shift that cannot be meant; everything that is wrong with it at once."""

    zh = "班次没有保存：{what}。请更正后再保存。"
    en = "The shift was not saved: {what_en}. Correct this and save again."


class TypeUnfit(DomainError):
    """A patrol type that cannot be meant."""

    zh = "巡逻类型没有保存：{what}。请更正后再保存。"
    en = "The patrol type was not saved: {what_en}. Correct this and save again."


class CoverUnfit(DomainError):
    """A cover demand that cannot be meant."""

    zh = "勤务需求没有保存：{what}。请更正后再保存。"
    en = "The cover was not saved: {what_en}. Correct this and save again."


class StillUsed(Conflict):
    """What rosters, cover or events name is not deleted."""

    zh = "{thing}“{name}”不能删除：{uses}。请改用“停用”：以后的排班不再使用，历史排班保持不变。"
    en = "{thing_en} “{name}” cannot be deleted: {uses_en}. Retire it instead: later rosters do without it and past ones stay as they are."


class StillAsked(Conflict):
    """A patrol type that coming events ask for is not retired."""

    zh = "“{name}”还不能停用：特殊事件{events}仍要求加派。请先取消或修改这些事件。"
    en = "“{name}” cannot be retired yet: the events {events} ask for it. Cancel or change them first."


Said = list[tuple[str, str]]


def _one_at_a_time(session: Session, community_id: int) -> None:
    """Let edits of one community wait for each other: names and codes are compared, not unique."""
    session.execute(
        select(Community.id).where(Community.id == community_id).with_for_update(key_share=True)
    )


def _refuse(kind: type[DomainError], said: Said) -> None:
    if said:
        raise kind(what="；".join(zh for zh, _ in said), what_en="; ".join(en for _, en in said))


def _name_misfits(name: str) -> Said:
    if 1 <= len(name) <= NAME_MAX:
        return []
    return [(f"名称应为 1–{NAME_MAX} 个字", f"the name must have 1 to {NAME_MAX} characters")]


def _weekday_misfits(weekdays: Sequence[int]) -> Said:
    if weekdays and set(weekdays) <= set(range(1, 8)):
        return []
    return [("请至少勾选周一至周日中的一天", "choose at least one weekday, 1 to 7")]


def _next_code(letter: str, taken: set[str]) -> str:
    return next(code for n in range(1, 10_000) if (code := f"{letter}{n}") not in taken)


# --- Shifts -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShiftFacts:
    """What is said of a shift: minutes count from midnight, past 1440 is the next day."""

    name: str
    start_min: int
    end_min: int
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


def shifts_of(session: Session, community_id: int) -> list[ShiftTemplate]:
    """Return every shift, those in use first."""
    return list(
        session.scalars(
            select(ShiftTemplate)
            .where(ShiftTemplate.community_id == community_id)
            .order_by(ShiftTemplate.active.desc(), ShiftTemplate.start_min, ShiftTemplate.code)
        )
    )


def find_shift(session: Session, community_id: int, shift_id: int) -> ShiftTemplate:
    """Return a community's shift. Raises NotFound."""
    row = session.get(ShiftTemplate, shift_id)
    if row is None or row.community_id != community_id:
        raise NotFound(thing="班次", name=shift_id)
    return row


def save_shift(
    session: Session, community_id: int, facts: ShiftFacts, shift_id: int | None = None
) -> tuple[ShiftTemplate, dict[str, list[object]]]:
    """Enter or change a shift; return it and what changed. Raises ShiftUnfit or NotFound."""
    _one_at_a_time(session, community_id)
    row = find_shift(session, community_id, shift_id) if shift_id else None
    others = [s for s in shifts_of(session, community_id) if s is not row]
    facts = ShiftFacts(**vars(facts) | {"name": facts.name.strip()})
    _refuse(ShiftUnfit, _shift_misfits(facts, [s for s in others if s.active]))
    values = vars(facts) | {"weekdays": sorted(set(facts.weekdays))}
    if row is None:
        row = ShiftTemplate(
            community_id=community_id, code=_next_code("S", {s.code for s in others}), **values
        )
        session.add(row)
        changed: dict[str, list[object]] = {key: [None, value] for key, value in values.items()}
    else:
        changed = _changed(row, values)
    session.flush()
    return row, changed


def _changed(row: object, values: Mapping[str, object]) -> dict[str, list[object]]:
    found = {
        key: [getattr(row, key), value]
        for key, value in values.items()
        if getattr(row, key) != value
    }
    for key in found:
        setattr(row, key, values[key])
    return found


def _shift_misfits(facts: ShiftFacts, others: Sequence[ShiftTemplate]) -> Said:
    said = _name_misfits(facts.name)
    if any(s.name == facts.name for s in others):
        said.append((
            f"已有在用的班次叫“{facts.name}”，两个班次不能同名",
            f"another shift in use is called “{facts.name}”; no two shifts share a name",
        ))  # fmt: skip
    length = facts.end_min - facts.start_min
    if facts.start_min < 0 or facts.end_min < 0:
        said.append((
            "时间不能是负数，应从零点起按分钟数填写",
            "minutes cannot be negative; they count from midnight",
        ))  # fmt: skip
    elif facts.start_min >= DAY_MIN:
        said.append(("开始时间应在当天零点到 23:59 之间", "the start must lie in its own day"))
    elif length <= 0:
        said.append(("结束时间应晚于开始时间", "the end must come after the start"))
    elif length > SHIFT_MAX_MIN:
        said.append((
            f"一班不能超过 12 小时，现为 {length / 60:g} 小时，请拆成两个班次",
            f"a shift lasts 12 hours at most, this one {length / 60:g}; divide it in two",
        ))  # fmt: skip
    return said + _weekday_misfits(facts.weekdays)


def retire_shift(
    session: Session, community_id: int, shift_id: int, *, active: bool
) -> ShiftTemplate:
    """Use a shift no longer, or again. Raises NotFound or ShiftUnfit."""
    _one_at_a_time(session, community_id)
    row = find_shift(session, community_id, shift_id)
    if active and not row.active:
        others = [s for s in shifts_of(session, community_id) if s.active]
        facts = ShiftFacts(
            name=row.name,
            start_min=row.start_min,
            end_min=row.end_min,
            weekdays=tuple(row.weekdays),
        )
        _refuse(ShiftUnfit, _shift_misfits(facts, others))
    row.active = active
    session.flush()
    return row


def delete_shift(session: Session, community_id: int, shift_id: int) -> ShiftTemplate:
    """Delete a shift nothing ever used. Raises NotFound or StillUsed."""
    row = find_shift(session, community_id, shift_id)
    uses = [
        *_cover_uses(session, CoverDemand.shift_template_id == row.id),
        *_roster_uses(
            session, community_id, "shifts", row.code, Patrol.shift_template_id == row.id
        ),
    ]
    wishes = session.scalar(select(func.count()).where(MemberRequest.shift_template_id == row.id))
    if wishes:
        uses.append((f"{wishes} 条排班意愿提到它", f"{wishes} wishes name it"))
    _refuse_used("班次", "The shift", row.name, uses)
    session.delete(row)
    session.flush()
    return row


def _refuse_used(thing: str, thing_en: str, name: str, uses: Said) -> None:
    if uses:
        raise StillUsed(
            thing=thing,
            thing_en=thing_en,
            name=name,
            uses="、".join(zh for zh, _ in uses),
            uses_en=", ".join(en for _, en in uses),
        )


def _cover_uses(session: Session, which: object) -> Said:
    n = session.scalar(select(func.count()).select_from(CoverDemand).where(which))  # type: ignore[arg-type]
    return [(f"{n} 条勤务需求在用", f"{n} cover demands use it")] if n else []


def _roster_uses(session: Session, community_id: int, part: str, code: str, which: object) -> Said:
    """Return how many stored versions name it: in their problem, or by a patrol's row."""
    n = session.scalar(
        select(func.count())
        .select_from(RosterVersion)
        .where(
            RosterVersion.community_id == community_id,
            or_(
                RosterVersion.problem.contains({part: [{"key": code}]}),
                RosterVersion.id.in_(select(Patrol.roster_version_id).where(which)),  # type: ignore[arg-type]
            ),
        )
    )
    return [(f"{n} 版排班用到它", f"{n} roster versions use it")] if n else []


# --- Patrol types -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TypeFacts:
    """What is said of a patrol type; seats as scheduling.core reads them."""

    name: str
    enforcement: bool = False
    composition: tuple[Mapping[str, object], ...] = ()
    duties: tuple[str, ...] = ()


_SEATS = TypeAdapter(tuple[Seat, ...])


def types_of(session: Session, community_id: int) -> list[PatrolType]:
    """Return every patrol type, those in use first."""
    return list(
        session.scalars(
            select(PatrolType)
            .where(PatrolType.community_id == community_id)
            .order_by(PatrolType.active.desc(), PatrolType.id)
        )
    )


def find_type(session: Session, community_id: int, type_id: int) -> PatrolType:
    """Return a community's patrol type. Raises NotFound."""
    row = session.get(PatrolType, type_id)
    if row is None or row.community_id != community_id:
        raise NotFound(thing="巡逻类型", name=type_id)
    return row


def save_type(
    session: Session, community_id: int, facts: TypeFacts, type_id: int | None = None
) -> tuple[PatrolType, dict[str, list[object]]]:
    """Enter or change a patrol type; return it and what changed.

    Raises TypeUnfit, CannotGo (with the duty matrix nobody would be left) or NotFound.
    """
    _one_at_a_time(session, community_id)
    row = find_type(session, community_id, type_id) if type_id else None
    others = [t for t in types_of(session, community_id) if t is not row]
    matrix = load_matrix(session, community_id)
    name = facts.name.strip()
    said = _name_misfits(name)
    if any(t.name == name and t.active for t in others):
        said.append((
            f"已有在用的巡逻类型叫“{name}”，两个类型不能同名",
            f"another type in use is called “{name}”; no two types share a name",
        ))  # fmt: skip
    said += _seat_misfits(facts)
    if set(facts.duties) - set(matrix.cells):
        said.append(("请从职责清单中选择职责", "choose duties that the matrix has"))
    _refuse(TypeUnfit, said)
    values: dict[str, object] = {
        "name": name,
        "enforcement": facts.enforcement,
        "composition": [dict(seat) for seat in facts.composition],
        "duties": [d.code for d in matrix.duties if d.code in facts.duties],
    }
    wanted = PatrolType(community_id=community_id, code=row.code if row else "", **values)
    refuse_unable(matrix, [wanted])
    if row is None:
        wanted.code = _next_code("T", {t.code for t in others})
        session.add(wanted)
        row, changed = wanted, {key: [None, value] for key, value in values.items()}
    else:
        changed = _changed(row, values)
    session.flush()
    return row, changed


def _seat_misfits(facts: TypeFacts) -> Said:
    try:
        seats = _SEATS.validate_python(facts.composition)
    except ValidationError:
        return [("席位的写法不对", "its seats are not written as seats")]
    known, law = {f.value for f in Force}, Law()
    said: Said = []
    if not any(seat.required for seat in seats):
        said.append((
            "没有任何必到席位，等于谁也不需要；请至少设一个必到席位",
            "nobody is needed; name at least one seat that must be filled",
        ))  # fmt: skip
    if len(seats) > SEATS_MAX:
        said.append((f"席位最多 {SEATS_MAX} 个", f"at most {SEATS_MAX} seats"))
    if any(not seat.forces or set(seat.forces) - known for seat in seats):
        said.append(("每个席位至少选一支力量", "every seat needs at least one force"))
    if any(set(seat.qualifications) - set(QUALIFICATIONS) for seat in seats):
        said.append(("席位要求的资格不在名单里", "a seat asks for an unknown qualification"))
    leaders = [seat for seat in seats if seat.leader]
    if len(leaders) > 1:
        said.append(("带班席位只能有一个", "only one seat leads"))
    if any(not seat.required for seat in leaders):
        said.append(("带班席位必须是必到席位", "the leader's seat must be filled"))
    if facts.enforcement and not any(
        set(seat.forces) & set(law.enforcement_leaders) for seat in leaders
    ):
        said.append((
            "执法类巡逻须由民警带班，请把带班席位设为民警",
            "an enforcement patrol is led by an officer; give the leader's seat to one",
        ))  # fmt: skip
    return said


def retire_type(
    session: Session, community_id: int, type_id: int, *, active: bool, today: date
) -> PatrolType:
    """Use a patrol type no longer, or again. Raises NotFound, StillAsked or TypeUnfit."""
    _one_at_a_time(session, community_id)
    row = find_type(session, community_id, type_id)
    if not active:
        events = session.scalars(
            select(SpecialEvent.name).where(
                SpecialEvent.patrol_type_id == row.id,
                SpecialEvent.cancelled.is_(False),
                SpecialEvent.last_day >= today,
            )
        ).all()
        if events:
            raise StillAsked(name=row.name, events="、".join(f"“{e}”" for e in events))
    elif not row.active:
        same = [t for t in types_of(session, community_id) if t.active and t.name == row.name]
        if same:
            _refuse(TypeUnfit, [("在用的类型中已有同名的", "a type in use has the same name")])
        refuse_unable(load_matrix(session, community_id), [row])
    row.active = active
    session.flush()
    return row


def delete_type(session: Session, community_id: int, type_id: int) -> PatrolType:
    """Delete a patrol type nothing ever used. Raises NotFound or StillUsed."""
    row = find_type(session, community_id, type_id)
    uses = [
        *_cover_uses(session, CoverDemand.patrol_type_id == row.id),
        *_roster_uses(session, community_id, "types", row.code, Patrol.patrol_type_id == row.id),
    ]
    events = session.scalar(select(func.count()).where(SpecialEvent.patrol_type_id == row.id))
    if events:
        uses.append((f"{events} 个特殊事件要求它", f"{events} events ask for it"))
    _refuse_used("巡逻类型", "The patrol type", row.name, uses)
    session.delete(row)
    session.flush()
    return row


# --- Cover --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CoverFacts:
    """What is said of the usual cover of a zone in a shift."""

    zone_id: int
    shift_template_id: int
    patrol_type_id: int
    weekdays: tuple[int, ...]
    minimum: int = 1
    ideal: int = 1
    importance: int = 5


def cover_of(
    session: Session, community_id: int, today: date
) -> list[tuple[CoverDemand, PatrolZone, ShiftTemplate, PatrolType]]:
    """Return the cover of the zones that still hold, zone by zone."""
    rows = session.execute(
        select(CoverDemand, PatrolZone, ShiftTemplate, PatrolType)
        .join(PatrolZone, PatrolZone.id == CoverDemand.zone_id)
        .join(ShiftTemplate, ShiftTemplate.id == CoverDemand.shift_template_id)
        .join(PatrolType, PatrolType.id == CoverDemand.patrol_type_id)
        .where(
            CoverDemand.community_id == community_id,
            or_(PatrolZone.valid_to.is_(None), PatrolZone.valid_to > today),
        )
        .order_by(PatrolZone.code, ShiftTemplate.start_min, PatrolType.id, CoverDemand.id)
    )
    return [(c, z, s, t) for c, z, s, t in rows]


def find_cover(session: Session, community_id: int, cover_id: int) -> CoverDemand:
    """Return a community's cover demand. Raises NotFound."""
    row = session.get(CoverDemand, cover_id)
    if row is None or row.community_id != community_id:
        raise NotFound(thing="勤务需求", name=cover_id)
    return row


def save_cover(
    session: Session, community_id: int, facts: CoverFacts, cover_id: int | None = None
) -> tuple[CoverDemand, dict[str, list[object]]]:
    """Enter or change a cover demand; return it and what changed. Raises CoverUnfit or NotFound."""
    _one_at_a_time(session, community_id)
    row = find_cover(session, community_id, cover_id) if cover_id else None
    _refuse(CoverUnfit, _cover_misfits(session, community_id, facts, row))
    values = vars(facts) | {"weekdays": sorted(set(facts.weekdays))}
    if row is None:
        row = CoverDemand(community_id=community_id, **values)
        session.add(row)
        changed: dict[str, list[object]] = {key: [None, value] for key, value in values.items()}
    else:
        changed = _changed(row, values)
    session.flush()
    return row, changed


def _cover_misfits(
    session: Session, community_id: int, facts: CoverFacts, row: CoverDemand | None
) -> Said:
    said: Said = []
    zone = session.get(PatrolZone, facts.zone_id)
    if zone is None or zone.community_id != community_id or zone.valid_to is not None:
        said.append(("请选择现有的巡区", "choose one of the zones there are"))
    shift = session.get(ShiftTemplate, facts.shift_template_id)
    if shift is None or shift.community_id != community_id or not shift.active:
        said.append(("请选择在用的班次", "choose a shift in use"))
    kind = session.get(PatrolType, facts.patrol_type_id)
    if kind is None or kind.community_id != community_id or not kind.active:
        said.append(("请选择在用的巡逻类型", "choose a patrol type in use"))
    if facts.minimum < 0:
        said.append(("至少组数不能是负数", "the minimum cannot be negative"))
    elif facts.ideal < facts.minimum:
        said.append(("理想组数不能少于至少组数", "the ideal cannot be less than the minimum"))
    elif facts.ideal == 0:
        said.append((
            "至少和理想都是 0，等于谁也不需要；不需要时请删除这一条",
            "nobody is needed; delete the row instead",
        ))  # fmt: skip
    elif facts.ideal > PATROLS_MAX:
        said.append((
            f"一个巡区一班最多 {PATROLS_MAX} 组",
            f"at most {PATROLS_MAX} patrols in a zone and shift",
        ))  # fmt: skip
    if not 1 <= facts.importance <= 100:
        said.append(("重要程度应在 1–100 之间", "the importance must be 1 to 100"))
    said += _weekday_misfits(facts.weekdays)
    twin = session.scalar(
        select(CoverDemand.id).where(
            CoverDemand.zone_id == facts.zone_id,
            CoverDemand.shift_template_id == facts.shift_template_id,
            CoverDemand.patrol_type_id == facts.patrol_type_id,
            CoverDemand.minimum == facts.minimum,
            CoverDemand.id != (row.id if row else 0),
        )
    )
    if twin is not None:
        said.append((
            "同一巡区、班次、类型和至少组数的需求已有一条，请直接修改那一条的星期和理想组数",
            "there is a row with this zone, shift, type and minimum; change its days and ideal",
        ))  # fmt: skip
    return said


def delete_cover(session: Session, community_id: int, cover_id: int) -> CoverDemand:
    """Delete a cover demand: nothing hangs on it. Raises NotFound."""
    row = find_cover(session, community_id, cover_id)
    session.delete(row)
    session.flush()
    return row
