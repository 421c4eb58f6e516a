"""Patrol requirements (巡逻要求): raised from a hot place, honoured by rosters, withdrawn by people.

A requirement says: so many visits a week to this place, within these hours on these weekdays,
staying so long, from one day until another. What makes a place hot is counted elsewhere and
comes in as plain data (:class:`HotPlace`); it is kept with the requirement as its evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from grid.errors import DomainError, NotFound
from grid.incident_counts import PlaceKind
from scheduling.demand import PatrolRequirement

WEEKS_VALID = 8
"""A requirement raised by itself holds this long; then the counts decide again."""
LEAST_TO_RAISE = 10
"""Fewer incidents in the counted days raise nothing by themselves: two visits a week for eight
weeks would outnumber them. A person may still raise it."""
LONGEST_DAYS = 366
LONGEST_DWELL_MIN = 60
LONGEST_BAND_MIN = 720


class PlaceInNoZone(DomainError):
    """Nobody patrols there."""

    zh = "“{place}”不在任何有效巡区内，无法提出巡逻要求。请先在“地点与网格”中把所在网格划入巡区。"
    en = "“{place}” lies in no patrol zone, so no patrol can be required there. Put its grid cell into a zone under Places and cells first."


class RequirementUnfit(DomainError):
    """A number of the form does not fit."""

    zh = "巡逻要求填写有误：{what}。{cure}。"
    en = "The requirement does not fit: {what_en}. {cure_en}."


class AlreadyRaised(DomainError):
    """The same place and category has a requirement that holds in these days."""

    zh = "“{place}”的{category}已有有效的巡逻要求（编号 {number}，至 {until}）。如需调整，请先撤回原要求。"
    en = "There is already a requirement for {category} at “{place}” (number {number}, until {until}). Withdraw it first if you want another."
    status = 409


@dataclass(frozen=True, slots=True)
class HotPlace:
    """A place that is hot for a category, as counted: plain data, and the evidence that is kept."""

    kind: PlaceKind
    place_id: int
    label: str
    category: str
    n: int
    base: int
    """n of the same days a year before."""
    expected: float
    p: float
    q: float
    first: date
    until: date
    """The counted days: first ≤ day < until."""
    band_start_min: int
    band_end_min: int
    in_band: int
    """How many of the n fell in the hours of the band."""
    weekdays: tuple[int, ...]
    households: int = 0
    also: tuple[str, ...] = field(default=())
    """Other places nearby that are hot for the same."""

    def evidence(self) -> dict[str, object]:
        """Return what is stored with a requirement."""
        kept = asdict(self)
        for day in ("first", "until"):
            kept[day] = kept[day].isoformat()
        kept["kind"] = self.kind.value
        kept["weekdays"] = list(self.weekdays)
        kept["also"] = list(self.also)
        return kept


@dataclass(frozen=True, slots=True)
class Asked:
    """What a requirement asks for."""

    kind: PlaceKind
    place_id: int
    category: str
    band_start_min: int
    """Minutes from midnight."""
    band_end_min: int
    """Past 1440 is the next day."""
    weekdays: tuple[int, ...]
    """ISO weekdays on which the band begins."""
    visits_per_week: int
    dwell_min: int
    valid_from: date
    valid_to: date
    """The first day on which it no longer holds."""
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A patrol of a roster that can meet a requirement."""

    patrol_id: int
    day: date
    start_min: int
    end_min: int
    overlap_min: int
    state: str
    """The roster version's state: draft, reviewed, published, locked."""


def visits_for(n: int) -> int:
    """Return how many visits a week a place with n incidents a year is worth."""
    steps = ((48, 5), (24, 4), (12, 3))
    return next((visits for least, visits in steps if n >= least), 2)


def proposed(hot: HotPlace, today: date) -> Asked:
    """Return what to ask for at a hot place: in its busiest hours, from the coming Monday on."""
    monday = today + timedelta(7 - today.weekday())
    visits = visits_for(hot.n)
    return Asked(
        kind=hot.kind,
        place_id=hot.place_id,
        category=hot.category,
        band_start_min=hot.band_start_min,
        band_end_min=hot.band_end_min,
        weekdays=_at_least(visits, hot.weekdays),
        visits_per_week=visits,
        dwell_min=15 if hot.n >= 24 else 10,
        valid_from=monday,
        valid_to=monday + timedelta(weeks=WEEKS_VALID),
        reason=reason(hot),
    )


def _at_least(days: int, chosen: Sequence[int]) -> tuple[int, ...]:
    """Return the chosen weekdays, with others added where there are more visits than days."""
    missing = days - len(chosen)
    others = [day for day in range(7, 0, -1) if day not in chosen]
    return tuple(sorted([*chosen, *others[: max(0, missing)]]))


