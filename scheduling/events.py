"""Special events (特殊事件): a fair, an exam, a holiday night asks more of a zone for some days.

An event adds patrols of one type to the usual cover, on the shifts that together hold as much of
its hours as any: the fewest such shifts, then the shortest. At every minute they hold there are
then that many patrols more. What cannot be placed is said on the roster, never dropped silently.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain, combinations

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.cells import PatrolZone
from grid.database import Base, Instant, Key
from grid.errors import Conflict, DomainError, NotFound
from scheduling.core.problem import DAY_MIN, WEEK_DAYS, Demand, Note
from scheduling.demand import PatrolType, ShiftTemplate

DAYS_MAX = 31
PATROLS_MAX = 10
DEMAND_MAX = 20
"""The most patrols of one type in a zone and shift that a problem takes."""
IMPORTANCE = 12
"""What an event weighs unless said: more than the usual cover of any type."""
FEW_SHIFTS = 10
EVENT_NOTE = "特殊事件"
"""How the note on an event begins."""


class SpecialEvent(Base):
    """An event that asks for more patrols in one zone."""

    __tablename__ = "special_event"
    __table_args__ = (
        CheckConstraint(
            "last_day >= first_day AND last_day <= first_day + 30", name="days_forward"
        ),
        CheckConstraint(
            "band_start_min BETWEEN 0 AND 1439 AND band_end_min > band_start_min"
            " AND band_end_min <= band_start_min + 1440",
            name="band_forward",
        ),
        CheckConstraint(
            "minimum >= 0 AND ideal BETWEEN greatest(minimum, 1) AND 10",
            name="ideal_over_minimum",
        ),
        CheckConstraint("importance BETWEEN 1 AND 100", name="importance_in_percent"),
        Index("ix_special_event_community_day", "community_id", "first_day"),
    )

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    name: Mapped[str]
    zone_id: Mapped[int] = mapped_column(ForeignKey("patrol_zone.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    band_start_min: Mapped[int]
    """Minutes from midnight; an end past 1440 is the next day."""
    band_end_min: Mapped[int]
    patrol_type_id: Mapped[int] = mapped_column(ForeignKey("patrol_type.id"))
    minimum: Mapped[int]
    """Patrols that must be added where hands allow."""
    ideal: Mapped[int]
    importance: Mapped[int]
    note: Mapped[str]
    """What patrollers should know; printed on the task card."""
    made_by: Mapped[str]
    made_at: Mapped[Instant]
    cancelled: Mapped[bool] = mapped_column(default=False, server_default="false")


class EventUnfit(DomainError):
    """An event that cannot be meant; everything that is wrong with it at once."""

    zh = "特殊事件没有保存：{what}。请更正后再保存。"
    en = "The event was not saved: {what_en}. Correct this and save again."


class EventOver(Conflict):
    """An event that is over or cancelled stays as it is."""

    zh = "“{name}”已经结束或取消，不能再改。如需再次加派，请新建一个事件。"
    en = "“{name}” is over or cancelled and stays as it is. Enter a new event to add patrols again."


@dataclass(frozen=True, kw_only=True)
class EventFacts:
    """What is said of an event."""

    name: str
    zone_id: int
    first_day: date
    last_day: date
    band_start_min: int
    band_end_min: int
    patrol_type_id: int
    minimum: int = 1
    ideal: int = 1
    importance: int = IMPORTANCE
    note: str = ""


def enter_event(
    session: Session, community_id: int, facts: EventFacts, *, by: str, now: datetime, today: date
) -> SpecialEvent:
    """Enter an event. Raises EventUnfit."""
    _refuse_unfit(session, community_id, facts, today)
    row = SpecialEvent(community_id=community_id, made_by=by, made_at=now, **vars(facts))
    session.add(row)
    session.flush()
    return row


def change_event(
    session: Session, community_id: int, event_id: int, facts: EventFacts, *, today: date
) -> dict[str, list[str]]:
    """Change an event; return what changed. Raises NotFound, EventOver or EventUnfit."""
    row = find_event(session, community_id, event_id)
    if row.cancelled or row.last_day < today:
        raise EventOver(name=row.name)
    _refuse_unfit(session, community_id, facts, today)
    changed = {
        key: [str(getattr(row, key)), str(value)]
        for key, value in vars(facts).items()
        if getattr(row, key) != value
    }
    for key in changed:
        setattr(row, key, getattr(facts, key))
    session.flush()
    return changed


def cancel_event(
    session: Session, community_id: int, event_id: int, *, cancelled: bool, today: date
) -> SpecialEvent:
    """Cancel an event, or take that back. Raises NotFound or EventOver."""
    row = find_event(session, community_id, event_id)
    if row.last_day < today:
        raise EventOver(name=row.name)
    row.cancelled = cancelled
    session.flush()
    return row


def find_event(session: Session, community_id: int, event_id: int) -> SpecialEvent:
    """Return a community's event. Raises NotFound."""
    row = session.scalar(
        select(SpecialEvent).where(
            SpecialEvent.id == event_id, SpecialEvent.community_id == community_id
        )
    )
    if row is None:
        raise NotFound(thing="特殊事件", name=event_id)
    return row


