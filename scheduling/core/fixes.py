"""The cheapest ways to fill an empty seat: call somebody in, relax one limit, drop one patrol.

Never law, rest or leave. A fix changes the problem as little as its name says, seats people, and
counts only when the independent checker finds nothing wrong with the roster that follows. Its
cost is counted against the roster as it is: what a dropped patrol is worth is part of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scheduling.core.check import check
from scheduling.core.consequences import costs
from scheduling.core.desk import (
    Objection,
    QuickRoll,
    SeatChange,
    SeatIsTaken,
    find_seat,
    locked_seats,
    roll_on_desk,
    tried,
)
from scheduling.core.plan import LEVELS, RosterPlan
from scheduling.core.problem import Limits, Member, RosterProblem
from scheduling.core.replacements import rank, replacements
from scheduling.core.reseat import plan_of_roll
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD
from scheduling.core.slots import Agenda, Slot

FixKind = Literal["call_in", "relax", "drop"]
KINDS: tuple[FixKind, ...] = ("relax", "call_in", "drop")
"""Of fixes that cost the same: a limit is asked about before a day off, before a patrol is lost."""
RUN_DAYS_LAW = 6
"""At least one day of rest in seven (劳动法第三十八条)."""
MINUTES_WEEK_LAW = 2640
"""44 hours a week (劳动法第三十六条): beyond that it is no longer the contract's to relax."""
PATROLS_WEEK_MOST = 6
NIGHTS_MORE = 1
KEPT_MAX = 3
"""Verified fixes kept of one kind."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to fill a seat, tried out: the problem it needs, the seats it changes, what it costs."""

    kind: FixKind
    patrol: str
    seat: int
    member: str | None
    rule: str | None
    """Which limit is relaxed."""
    dropped: str | None
    """Which patrol is dropped."""
    problem: RosterProblem
    changes: tuple[SeatChange, ...]
    cost_by_level: dict[str, int]
    zh: str
    en: str

    @property
    def order(self) -> tuple[int, ...]:
        """The key to sort by: the cover, then one's own people before lent ones, then the rest."""
        lent = int(self.rule == "estate")
        return (*rank(self.cost_by_level, lent), KINDS.index(self.kind), len(self.changes))


def three_cheapest(problem: RosterProblem, plan: RosterPlan, patrol: str, seat: int) -> list[Fix]:
    """Return up to three verified fixes of an empty seat, the cheapest first.

    The cheapest of each kind comes before a second of any kind.
    """
    found = all_fixes(problem, plan, patrol, seat)
    firsts = [next((f for f in found if f.kind == kind), None) for kind in KINDS]
    chosen = [f for f in firsts if f is not None]
    chosen += [f for f in found if f not in chosen][: 3 - len(chosen)]
    return sorted(chosen, key=lambda f: f.order)


def all_fixes(problem: RosterProblem, plan: RosterPlan, patrol: str, seat: int) -> list[Fix]:
    """Return the verified fixes of an empty seat, the cheapest first, a few of each kind.

    Raises NotFound, or SeatIsTaken where somebody sits there.
    """
    roll = roll_on_desk(problem, plan)
    slot, _ = find_seat(roll, patrol, seat)
    sits = roll.seated.get((slot.index, seat))
    if sits is not None:
        raise SeatIsTaken(name=roll.agenda.members[sits].name)
    before = costs(roll)
    had = len(check(problem, plan).violations)
    found = []
    for ways in (_called_in(roll, slot, seat), _relaxed(roll, slot, seat)):
        found += _verified(ways, problem, plan, before, had)
    found += _verified(_dropped(roll, slot, seat), problem, plan, before, had) or _verified(
        _waived(roll, slot, seat), problem, plan, before, had
    )
    return sorted(found, key=lambda f: (f.order, f.member or "", f.dropped or ""))


def _verified(
    ways: Iterator[Fix], of: RosterProblem, plan: RosterPlan, before: dict[str, int], had: int
) -> list[Fix]:
    """Return the cheapest ways in whose roster the checker finds nothing new that is wrong."""
    priced = []
    for way in ways:
        # A patrol that is given up is no gain: it is counted as if it were still asked for.
        given_up = way.dropped == way.patrol
        roll, changes = _on_its_problem(replace(way, problem=of) if given_up else way, plan)
        with tried(roll, changes) as objections:
            if objections:
                continue
            after = costs(roll)
        cost: dict[str, int] = {level: after[level] - before[level] for level in LEVELS}
        priced.append(replace(way, cost_by_level=cost))
    found: list[Fix] = []
    for way in sorted(priced, key=lambda f: (f.order, f.member or "")):
        roll, changes = _on_its_problem(way, plan)
        with tried(roll, changes):
            report = check(way.problem, plan_of_roll(roll, plan))
        if len(report.violations) <= had and not report.mismatches:
            found.append(way)
        if len(found) == KEPT_MAX:
            break
    return found