def reason(hot: HotPlace) -> str:
    """Return the sentence a requirement is justified with."""
    days = f"{hot.first:%Y-%m-%d}至{hot.until - timedelta(1):%Y-%m-%d}"
    hours = f"{_clock(hot.band_start_min)}–{_clock(hot.band_end_min)}"
    usual = f"约{hot.expected:.1f}件" if hot.expected >= 0.1 else "不到0.1件"
    told = (
        f"{hot.label}{hot.category}{hot.n}件（{days}，上年同期{hot.base}件），"
        f"按全社区水平{usual}；其中{hot.in_band}件在{hours}"
    )
    if hot.also:
        told += f"；附近同类热点：{'、'.join(hot.also)}"
    return told


def _clock(minutes: int) -> str:
    clock = f"{minutes % 1440 // 60:02d}:{minutes % 60:02d}"
    return clock if minutes < 1440 else f"次日{clock}"


_PLACE = text("""
    SELECT place.label, zone.id AS zone_id
    FROM (
        SELECT coalesce(b.name, e.name || b.number || '栋', b.number || '栋', '楼栋') AS label,
               ST_PointOnSurface(b.footprint) AS spot, NULL::bigint AS cell_id
        FROM building b LEFT JOIN estate e ON e.id = b.estate_id
        WHERE :kind = 'building' AND b.id = :place_id AND b.community_id = :community_id
        UNION ALL
        SELECT k.name, k.location, NULL FROM key_place k
        WHERE :kind = 'key_place' AND k.id = :place_id AND k.community_id = :community_id
        UNION ALL
        SELECT c.name, NULL, c.id FROM grid_cell c
        WHERE :kind = 'cell' AND c.id = :place_id AND c.community_id = :community_id
    ) place
    LEFT JOIN LATERAL (
        SELECT z.id
        FROM grid_cell c
        JOIN patrol_zone_cell pc ON pc.cell_id = c.id
        JOIN patrol_zone z ON z.id = pc.zone_id
        WHERE c.community_id = :community_id
          AND (c.id = place.cell_id OR ST_Covers(c.boundary, place.spot))
          AND c.valid_from <= :day AND (c.valid_to IS NULL OR c.valid_to > :day)
          AND z.valid_from <= :day AND (z.valid_to IS NULL OR z.valid_to > :day)
        ORDER BY z.id LIMIT 1
    ) zone ON true
""")


def _zone_of(session: Session, community_id: int, asked: Asked) -> tuple[str, int]:
    row = session.execute(
        _PLACE,
        {
            "kind": asked.kind.value,
            "place_id": asked.place_id,
            "community_id": community_id,
            "day": asked.valid_from,
        },
    ).one_or_none()
    if row is None:
        raise NotFound(thing="地点", name=f"{asked.kind.value}:{asked.place_id}")
    if row.zone_id is None:
        raise PlaceInNoZone(place=row.label)
    return row.label, row.zone_id


def _refuse_unfit(asked: Asked, today: date) -> None:
    band = asked.band_end_min - asked.band_start_min
    days = (asked.valid_to - asked.valid_from).days
    checks = (
        (0 <= asked.band_start_min < 1440 and 0 < band <= LONGEST_BAND_MIN,
         "时段不对", "结束应晚于开始，跨零点时按次日填写，最长12小时",
         "the hours are wrong", "The end comes after the start, at most 12 hours later"),
        (bool(asked.weekdays) and set(asked.weekdays) <= set(range(1, 8)),
         "没有选择星期", "请至少选择一天", "no weekday is chosen", "Choose at least one"),
        (1 <= asked.visits_per_week <= 21,
         "每周次数应为1至21次", "请更正", "visits a week are 1 to 21", "Correct the number"),
        (1 <= asked.dwell_min <= min(LONGEST_DWELL_MIN, max(1, band)),
         "停留分钟数应为1至60，且不超过时段长度", "请更正",
         "the stay is 1 to 60 minutes and not longer than the hours", "Correct the minutes"),
        (0 < days <= LONGEST_DAYS, "起止日期不对", "结束日期应晚于开始日期，最长一年",
         "the dates are wrong", "The end comes after the start, at most a year later"),
        (asked.valid_to > today, "结束日期已过", "请选择今天以后的日期",
         "the end has passed", "Choose a day after today"),
        (bool(asked.category.strip()), "没有填写事由类别", "请填写，如“噪音扰民”",
         "no category is given", "Give one, such as 噪音扰民"),
    )  # fmt: skip
    for fits, what, cure, what_en, cure_en in checks:
        if not fits:
            raise RequirementUnfit(what=what, cure=cure, what_en=what_en, cure_en=cure_en)


