"""A week of a community as a roster problem: loaded from the tables, set-based, once.

Keys of the problem are what people read: staff numbers, zone codes, shift and type codes.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product

from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.cells import PatrolZone
from grid.communities import Community, Employer, Estate
from grid.errors import DomainError
from grid.people import Member
from grid.working_calendar import day_kinds, unknown_year
from scheduling.availability import absences, requests_of_week
from scheduling.core import problem as core
from scheduling.core.plan import RosterPlan, read_plan
from scheduling.core.problem import DAY_MIN, WEEK_DAYS, RosterProblem, read_problem
from scheduling.core.slots import overlap_min
from scheduling.demand import CoverDemand, PatrolRequirement, PatrolType, ShiftTemplate
from scheduling.duties import load_matrix
from scheduling.events import raise_demand
from scheduling.house_rules import house_rules, with_house_rules
from scheduling.leave import Leave, LeaveState
from scheduling.rosters import RosterState, RosterVersion

CARRY_WEEKS = 4
"""A balance older than this is no longer carried over."""
RUN_DAYS_MAX = 6
"""At least one day of rest in seven (劳动法第三十八条)."""


class NotAWeek(DomainError):
    """The day given starts no week, or lies out of reach."""

    zh = "“{value}”不是星期一，或不在 2004–2100 年之间。排班周从星期一开始，请重新选择。"
    en = "“{value}” is not a Monday between 2004 and 2100. Choose the Monday a roster week starts on."


class NothingToRoster(DomainError):
    """The week lacks what a roster is made of."""

    zh = "{week} 这一周没有{what}，无法排班。请先{cure}。"
    en = "The week of {week} has no {what_en}, so there is nothing to roster. {cure_en} first."


@dataclass(frozen=True)
class History:
    """What the weeks before leave behind, by staff number."""

    balance_bp: Mapping[str, int]
    last_end_min: Mapping[str, int]
    run_days: Mapping[str, int]
    shift: Mapping[str, str]
    """The shift worked on the eve, where it is still walked."""
    minutes: Mapping[str, tuple[int, ...]]
    """Minutes worked on the seven days before, the eve last."""
    weekends: Mapping[str, tuple[bool, ...]]
    """Whether each of the weekends before was worked, the latest last."""


def as_monday(value: date | str) -> date:
    """Return a Monday, or raise NotAWeek."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise NotAWeek(value=value) from error
    if day.weekday() != 0 or not 2004 <= day.year <= 2100:
        raise NotAWeek(value=day.isoformat())
    return day


def load_problem(session: Session, community_id: int, week_start: date) -> RosterProblem:
    """Return the problem of one week. Raises NotAWeek or NothingToRoster."""
    first = as_monday(week_start)
    last = first + timedelta(days=WEEK_DAYS - 1)
    zones, zone_keys = _zones(session, community_id, first, last)
    shifts = session.scalars(
        select(ShiftTemplate)
        .where(ShiftTemplate.community_id == community_id, ShiftTemplate.active)
        .order_by(ShiftTemplate.start_min, ShiftTemplate.code)
    ).all()
    types = session.scalars(
        select(PatrolType)
        .where(PatrolType.community_id == community_id, PatrolType.active)
        .order_by(PatrolType.code)
    ).all()
    matrix = load_matrix(session, community_id)
    members = _members(session, community_id, first, zone_keys)
    requirements = _requirements(session, community_id, first, last, zone_keys)
    raised, events = raise_demand(
        session,
        community_id,
        first,
        _demands(session, community_id, first, zones, zone_keys, shifts, types),
        zone_keys,
        shifts,
        types,
    )
    demands = _with_extras(raised, requirements, shifts, types)
    for found, zh, cure, en, cure_en in (
        (zones, "有效的巡区", "划分巡区", "patrol zones", "Draw the zones"),
        (members, "在岗队员", "录入队员", "members", "Enter the members"),
        (demands, "勤务需求", "设定班次与勤务", "cover demands", "Set up shifts and cover"),
    ):  # fmt: skip
        if not found:
            raise NothingToRoster(
                week=first.isoformat(), what=zh, cure=cure, what_en=en, cure_en=cure_en
            )
    kinds = day_kinds(session, first, last)
    unknown = unknown_year(session, first, last)
    notes = [core.Note(zh=unknown.sentence("zh"), en=unknown.sentence("en"))] if unknown else []
    problem = RosterProblem(
        name=session.get_one(Community, community_id).name,
        week_start=first.isoformat(),
        days=tuple(kind.value if kind else "unknown" for kind in kinds.values()),
        members=tuple(members),
        zones=tuple(zones.values()),
        shifts=tuple(
            core.Shift(key=s.code, name=s.name, start_min=s.start_min, end_min=s.end_min)
            for s in shifts
        ),
        types=tuple(_type(t, matrix.seats(t)) for t in types),
        demands=tuple(demands),
        requirements=tuple(requirements),
        notes=(*notes, *events),
    )
    return with_house_rules(problem, house_rules(session, community_id))


