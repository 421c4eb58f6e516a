"""Exchanges on a published week: what the rules say today, and the version that follows.

The rules are asked with the members as they are now (leave, hours and contract told since the
week was published), and over the week's borders. What is stored answers the week's own problem.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from grid.errors import NotFound
from grid.intake import LOCAL
from grid.people import Member
from scheduling.core.check import Violation, check
from scheduling.core.plan import RosterPlan, write_plan
from scheduling.core.problem import DAY_MIN, RosterProblem, write_problem
from scheduling.core.problem import Member as Person
from scheduling.core.reseat import (
    Breach,
    Exchange,
    locks_moved,
    plan_of_roll,
    roll_of,
    seat_of,
    try_exchange,
)
from scheduling.core.roll import Roll
from scheduling.living_patrols import hand_over_patrols
from scheduling.publish import RosterIsLocked, one_at_a_time
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion
from scheduling.week import load_members, plan_of, problem_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of an exchange: ``there`` is False where somebody sits elsewhere now."""

    there: bool
    breaches: Sequence[Breach] = ()
    loads: Sequence[tuple[str, int, int]] = ()
    """Member, load before and after, in basis points."""

    @property
    def allowed(self) -> bool:
        """Say whether nothing stands against it."""
        return self.there and not self.breaches


@dataclass(frozen=True, slots=True)
class Choice:
    """An exchange that the rules allow: who, and for which patrol of theirs, if any."""

    member: str
    name: str
    patrol: str | None
    day: date | None
    start_min: int
    end_min: int
    zone: str
    load_after_bp: int
    """The other's load afterwards."""


def begins_at(day: date, start_min: int) -> datetime:
    """Return the moment a patrol begins."""
    midnight = datetime.combine(day, time(), LOCAL)
    return (midnight + timedelta(minutes=start_min)).astimezone(UTC)


