"""The desk as the board reads it: one answer holds everything that is drawn."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.rosters.board import levels_asked
from scheduling.core.check import Violation
from scheduling.core.compare import Comparison
from scheduling.core.consequences import Gaps, Target
from scheduling.core.desk import Edit, EditKind, locked_seats
from scheduling.core.fixes import Fix, FixKind
from scheduling.core.plan import EmptySeat, LevelOutcome
from scheduling.core.what_if import Question, WhatIfKind
from scheduling.desk import Desk
from scheduling.rosters import RosterVersion


class VersionShown(BaseModel):
    """Which version lies on the desk."""

    id: int
    number: int
    state: str
    week_start: date
    what_if: bool
    title: str
    made_from: int | None
    violations: int
    status: str
    """proven, found or stopped: what is known of the whole roster."""


class DayShown(BaseModel):
    """A day of the week: ``kind`` is workday, weekend, holiday and so on."""

    index: int
    date: date
    kind: str


class ShiftShown(BaseModel):
    """A shift, in minutes of its day; the end may lie in the next."""

    key: str
    name: str
    start_min: int
    end_min: int


class ZoneShown(BaseModel):
    """A patrol zone."""

    key: str
    name: str
    estate: str | None


class TypeShown(BaseModel):
    """A patrol type."""

    key: str
    name: str
    enforcement: bool


class MemberShown(BaseModel):
    """A member and what this week asks of them."""

    key: str
    name: str
    force: str
    employer: str | None
    home_zone: str | None
    load_bp: int
    carried_over_bp: int
    minutes: int
    patrols: int
    nights: int
    patrols_max: int
    nights_max: int
    minutes_max: int
    days_off: list[int]
    leave: list[int]


class SeatShown(BaseModel):
    """A seat of a patrol."""

    member: str | None
    leader: bool
    """Whoever sits here leads (带班)."""
    required: bool
    forces: list[str]
    locked: bool


class PatrolShown(BaseModel):
    """A patrol with its seats."""

    key: str
    day: int
    shift: str
    zone: str
    type: str
    tier: str
    walked: bool
    seats: list[SeatShown]


class FairnessShown(BaseModel):
    """The spread of load of a force now, and in the published weeks before, the oldest first."""

    force: str
    employer: str | None
    members: int
    highest_bp: int
    lowest_bp: int
    mean_bp: int
    spread_bp: int
    history_bp: list[int]
    history_weeks: list[date]


class GapShown(BaseModel):
    """A zone's day: when teams are there, and the longest minutes without one."""

    zone: str
    day: int
    gap_min: int
    teams: list[tuple[int, int]]


class BoardOut(BaseModel):
    """Everything on the desk."""

    version: VersionShown
    days: list[DayShown]
    shifts: list[ShiftShown]
    zones: list[ZoneShown]
    types: list[TypeShown]
    members: list[MemberShown]
    patrols: list[PatrolShown]
    empty_seats: list[EmptySeat]
    fairness: list[FairnessShown]
    patrol_day: tuple[int, int]
    """The minutes of the day in which coverage gaps are counted."""
    coverage_gaps: list[GapShown]
    levels: list[LevelOutcome]
    violations: list[Violation]
    undo: bool
    redo: bool


class ObjectionOut(BaseModel):
    """A rule that stands against a drop; without a member it is the team's."""

    rule: str
    zh: str
    en: str
    member: str | None


class PlaceOut(BaseModel):
    """A seat of a patrol."""

    patrol: str
    seat: int


class TargetOut(BaseModel):
    """What dropping it there would do."""

    patrol: str
    seat: int
    kind: Literal["move", "swap", "place"]
    allowed: bool
    stops: list[ObjectionOut]
    fairness_bp: int
    opens: list[PlaceOut]
    closes: list[PlaceOut]
    gap_min: int
    cost_by_level: dict[str, int]


class TargetsOut(BaseModel):
    """Every seat that what was picked up may be dropped on."""

    targets: list[TargetOut]


class EditIn(BaseModel):
    """One edit by hand; ``member`` for a place, or whom the editor believes to sit there."""

    model_config = ConfigDict(extra="forbid")

    kind: EditKind
    patrol: str = Field(max_length=200)
    seat: int = Field(ge=0, le=50)
    member: str | None = Field(default=None, max_length=100)
    to_patrol: str | None = Field(default=None, max_length=200)
    to_seat: int | None = Field(default=None, ge=0, le=50)

    def edit(self) -> Edit:
        """Return it as the core knows it."""
        return Edit(**self.model_dump())


