"""A roster version as people read it: a table of day × shift × zone, with what stands beside it."""

from dataclasses import dataclass
from datetime import date

from api.i18n import word
from scheduling.core.plan import EmptySeat, Fairness, LevelOutcome, PlannedPatrol, RosterPlan
from scheduling.core.problem import Member, PatrolType, Requirement, RosterProblem, Shift, Zone

FORCES = {
    "officer": word("民警"),
    "auxiliary": word("辅警"),
    "grid_member": word("专职网格员"),
    "guard": word("物业保安"),
    "group_leader": word("居民组长"),
    "volunteer": word("志愿者"),
}
LEVELS = {
    "locks": word("保留锁定"),
    "cover_minimum": word("最低勤务"),
    "requirements": word("热点要求"),
    "cover_ideal": word("理想勤务"),
    "staggering": word("错时与空档"),
    "changes": word("改动最少"),
    "fairness": word("负荷均衡"),
    "preferences": word("责任巡区与意愿"),
}
STATES = {
    "draft": word("草稿"),
    "reviewed": word("已审核"),
    "published": word("已发布"),
    "locked": word("已锁定"),
}
"""Chinese words; pages pass them through the translation."""


@dataclass(frozen=True)
class Seated:
    """A seat on a card: who sits there, or whom it is for."""

    member: Member | None
    leader: bool
    forces: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Card:
    """One patrol in a cell of the table."""

    patrol: PlannedPatrol
    type: PatrolType
    seats: tuple[Seated, ...]
    requirements: tuple[Requirement, ...]

    @property
    def empty(self) -> int:
        """Count the empty seats."""
        return sum(seat.member is None for seat in self.seats)


@dataclass(frozen=True)
class Row:
    """One shift of one day: the cards of each zone, in the zones' order."""

    shift: Shift
    cells: tuple[tuple[Card, ...], ...]


@dataclass(frozen=True)
class DayRows:
    """One day of the week."""

    index: int
    day: date
    kind: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Shortage:
    """An empty seat with where and when it is."""

    empty: EmptySeat
    day: date
    shift: Shift
    zone: Zone
    type: PatrolType
    forces: tuple[str, ...]
    candidates: tuple[tuple[Member, str, str], ...]
    """Who could have sat there, and what stopped them in Chinese and English."""


@dataclass(frozen=True)
class Honoured:
    """A requirement and how it is met."""

    requirement: Requirement
    zone: Zone
    short: int
    patrols: tuple[PlannedPatrol, ...]


@dataclass(frozen=True)
class Bar:
    """One member's load beside the force's, in percent."""

    member: Member
    load_pct: float
    patrols: int
    nights: int
    hours: float
    carried_pct: float


@dataclass(frozen=True)
class ForceLoads:
    """The fairness of one force."""

    fairness: Fairness
    bars: tuple[Bar, ...]