def _on_its_problem(way: Fix, plan: RosterPlan) -> tuple[QuickRoll, list[SeatChange]]:
    """Return who sits where on the problem a fix needs, and its changes there."""
    agenda = Agenda(way.problem)
    roll = QuickRoll(agenda)
    for patrol in plan.patrols:
        slot = agenda.by_key.get(patrol.key)
        for n, seat in enumerate(patrol.seats):
            if slot is not None and seat.member is not None:
                roll.put(slot, n, seat.member)
    return roll, [
        replace(c, slot=agenda.by_key[c.slot.key])
        for c in way.changes
        if c.slot.key in agenda.by_key
    ]


def _way(
    kind: FixKind,
    slot: Slot,
    seat: int,
    problem: RosterProblem,
    changes: Sequence[SeatChange],
    zh: str,
    en: str,
    *,
    member: str | None = None,
    rule: str | None = None,
    dropped: str | None = None,
) -> Fix:
    return Fix(
        kind, slot.key, seat, member, rule, dropped, problem, tuple(changes), {}, zh, en
    )  # fmt: skip


def _teams(
    roll: QuickRoll, slot: Slot, seat: int, member: str, *, in_turn: bool = True
) -> list[SeatChange] | None:
    """Return the seats to fill so that the patrol goes with this member.

    Another required seat goes to the least loaded who is free, else (``in_turn``, which takes a
    while) to whoever costs least in turn. None where that cannot be.
    """
    changes = [SeatChange(slot, seat, None, member)]
    for n, wanted in enumerate(slot.type.seats):
        if n == seat or not wanted.required or (slot.index, n) in roll.seated:
            continue
        with tried(roll, changes):
            team = set(roll.team(slot).values())
            free = [
                m.key
                for m in roll.problem.members
                if m.key not in team and not _against(roll, m, slot, n)
            ]
            if free:
                more = [SeatChange(slot, n, None, min(free, key=lambda k: (roll.load_bp(k), k)))]
            else:
                found = replacements(roll, slot, n, member) if in_turn else []
                more = list(found[0].changes) if found else []
        known = {(c.slot.index, c.seat) for c in changes}
        if not more or any((c.slot.index, c.seat) in known for c in more):
            return None
        changes += more
    return changes


def _against(roll: Roll, member: Member, slot: Slot, seat: int) -> list[Objection]:
    found = []
    for rule in HARD:
        stop = rule.stops(roll, member, slot, seat)
        if stop is not None:
            found.append(Objection(stop.rule, stop.zh, stop.en, member.key))
    return found


def _candidates(roll: QuickRoll, slot: Slot, seat: int) -> list[tuple[Member, list[str]]]:
    """Return who might sit there and what stops each, the least loaded first."""
    team = set(roll.team(slot).values())
    found = [
        (m, [o.rule for o in _against(roll, m, slot, seat)])
        for m in roll.problem.members
        if m.key not in team and m.force in slot.type.seats[seat].forces
    ]
    return sorted(found, key=lambda item: (roll.load_bp(item[0].key), item[0].key))


def _called_in(roll: QuickRoll, slot: Slot, seat: int) -> Iterator[Fix]:
    """Somebody free that day, or off but not on leave."""
    for member, rules in _candidates(roll, slot, seat):
        if rules not in ([], ["day_off"]):
            continue
        changes = _teams(roll, slot, seat, member.key)
        if changes is None:
            continue
        problem = roll.problem
        day = problem.date_of(slot.day)
        zh, en = f"请{member.name}来上", f"Call in {member.name}"
        if rules:
            problem = _with_member(
                problem, replace(member, days_off=tuple(set(member.days_off) - {slot.day}))
            )
            zh += f"（{day.month}月{day.day}日原是休息日，须本人同意并安排补休）"
            en += f", who has {day.isoformat()} off: ask, and give another day"
        else:
            zh += "（当日没有别的勤务）"
            en += ", who is free that day"
        yield _way("call_in", slot, seat, problem, changes, zh, en, member=member.key)


def _relaxed(roll: QuickRoll, slot: Slot, seat: int) -> Iterator[Fix]:
    """One limit of one member's contract is stretched, as far as the law leaves it to the contract."""
    for member, rules in _candidates(roll, slot, seat):
        if len(rules) != 1:
            continue
        eased = _eased(roll, member, rules[0], slot)
        if eased is None:
            continue
        changed, zh, en = eased
        changes = _teams(roll, slot, seat, member.key)
        if changes is None:
            continue
        yield _way(
            "relax", slot, seat, _with_member(roll.problem, changed), changes, zh, en,
            member=member.key, rule=rules[0],
        )  # fmt: skip


