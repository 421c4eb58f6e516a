"""A week's roster as a problem: who there is, what is asked of which day, and the law.

Every value is frozen, says its unit in its name, and is valid by construction: a problem that
exists can be solved. Minutes of a shift count from its day's midnight, and past 1440 run into the
next day; minutes of a problem count from the first midnight of the roster. Keys are free words,
unique among their kind. Loads are in basis points (bp): 10,000 bp is all the available minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from scheduling.core.contract import (
    CLOSED,
    DAY_MIN,
    WEEK_DAYS,
    Limits,
    RollingLimit,
    Some,
    Unless,
)
from scheduling.core.house_rules import CoverBand, Pair, Sat, Shares, Staggering, Succession
from scheduling.core.problem_errors import (
    CyclicOrder,
    NobodyNeeded,
    NoOrderLeft,
    NoSuchKey,
    OutOfRange,
    RosterProblemError,
    TogetherAndApart,
    TooLarge,
    TwiceTheSame,
    UnreadableFile,
    WeekMustStartOnMonday,
    between,
    unique,
)

__all__ = [
    "CLOSED", "DAY_MIN", "WEEK_DAYS", "Absence", "CoverBand", "CyclicOrder", "DayKind", "Demand",
    "Law", "Limits", "Lock", "Member", "NoOrderLeft", "NoSuchKey", "NobodyNeeded", "Note",
    "OutOfRange", "Pair", "PatrolType", "Request", "Requirement", "RollingLimit",
    "RosterProblem", "RosterProblemError", "Sat", "Seat", "Shares", "Shift", "Staggering",
    "Succession", "TogetherAndApart", "TooLarge", "TwiceTheSame", "UnreadableFile",
    "WeekMustStartOnMonday", "Weights", "Zone", "digest", "read_document", "read_patrol_type",
    "read_problem", "write_problem",
]  # fmt: skip

T = TypeVar("T")

MEMBERS_MAX = 2000
SEATS_MAX = 60_000
STANDARD = Limits()

DayKind = Literal["workday", "weekend", "holiday", "compensatory_workday", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """What is never traded, as data.

    ``night_after_min``: a patrol that ends later than this minute of its day is a night patrol;
    this is the one definition of a night. 660 minutes of rest: at least 11 hours between two
    shifts, the daily rest that working-time rules ask for.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    rest_min: int = 660
    night_after_min: int = 1380
    patrols_per_day: int = 1
    enforcement_leaders: tuple[str, ...] = ("officer",)
    never_alone: tuple[str, ...] = ("auxiliary",)
    estate_bound: tuple[str, ...] = ("guard",)
    forbidden_successions: Annotated[tuple[Succession, ...], Some] = ()
    """``then`` is never worked on the day after ``first``, whatever the rest between them."""
    only_after: Annotated[tuple[Succession, ...], Some] = ()
    """``then`` is worked only on the day after ``first``, or after another that is named so."""
    familiar_team: Annotated[bool, Some] = False
    """Somebody on every team knows the zone."""

    def __post_init__(self) -> None:
        between("law", 0, DAY_MIN, rest_min=self.rest_min)
        between("law", 0, 2 * DAY_MIN, night_after_min=self.night_after_min)
        between("law", 1, 3, patrols_per_day=self.patrols_per_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What a minute counts in the load, in percent; of several that apply the highest counts."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    night_pct: int = 150
    weekend_pct: int = 120
    holiday_pct: int = 200

    def __post_init__(self) -> None:
        between(
            "weights", 100, 1000,
            night_pct=self.night_pct, weekend_pct=self.weekend_pct, holiday_pct=self.holiday_pct,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Minutes of the roster in which a member cannot be asked: ``start_min`` to ``end_min``."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    start_min: int
    end_min: int

    def __post_init__(self) -> None:
        if self.end_min <= self.start_min:
            raise OutOfRange(
                where="absence",
                what="end_min",
                value=self.end_min,
                low=self.start_min + 1,
                high="…",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A member's wish to be asked (``wants``), or not, on a day, or in one shift of it.

    It is weighed among the preferences, after all else, and never breaks a rule.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    day: int
    wants: bool
    shift: str | None = None
    """None is the whole day."""
    weight: int = 5
    """What it costs not to be granted; a patrol outside the home zone costs 1."""

    def __post_init__(self) -> None:
        between("request", 1, 100, weight=self.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member: what they may do, when, and what they bring along from the weeks before."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    force: str
    employer: str | None = None
    home_zone: str | None = None
    qualifications: tuple[str, ...] = ()
    lent_to: tuple[str, ...] = ()
    """Zones outside the employer's estates to which a guard is lent."""
    days_off: tuple[int, ...] = ()
    """Days of the roster (0 = first) on which no patrol starts."""
    leave: tuple[int, ...] = ()
    """Days of the roster on leave: no minute of any patrol."""
    unavailable: tuple[Absence, ...] = ()
    # Left out where there are none, so that plans made before wishes existed keep their digest.
    requests: Annotated[tuple[Request, ...], Some] = ()
    never_alone: Annotated[bool, Some] = False
    """A trainee: walks beside somebody who may go alone, whatever the force."""
    known_zones: Annotated[tuple[str, ...], Some] = ()
    """Zones the member knows beside the home zone."""
    limits: Limits = STANDARD
    available_min: int = 2400
    """What the load is divided by; 0 leaves the member out of the fairness."""
    carried_over_bp: int = 0
    """Balance from the weeks before: above 0 has worked more than the force's mean."""
    last_end_min: int | None = None
    """End of the last patrol before the roster, in its minutes: negative, or early on day 0."""
    run_before_days: int = 0
    """Days worked in a row up to the eve of the roster."""
    shift_before: Annotated[str | None, Unless] = None
    """The shift worked on the eve of the roster."""
    minutes_before: Annotated[tuple[int, ...], Some] = ()
    """Minutes worked on the days before the roster, the eve last."""
    weekends_before: Annotated[tuple[bool, ...], Some] = ()
    """Whether each weekend before the roster was worked, the latest last."""

    def __post_init__(self) -> None:
        between(self.key, 0, 100_000, available_min=self.available_min)
        between(self.key, -1_000_000, 1_000_000, carried_over_bp=self.carried_over_bp)
        between(self.key, 0, 400, run_before_days=self.run_before_days)
        if self.last_end_min is not None:
            between(self.key, -60 * DAY_MIN, DAY_MIN, last_end_min=self.last_end_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A patrol zone, and the employers whose guards may patrol it."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    estate: str | None = None
    employers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift: start and end in minutes of its day; the end may lie in the next day."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    start_min: int
    end_min: int

    def __post_init__(self) -> None:
        between(self.key, 0, DAY_MIN - 1, start_min=self.start_min)
        between(self.key, self.start_min + 1, self.start_min + 720, end_min=self.end_min)

    @property
    def minutes(self) -> int:
        """Length of the shift."""
        return self.end_min - self.start_min


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A place in a patrol: the forces that may take it, and whether the patrol goes without it."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    forces: tuple[str, ...]
    leader: bool = False
    qualifications: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolType:
    """A patrol type: its composition (联动编组) as data, and whether it enforces."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    seats: tuple[Seat, ...]
    enforcement: bool = False

    def __post_init__(self) -> None:
        if not any(seat.required for seat in self.seats) or not all(s.forces for s in self.seats):
            raise NobodyNeeded(key=self.key)
        between(self.key, 1, 12, seats=len(self.seats))
        between(self.key, 0, 1, leaders=sum(seat.leader for seat in self.seats))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Patrols of one type in one zone, day and shift.

    ``minimum`` must be walked where hands allow, up to ``ideal`` is wished for, and ``extra`` more
    may be added only where a requirement needs them. ``importance`` orders what stays empty.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    day: int
    shift: str
    zone: str
    type: str
    minimum: int = 1
    ideal: int = 1
    extra: int = 0
    importance: int = 5

    def __post_init__(self) -> None:
        where = f"demand {self.day}/{self.shift}/{self.zone}/{self.type}"
        between(where, 0, 20, minimum=self.minimum, extra=self.extra)
        between(where, self.minimum, 20, ideal=self.ideal)
        between(where, 1, 100, importance=self.importance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A patrol requirement raised from a hot place: visits a week to a zone in certain hours.

    A patrol that is walked in the zone on one of the days and overlaps the band by at least
    ``dwell_min`` is a visit.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    zone: str
    band_start_min: int
    band_end_min: int
    days: tuple[int, ...]
    visits: int
    dwell_min: int = 10
    importance: int = 5
    reason: str = ""

    def __post_init__(self) -> None:
        between(self.key, 0, DAY_MIN - 1, band_start_min=self.band_start_min)
        between(self.key, self.band_start_min + 1, 2 * DAY_MIN, band_end_min=self.band_end_min)
        between(self.key, 1, 200, visits=self.visits)
        between(self.key, 1, 100, importance=self.importance)
        between(self.key, 1, 720, dwell_min=self.dwell_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """An assignment that stays: this member in this seat of this patrol."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    patrol: str
    seat: int
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something a reader of the roster should know, in two languages."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterProblem:
    """Everything a roster is decided from, and nothing else."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    week_start: str
    """ISO date of the first day, a Monday."""
    days: tuple[DayKind, ...]
    members: tuple[Member, ...]
    zones: tuple[Zone, ...]
    shifts: tuple[Shift, ...]
    types: tuple[PatrolType, ...]
    demands: tuple[Demand, ...]
    requirements: tuple[Requirement, ...] = ()
    locks: tuple[Lock, ...] = ()
    law: Law = Law()
    weights: Weights = Weights()
    patrol_day_start_min: int = 420
    patrol_day_end_min: int = 1440
    """The part of the day in which coverage gaps are counted."""
    name: str = ""
    notes: tuple[Note, ...] = ()
    pairs: Annotated[tuple[Pair, ...], Some] = ()
    bands: Annotated[tuple[CoverBand, ...], Some] = ()
    staggering: Annotated[Staggering | None, Unless] = None
    shares: Annotated[Shares | None, Unless] = None
    baseline: Annotated[tuple[Sat, ...], Some] = ()
    """The roster that stands and is to be changed least; whom nobody asks for any more is no loss."""

    def __post_init__(self) -> None:
        self._check_frame()
        self._check_keys()
        self._check_people()
        self._check_demands()
        self._check_house_rules()

    def _check_frame(self) -> None:
        try:
            first = date.fromisoformat(self.week_start)
        except ValueError:
            first = None
        if first is None or first.weekday() != 0:
            raise WeekMustStartOnMonday(value=self.week_start)
        between("problem", 1, 42, days=len(self.days))
        between(
            "problem", 0, DAY_MIN - 1, patrol_day_start_min=self.patrol_day_start_min
        )  # fmt: skip
        between(
            "problem",
            self.patrol_day_start_min + 1,
            2 * DAY_MIN,
            patrol_day_end_min=self.patrol_day_end_min,
        )
        if len(self.members) > MEMBERS_MAX:
            raise TooLarge(what="队员", what_en="members", n=len(self.members), limit=MEMBERS_MAX)

    def _check_keys(self) -> None:
        unique("队员", "member", (m.key for m in self.members))
        unique("巡区", "zone", (z.key for z in self.zones))
        unique("班次", "shift", (s.key for s in self.shifts))
        unique("班次名称", "shift name", (s.name for s in self.shifts))
        unique("巡逻类型", "patrol type", (t.key for t in self.types))
        unique("巡逻要求", "requirement", (r.key for r in self.requirements))
        unique(
            "勤务需求",
            "demand",
            (f"{d.day}/{d.shift}/{d.zone}/{d.type}" for d in self.demands),
        )

    def _check_people(self) -> None:
        last = len(self.days) - 1
        zones = {z.key for z in self.zones}
        shifts = {s.key for s in self.shifts}
        for m in self.members:
            if m.home_zone is not None and m.home_zone not in zones:
                raise NoSuchKey(where=m.key, thing="巡区", thing_en="zone", key=m.home_zone)
            for zone in (*m.lent_to, *m.known_zones):
                if zone not in zones:
                    raise NoSuchKey(where=m.key, thing="巡区", thing_en="zone", key=zone)
            for minutes in m.minutes_before:
                between(m.key, 0, DAY_MIN, minutes_before=minutes)
            if m.shift_before is not None and m.shift_before not in shifts:
                raise NoSuchKey(where=m.key, thing="班次", thing_en="shift", key=m.shift_before)
            for day in (*m.days_off, *m.leave, *(r.day for r in m.requests)):
                between(m.key, 0, last, day=day)
            for request in m.requests:
                if request.shift is not None and request.shift not in shifts:
                    raise NoSuchKey(where=m.key, thing="班次", thing_en="shift", key=request.shift)

    def _check_demands(self) -> None:
        last = len(self.days) - 1
        zones = {z.key for z in self.zones}
        shifts = {s.key for s in self.shifts}
        types = {t.key: t for t in self.types}
        seats = 0
        for d in self.demands:
            where = f"demand {d.day}/{d.shift}/{d.zone}/{d.type}"
            between(where, 0, last, day=d.day)
            for key, known, thing, thing_en in (
                (d.zone, zones, "巡区", "zone"),
                (d.shift, shifts, "班次", "shift"),
                (d.type, types, "巡逻类型", "patrol type"),
            ):
                if key not in known:
                    raise NoSuchKey(where=where, thing=thing, thing_en=thing_en, key=key)
            seats += (d.ideal + d.extra) * len(types[d.type].seats)
        if seats > SEATS_MAX:
            raise TooLarge(what="席位", what_en="seats", n=seats, limit=SEATS_MAX)
        for r in self.requirements:
            if r.zone not in zones:
                raise NoSuchKey(where=r.key, thing="巡区", thing_en="zone", key=r.zone)
            for day in r.days:
                between(r.key, 0, last, day=day)
        members = {m.key for m in self.members}
        for lock in self.locks:
            if lock.member not in members:
                raise NoSuchKey(where="lock", thing="队员", thing_en="member", key=lock.member)

    def _check_house_rules(self) -> None:
        members = {m.key for m in self.members}
        shifts = {s.key for s in self.shifts}
        zones = {z.key for z in self.zones}
        for succession in (*self.law.forbidden_successions, *self.law.only_after):
            for key in (succession.first, succession.then):
                if key not in shifts:
                    raise NoSuchKey(where="law", thing="班次", thing_en="shift", key=key)
        for pair in self.pairs:
            for key in (pair.one, pair.other):
                if key not in members:
                    raise NoSuchKey(where="pairs", thing="队员", thing_en="member", key=key)
        unique("时段", "band", (b.key for b in self.bands))
        for band in self.bands:
            if band.zone not in zones:
                raise NoSuchKey(where=band.key, thing="巡区", thing_en="zone", key=band.zone)
            for day in band.days:
                between(band.key, 0, len(self.days) - 1, day=day)
        self._check_pairs()
        self._check_orders()

    def _check_pairs(self) -> None:
        """Whoever walks together by way of others is together too."""
        leader = {m.key: m.key for m in self.members}

        def root(key: str) -> str:
            while leader[key] != key:
                key = leader[key]
            return key

        for pair in self.pairs:
            if pair.kind == "together":
                leader[root(pair.one)] = root(pair.other)
        for pair in self.pairs:
            if pair.kind == "apart" and root(pair.one) == root(pair.other):
                raise TogetherAndApart(one=pair.one, other=pair.other)

    def _check_orders(self) -> None:
        """Some shift must be able to be the first, and runs as long as promised must exist."""
        after: dict[str, list[str]] = {}
        for succession in self.law.only_after:
            after.setdefault(succession.then, []).append(succession.first)
        begins = {s.key for s in self.shifts} - after.keys()
        while more := {then for then, firsts in after.items() if begins & set(firsts)} - begins:
            begins |= more
        stuck = sorted(after.keys() - begins)
        if stuck:
            way = [stuck[0]]
            while way[-1] not in way[:-1]:
                way.append(after[way[-1]][0])
            raise CyclicOrder(cycle=" → ".join(way[way.index(way[-1]) :][::-1]))
        least = max(self.members, key=lambda m: m.limits.least_run_days, default=None)
        if least is None or least.limits.least_run_days < 2:
            return
        longest = _longest_run(self._may_follow(), least.limits.least_run_days)
        if longest < least.limits.least_run_days:
            raise NoOrderLeft(key=least.key, least=least.limits.least_run_days, longest=longest)

    def _may_follow(self) -> dict[str, list[str]]:
        forbidden = {(s.first, s.then) for s in self.law.forbidden_successions}
        return {
            a.key: [
                b.key
                for b in self.shifts
                if (a.key, b.key) not in forbidden
                and b.start_min + DAY_MIN - a.end_min >= self.law.rest_min
            ]
            for a in self.shifts
        }

    def date_of(self, day: int) -> date:
        """Return the date of a day of the roster."""
        return date.fromisoformat(self.week_start) + timedelta(days=day)


def _longest_run(follows: Mapping[str, list[str]], most: int) -> int:
    """Return the days in a row that shifts can be worked in, counted up to ``most``."""
    ends, days = set(follows), 0
    while ends and days < most:
        ends, days = {b for a in ends for b in follows[a]}, days + 1
    return days


_PROBLEM = TypeAdapter(RosterProblem)


def read_problem(text: str | bytes, name: str = "problem.json") -> RosterProblem:
    """Read a problem from JSON. Raises UnreadableFile or what is wrong with the problem itself."""
    return read_document(_PROBLEM, text, name)


def read_document(adapter: TypeAdapter[T], text: str | bytes, name: str) -> T:
    """Read any of our documents from JSON. Raises UnreadableFile."""
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "–"
        raise UnreadableFile(name=name, where=where, what=first["msg"]) from error


def write_problem(problem: RosterProblem) -> str:
    """Return a problem as JSON, the same for the same problem."""
    return _PROBLEM.dump_json(problem, indent=1).decode() + "\n"


def digest(problem: RosterProblem) -> str:
    """Return what ties a plan to the problem it answers."""
    return sha256(_PROBLEM.dump_json(problem)).hexdigest()[:16]


_TYPE = TypeAdapter(PatrolType)


def read_patrol_type(text: str | bytes, name: str) -> PatrolType:
    """Read one patrol type from JSON. Raises UnreadableFile or NobodyNeeded."""
    return read_document(_TYPE, text, name)
