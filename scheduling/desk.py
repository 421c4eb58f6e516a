"""The team lead's desk: edits of a draft by hand, taken back and done again, each stored whole.

Every edit derives plan and figures anew and has the independent checker look at them, in the same
version and transaction. Only a draft is edited; what is published goes on in a copy.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from grid.errors import Conflict, NotFound
from scheduling.core import desk as core
from scheduling.core.check import Report, check
from scheduling.core.desk import Edit, SeatChange, changes_of, make, roll_on_desk
from scheduling.core.fixes import Fix, all_fixes, three_cheapest
from scheduling.core.plan import Fairness, LevelOutcome, RosterPlan, write_plan
from scheduling.core.problem import Lock, Member, RosterProblem, read_problem, write_problem
from scheduling.core.replacements import (
    Choice,
    on_leave,
    replacements,
    seats_of,
    seats_touching,
    unavailable_for,
)
from scheduling.core.reseat import plan_of_roll
from scheduling.core.slots import Agenda, Slot
from scheduling.publish import NAMES, RosterIsLocked
from scheduling.rosters import Patrol, RosterEdit, RosterState, RosterVersion
from scheduling.versions import find_version, patrol_rows, store_draft
from scheduling.week import load_members, plan_of, problem_of

HISTORY_WEEKS = 4
_LEVELS = TypeAdapter(tuple[LevelOutcome, ...])


class NotADraft(Conflict):
    """An edit of a version that is no draft any more."""

    zh = "第 {number} 版排班现在是“{state}”，不能直接调整。请先“另存为草稿”，在新草稿上调整后重新审核发布。"
    en = "Version {number} is {state_en} now and cannot be edited. Copy it to a draft first, then review and publish that."


class NothingToUndo(Conflict):
    """No edit is left in that direction."""

    zh = "没有可以{what}的调整。请刷新页面查看最新的排班。"
    en = "There is no edit to {what_en}. Reload the page to see the roster as it is."


class SeatChangedMeanwhile(Conflict):
    """Somebody else sits there than the editor saw."""

    zh = "这个席位刚刚被改过，现在不是{name}。请刷新页面后重试。"
    en = "That seat was just changed: {name} no longer sits there. Reload the page and try again."


class FixGone(Conflict):
    """A fix that no longer holds."""

    zh = "这个办法已不适用，排班刚刚变过。请刷新页面，重新查看可行的办法。"
    en = "This fix no longer holds: the roster has just changed. Reload the page and look again."


@dataclass(frozen=True, slots=True)
class PastWeek:
    """The spread of load of a force in a published week before."""

    week_start: date
    force: str
    employer: str | None
    spread_bp: int
    mean_bp: int


class Desk:
    """One version on the desk: problem, plan, and who sits where."""

    def __init__(self, session: Session, version: RosterVersion) -> None:
        self.session = session
        self.version = version
        self.problem = problem_of(version)
        self.plan = plan_of(version)

    @cached_property
    def roll(self) -> core.QuickRoll:
        """Who sits where; whoever is asked about is asked with the leave told since."""
        return self._with_leave_told(roll_on_desk(self.problem, self.plan))

    @cached_property
    def report(self) -> Report:
        """What the independent checker says of it as it is."""
        return check(self.problem, self.plan)

    @cached_property
    def edits(self) -> Sequence[RosterEdit]:
        """The edits made by hand, in order."""
        return self.session.scalars(
            select(RosterEdit)
            .where(RosterEdit.roster_version_id == self.version.id)
            .order_by(RosterEdit.number)
        ).all()

    @property
    def last_done(self) -> RosterEdit | None:
        """The edit that undo takes back."""
        return next((e for e in reversed(self.edits) if not e.undone), None)

    @property
    def next_undone(self) -> RosterEdit | None:
        """The edit that redo makes again."""
        return next((e for e in self.edits if e.undone), None)

    def _proven(self) -> tuple[LevelOutcome, ...]:
        """Return what the search proved, as far as it holds for the problem as it is now."""
        if self.last_done is not None:
            return _LEVELS.validate_python(self.last_done.levels_after)
        if self.edits:
            return _LEVELS.validate_python(self.edits[0].levels_before)
        return self.plan.levels

    def past_weeks(self) -> list[PastWeek]:
        """Return each force's spread in the published weeks before, the oldest first."""
        first = self.version.week_start
        rows = self.session.execute(
            select(RosterVersion.week_start, RosterVersion.plan["fairness"])
            .where(
                RosterVersion.community_id == self.version.community_id,
                RosterVersion.state.in_([RosterState.PUBLISHED, RosterState.LOCKED]),
                RosterVersion.week_start < first,
                RosterVersion.week_start >= first - timedelta(weeks=HISTORY_WEEKS),
            )
            .order_by(RosterVersion.week_start)
        )
        adapter = TypeAdapter(list[Fairness])
        return [
            PastWeek(week, f.force, f.employer, f.spread_bp, f.mean_bp)
            for week, fairness in rows
            for f in adapter.validate_python(fairness)
        ]

    def edit(self, asked: Edit, *, by: str) -> None:
        """Make an edit by hand. Raises NotFound, EditRefused and what else keeps it from it."""
        changes = changes_of(self.roll, asked)
        expected = asked.member if asked.kind != "place" else None
        if expected is not None and changes[0].was != expected:
            who = self.roll.agenda.members.get(expected)
            raise SeatChangedMeanwhile(name=who.name if who else expected)
        make(self.roll, changes)
        self._store(asked.kind, changes, self.problem, self._proven(), by=by)

    def set_lock(self, patrol: str, seat: int, locked: bool, *, by: str) -> None:
        """Lock whoever sits in a seat there, or unlock the seat. Raises NotFound or SeatIsEmpty."""
        slot, n = core.find_seat(self.roll, patrol, seat)
        sits = self.roll.seated.get((slot.index, n))
        kept = tuple(k for k in self.problem.locks if (k.patrol, k.seat) != (patrol, seat))
        if locked:
            if sits is None:
                raise core.SeatIsEmpty()
            kept = (*kept, Lock(patrol=patrol, seat=seat, member=sits))
        if set(kept) == set(self.problem.locks):
            return
        problem = replace(self.problem, locks=kept)
        self._store("lock" if locked else "unlock", [], problem, self._proven(), by=by)

    @cached_property
    def _leave_told(self) -> dict[str, tuple[int, ...]]:
        """Each member's days of leave as the team's books say now."""
        if self.version.what_if:
            return {}
        rows = load_members(self.session, self.version.community_id, self.version.week_start)
        return {m.key: m.leave for m in rows}

    def _with_leave_told(self, roll: core.QuickRoll) -> core.QuickRoll:
        """Have the rules know of leave that was told after the version was made.

        The figures stay those of the version's own problem until it is solved again.
        """
        for key, member in roll.agenda.members.items():
            told = set(self._leave_told.get(key, ()))
            if not told <= set(member.leave):
                leave = tuple(sorted({*member.leave, *told}))
                roll.agenda.members[key] = replace(member, leave=leave)
        return roll

    def replacements(
        self, member: str, *, patrol: str | None = None, days: Sequence[int] = ()
    ) -> list[tuple[Slot, int, list[Choice]]]:
        """Return who could step in for a member on one patrol, or on every patrol of some days.

        Raises NotFound where the member is not on the roster or not on that patrol.
        """
        self._expect_member(member)
        if patrol is not None:
            slot, _ = core.find_seat(self.roll, patrol, 0)
            seats = [(s, n) for s, n in seats_of(self.roll, member) if s is slot]
            if not seats:
                raise NotFound(thing="派班", name=f"{patrol} {member}")
            problem = unavailable_for(self.problem, member, slot)
        else:
            seats = seats_touching(self.roll, member, days)
            problem = on_leave(self.problem, member, days)
        roll = self._with_leave_told(roll_on_desk(self._let_go(problem, seats), self.plan))
        found = [(roll.agenda.by_key[slot.key], n) for slot, n in seats]
        for slot, n in found:
            roll.take_away(slot, n)
        return [(slot, n, replacements(roll, slot, n, member)) for slot, n in found]

    def sick(self, member: str, days: Sequence[int], *, by: str) -> None:
        """Put a member on leave, and whoever costs least in each seat that empties.

        A seat that nobody can take stays empty. Raises NotFound.
        """
        self._expect_member(member)
        seats = seats_touching(self.roll, member, days)
        problem = self._let_go(on_leave(self.problem, member, days), seats)
        roll = self._with_leave_told(roll_on_desk(problem, self.plan))
        changes: list[SeatChange] = []
        emptied = [SeatChange(roll.agenda.by_key[s.key], n, member, None) for s, n in seats]
        for change in emptied:
            roll.take_away(change.slot, change.seat)
        for change in sorted(emptied, key=lambda c: (c.slot.tier != "minimum", -c.slot.importance)):
            choices = replacements(roll, change.slot, change.seat, member)
            best = choices[0] if choices and choices[0].worth_it else None
            for step in best.changes if best else ():
                if step.was is not None:
                    roll.take_away(step.slot, step.seat)
            for step in best.changes if best else ():
                if step.now is not None:
                    roll.put(step.slot, step.seat, step.now)
        was, now = roll_on_desk(self.problem, self.plan), roll
        for slot in now.agenda.slots:
            for n in range(len(slot.type.seats)):
                one, other = was.seated.get((slot.index, n)), now.seated.get((slot.index, n))
                if one != other:
                    changes.append(SeatChange(slot, n, one, other))
        self._store("sick", changes, problem, _unproven(self._proven(), "fairness"), by=by)

    def _expect_member(self, member: str) -> None:
        if member not in self.roll.agenda.members:
            raise NotFound(thing="队员", name=member)

    @staticmethod
    def _let_go(problem: RosterProblem, seats: Sequence[tuple[Slot, int]]) -> RosterProblem:
        """Return the problem without locks on seats that must be left."""
        left = {(slot.key, n) for slot, n in seats}
        kept = tuple(k for k in problem.locks if (k.patrol, k.seat) not in left)
        return problem if kept == problem.locks else replace(problem, locks=kept)

    def fixes(self, patrol: str, seat: int) -> list[Fix]:
        """Return the three cheapest fixes of an empty seat. Raises NotFound or SeatIsTaken."""
        return three_cheapest(self.problem, self.plan, patrol, seat)

    def fix(
        self,
        kind: str,
        patrol: str,
        seat: int,
        *,
        member: str | None,
        rule: str | None,
        dropped: str | None,
        by: str,
    ) -> Fix:
        """Make one of the fixes of an empty seat. Raises FixGone where it no longer is one."""
        wanted = (kind, member, rule, dropped)
        for found in all_fixes(self.problem, self.plan, patrol, seat):
            if (found.kind, found.member, found.rule, found.dropped) == wanted:
                changed = found.problem is not self.problem
                levels = _unproven(self._proven(), "cover_minimum") if changed else self._proven()
                self._store(found.kind, found.changes, found.problem, levels, by=by)
                return found
        raise FixGone()

    def undo(self) -> RosterEdit:
        """Take the last edit back. Raises NothingToUndo."""
        edit = self.last_done
        if edit is None:
            raise NothingToUndo(what="撤销", what_en="undo")
        self._turn(edit, back=True)
        return edit

    def redo(self) -> RosterEdit:
        """Make the edit that was last taken back again. Raises NothingToUndo."""
        edit = self.next_undone
        if edit is None:
            raise NothingToUndo(what="重做", what_en="redo")
        self._turn(edit, back=False)
        return edit

    def _turn(self, edit: RosterEdit, *, back: bool) -> None:
        problem = _with(self.problem, edit.before if back else edit.after)
        levels = _LEVELS.validate_python(edit.levels_before if back else edit.levels_after)
        was, now = (3, 2) if back else (2, 3)
        seats = [(str(row[0]), int(str(row[1])), row[was], row[now]) for row in edit.seats]
        edit.undone = back
        self._write(problem, seats[::-1] if back else seats, levels)

    def _store(
        self,
        kind: str,
        changes: Sequence[SeatChange],
        problem: RosterProblem,
        levels: tuple[LevelOutcome, ...],
        *,
        by: str,
    ) -> None:
        """Keep an edit that can be taken back, and the version as it is after it.

        ``levels`` is what the search proved as far as it holds for ``problem``.
        """
        before = self._proven()
        self.session.execute(
            delete(RosterEdit).where(
                RosterEdit.roster_version_id == self.version.id, RosterEdit.undone
            )
        )
        number = self.session.scalar(
            select(func.max(RosterEdit.number)).where(
                RosterEdit.roster_version_id == self.version.id
            )
        )
        seats: list[list[object]] = [[c.slot.key, c.seat, c.was, c.now] for c in changes]
        patch_before, patch_after = _patches(self.problem, problem)
        self.session.add(
            RosterEdit(
                roster_version_id=self.version.id,
                number=(number or 0) + 1,
                kind=kind,
                seats=seats,
                before=patch_before,
                after=patch_after,
                levels_before=_LEVELS.dump_python(before, mode="json"),
                levels_after=_LEVELS.dump_python(levels, mode="json"),
                undone=False,
                made_by=by,
                made_at=datetime.now(UTC),
            )
        )
        self._write(problem, [(c.slot.key, c.seat, c.was, c.now) for c in changes], levels)

    def _write(
        self,
        problem: RosterProblem,
        seats: Sequence[tuple[str, int, object, object]],
        levels: tuple[LevelOutcome, ...],
    ) -> None:
        """Derive plan, figures and report anew, and store them with the rows people walk by."""
        old = self.plan
        sits = _sits(old)
        for patrol, seat, _, now in seats:
            sits[patrol, seat] = str(now) if now is not None else None
        fresh = core.QuickRoll(Agenda(problem))
        for (patrol, seat), member in sits.items():
            slot = fresh.agenda.by_key.get(patrol)
            if member is not None and slot is not None:
                fresh.put(slot, seat, member)
        plan = plan_of_roll(fresh, replace(old, levels=levels))
        report = check(problem, plan)
        self.version.plan = json.loads(write_plan(plan))
        if problem is not self.problem:
            self.version.problem = json.loads(write_problem(problem))
        self.version.violations = len(report.violations) + len(report.mismatches)
        if not self.version.what_if:
            self._write_rows(problem, old, plan)
        self.problem, self.plan = problem, plan
        self.__dict__.update(roll=self._with_leave_told(fresh), report=report)
        self.__dict__.pop("edits", None)
        self.session.flush()

    def _write_rows(self, problem: RosterProblem, old: RosterPlan, new: RosterPlan) -> None:
        """Replace the rows of the patrols whose people changed; a draft has no walks to lose."""
        had = {p.key: p for p in old.patrols}
        has = {p.key: p for p in new.patrols}
        changed = {key for key in had.keys() | has.keys() if had.get(key) != has.get(key)}
        if not changed:
            return
        self.session.execute(
            delete(Patrol).where(
                Patrol.roster_version_id == self.version.id, Patrol.key.in_(changed)
            )
        )
        rows = patrol_rows(
            self.session,
            self.version.community_id,
            self.version.week_start,
            problem,
            replace(new, patrols=tuple(p for p in new.patrols if p.key in changed)),
        )
        for row in rows:
            row.roster_version_id = self.version.id
        self.session.add_all(rows)