def _eased(
    roll: QuickRoll, member: Member, rule: str, slot: Slot
) -> tuple[Member, str, str] | None:
    """Return the member with one limit stretched just as far as this patrol needs."""
    limits, name = member.limits, member.name
    mine = roll.patrols[member.key]
    eased: Limits | None = None
    if rule == "patrols_week" and limits.patrols_week < PATROLS_WEEK_MOST:
        eased = replace(limits, patrols_week=limits.patrols_week + 1)
        zh = f"{name}本周多巡一次（上限{limits.patrols_week}次放宽到{eased.patrols_week}次）"
        en = f"{name} walks {eased.patrols_week} patrols this week instead of {limits.patrols_week}"
    elif rule == "nights_week":
        eased = replace(limits, nights_week=limits.nights_week + NIGHTS_MORE)
        zh = f"{name}本周多上一次夜班（上限{limits.nights_week}次放宽到{eased.nights_week}次）"
        en = f"{name} takes {eased.nights_week} nights this week instead of {limits.nights_week}"
    elif rule == "minutes_week":
        minutes = sum(s.shift.minutes for s in mine if s.day // 7 == slot.day // 7)
        minutes += slot.shift.minutes
        if minutes <= MINUTES_WEEK_LAW:
            eased = replace(limits, minutes_week=minutes)
        zh = f"{name}本周工时放宽到{minutes / 60:g}小时（合同{limits.minutes_week / 60:g}小时）"
        en = f"{name} works {minutes / 60:g} hours this week, {limits.minutes_week / 60:g} by contract"
    elif rule == "run_of_days" and limits.run_days < RUN_DAYS_LAW:
        eased = replace(limits, run_days=limits.run_days + 1)
        zh = f"{name}连续上勤{eased.run_days}天（上限{limits.run_days}天放宽一天）"
        en = f"{name} works {eased.run_days} days in a row instead of {limits.run_days}"
    elif rule == "unavailable":
        kept = tuple(
            a
            for a in member.unavailable
            if slot.start_min >= a.end_min or slot.end_min <= a.start_min
        )
        zh = f"与{name}商量：该时段本人登记为不可排班"
        en = f"Ask {name}, whose entry says not available at these hours"
        return replace(member, unavailable=kept), zh, en
    elif rule == "estate":
        zh = f"向{member.employer or '其单位'}借调{name}到{slot.zone.name}"
        en = f"Have {member.employer or 'the employer'} lend {name} to {slot.zone.name}"
        return replace(member, lent_to=(*member.lent_to, slot.zone.key)), zh, en
    if eased is None:
        return None
    return replace(member, limits=eased), zh, en


def _dropped(roll: QuickRoll, slot: Slot, seat: int) -> Iterator[Fix]:
    """A patrol that matters less is stood down, and one of its people comes over."""
    locked = locked_seats(roll.problem)
    worth = {"minimum": 2, "ideal": 1, "extra": 0}
    for member, rules in _candidates(roll, slot, seat):
        if not rules:
            continue
        for other in list(roll.patrols[member.key]):
            if (worth[other.tier], other.importance) >= (worth[slot.tier], slot.importance):
                continue
            team = roll.team(other)
            if other is slot or any((other.key, n) in locked for n in team):
                continue
            gone = [SeatChange(other, n, who, None) for n, who in team.items()]
            with tried(roll, gone):
                stopped = _against(roll, member, slot, seat)
                changes = None if stopped else _teams(roll, slot, seat, member.key, in_turn=False)
            if changes is None:
                continue
            day = roll.problem.date_of(other.day)
            zh = (
                f"取消{day.month}月{day.day}日{other.zone.name}{other.shift.name}"
                f"（重要度{other.importance}），由{member.name}改上这里"
            )
            en = (
                f"Drop {other.zone.name} {other.shift.name} on {day.isoformat()} "
                f"(importance {other.importance}); {member.name} comes here"
            )
            yield _way(
                "drop", slot, seat, roll.problem, [*gone, *changes], zh, en,
                member=member.key, dropped=other.key,
            )  # fmt: skip


def _waived(roll: QuickRoll, slot: Slot, seat: int) -> Iterator[Fix]:
    """Nobody can be found: this patrol itself is not asked for this week, and whoever waits is free.

    The demand of a patrol is the last of its kind to go, so that the others keep their names.
    """
    demand = slot.demand
    if demand.extra:
        return
    ideal = demand.ideal - 1
    fewer = replace(demand, ideal=ideal, minimum=min(demand.minimum, ideal), extra=0)
    demands = tuple(fewer if d is demand else d for d in roll.problem.demands)
    last = roll.agenda.by_key[f"{slot.key.rsplit('.', 1)[0]}.{demand.ideal}"]
    changes = [SeatChange(slot, n, who, None) for n, who in roll.team(slot).items()]
    if last is not slot:
        moved = roll.team(last)
        changes += [SeatChange(last, n, who, None) for n, who in moved.items()]
        changes += [SeatChange(slot, n, None, who) for n, who in moved.items()]
    zh = f"本周取消这次巡逻（{slot.zone.name}{slot.shift.name}，重要度{slot.importance}）"
    en = f"Do without this patrol this week ({slot.zone.name} {slot.shift.name}, importance {slot.importance})"
    kept_locks = tuple(k for k in roll.problem.locks if k.patrol not in {slot.key, last.key})
    problem = replace(roll.problem, demands=demands, locks=kept_locks)
    yield _way("drop", slot, seat, problem, changes, zh, en, dropped=slot.key)


def _with_member(problem: RosterProblem, member: Member) -> RosterProblem:
    members = tuple(member if m.key == member.key else m for m in problem.members)
    return replace(problem, members=members)