_HOLDING = text("""
    SELECT id, valid_to, withdrawn FROM patrol_requirement
    WHERE community_id = :community_id AND category = :category
      AND valid_from < :valid_to AND valid_to > :valid_from
      AND CASE :kind WHEN 'building' THEN building_id WHEN 'key_place' THEN key_place_id
          ELSE cell_id END = :place_id
    ORDER BY withdrawn, id LIMIT 1
""")
_ONE_AT_A_TIME = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('requirement', :community_id))"
)


def _holding(session: Session, community_id: int, asked: Asked) -> Row[Any] | None:
    return session.execute(
        _HOLDING,
        {
            "community_id": community_id,
            "category": asked.category,
            "kind": asked.kind.value,
            "place_id": asked.place_id,
            "valid_from": asked.valid_from,
            "valid_to": asked.valid_to,
        },
    ).one_or_none()


def raise_requirement(
    session: Session,
    community_id: int,
    asked: Asked,
    *,
    evidence: Mapping[str, object],
    raised_by: str,
    raised_at: datetime,
    today: date,
) -> PatrolRequirement:
    """Raise a requirement; its zone is the one the place lies in on its first day.

    Raises
    ------
    NotFound
        The place is not this community's.
    PlaceInNoZone, RequirementUnfit, AlreadyRaised
        As they say.
    """
    _refuse_unfit(asked, today)
    label, zone_id = _zone_of(session, community_id, asked)
    session.execute(_ONE_AT_A_TIME, {"community_id": community_id})
    holding = _holding(session, community_id, asked)
    if holding is not None and not holding.withdrawn:
        raise AlreadyRaised(
            place=label, category=asked.category, number=holding.id, until=holding.valid_to
        )
    return _store(session, community_id, asked, zone_id, evidence, raised_by, raised_at)


def _store(
    session: Session,
    community_id: int,
    asked: Asked,
    zone_id: int,
    evidence: Mapping[str, object],
    raised_by: str,
    raised_at: datetime,
) -> PatrolRequirement:
    column = {"building": "building_id", "key_place": "key_place_id", "cell": "cell_id"}
    row = PatrolRequirement(
        community_id=community_id,
        zone_id=zone_id,
        category=asked.category,
        band_start_min=asked.band_start_min,
        band_end_min=asked.band_end_min,
        weekdays=sorted(asked.weekdays),
        visits_per_week=asked.visits_per_week,
        dwell_min=asked.dwell_min,
        valid_from=asked.valid_from,
        valid_to=asked.valid_to,
        reason=asked.reason,
        evidence=dict(evidence),
        raised_by=raised_by,
        raised_at=raised_at,
        **{column[asked.kind.value]: asked.place_id},
    )
    session.add(row)
    session.flush()
    return row


def raise_from_hotspots(
    session: Session,
    community_id: int,
    hot_places: Sequence[HotPlace],
    *,
    today: date,
    raised_by: str,
    raised_at: datetime,
) -> list[PatrolRequirement]:
    """Raise what follows from the hot places: one requirement for each zone and category.

    Within a zone the place with the most incidents is the one to visit; the others are named in
    the reason. A grid cell is asked for only where no building or key place in it stands out. A
    place that has a requirement for the category in these days gets no second one, and one that
    somebody withdrew is not raised again before it would have ended. So raising twice raises
    once.
    """
    session.execute(_ONE_AT_A_TIME, {"community_id": community_id})
    raised = []
    for (zone_id, _), group in _by_zone(session, community_id, hot_places, today).items():
        standing_out = [one for one in group if one.kind is not PlaceKind.CELL] or group
        chief, *others = sorted(standing_out, key=lambda one: (-one.n, one.q, one.label))
        asked = proposed(_with_others(chief, others), today)
        if chief.n < LEAST_TO_RAISE or any(
            _holding(session, community_id, proposed(one, today)) for one in group
        ):
            continue
        raised.append(
            _store(
                session,
                community_id,
                asked,
                zone_id,
                _with_others(chief, others).evidence(),
                raised_by,
                raised_at,
            )
        )
    return raised


def _with_others(chief: HotPlace, others: Sequence[HotPlace]) -> HotPlace:
    named = tuple(f"{one.label}{one.n}件" for one in others)
    values = {name: getattr(chief, name) for name in HotPlace.__slots__}
    return HotPlace(**(values | {"also": named}))