class LockIn(BaseModel):
    """A seat to lock or unlock."""

    model_config = ConfigDict(extra="forbid")

    patrol: str = Field(max_length=200)
    seat: int = Field(ge=0, le=50)
    locked: bool


def targets_out(found: list[Target]) -> TargetsOut:
    """Return targets as the board reads them."""
    return TargetsOut(
        targets=[
            TargetOut(
                patrol=t.patrol,
                seat=t.seat,
                kind=t.kind,
                allowed=t.allowed,
                stops=[
                    ObjectionOut(rule=o.rule, zh=o.zh, en=o.en, member=o.member) for o in t.stops
                ],
                fairness_bp=t.fairness_bp,
                opens=[PlaceOut(patrol=p, seat=n) for p, n in t.opens],
                closes=[PlaceOut(patrol=p, seat=n) for p, n in t.closes],
                gap_min=t.gap_min,
                cost_by_level=t.cost_by_level,
            )
            for t in found
        ]
    )


def board_out(desk: Desk) -> BoardOut:
    """Lay a desk out. Nothing is decided here: every figure is the plan's or the checker's."""
    problem, plan, version = desk.problem, desk.plan, desk.version
    gaps = Gaps(desk.roll)
    past = desk.past_weeks()
    return BoardOut(
        version=VersionShown(
            id=version.id,
            number=version.number,
            state=version.state,
            week_start=version.week_start,
            what_if=version.what_if,
            title=version.title,
            made_from=version.made_from_id,
            violations=version.violations,
            status=plan.status,
        ),
        days=[
            DayShown(index=n, date=problem.date_of(n), kind=kind)
            for n, kind in enumerate(problem.days)
        ],
        shifts=[
            ShiftShown(key=s.key, name=s.name, start_min=s.start_min, end_min=s.end_min)
            for s in sorted(problem.shifts, key=lambda s: (s.start_min, s.end_min))
        ],
        zones=[ZoneShown(key=z.key, name=z.name, estate=z.estate) for z in problem.zones],
        types=[TypeShown(key=t.key, name=t.name, enforcement=t.enforcement) for t in problem.types],
        members=_members(desk),
        patrols=_patrols(desk),
        empty_seats=list(plan.empty_seats),
        fairness=[
            FairnessShown(
                force=f.force, employer=f.employer, members=f.members, highest_bp=f.highest_bp,
                lowest_bp=f.lowest_bp, mean_bp=f.mean_bp, spread_bp=f.spread_bp,
                history_bp=[p.spread_bp for p in mine], history_weeks=[p.week_start for p in mine],
            )
            for f in plan.fairness
            for mine in [[p for p in past if (p.force, p.employer) == (f.force, f.employer)]]
        ],
        patrol_day=(problem.patrol_day_start_min, problem.patrol_day_end_min),
        coverage_gaps=[
            GapShown(zone=g.zone, day=g.day, gap_min=g.gap_min, teams=gaps.teams(g.zone, g.day))
            for g in plan.coverage_gaps
        ],
        levels=levels_asked(problem, plan),
        violations=list(desk.report.violations),
        undo=desk.last_done is not None,
        redo=desk.next_undone is not None,
    )  # fmt: skip


def _members(desk: Desk) -> list[MemberShown]:
    loads = {load.member: load for load in desk.plan.loads}
    return [
        MemberShown(
            key=m.key,
            name=m.name,
            force=m.force,
            employer=m.employer,
            home_zone=m.home_zone,
            load_bp=loads[m.key].load_bp,
            carried_over_bp=m.carried_over_bp,
            minutes=loads[m.key].minutes,
            patrols=loads[m.key].patrols,
            nights=loads[m.key].nights,
            patrols_max=m.limits.patrols_week,
            nights_max=m.limits.nights_week,
            minutes_max=m.limits.minutes_week,
            days_off=list(m.days_off),
            leave=list(m.leave),
        )
        for m in desk.problem.members
    ]