def events_between(
    session: Session, community_id: int, first: date, last: date, *, cancelled: bool = False
) -> list[SpecialEvent]:
    """Return the events of these days, the earliest first."""
    rows = select(SpecialEvent).where(
        SpecialEvent.community_id == community_id,
        SpecialEvent.first_day <= last,
        SpecialEvent.last_day >= first,
    )
    if not cancelled:
        rows = rows.where(SpecialEvent.cancelled.is_(False))
    return list(session.scalars(rows.order_by(SpecialEvent.first_day, SpecialEvent.id)))


def _refuse_unfit(session: Session, community_id: int, facts: EventFacts, today: date) -> None:
    said: list[tuple[str, str]] = []
    if not 1 <= len(facts.name.strip()) <= 40:
        said.append(("名称应为 1–40 个字", "the name must have 1 to 40 characters"))
    if facts.last_day < facts.first_day:
        said.append(("最后一天早于第一天", "the last day lies before the first"))
    elif (facts.last_day - facts.first_day).days >= DAYS_MAX:
        said.append(
            (f"最长 {DAYS_MAX} 天，更久请分开录入", f"at most {DAYS_MAX} days; enter it in parts")
        )
    if facts.last_day < today:
        said.append(("日期已经过去", "its days are past"))
    elif facts.first_day.year > 2100:
        said.append(("日期太远", "its days are too far ahead"))
    forward = facts.band_start_min < facts.band_end_min <= facts.band_start_min + DAY_MIN
    if not 0 <= facts.band_start_min < DAY_MIN or not forward:
        said.append(("时段不成立", "its hours cannot be"))
    if facts.minimum < 0 or not max(1, facts.minimum) <= facts.ideal <= PATROLS_MAX:
        said.append((
            f"加派至少 0 组、理想不少于至少且在 1–{PATROLS_MAX} 组之间",
            f"the minimum must be 0 or more, the ideal no less and 1 to {PATROLS_MAX}",
        ))  # fmt: skip
    if not 1 <= facts.importance <= 100:
        said.append(("重要程度应在 1–100 之间", "the importance must be 1 to 100"))
    zone = session.get(PatrolZone, facts.zone_id)
    if zone is None or zone.community_id != community_id or not _holds(zone, facts.last_day):
        said.append(("请选择现有的巡区", "choose one of the zones there are"))
    kind = session.get(PatrolType, facts.patrol_type_id)
    if kind is None or kind.community_id != community_id or not kind.active:
        said.append(("请选择在用的巡逻类型", "choose a patrol type in use"))
    if not said and not shifts_over(facts, active_shifts(session, community_id)):
        said.append((
            "没有班次与这一时段重叠，请先在“班次”里新增；凌晨时段请写成前一天夜里到次日",
            "no shift overlaps these hours: add one under shifts first, or write hours after "
            "midnight as the night of the day before",
        ))  # fmt: skip
    if said:
        raise EventUnfit(
            what="；".join(zh for zh, _ in said), what_en="; ".join(en for _, en in said)
        )


def active_shifts(session: Session, community_id: int) -> list[ShiftTemplate]:
    """Return the shifts in use, the earliest first."""
    return list(
        session.scalars(
            select(ShiftTemplate)
            .where(ShiftTemplate.community_id == community_id, ShiftTemplate.active)
            .order_by(ShiftTemplate.start_min, ShiftTemplate.code)
        )
    )


def shifts_over(
    event: SpecialEvent | EventFacts, shifts: Iterable[ShiftTemplate], weekday: int | None = None
) -> list[ShiftTemplate]:
    """Return the shifts that get the event's patrols, on an ISO weekday or on any day.

    Of the sets of shifts that hold most minutes of the band, the one of fewest shifts; of those
    the one with fewest minutes in all.
    """
    near = [
        s
        for s in shifts
        if s.start_min < event.band_end_min
        and s.end_min > event.band_start_min
        and (weekday is None or weekday in s.weekdays)
    ]
    # Every set of up to ten shifts; of more, sets of three: nobody plans finer than that.
    largest = len(near) if len(near) <= FEW_SHIFTS else 3
    sets = chain.from_iterable(combinations(near, n) for n in range(1, largest + 1))
    best = min(
        sets,
        key=lambda some: (
            -held_min(event, some),
            len(some),
            sum(s.end_min - s.start_min for s in some),
            [s.code for s in some],
        ),
        default=(),
    )
    return list(best)