def _by_zone(
    session: Session, community_id: int, hot_places: Sequence[HotPlace], today: date
) -> dict[tuple[int, str], list[HotPlace]]:
    groups: dict[tuple[int, str], list[HotPlace]] = {}
    for hot in hot_places:
        try:
            _, zone_id = _zone_of(session, community_id, proposed(hot, today))
        except PlaceInNoZone:
            continue
        groups.setdefault((zone_id, hot.category), []).append(hot)
    return groups


def find(session: Session, community_id: int, requirement_id: int) -> PatrolRequirement:
    """Return a requirement of a community, or raise NotFound."""
    row = session.scalar(
        select(PatrolRequirement).where(
            PatrolRequirement.id == requirement_id, PatrolRequirement.community_id == community_id
        )
    )
    if row is None:
        raise NotFound(thing="巡逻要求", name=requirement_id)
    return row


def withdraw(session: Session, community_id: int, requirement_id: int) -> PatrolRequirement:
    """Withdraw a requirement: rosters made from now on do without it. Twice is once."""
    row = find(session, community_id, requirement_id)
    row.withdrawn = True
    session.flush()
    return row


_LISTED = text("""
    SELECT r.*, z.name AS zone,
           coalesce(k.name, c.name, b.name, e.name || b.number || '栋', b.number || '栋', '') AS place
    FROM patrol_requirement r
    JOIN patrol_zone z ON z.id = r.zone_id
    LEFT JOIN building b ON b.id = r.building_id
    LEFT JOIN estate e ON e.id = b.estate_id
    LEFT JOIN key_place k ON k.id = r.key_place_id
    LEFT JOIN grid_cell c ON c.id = r.cell_id
    WHERE r.community_id = :community_id
    ORDER BY r.withdrawn, r.valid_to <= :today, r.id DESC
""")


def listed(session: Session, community_id: int, today: date) -> Sequence[Row[Any]]:
    """Return every requirement with the names of its place and zone: those that hold first."""
    return session.execute(_LISTED, {"community_id": community_id, "today": today}).all()


def named(session: Session, community_id: int, today: date, requirement_id: int) -> Row[Any]:
    """Return one requirement with the names of its place and zone, or raise NotFound."""
    for row in listed(session, community_id, today):
        if row.id == requirement_id:
            return row
    raise NotFound(thing="巡逻要求", name=requirement_id)


_PLANNED = text("""
    WITH chosen AS (
        SELECT DISTINCT ON (community_id, week_start) id, state
        FROM roster_version
        WHERE community_id = :community_id AND week_start = :week_start
        ORDER BY community_id, week_start, state IN ('published', 'locked') DESC, number DESC
    )
    SELECT r.id AS requirement_id, p.id AS patrol_id, p.day, p.start_min, p.end_min,
           max(least(p.end_min, r.band_end_min + 1440 * later.days)
               - greatest(p.start_min, r.band_start_min + 1440 * later.days)) AS overlap_min,
           v.state
    FROM patrol_requirement r
    JOIN chosen v ON true
    JOIN patrol p ON p.roster_version_id = v.id AND p.zone_id = r.zone_id
    -- A patrol past midnight walks in the next day's early hours, a band past it in the day's own.
    CROSS JOIN (VALUES (-1), (0), (1)) AS later (days)
    WHERE r.community_id = :community_id AND NOT r.withdrawn
      AND p.day + later.days >= greatest(r.valid_from, CAST(:week_start AS date))
      AND p.day + later.days < least(r.valid_to, CAST(:week_start AS date) + 7)
      AND extract(isodow FROM p.day + later.days)::int = ANY (r.weekdays)
      AND least(p.end_min, r.band_end_min + 1440 * later.days)
          - greatest(p.start_min, r.band_start_min + 1440 * later.days) >= r.dwell_min
    GROUP BY r.id, p.id, v.state
    ORDER BY r.id, p.day, p.start_min
""")


def planned_visits(
    session: Session, community_id: int, week_start: date
) -> dict[int, list[PlannedVisit]]:
    """Return, per requirement, the patrols of a week that can meet it.

    A patrol can when it is in the zone and in the band of one of the weekdays for at least the
    stay, past midnight too: as the roster's own engine counts it, so that both pages show one
    number. A roster answers for the days of its own week.
    Patrols that are not walked have no row. The week's published roster counts, or its newest
    version where none is published.
    """
    rows = session.execute(_PLANNED, {"community_id": community_id, "week_start": week_start})
    found: dict[int, list[PlannedVisit]] = {}
    for row in rows:
        found.setdefault(row.requirement_id, []).append(
            PlannedVisit(
                row.patrol_id, row.day, row.start_min, row.end_min, row.overlap_min, row.state
            )
        )
    return found