def load_members(session: Session, community_id: int, week_start: date) -> list[core.Member]:
    """Return the members of a week as they are now: with leave and hours told since it was made."""
    first = as_monday(week_start)
    _, zone_keys = _zones(session, community_id, first, first + timedelta(days=WEEK_DAYS - 1))
    return _members(session, community_id, first, zone_keys)


def problem_of(version: RosterVersion) -> RosterProblem:
    """Return the problem a stored version answers."""
    return read_problem(json.dumps(version.problem))


def plan_of(version: RosterVersion) -> RosterPlan:
    """Return the plan of a stored version."""
    return read_plan(json.dumps(version.plan))


def _type(row: PatrolType, seats: tuple[core.Seat, ...]) -> core.PatrolType:
    return core.PatrolType(key=row.code, name=row.name, seats=seats, enforcement=row.enforcement)


def _zones(
    session: Session, community_id: int, first: date, last: date
) -> tuple[dict[int, core.Zone], dict[int, tuple[str, PatrolZone]]]:
    """Return the zones valid on some day of the week, by id; one code twice is told apart."""
    rows = session.execute(
        select(PatrolZone, Estate.name, Employer.name)
        .outerjoin(Estate, Estate.id == PatrolZone.estate_id)
        .outerjoin(Employer, Employer.id == Estate.employer_id)
        .where(
            PatrolZone.community_id == community_id,
            PatrolZone.valid_from <= last,
            (PatrolZone.valid_to.is_(None)) | (PatrolZone.valid_to > first),
        )
        .order_by(PatrolZone.code, PatrolZone.valid_from)
    ).all()
    codes = Counter(zone.code for zone, _, _ in rows)
    found, keys = {}, {}
    for zone, estate, employer in rows:
        key = zone.code if codes[zone.code] == 1 else f"{zone.code}@{zone.valid_from.isoformat()}"
        keys[zone.id] = (key, zone)
        found[zone.id] = core.Zone(
            key=key, name=zone.name, estate=estate, employers=(employer,) if employer else ()
        )
    return found, keys


def _holds(zone: PatrolZone, day: date) -> bool:
    return zone.valid_from <= day and (zone.valid_to is None or day < zone.valid_to)


def _members(
    session: Session,
    community_id: int,
    first: date,
    zone_keys: Mapping[int, tuple[str, PatrolZone]],
) -> list[core.Member]:
    days = [first + timedelta(days=n) for n in range(WEEK_DAYS)]
    rows = session.execute(
        select(Member, Employer.name)
        .outerjoin(Employer, Employer.id == Member.employer_id)
        .where(
            Member.community_id == community_id,
            (Member.active_from.is_(None)) | (Member.active_from <= days[-1]),
            (Member.active_to.is_(None)) | (Member.active_to > first),
        )
        .order_by(Member.staff_number)
    ).all()
    away: dict[int, set[int]] = {}
    for leave in session.scalars(
        select(Leave)
        .join(Member, Member.id == Leave.member_id)
        .where(
            Member.community_id == community_id,
            Leave.state == LeaveState.APPROVED,
            Leave.first_day <= days[-1],
            Leave.last_day >= first,
        )
    ):
        away.setdefault(leave.member_id, set()).update(
            n for n, day in enumerate(days) if leave.first_day <= day <= leave.last_day
        )
    wishes = requests_of_week(session, community_id, first)
    house = house_rules(session, community_id)
    past = history(session, community_id, first)
    # What nothing asks about is left out of the problem: it stays as short as it can be.
    asks_weekends = house.weekends_row is not None or house.weekends_in_four is not None
    found = []
    for member, employer in rows:
        key = member.staff_number
        days_off = {n for n, day in enumerate(days) if day.isoweekday() in member.days_off}
        leave_days = away.get(member.id, set()) | {
            n
            for n, day in enumerate(days)
            if (member.active_from is not None and day < member.active_from)
            or (member.active_to is not None and day >= member.active_to)
        }
        working = WEEK_DAYS - len(days_off)
        present = len(set(range(WEEK_DAYS)) - days_off - leave_days)
        home = zone_keys.get(member.home_zone_id or 0)
        found.append(
            core.Member(
                key=key,
                name=member.name,
                force=member.force,
                employer=employer,
                home_zone=home[0] if home else None,
                qualifications=tuple(member.qualifications),
                days_off=tuple(sorted(days_off)),
                leave=tuple(sorted(leave_days)),
                unavailable=absences(member, first),
                never_alone="trainee" in member.qualifications,
                requests=wishes.get(member.id, ()),
                limits=house.limits(
                    core.Limits(
                        minutes_week=member.max_minutes_week,
                        patrols_week=member.max_patrols_week,
                        nights_week=member.max_nights_week,
                        run_days=min(RUN_DAYS_MAX, max(5, member.max_patrols_week)),
                    )
                ),
                available_min=member.max_minutes_week * present // working if working else 0,
                carried_over_bp=past.balance_bp.get(key, 0),
                last_end_min=past.last_end_min.get(key),
                run_before_days=past.run_days.get(key, 0),
                shift_before=past.shift.get(key) if house.successions else None,
                minutes_before=past.minutes.get(key, ()) if house.rolling_days else (),
                weekends_before=past.weekends.get(key, ()) if asks_weekends else (),
            )
        )
    return found