class PublishedWeek:
    """A published version, and its people as they are today."""

    def __init__(self, session: Session, version: RosterVersion) -> None:
        self.session = session
        self.version = version
        self.problem = problem_of(version)
        self.plan = plan_of(version)

    @cached_property
    def _now(self) -> dict[str, Person]:
        rows = load_members(self.session, self.version.community_id, self.version.week_start)
        return {m.key: m for m in rows}

    @cached_property
    def today(self) -> RosterProblem:
        """The problem with members as they are now; one who left is away all week."""
        members = []
        for was in self.problem.members:
            now = self._now.get(was.key)
            if now is None:
                members.append(replace(was, leave=tuple(range(len(self.problem.days)))))
            else:
                # Zones and shifts may have been redrawn since; lending and wishes are the week's own.
                members.append(
                    replace(
                        now,
                        home_zone=was.home_zone,
                        lent_to=was.lent_to,
                        requests=was.requests,
                    )
                )
        return replace(self.problem, members=tuple(members))

    @cached_property
    def roll(self) -> Roll:
        """Who sits where, asked with today's members."""
        return roll_of(self.today, self.plan)

    @cached_property
    def _beside(self) -> dict[str, list[tuple[int, int, int]]]:
        """Each member's published patrols of the weeks beside: day, start, end, of this week."""
        first = self.version.week_start
        rows = self.session.execute(
            select(Member.staff_number, Patrol.day, Patrol.start_min, Patrol.end_min)
            .join(Assignment, Assignment.member_id == Member.id)
            .join(Patrol, Patrol.id == Assignment.patrol_id)
            .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
            .where(
                RosterVersion.community_id == self.version.community_id,
                RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
                RosterVersion.week_start != first,
                Patrol.day.between(first - timedelta(days=14), first + timedelta(days=20)),
            )
        )
        found: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for number, day, start, end in rows:
            n = (day - first).days
            found[number].append((n, n * DAY_MIN + start, n * DAY_MIN + end))
        return found

    def verdict(self, asked: Exchange) -> Verdict:
        """Return what the rules say today of an exchange."""
        members = self.roll.agenda.members
        if asked.asker not in members or asked.other not in members:
            return Verdict(there=False)
        trial, breaches = try_exchange(self.roll, asked)
        if trial is None:
            return Verdict(there=False)
        over = [
            breach
            for member, patrol in self._taken(asked)
            for breach in self._over_the_border(trial, member, patrol)
        ]
        known = {(b.member, b.rule) for b in breaches}
        found = [*breaches, *(b for b in over if (b.member, b.rule) not in known)]
        if not found:
            found = self._checked(trial)
        return Verdict(
            there=True,
            breaches=tuple(found),
            loads=tuple(
                (key, self.roll.load_bp(key), trial.load_bp(key))
                for key in (asked.asker, asked.other)
            ),
        )

    @staticmethod
    def _taken(asked: Exchange) -> list[tuple[str, str]]:
        taken = [(asked.other, asked.asker_patrol)]
        return taken + ([(asked.asker, asked.other_patrol)] if asked.other_patrol else [])

    def _over_the_border(self, trial: Roll, member: str, patrol: str) -> Iterable[Breach]:
        """Rest and days in a row against what is published of the weeks beside."""
        slot = trial.agenda.by_key[patrol]
        rest = trial.problem.law.rest_min
        beside = self._beside.get(member, [])
        if any(
            slot.start_min < end + rest and start < slot.end_min + rest for _, start, end in beside
        ):
            yield Breach(
                member,
                "rest",
                f"与相邻一周已发布的巡逻之间休息不足{rest / 60:g}小时",
                f"less than {rest / 60:g} hours of rest from a published patrol of the week beside",
            )
        days = {n for n, _, _ in beside} | {s.day for s in trial.patrols[member]}
        first = last = slot.day
        while first - 1 in days:
            first -= 1
        while last + 1 in days:
            last += 1
        most = trial.agenda.members[member].limits.run_days
        if last - first + 1 > most and (first < 0 or last >= len(trial.problem.days)):
            yield Breach(
                member,
                "run_days",
                f"连同相邻一周将连续上班{last - first + 1}天，上限{most}天",
                f"would work {last - first + 1} days in a row with the week beside, at most {most}",
            )

    def _checked(self, trial: Roll) -> list[Breach]:
        """Ask the independent checker for what the rules did not see."""
        before = {(v.rule, v.members, v.patrols) for v in self._violations(self.roll)}
        return [
            Breach(v.members[0] if v.members else "", v.rule, v.zh, v.en)
            for v in self._violations(trial)
            if (v.rule, v.members, v.patrols) not in before
        ]

    def _violations(self, roll: Roll) -> Sequence[Violation]:
        return check(self.today, plan_of_roll(roll, self.plan)).violations

    def choices(self, asker: str, patrol: str, now: datetime) -> list[Choice]:
        """Return the exchanges of a patrol that the rules allow: gifts first, then trades."""
        mine = seat_of(self.roll, asker, patrol)
        if mine is None:
            return []
        found = []
        for key, member in self.roll.agenda.members.items():
            if key == asker or key in self.roll.team(mine[0]).values():
                continue
            theirs = [None, *(s for s in self.roll.patrols[key] if self._open(s.key, now))]
            for slot in theirs:
                asked = Exchange(asker, patrol, key, slot.key if slot else None)
                trial, breaches = try_exchange(self.roll, asked)
                if trial is None or breaches:
                    continue
                if any(
                    b for m, p in self._taken(asked) for b in self._over_the_border(trial, m, p)
                ):
                    continue
                found.append(
                    Choice(
                        member=key,
                        name=member.name,
                        patrol=slot.key if slot else None,
                        day=self.problem.date_of(slot.day) if slot else None,
                        start_min=slot.shift.start_min if slot else 0,
                        end_min=slot.shift.end_min if slot else 0,
                        zone=slot.zone.name if slot else "",
                        load_after_bp=trial.load_bp(key),
                    )
                )
        return sorted(found, key=lambda c: (c.patrol is not None, c.load_after_bp, c.member))

    def _open(self, patrol: str, now: datetime) -> bool:
        slot = self.roll.agenda.by_key[patrol]
        return begins_at(self.problem.date_of(slot.day), slot.shift.start_min) > now

    def exchanged(self, asked: Exchange) -> tuple[RosterProblem, RosterPlan]:
        """Return the week's own problem and the plan after an exchange."""
        problem = locks_moved(self.problem, asked)
        trial, _ = try_exchange(roll_of(problem, self.plan), asked)
        assert trial is not None
        return problem, plan_of_roll(trial, self.plan)