def held_min(event: SpecialEvent | EventFacts, shifts: Iterable[ShiftTemplate]) -> int:
    """Return how many minutes of the event's band these shifts hold together."""
    held, until = 0, event.band_start_min
    for shift in sorted(shifts, key=lambda s: s.start_min):
        start = max(shift.start_min, until)
        end = min(shift.end_min, event.band_end_min)
        if end > start:
            held, until = held + end - start, end
    return held


def raise_demand(
    session: Session,
    community_id: int,
    first: date,
    demands: Sequence[Demand],
    zone_keys: Mapping[int, tuple[str, PatrolZone]],
    shifts: Sequence[ShiftTemplate],
    types: Sequence[PatrolType],
) -> tuple[list[Demand], list[Note]]:
    """Return a week's demands with what the events add, and a note on each event."""
    found = {(d.day, d.shift, d.zone, d.type): d for d in demands}
    kinds = {t.id: t for t in types}
    notes = []
    for event in events_between(
        session, community_id, first, first + timedelta(days=WEEK_DAYS - 1)
    ):
        named = zone_keys.get(event.zone_id)
        kind = kinds.get(event.patrol_type_id)
        placed: dict[int, list[ShiftTemplate]] = {}
        asked = [
            n
            for n in range(WEEK_DAYS)
            if event.first_day <= first + timedelta(days=n) <= event.last_day
        ]
        for n in asked:
            day = first + timedelta(days=n)
            if named is None or kind is None or not _holds(named[1], day):
                continue
            placed[n] = shifts_over(event, shifts, day.isoweekday())
            for shift in placed[n]:
                key = (n, shift.code, named[0], kind.code)
                had = found.get(key) or Demand(
                    day=n, shift=key[1], zone=key[2], type=key[3], minimum=0, ideal=0, importance=1
                )
                found[key] = replace(
                    had,
                    minimum=min(DEMAND_MAX, had.minimum + event.minimum),
                    ideal=min(DEMAND_MAX, had.ideal + event.ideal),
                    importance=max(had.importance, event.importance),
                )
        notes.append(_note(session, event, first, asked, placed))
    return [found[key] for key in sorted(found)], notes


def _note(
    session: Session,
    event: SpecialEvent,
    first: date,
    asked: Sequence[int],
    placed: Mapping[int, Sequence[ShiftTemplate]],
) -> Note:
    zone = session.get_one(PatrolZone, event.zone_id)
    kind = session.get_one(PatrolType, event.patrol_type_id)
    days = [first + timedelta(days=n) for n in asked]
    hours = f"{_clock(event.band_start_min)}–{_clock(event.band_end_min)}"
    zh = f"{EVENT_NOTE}“{event.name}”：{zone.name} {_days(days)} {hours}"
    en = f"Special event “{event.name}”: {zone.name}, {_days(days, 'en')}, {hours}"
    left = [first + timedelta(days=n) for n in asked if not placed.get(n)]
    used = list(dict.fromkeys(s.name for n in asked for s in placed.get(n, ())))
    if used:
        zh += f"，{'、'.join(used)}每班加派“{kind.name}”至少 {event.minimum} 组、理想 {event.ideal} 组"
        en += f"; {', '.join(used)}: “{kind.name}” at least {event.minimum} more, ideally {event.ideal}"
        most = min(
            (held_min(event, s) for s in placed.values() if s),
            default=0,
        )
        gap = event.band_end_min - event.band_start_min - most
        if gap:
            zh += f"（时段中有 {gap} 分钟没有班次，请视需要新增班次）"
            en += f" ({gap} minutes of it lie in no shift; add one if they matter)"
    if left:
        zh += (
            f"；{_days(left)}未能加派，因为没有合适的班次、巡区已变更或巡逻类型已停用，请修改该事件"
        )
        en += (
            f"; nothing added on {_days(left, 'en')}: no shift fits, or the zone or patrol type is"
            " no longer in use; change the event"
        )
    return Note(zh=f"{zh}。", en=f"{en}.")


def _holds(zone: PatrolZone, day: date) -> bool:
    return zone.valid_from <= day and (zone.valid_to is None or day < zone.valid_to)


def _days(days: Sequence[date], locale: str = "zh") -> str:
    def one(day: date) -> str:
        return day.isoformat() if locale == "en" else f"{day.month}月{day.day}日"

    if len(days) > 2 and (days[-1] - days[0]).days == len(days) - 1:
        return f"{one(days[0])}–{one(days[-1])}"
    return (", " if locale == "en" else "、").join(map(one, days))


def _clock(minute: int) -> str:
    clock = f"{minute % DAY_MIN // 60:02d}:{minute % 60:02d}"
    return f"次日{clock}" if minute >= DAY_MIN else clock