def history(session: Session, community_id: int, week_start: date) -> History:
    """Return what the published weeks before leave behind.

    The balance is a member's load less the mean of the force in the last published week; it
    already holds what that week carried over. Rest and run come from the week just before.
    """
    versions = session.scalars(
        select(RosterVersion)
        .where(
            RosterVersion.community_id == community_id,
            RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
            RosterVersion.week_start < week_start,
            RosterVersion.week_start >= week_start - timedelta(weeks=CARRY_WEEKS),
        )
        .order_by(RosterVersion.week_start.desc())
    ).all()
    if not versions:
        return History({}, {}, {}, {}, {}, {})
    latest = versions[0]
    problem, plan = problem_of(latest), plan_of(latest)
    balance = _balances(problem, plan)
    if latest.week_start != week_start - timedelta(weeks=1):
        return History(balance, {}, {}, {}, {}, {})
    walked = set(
        session.scalars(
            select(ShiftTemplate.code).where(
                ShiftTemplate.community_id == community_id, ShiftTemplate.active
            )
        )
    )
    shifts = {s.key: s for s in problem.shifts}
    ends: dict[str, int] = {}
    worked: dict[str, set[int]] = {}
    eve: dict[str, str] = {}
    minutes: dict[str, list[int]] = {}
    for patrol in plan.patrols:
        for seat in patrol.seats:
            if seat.member is not None:
                shift = shifts[patrol.shift]
                of_days = minutes.setdefault(seat.member, [0] * WEEK_DAYS)
                of_days[patrol.day] += shift.end_min - shift.start_min
                if patrol.day == WEEK_DAYS - 1 and patrol.shift in walked:
                    eve[seat.member] = patrol.shift
                end = (patrol.day - WEEK_DAYS) * DAY_MIN + shifts[patrol.shift].end_min
                ends[seat.member] = max(end, ends.get(seat.member, end))
                worked.setdefault(seat.member, set()).add(patrol.day)
    runs = {}
    before = {m.key: m.run_before_days for m in problem.members}
    for member, days in worked.items():
        run = 0
        while run < WEEK_DAYS and WEEK_DAYS - 1 - run in days:
            run += 1
        runs[member] = run + (before.get(member, 0) if run == WEEK_DAYS else 0)
    return History(
        balance, ends, runs, eve,
        {key: tuple(each) for key, each in minutes.items()},
        _weekends(versions, week_start),
    )  # fmt: skip


def _weekends(versions: Sequence[RosterVersion], week_start: date) -> dict[str, tuple[bool, ...]]:
    """Return who worked on the weekends before, back to the first week that is missing."""
    found: dict[str, list[bool]] = {}
    for weeks, version in enumerate(versions, start=1):
        if version.week_start != week_start - timedelta(weeks=weeks):
            break
        plan = plan_of(version)
        worked = {
            seat.member
            for patrol in plan.patrols
            if patrol.day in (WEEK_DAYS - 2, WEEK_DAYS - 1)
            for seat in patrol.seats
            if seat.member is not None
        }
        for load in plan.loads:
            found.setdefault(load.member, [False] * (weeks - 1))
        for member, weekends in found.items():
            weekends.insert(0, member in worked)
    return {member: tuple(weekends) for member, weekends in found.items()}


def _balances(problem: RosterProblem, plan: RosterPlan) -> dict[str, int]:
    force = {m.key: m.force for m in problem.members}
    loads: dict[str, list[int]] = {}
    for load in plan.loads:
        if load.available_min:
            loads.setdefault(force[load.member], []).append(load.load_bp)
    return {
        load.member: (
            load.load_bp - sum(loads[force[load.member]]) // len(loads[force[load.member]])
            if load.available_min
            else load.carried_over_bp
        )
        for load in plan.loads
    }


