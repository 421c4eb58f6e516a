"""The independent checker: everything about a plan, re-derived from problem and plan alone.

It shares no code with the model, the rules or the figures; it reads the law's words again. What
breaks a hard rule is a violation; a figure of the plan that is not what it should be is a
mismatch. A roster is as good as its report.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from scheduling.core.check_house import (
    bands_cost,
    changes_cost,
    member_broken,
    promises_cost,
    shares_cost,
    staggering_cost,
    team_broken,
)
from scheduling.core.plan import PlannedPatrol, RosterPlan
from scheduling.core.problem import (
    CLOSED,
    Member,
    PatrolType,
    RosterProblem,
    Shift,
    Zone,
    read_document,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A hard rule that is broken: where, by whom, in two languages."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    rule: str
    zh: str
    en: str
    members: tuple[str, ...] = ()
    patrols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A figure of the plan and what it should be."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    figure: str
    said: str
    derived: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCost:
    """What a level costs, re-derived."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    level: str
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the checker found."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    violations: tuple[Violation, ...]
    mismatches: tuple[Mismatch, ...]
    costs: tuple[LevelCost, ...]

    @property
    def clean(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.violations and not self.mismatches


REPORT = TypeAdapter(Report)


def read_report(text: str | bytes, name: str = "report.json") -> Report:
    """Read a report from JSON."""
    return read_document(REPORT, text, name)


def check(problem: RosterProblem, plan: RosterPlan) -> Report:
    """Return what is wrong with a plan, and what it truly costs."""
    return _Checker(problem, plan).report()


@dataclass(frozen=True)
class _Duty:
    """One patrol of one member, in minutes of the roster."""

    patrol: PlannedPatrol
    start: int
    end: int
    night: bool
    weighted: int


class _Checker:
    def __init__(self, problem: RosterProblem, plan: RosterPlan) -> None:
        self.problem = problem
        self.plan = plan
        self.violations: list[Violation] = []
        self.mismatches: list[Mismatch] = []
        self.member: dict[str, Member] = {m.key: m for m in problem.members}
        self.shift: dict[str, Shift] = {s.key: s for s in problem.shifts}
        self.zone: dict[str, Zone] = {z.key: z for z in problem.zones}
        self.type: dict[str, PatrolType] = {t.key: t for t in problem.types}
        self.duties: dict[str, list[_Duty]] = defaultdict(list)
        self.known: list[PlannedPatrol] = []

    def report(self) -> Report:
        self._identity()
        self._demands()
        for patrol in self.known:
            self._team(patrol)
        for key, duties in self.duties.items():
            duties.sort(key=lambda d: (d.start, d.end))
            self._days_away(self.member[key], duties)
            self._rhythm(self.member[key], duties)
            self._sums(self.member[key], duties)
            self._contract(self.member[key])
        costs = self._costs()
        self._figures(costs)
        return Report(
            violations=tuple(self.violations),
            mismatches=tuple(self.mismatches),
            costs=tuple(LevelCost(level=level, cost=cost) for level, cost in costs.items()),
        )

    def _broken(
        self,
        rule: str,
        zh: str,
        en: str,
        members: tuple[str, ...] = (),
        patrols: tuple[str, ...] = (),
    ) -> None:
        self.violations.append(Violation(rule=rule, zh=zh, en=en, members=members, patrols=patrols))

    def _differs(self, figure: str, said: object, derived: object) -> None:
        if said != derived:
            self.mismatches.append(Mismatch(figure=figure, said=str(said), derived=str(derived)))

    # --- what the plan speaks of -------------------------------------------------------------

    def _identity(self) -> None:
        text = TypeAdapter(RosterProblem).dump_json(self.problem)
        self._differs("problem", self.plan.problem, sha256(text).hexdigest()[:16])
        for patrol in self.plan.patrols:
            strange = [
                ("day", patrol.day, range(len(self.problem.days))),
                ("shift", patrol.shift, self.shift),
                ("zone", patrol.zone, self.zone),
                ("type", patrol.type, self.type),
                *(
                    ("member", seat.member, self.member)
                    for seat in patrol.seats
                    if seat.member is not None
                ),
            ]
            missing = [f"{what} {value}" for what, value, known in strange if value not in known]
            if not missing and len(patrol.seats) != len(self.type[patrol.type].seats):
                missing = [f"{len(patrol.seats)} seats"]
            if missing:
                self._broken(
                    "unknown",
                    f"排班表提到了问题中没有的内容：{'、'.join(missing)}。请确认两个文件属于同一周。",
                    f"the plan names what the problem does not have: {', '.join(missing)}",
                    patrols=(patrol.key,),
                )
                continue
            self.known.append(patrol)
            for seat in patrol.seats:
                if seat.member is not None:
                    self.duties[seat.member].append(self._duty(patrol))
        for key, n in Counter(p.key for p in self.plan.patrols).items():
            if n > 1:
                self._broken("unknown", f"巡逻{key}出现了{n}次", f"patrol {key} is there {n} times")

    def _duty(self, patrol: PlannedPatrol) -> _Duty:
        shift = self.shift[patrol.shift]
        night = shift.end_min > self.problem.law.night_after_min
        percents = [100]
        if night:
            percents.append(self.problem.weights.night_pct)
        if self.problem.days[patrol.day] == "weekend":
            percents.append(self.problem.weights.weekend_pct)
        if self.problem.days[patrol.day] == "holiday":
            percents.append(self.problem.weights.holiday_pct)
        length = shift.end_min - shift.start_min
        return _Duty(
            patrol,
            1440 * patrol.day + shift.start_min,
            1440 * patrol.day + shift.end_min,
            night,
            length * max(percents) // 100,
        )

    def _demands(self) -> None:
        """Hold the patrols against what was asked for: neither invented nor forgotten."""
        asked = {(d.day, d.shift, d.zone, d.type): d for d in self.problem.demands}
        planned: dict[tuple[int, str, str, str], Counter[str]] = defaultdict(Counter)
        for p in self.known:
            planned[p.day, p.shift, p.zone, p.type][p.tier] += 1
        for place, tiers in planned.items():
            demand = asked.get(place)
            most = (
                {"minimum": 0, "ideal": 0, "extra": 0}
                if demand is None
                else {
                    "minimum": demand.minimum,
                    "ideal": demand.ideal - demand.minimum,
                    "extra": demand.extra,
                }
            )
            for tier, n in tiers.items():
                if n > most[tier]:
                    self._broken(
                        "demand",
                        f"多出了没有要求的巡逻：{place}",
                        f"patrols that nobody asked for: {place}",
                    )
        for place, d in asked.items():
            had = planned[place]
            if had["minimum"] < d.minimum or had["ideal"] < d.ideal - d.minimum:
                self._broken(
                    "demand",
                    f"漏列了要求的巡逻：{place}",
                    f"patrols that were asked for are not listed: {place}",
                )

    # --- one patrol -----------------------------------------------------------------------------

    def _team(self, patrol: PlannedPatrol) -> None:
        kind = self.type[patrol.type]
        team = [s.member for s in patrol.seats if s.member is not None]
        full = all(
            planned.member is not None
            for planned, wanted in zip(patrol.seats, kind.seats, strict=True)
            if wanted.required
        )
        if patrol.walked != full or (team and not full):
            self._broken(
                "whole_team",
                f"巡逻{patrol.key}缺必到席位却派了人，或标记与人员不符",
                f"patrol {patrol.key} goes without a required seat, or is marked wrongly",
                tuple(team),
                (patrol.key,),
            )
        if len(set(team)) != len(team):
            self._broken(
                "one_patrol", f"同一人在{patrol.key}占两个席位", f"one person sits twice in {patrol.key}",
                tuple(team), (patrol.key,),
            )  # fmt: skip
        for planned, wanted in zip(patrol.seats, kind.seats, strict=True):
            if planned.member is None:
                if planned.leader:
                    self._broken("leader", "空席不能带班", "an empty seat leads", (), (patrol.key,))
                continue
            who = self.member[planned.member]
            if planned.leader != wanted.leader:
                self._broken(
                    "leader", f"{who.name}的带班标记不符", f"the leader flag of {who.name} is wrong",
                    (who.key,), (patrol.key,),
                )  # fmt: skip
            if who.force not in wanted.forces or not set(wanted.qualifications) <= set(
                who.qualifications
            ):
                self._broken(
                    "seat", f"{who.name}不符合席位要求", f"{who.name} does not fit the seat",
                    (who.key,), (patrol.key,),
                )  # fmt: skip
            zone = self.zone[patrol.zone]
            bound = who.force in self.problem.law.estate_bound
            if bound and who.employer not in zone.employers and zone.key not in who.lent_to:
                self._broken(
                    "estate",
                    f"{who.name}不得在{zone.name}巡逻：不是本公司服务的小区，也未借调",
                    f"{who.name} may not patrol {zone.name}: not the employer's estate, not lent",
                    (who.key,),
                    (patrol.key,),
                )
        self._power(patrol, kind)

    def _power(self, patrol: PlannedPatrol, kind: PatrolType) -> None:
        law = self.problem.law
        team = [(s, self.member[s.member]) for s in patrol.seats if s.member is not None]
        if not team:
            return
        names = tuple(m.key for _, m in team)
        if kind.enforcement:
            has_leader_seat = any(seat.leader for seat in kind.seats)
            officers = [m for s, m in team if m.force in law.enforcement_leaders]
            leading = [m for s, m in team if s.leader and m.force in law.enforcement_leaders]
            if not (leading if has_leader_seat else officers):
                self._broken(
                    "officer_leads", f"执法巡逻{patrol.key}没有民警带班",
                    f"enforcement patrol {patrol.key} is not led by an officer",
                    names, (patrol.key,),
                )  # fmt: skip
        if all(m.never_alone or m.force in law.never_alone for _, m in team):
            self._broken(
                "never_alone", f"巡逻{patrol.key}只有辅警或见习队员",
                f"only auxiliaries or trainees in patrol {patrol.key}",
                names, (patrol.key,),
            )  # fmt: skip

        for rule, zh, en in team_broken(self.problem, patrol.zone, [m for _, m in team]):
            self._broken(rule, zh, en, names, (patrol.key,))

    # --- one member -----------------------------------------------------------------------------

    def _days_away(self, who: Member, duties: list[_Duty]) -> None:
        for d in duties:
            at = (d.patrol.key,)
            touched = range(d.start // 1440, (d.end - 1) // 1440 + 1)
            if set(touched) & set(who.leave):
                self._broken(
                    "leave", f"{who.name}请假期间被派班", f"{who.name} is on leave", (who.key,), at
                )
            if d.patrol.day in who.days_off:
                self._broken(
                    "day_off",
                    f"{who.name}休息日被派班",
                    f"{who.name} has the day off",
                    (who.key,),
                    at,
                )
            if any(max(d.start, a.start_min) < min(d.end, a.end_min) for a in who.unavailable):
                self._broken(
                    "unavailable", f"{who.name}该时段不可排班", f"{who.name} is not available",
                    (who.key,), at,
                )  # fmt: skip

    def _rhythm(self, who: Member, duties: list[_Duty]) -> None:
        law = self.problem.law
        for day, n in Counter(d.patrol.day for d in duties).items():
            if n > law.patrols_per_day:
                self._broken(
                    "one_patrol", f"{who.name}第{day + 1}天有{n}个巡逻",
                    f"{who.name} has {n} patrols on day {day + 1}", (who.key,),
                    tuple(d.patrol.key for d in duties if d.patrol.day == day),
                )  # fmt: skip
        for i, early in enumerate(duties):
            for late in duties[i + 1 :]:
                both = (early.patrol.key, late.patrol.key)
                if late.start < early.end:
                    self._broken(
                        "one_patrol", f"{who.name}同一时间有两个巡逻",
                        f"{who.name} is on two patrols at a time", (who.key,), both,
                    )  # fmt: skip
                elif late.start - early.end < law.rest_min:
                    self._broken(
                        "rest", f"{who.name}两次勤务间只休息{late.start - early.end}分钟",
                        f"{who.name} rests {late.start - early.end} min between patrols",
                        (who.key,), both,
                    )  # fmt: skip
        if who.last_end_min is not None:
            for d in duties:
                if d.start - who.last_end_min < law.rest_min:
                    self._broken(
                        "rest", f"{who.name}与上周最后勤务间休息不足",
                        f"{who.name} rests too little after the week before",
                        (who.key,), (d.patrol.key,),
                    )  # fmt: skip
        self._runs(who, {d.patrol.day for d in duties})

    def _runs(self, who: Member, worked: set[int]) -> None:
        run = who.run_before_days
        for day in range(len(self.problem.days)):
            run = run + 1 if day in worked else 0
            if run > who.limits.run_days:
                self._broken(
                    "run_of_days", f"{who.name}连续上勤{run}天",
                    f"{who.name} works {run} days in a row", (who.key,),
                )  # fmt: skip
                return

    def _sums(self, who: Member, duties: list[_Duty]) -> None:
        for first in range(0, len(self.problem.days), 7):
            week = [d for d in duties if first <= d.patrol.day < first + 7]
            for rule, had, most, zh, en in (
                ("minutes_week", sum(d.end - d.start for d in week), who.limits.minutes_week, "分钟", "minutes"),
                ("patrols_week", len(week), who.limits.patrols_week, "次巡逻", "patrols"),
                ("nights_week", len([d for d in week if d.night]), who.limits.nights_week, "次夜班", "nights"),
            ):  # fmt: skip
                if had > most:
                    self._broken(
                        rule, f"{who.name}一周{had}{zh}，上限{most}",
                        f"{who.name} has {had} {en} in a week, at most {most}", (who.key,),
                    )  # fmt: skip

    def _contract(self, who: Member) -> None:
        for rule, zh, en in member_broken(self.problem, who, self._worked(who.key)):
            self._broken(rule, zh, en, (who.key,))

    def _worked(self, key: str) -> list[tuple[int, str, str]]:
        patrols = [d.patrol for d in self.duties.get(key, [])]
        return [(p.day, p.shift, p.zone) for p in patrols]

    # --- costs and figures ----------------------------------------------------------------------

    def _load(self, who: Member) -> int:
        own = 0
        if who.available_min:
            for duty in self.duties.get(who.key, []):
                own += 10_000 * duty.weighted // who.available_min
        return who.carried_over_bp + own

    def _groups(self) -> list[tuple[str, str | None, list[int]]]:
        return [
            (force, firm, [self._load(m) for m in members])
            for force, firm, members in self._together()
        ]

    def _together(self) -> list[tuple[str, str | None, list[Member]]]:
        forces: dict[str, list[Member]] = {}
        for m in self.problem.members:
            if m.available_min:
                forces.setdefault(m.force, []).append(m)
        found: list[tuple[str, str | None, list[Member]]] = []
        for force, members in forces.items():
            found.append((force, None, members))
            firms: dict[str, list[Member]] = {}
            for m in members:
                if m.employer is not None:
                    firms.setdefault(m.employer, []).append(m)
            if len(firms) > 1:
                found += [(force, firm, own) for firm, own in firms.items()]
        return [(force, firm, own) for force, firm, own in found if len(own) >= 2]

    def _visits(self, requirement: str) -> list[str]:
        r = next(r for r in self.problem.requirements if r.key == requirement)
        made = []
        for p in self.known:
            shift = self.shift[p.shift]
            start, end = p.day * 1440 + shift.start_min, p.day * 1440 + shift.end_min
            # Both as minutes of the week: bands and patrols may run past midnight.
            met = any(
                min(end, day * 1440 + r.band_end_min) - max(start, day * 1440 + r.band_start_min)
                >= r.dwell_min
                for day in r.days
            )
            if p.walked and p.zone == r.zone and met:
                made.append(p.key)
        return made

    def _importance(self, patrol: PlannedPatrol) -> int:
        return next(
            (
                d.importance
                for d in self.problem.demands
                if (d.day, d.shift, d.zone, d.type)
                == (patrol.day, patrol.shift, patrol.zone, patrol.type)
            ),
            0,
        )

    def _costs(self) -> dict[str, int]:
        minimum = ideal = away = 0
        for p in self.known:
            weight = self._importance(p)
            for planned, wanted in zip(p.seats, self.type[p.type].seats, strict=True):
                empty = planned.member is None
                if p.tier == "minimum" and wanted.required:
                    minimum += weight * empty
                elif p.tier != "extra":
                    ideal += weight * empty
                if planned.member is not None:
                    home = self.member[planned.member].home_zone
                    away += home is not None and home != p.zone
            if p.tier == "extra" and p.walked:
                ideal += 1
        worked = {m.key: self._worked(m.key) for m in self.problem.members}
        sits = {(p.key, n): seat.member for p in self.known for n, seat in enumerate(p.seats)}
        return {
            "locks": sum(
                sits.get((lock.patrol, lock.seat)) != lock.member for lock in self.problem.locks
            ),
            "cover_minimum": minimum,
            "requirements": sum(
                r.importance * max(0, r.visits - len(self._visits(r.key)))
                for r in self.problem.requirements
            ),
            "cover_ideal": ideal + bands_cost(self.problem, self.known),
            "staggering": staggering_cost(self.problem, self.known, self._gaps()),
            "changes": changes_cost(self.problem, self.known),
            "fairness": sum(max(loads) - min(loads) for _, _, loads in self._groups())
            + promises_cost(self.problem, worked)
            + shares_cost(self.problem, worked, [own for _, _, own in self._together()]),
            "preferences": away + self._wishes_missed(),
        }

    def _wishes_missed(self) -> int:
        missed = 0
        for who in self.problem.members:
            worked = {(d.patrol.day, d.patrol.shift) for d in self.duties.get(who.key, [])}
            days = {day for day, _ in worked}
            for wish in who.requests:
                works = wish.day in days if wish.shift is None else (wish.day, wish.shift) in worked
                missed += wish.weight if works != wish.wants else 0
        return missed

    def _figures(self, costs: dict[str, int]) -> None:
        plan = self.plan
        said = {o.level: o.cost for o in plan.levels}
        # A plan of before these levels existed says nothing of them, and was asked for nothing.
        late = {"staggering": self.problem.staggering, "changes": self.problem.baseline}
        unsaid = {level for level, asked in late.items() if level not in said and not asked}
        self._differs("levels", said, {k: cost for k, cost in costs.items() if k not in unsaid})
        for o in plan.levels:
            sound = (
                0 <= o.bound <= o.cost
                and o.proven == (o.bound == o.cost)
                and abs(o.gap - ((o.cost - o.bound) / o.cost if o.cost else 0)) < 1e-3
            )
            self._differs(f"bound of {o.level}", sound, True)
        if plan.status == "proven":
            self._differs("status", all(o.proven for o in plan.levels), True)
        self._empty_figures()
        self._member_figures()
        self._differs(
            "requirements",
            {
                (o.requirement, o.wanted, tuple(sorted(o.patrols)), o.short)
                for o in plan.requirements
            },
            {
                (r.key, r.visits, tuple(sorted(made)), max(0, r.visits - len(made)))
                for r in self.problem.requirements
                for made in [self._visits(r.key)]
            },
        )
        self._differs(
            "coverage gaps",
            {(g.zone, g.day): g.gap_min for g in self.plan.coverage_gaps},
            self._gaps(),
        )

    def _empty_figures(self) -> None:
        listed = [(e.patrol, e.seat) for e in self.plan.empty_seats]
        empty = {
            (p.key, n)
            for p in self.known
            if p.tier != "extra"
            for n, seat in enumerate(p.seats)
            if seat.member is None
        }
        self._differs("empty seats", sorted(listed), sorted(empty))
        ranks = [e.rank for e in self.plan.empty_seats]
        self._differs("ranks of empty seats", ranks, list(range(1, len(ranks) + 1)))
        order = [(e.tier == "ideal", not e.required, -e.importance) for e in self.plan.empty_seats]
        self._differs("order of empty seats", all(a <= b for a, b in pairwise(order)), True)
        weights = {p.key: self._importance(p) for p in self.known}
        self._differs(
            "importance of empty seats",
            all(weights.get(e.patrol) == e.importance for e in self.plan.empty_seats),
            True,
        )
        self._differs(
            "reasons of empty seats", all(e.zh and e.en for e in self.plan.empty_seats), True
        )

    def _member_figures(self) -> None:
        said = {
            o.member: (
                o.patrols, o.minutes, o.nights, o.weighted_min, o.available_min,
                o.carried_over_bp, o.load_bp,
            )
            for o in self.plan.loads
        }  # fmt: skip
        derived = {}
        for m in self.problem.members:
            mine = self.duties.get(m.key, [])
            derived[m.key] = (
                len(mine), sum(d.end - d.start for d in mine), sum(d.night for d in mine),
                sum(d.weighted for d in mine), m.available_min, m.carried_over_bp, self._load(m),
            )  # fmt: skip
        for key in sorted(said.keys() | derived.keys()):
            self._differs(f"load of {key}", said.get(key), derived.get(key))
        self._differs(
            "fairness",
            sorted(
                (
                    f.force,
                    f.employer or "",
                    f.members,
                    f.highest_bp,
                    f.lowest_bp,
                    f.mean_bp,
                    f.spread_bp,
                )
                for f in self.plan.fairness
            ),
            sorted(
                (force, firm or "", len(x), max(x), min(x), sum(x) // len(x), max(x) - min(x))
                for force, firm, x in self._groups()
            ),
        )

    def _gaps(self) -> dict[tuple[str, int], int]:
        first, last = self.problem.patrol_day_start_min, self.problem.patrol_day_end_min
        covered: dict[tuple[str, int], bytearray] = {
            (z.key, day): bytearray(2 * 1440)
            for z in self.problem.zones
            for day in range(len(self.problem.days))
        }
        for p in self.known:
            shift = self.shift[p.shift]
            if not p.walked:
                continue
            minutes = covered[p.zone, p.day]
            minutes[shift.start_min : shift.end_min] = b"\1" * (shift.end_min - shift.start_min)
            if shift.end_min > 1440 and (p.zone, p.day + 1) in covered:
                covered[p.zone, p.day + 1][0 : shift.end_min - 1440] = b"\1" * (
                    shift.end_min - 1440
                )
        return {
            place: max(len(run) for run in bytes(minutes[first:last]).split(b"\1"))
            for place, minutes in covered.items()
        }