def _unproven(levels: Sequence[LevelOutcome], since: str) -> tuple[LevelOutcome, ...]:
    """Return levels with nothing proven from one of them on: the problem is another there."""
    first = next(n for n, o in enumerate(levels) if o.level == since)
    return tuple(replace(o, bound=0) if n >= first else o for n, o in enumerate(levels))


def _sits(plan: RosterPlan) -> dict[tuple[str, int], str | None]:
    return {(p.key, n): seat.member for p in plan.patrols for n, seat in enumerate(p.seats)}


def _patches(was: RosterProblem, now: RosterProblem) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parts of two problems that differ, of the one and of the other."""
    if was is now:
        return {}, {}
    one, other = json.loads(write_problem(was)), json.loads(write_problem(now))
    keys = [key for key in one if one[key] != other[key]]
    return {key: one[key] for key in keys}, {key: other[key] for key in keys}


def _with(problem: RosterProblem, patch: dict[str, object]) -> RosterProblem:
    if not patch:
        return problem
    return read_problem(json.dumps({**json.loads(write_problem(problem)), **patch}))


def open_desk(
    session: Session, community_id: int, version_id: int, *, to_edit: bool = False
) -> Desk:
    """Return a draft on the desk; to edit it, held until the transaction ends.

    Raises NotFound, RosterIsLocked or NotADraft.
    """
    version = find_version(session, community_id, version_id)
    if to_edit:
        session.refresh(version, with_for_update=True)
    if version.state == RosterState.LOCKED:
        raise RosterIsLocked(week=version.week_start.isoformat(), number=version.number)
    if version.state != RosterState.DRAFT:
        zh, en = NAMES[RosterState(version.state)]
        raise NotADraft(number=version.number, state=zh, state_en=en)
    return Desk(session, version)


def copy_as_draft(
    session: Session, community_id: int, version_id: int, *, by: str
) -> RosterVersion:
    """Store a version, whatever its state, as a new draft of its week. Raises NotFound.

    A what-if stays one: what was only asked never becomes a roster by copying.
    """
    source = find_version(session, community_id, version_id)
    return store_draft(
        session,
        community_id,
        problem_of(source),
        plan_of(source),
        by=by,
        made_from=source.id,
        what_if=source.title if source.what_if else None,
    )


def problem_now(session: Session, version: RosterVersion) -> RosterProblem:
    """Return a version's problem with the leave and hours told since it was made.

    What was decided at the desk (a limit eased, a day off worked, a sick call) stays.
    """
    problem = problem_of(version)
    if version.what_if:
        return problem
    known = {m.key: m for m in load_members(session, version.community_id, version.week_start)}

    def told(was: Member) -> Member:
        now = known.get(was.key)
        if now is None:
            return replace(was, leave=tuple(range(len(problem.days))), available_min=0)
        leave = tuple(sorted({*was.leave, *now.leave}))
        return (
            was
            if leave == was.leave
            else replace(was, leave=leave, available_min=min(was.available_min, now.available_min))
        )

    members = tuple(told(m) for m in problem.members)
    return problem if members == problem.members else replace(problem, members=members)