def _requirements(
    session: Session,
    community_id: int,
    first: date,
    last: date,
    zone_keys: Mapping[int, tuple[str, PatrolZone]],
) -> list[core.Requirement]:
    rows = session.scalars(
        select(PatrolRequirement)
        .where(
            PatrolRequirement.community_id == community_id,
            PatrolRequirement.withdrawn.is_(False),
            PatrolRequirement.valid_from <= last,
            PatrolRequirement.valid_to > first,
        )
        .order_by(PatrolRequirement.id)
    ).all()
    found = []
    for row in rows:
        days = tuple(
            n
            for n in range(WEEK_DAYS)
            for day in [first + timedelta(days=n)]
            if day.isoweekday() in row.weekdays and row.valid_from <= day < row.valid_to
        )
        if row.zone_id in zone_keys and days:
            found.append(
                core.Requirement(
                    key=str(row.id),
                    zone=zone_keys[row.zone_id][0],
                    band_start_min=row.band_start_min,
                    band_end_min=row.band_end_min,
                    days=days,
                    visits=row.visits_per_week,
                    dwell_min=row.dwell_min,
                    reason=row.reason,
                )
            )
    return found


def _demands(
    session: Session,
    community_id: int,
    first: date,
    zones: Mapping[int, core.Zone],
    zone_keys: Mapping[int, tuple[str, PatrolZone]],
    shifts: Sequence[ShiftTemplate],
    types: Sequence[PatrolType],
) -> list[core.Demand]:
    """Return the usual cover day by day; rows that meet on a day add up."""
    by_shift = {s.id: s for s in shifts}
    by_type = {t.id: t for t in types}
    found: dict[tuple[int, str, str, str], core.Demand] = {}
    for row in session.scalars(
        select(CoverDemand).where(CoverDemand.community_id == community_id).order_by(CoverDemand.id)
    ):
        shift = by_shift.get(row.shift_template_id)
        if shift is None or row.zone_id not in zones or row.patrol_type_id not in by_type:
            continue
        zone_key, zone = zone_keys[row.zone_id]
        for n in range(WEEK_DAYS):
            day = first + timedelta(days=n)
            weekday = day.isoweekday()
            if weekday not in row.weekdays or weekday not in shift.weekdays:
                continue
            if not _holds(zone, day):
                continue
            kind = by_type[row.patrol_type_id].code
            key = (n, shift.code, zone_key, kind)
            had = found.get(key)
            found[key] = core.Demand(
                day=n,
                shift=shift.code,
                zone=zone_key,
                type=kind,
                minimum=row.minimum + (had.minimum if had else 0),
                ideal=row.ideal + (had.ideal if had else 0),
                importance=max(row.importance, had.importance if had else 1),
            )
    return [found[key] for key in sorted(found)]


def _with_extras(
    demands: list[core.Demand],
    requirements: Sequence[core.Requirement],
    shifts: Sequence[ShiftTemplate],
    types: Sequence[PatrolType],
) -> list[core.Demand]:
    """Allow one more observe-and-report round wherever a requirement could be met by it."""
    kind = next(
        (t.code for t in types if not t.enforcement and _anybody(t)),
        next((t.code for t in types if not t.enforcement), None),
    )
    if kind is None:
        return demands
    found = {(d.day, d.shift, d.zone, d.type): d for d in demands}
    for requirement in requirements:
        for row in shifts:
            shift = core.Shift(
                key=row.code, name=row.name, start_min=row.start_min, end_min=row.end_min
            )
            for day, later in product(requirement.days, (-1, 0, 1)):
                eve = day - later
                if (
                    overlap_min(shift, requirement, later) < requirement.dwell_min
                    or not 0 <= eve < WEEK_DAYS
                    or eve + 1 not in row.weekdays
                ):
                    continue
                key = (eve, shift.key, requirement.zone, kind)
                had = found.get(key) or core.Demand(
                    day=eve, shift=shift.key, zone=requirement.zone, type=kind, minimum=0, ideal=0
                )
                found[key] = replace(had, extra=1)
    return [found[key] for key in sorted(found)]


def _anybody(kind: PatrolType) -> bool:
    """Say whether others than one firm's guards can walk this type."""
    bound = set(core.Law().estate_bound)
    forces = [seat.get("forces") for seat in kind.composition]
    return all(isinstance(f, list) and set(f) - bound for f in forces)