def _patrols(desk: Desk) -> list[PatrolShown]:
    types = {t.key: t for t in desk.problem.types}
    locked = locked_seats(desk.problem)
    return [
        PatrolShown(
            key=p.key,
            day=p.day,
            shift=p.shift,
            zone=p.zone,
            type=p.type,
            tier=p.tier,
            walked=p.walked,
            seats=[
                SeatShown(
                    member=seat.member,
                    leader=wanted.leader,
                    required=wanted.required,
                    forces=list(wanted.forces),
                    locked=seat.member is not None and locked.get((p.key, n)) == seat.member,
                )
                for n, (seat, wanted) in enumerate(zip(p.seats, types[p.type].seats, strict=True))
            ],
        )
        for p in desk.plan.patrols
    ]


class JobAsked(BaseModel):
    """A job that was asked for, and where it is watched."""

    run_id: str
    url: str


class ChoiceOut(BaseModel):
    """Somebody who could step in; ``changes`` counts the seats that change."""

    member: str
    name: str
    phone: str | None
    cost_by_level: dict[str, int]
    changes: int
    zh: str
    en: str


class ReplacementsOut(BaseModel):
    """A seat that somebody drops out of, and who could step in, the best first."""

    patrol: str
    seat: int
    choices: list[ChoiceOut]


class SickIn(BaseModel):
    """A sick call: the days of the roster (0 = Monday) on which somebody is away."""

    model_config = ConfigDict(extra="forbid")

    member: str = Field(max_length=100)
    from_day: int = Field(ge=0, le=41)
    to_day: int = Field(ge=0, le=41)

    @model_validator(mode="after")
    def _in_order(self) -> "SickIn":
        if self.to_day < self.from_day:
            raise ValueError("to_day must not lie before from_day")
        return self


class FixIn(BaseModel):
    """Which of the fixes of an empty seat to make."""

    model_config = ConfigDict(extra="forbid")

    kind: FixKind
    patrol: str = Field(max_length=200)
    seat: int = Field(ge=0, le=50)
    member: str | None = Field(default=None, max_length=100)
    rule: str | None = Field(default=None, max_length=50)
    dropped: str | None = Field(default=None, max_length=200)


class FixOut(BaseModel):
    """A fix that was tried out; ``edit`` is the body that makes it."""

    kind: FixKind
    zh: str
    en: str
    edit: FixIn
    verified: Literal[True] = True
    cost_by_level: dict[str, int]


class WhatIfIn(BaseModel):
    """A question; which fields count depends on the kind."""

    model_config = ConfigDict(extra="forbid")

    kind: WhatIfKind
    member: str | None = Field(default=None, max_length=100)
    force: str | None = Field(default=None, max_length=30)
    zone: str | None = Field(default=None, max_length=100)
    shift: str | None = Field(default=None, max_length=100)
    band_start_min: int = Field(default=1140, ge=0, le=1439)
    band_end_min: int = Field(default=1380, ge=1, le=2880)
    visits: int = Field(default=3, ge=1, le=50)
    minimum: int = Field(default=1, ge=0, le=10)

    @model_validator(mode="after")
    def _in_order(self) -> "WhatIfIn":
        if self.band_end_min <= self.band_start_min:
            raise ValueError("band_end_min must lie after band_start_min")
        return self

    def question(self) -> Question:
        """Return it as the core knows it."""
        return Question(**self.model_dump())


class VersionNamed(BaseModel):
    """A version to name beside another."""

    id: int
    number: int
    state: str
    what_if: bool
    title: str


class ComparisonOut(BaseModel):
    """Two versions of a week side by side."""

    first: VersionNamed
    second: VersionNamed
    comparison: Comparison


class DraftMade(BaseModel):
    """The draft that was made of a version."""

    id: int
    number: int
    url: str


def named(version: RosterVersion) -> VersionNamed:
    """Return what names a version."""
    return VersionNamed(
        id=version.id,
        number=version.number,
        state=version.state,
        what_if=version.what_if,
        title=version.title,
    )


def fix_out(fix: Fix) -> FixOut:
    """Return a fix with the body that makes it."""
    return FixOut(
        kind=fix.kind,
        zh=fix.zh,
        en=fix.en,
        cost_by_level=fix.cost_by_level,
        edit=FixIn(
            kind=fix.kind,
            patrol=fix.patrol,
            seat=fix.seat,
            member=fix.member,
            rule=fix.rule,
            dropped=fix.dropped,
        ),
    )