class Board:
    """A version laid out. Nothing is decided here: every figure is the plan's own."""

    def __init__(self, problem: RosterProblem, plan: RosterPlan) -> None:
        self.problem = problem
        self.plan = plan
        self.members = {m.key: m for m in problem.members}
        self.shifts = {s.key: s for s in problem.shifts}
        self.zones = {z.key: z for z in problem.zones}
        self.types = {t.key: t for t in problem.types}
        self.patrols = {p.key: p for p in plan.patrols}
        needs = {r.key: r for r in problem.requirements}
        self._honours: dict[str, list[Requirement]] = {}
        for outcome in plan.requirements:
            for key in outcome.patrols:
                self._honours.setdefault(key, []).append(needs[outcome.requirement])

    def card(self, patrol: PlannedPatrol) -> Card:
        """Return a patrol with its people."""
        kind = self.types[patrol.type]
        return Card(
            patrol,
            kind,
            tuple(
                Seated(
                    self.members[planned.member] if planned.member else None,
                    planned.leader or (planned.member is None and seat.leader),
                    seat.forces,
                    seat.required,
                )
                for planned, seat in zip(patrol.seats, kind.seats, strict=True)
            ),
            tuple(self._honours.get(patrol.key, ())),
        )

    def days(self) -> list[DayRows]:
        """Return the week by day, each with the shifts that are used on it."""
        found = []
        for n, kind in enumerate(self.problem.days):
            today = [p for p in self.plan.patrols if p.day == n]
            rows = []
            for shift in sorted(self.problem.shifts, key=lambda s: (s.start_min, s.end_min)):
                cards = [self.card(p) for p in today if p.shift == shift.key]
                if cards:
                    rows.append(
                        Row(
                            shift,
                            tuple(
                                tuple(c for c in cards if c.patrol.zone == zone.key)
                                for zone in self.problem.zones
                            ),
                        )
                    )
            found.append(DayRows(n, self.problem.date_of(n), kind, tuple(rows)))
        return found

    def shortages(self) -> list[Shortage]:
        """Return the empty seats in order of importance."""
        found = []
        for empty in self.plan.empty_seats:
            patrol = self.patrols[empty.patrol]
            kind = self.types[patrol.type]
            found.append(
                Shortage(
                    empty,
                    self.problem.date_of(patrol.day),
                    self.shifts[patrol.shift],
                    self.zones[patrol.zone],
                    kind,
                    kind.seats[empty.seat].forces,
                    tuple((self.members[c.member], c.zh, c.en) for c in empty.candidates),
                )
            )
        return found

    def requirements(self) -> list[Honoured]:
        """Return the requirements of the week and how each is met."""
        outcomes = {o.requirement: o for o in self.plan.requirements}
        return [
            Honoured(
                r,
                self.zones[r.zone],
                outcomes[r.key].short,
                tuple(self.patrols[key] for key in outcomes[r.key].patrols),
            )
            for r in self.problem.requirements
        ]

    def forces(self) -> list[ForceLoads]:
        """Return the fairness of each force, its members from the highest load to the lowest."""
        loads = {load.member: load for load in self.plan.loads}
        found = []
        for fairness in self.plan.fairness:
            mine = [
                loads[m.key]
                for m in self.problem.members
                if m.force == fairness.force
                and m.available_min
                and fairness.employer in (None, m.employer)
            ]
            mine.sort(key=lambda load: (-load.load_bp, load.member))
            found.append(
                ForceLoads(
                    fairness,
                    tuple(
                        Bar(
                            self.members[load.member],
                            load.load_bp / 100,
                            load.patrols,
                            load.nights,
                            load.minutes / 60,
                            load.carried_over_bp / 100,
                        )
                        for load in mine
                    ),
                )
            )
        return found

    def levels(self) -> list[LevelOutcome]:
        """Return what was proven, without levels that nothing was asked of."""
        return levels_asked(self.problem, self.plan)

    def worst_gaps(self) -> list[tuple[Zone, int, date]]:
        """Return each zone's longest coverage gap of the week, in minutes, and its day."""
        found = []
        for zone in self.problem.zones:
            gaps = [g for g in self.plan.coverage_gaps if g.zone == zone.key]
            worst = max(gaps, key=lambda g: (g.gap_min, -g.day))
            found.append((zone, worst.gap_min, self.problem.date_of(worst.day)))
        return found

    @property
    def walked(self) -> int:
        """Count the patrols that are walked."""
        return sum(p.walked for p in self.plan.patrols)


def levels_asked(problem: RosterProblem, plan: RosterPlan) -> list[LevelOutcome]:
    """Return what was proven, without levels that nothing was asked of."""
    unasked = {
        level
        for level, asked in (
            ("locks", problem.locks),
            ("staggering", problem.staggering),
            ("changes", problem.baseline),
        )
        if not asked
    }
    return [o for o in plan.levels if o.level not in unasked]