def held_week(session: Session, community_id: int, week_start: date) -> RosterVersion:
    """Return the week's published version, held until the transaction ends.

    Raises NotFound where none is published, RosterIsLocked where it is closed.
    """
    one_at_a_time(session, community_id, week_start)
    version = session.scalar(
        select(RosterVersion)
        .where(
            RosterVersion.community_id == community_id,
            RosterVersion.week_start == week_start,
            RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
        )
        .with_for_update()
    )
    if version is None:
        raise NotFound(thing="已发布的排班表", name=week_start.isoformat())
    session.refresh(version)
    if version.state == RosterState.LOCKED:
        raise RosterIsLocked(week=week_start.isoformat(), number=version.number)
    return version


def published_week(session: Session, community_id: int, week_start: date) -> RosterVersion | None:
    """Return the week's published or locked version to read."""
    return session.scalar(
        select(RosterVersion).where(
            RosterVersion.community_id == community_id,
            RosterVersion.week_start == week_start,
            RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
        )
    )


def apply_exchange(
    session: Session,
    week: PublishedWeek,
    asked: Exchange,
    *,
    proposed_by: str,
    by: str,
    at: datetime,
) -> RosterVersion:
    """Publish the week anew with the exchange made; the version before stays to compare with.

    The patrols people walk keep their rows: walks planned, check-ins, reports and calendar feeds
    go on. The replaced version gets copies of them as they were. The new version's author is who
    proposed, its reviewer who approved: never one person.
    """
    old = week.version
    problem, plan = week.exchanged(asked)
    one_at_a_time(session, old.community_id, old.week_start)
    number = session.scalar(
        select(func.max(RosterVersion.number)).where(
            RosterVersion.community_id == old.community_id,
            RosterVersion.week_start == old.week_start,
        )
    )
    report = check(problem, plan)
    old.state = RosterState.REVIEWED
    session.flush()
    new = RosterVersion(
        community_id=old.community_id,
        week_start=old.week_start,
        number=(number or 0) + 1,
        state=RosterState.PUBLISHED,
        problem=json.loads(write_problem(problem)),
        plan=json.loads(write_plan(plan)),
        violations=len(report.violations) + len(report.mismatches),
        created_by=proposed_by,
        created_at=at,
        submitted_by=proposed_by,
        submitted_at=at,
        made_from_id=old.id,
        reviewed_by=by,
        published_by=by,
    )
    session.add(new)
    session.flush()
    hand_over_patrols(session, old.id, new.id)
    _reseat_rows(session, new, asked)
    session.expire(old, ["patrols"])
    session.expire(new, ["patrols"])
    return new


def _reseat_rows(session: Session, version: RosterVersion, asked: Exchange) -> None:
    ids = {
        number: key
        for number, key in session.execute(
            select(Member.staff_number, Member.id).where(
                Member.community_id == version.community_id,
                Member.staff_number.in_([asked.asker, asked.other]),
            )
        )
    }
    moves = [(asked.asker_patrol, asked.asker, asked.other)]
    if asked.other_patrol is not None:
        moves.append((asked.other_patrol, asked.other, asked.asker))
    rows = []
    for patrol, leaving, coming in moves:
        seat = session.scalars(
            select(Assignment)
            .join(Patrol, Patrol.id == Assignment.patrol_id)
            .where(
                Patrol.roster_version_id == version.id,
                Patrol.key == patrol,
                Assignment.member_id == ids[leaving],
            )
        ).one()
        rows.append(
            {
                "patrol_id": seat.patrol_id,
                "seat": seat.seat,
                "leader": seat.leader,
                "member_id": ids[coming],
            }
        )
        session.execute(delete(Assignment).where(Assignment.id == seat.id))
    session.execute(insert(Assignment), rows)
