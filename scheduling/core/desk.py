"""Edits of a draft roster by hand: what changes where, and which rule stands against it.

A patrol that lacks a required seat is a state on the way: it may be left so on a draft, is said
by the checker as long as it lasts, and is never published. Every other hard rule refuses at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from grid.errors import Conflict, NotFound
from scheduling.core.plan import RosterPlan
from scheduling.core.problem import RosterProblem
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD, Stop
from scheduling.core.slots import Agenda, Slot

EditKind = Literal["move", "swap", "place", "remove"]


class SeatIsEmpty(Conflict):
    """Nobody sits where somebody is to be taken from."""

    zh = "这个席位现在没有人。请刷新页面查看最新的排班。"
    en = "Nobody sits there now. Reload the page to see the roster as it is."


class SeatIsTaken(Conflict):
    """Somebody sits where somebody is to be moved to."""

    zh = "目标席位现在已有{name}。请改用对调，或刷新页面查看最新的排班。"
    en = "{name} sits there now. Swap the two, or reload the page to see the roster as it is."


class EditIncomplete(Conflict):
    """An edit that does not say enough."""

    zh = "没有写明{what}。请从排班板上选择后重试。"
    en = "The edit does not say {what_en}. Choose it on the board and try again."
    status = 422


class EditRefused(Conflict):
    """A hard rule stands against an edit."""

    zh = "不能这样调整：{why}。请换一个人或换一个席位。"
    en = "The rules forbid this: {why_en}. Choose another person or another seat."


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change by hand. ``member`` is for a place, ``to_patrol``/``to_seat`` for move and swap."""

    kind: EditKind
    patrol: str
    seat: int
    member: str | None = None
    to_patrol: str | None = None
    to_seat: int | None = None


@dataclass(frozen=True, slots=True)
class SeatChange:
    """One seat before and after."""

    slot: Slot
    seat: int
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that stands against a member (or, without one, a team), in two languages."""

    rule: str
    zh: str
    en: str
    member: str | None = None


class QuickRoll(Roll):
    """A roll that remembers who is missing and what each member's load is, for many questions."""

    def __init__(self, agenda: Agenda) -> None:
        super().__init__(agenda)
        self._required = [
            frozenset(n for n, seat in enumerate(slot.type.seats) if seat.required)
            for slot in agenda.slots
        ]
        self._missing = [len(required) for required in self._required]
        self._load: dict[str, int] = {}

    def put(self, slot: Slot, seat: int, member: str) -> None:
        """See Roll."""
        super().put(slot, seat, member)
        self._missing[slot.index] -= seat in self._required[slot.index]
        self._load.pop(member, None)

    def take_away(self, slot: Slot, seat: int) -> None:
        """See Roll."""
        self._load.pop(self.seated[slot.index, seat], None)
        super().take_away(slot, seat)
        self._missing[slot.index] += seat in self._required[slot.index]

    def walked(self, slot: Slot) -> bool:
        """See Roll."""
        return self._missing[slot.index] == 0

    def load_bp(self, member: str) -> int:
        """See Roll."""
        found = self._load.get(member)
        if found is None:
            found = self._load[member] = super().load_bp(member)
        return found


def roll_on_desk(problem: RosterProblem, plan: RosterPlan) -> QuickRoll:
    """Return who sits where in a plan, ready to be asked much."""
    agenda = Agenda(problem)
    roll = QuickRoll(agenda)
    for patrol in plan.patrols:
        for n, seat in enumerate(patrol.seats):
            if seat.member is not None:
                roll.put(agenda.by_key[patrol.key], n, seat.member)
    return roll


def find_seat(roll: Roll, patrol: str | None, seat: int | None) -> tuple[Slot, int]:
    """Return a seat by its names. Raises EditIncomplete or NotFound."""
    if patrol is None or seat is None:
        raise EditIncomplete(what="目标席位", what_en="the seat it goes to")
    slot = roll.agenda.by_key.get(patrol)
    if slot is None or seat not in range(len(slot.type.seats)):
        raise NotFound(thing="席位", name=f"{patrol}#{seat}")
    return slot, seat


def changes_of(roll: Roll, edit: Edit) -> list[SeatChange]:
    """Return which seats an edit changes. Raises what keeps it from being meant."""
    slot, seat = find_seat(roll, edit.patrol, edit.seat)
    sits = roll.seated.get((slot.index, seat))
    if edit.kind == "place":
        if edit.member is None:
            raise EditIncomplete(what="要派谁", what_en="whom to seat")
        if edit.member not in roll.agenda.members:
            raise NotFound(thing="队员", name=edit.member)
        return [SeatChange(slot, seat, sits, edit.member)]
    if sits is None:
        raise SeatIsEmpty()
    if edit.kind == "remove":
        return with_stood_down(roll, [SeatChange(slot, seat, sits, None)])
    to, to_seat = find_seat(roll, edit.to_patrol, edit.to_seat)
    other = roll.seated.get((to.index, to_seat))
    if edit.kind == "move" and other is not None:
        raise SeatIsTaken(name=roll.agenda.members[other].name)
    if edit.kind == "swap" and other is None:
        raise SeatIsEmpty()
    return with_stood_down(
        roll, [SeatChange(slot, seat, sits, other), SeatChange(to, to_seat, other, sits)]
    )


def with_stood_down(roll: Roll, changes: Sequence[SeatChange]) -> list[SeatChange]:
    """Add who goes home where an extra patrol loses a required seat: nobody asked for half of it."""
    found = list(changes)
    touched = {(c.slot.index, c.seat) for c in changes}
    for change in changes:
        slot = change.slot
        if (
            slot.tier == "extra"
            and change.now is None
            and change.was is not None
            and slot.type.seats[change.seat].required
        ):
            found += [
                SeatChange(slot, n, member, None)
                for n, member in roll.team(slot).items()
                if (slot.index, n) not in touched
            ]
    return found


@contextmanager
def tried(roll: Roll, changes: Sequence[SeatChange]) -> Iterator[list[Objection]]:
    """Make changes on the roll for a while; hand over what stands against them."""
    for change in changes:
        if change.was is not None:
            roll.take_away(change.slot, change.seat)
    objections: list[Objection] = []
    for change in changes:
        if change.now is not None:
            objections += _objections(roll, change)
            roll.put(change.slot, change.seat, change.now)
    objections += _team_objections(roll, changes)
    try:
        yield objections
    finally:
        for change in changes:
            if change.now is not None:
                roll.take_away(change.slot, change.seat)
        for change in changes:
            if change.was is not None:
                roll.put(change.slot, change.seat, change.was)


def _objections(roll: Roll, change: SeatChange) -> Iterator[Objection]:
    """Yield every rule that stops a member from a seat; beside a wrong force nothing else counts."""
    who = roll.agenda.members[change.now or ""]
    for rule in HARD:
        stop = rule.stops(roll, who, change.slot, change.seat)
        if stop is not None:
            yield _objection(stop, who.key)
            if stop.rule == "seat":
                return


def _team_objections(roll: Roll, changes: Sequence[SeatChange]) -> Iterator[Objection]:
    for slot in {change.slot.index: change.slot for change in changes}.values():
        if not roll.walked(slot):
            continue
        for rule in HARD:
            stop = rule.refuses_team(roll, slot)
            if stop is not None:
                yield _objection(stop, None)


def _objection(stop: Stop, member: str | None) -> Objection:
    return Objection(stop.rule, stop.zh, stop.en, member)


def locked_seats(problem: RosterProblem) -> dict[tuple[str, int], str]:
    """Return the seats that somebody locked, and for whom."""
    return {(lock.patrol, lock.seat): lock.member for lock in problem.locks}


def lock_objections(problem: RosterProblem, changes: Sequence[SeatChange]) -> list[Objection]:
    """Return what locks stand against changes: a locked seat is unlocked first."""
    locked = locked_seats(problem)
    return [
        Objection(
            "lock", "该派班已锁定，请先解锁", "this assignment is locked: unlock it first", c.was
        )
        for c in changes
        if c.was is not None and locked.get((c.slot.key, c.seat)) == c.was
    ]


def make(roll: Roll, changes: Sequence[SeatChange]) -> None:
    """Make changes for good. Raises EditRefused with every rule that stands against them."""
    objections = lock_objections(roll.problem, changes)
    with tried(roll, changes) as found:
        objections += found
    if objections:
        raise refusal(roll, objections)
    for change in changes:
        if change.was is not None:
            roll.take_away(change.slot, change.seat)
    for change in changes:
        if change.now is not None:
            roll.put(change.slot, change.seat, change.now)


def refusal(roll: Roll, objections: Sequence[Objection]) -> EditRefused:
    """Return the refusal that names every rule and whom it stops."""

    def said(objection: Objection, sentence: str, joint: str) -> str:
        who = roll.agenda.members.get(objection.member or "")
        return f"{who.name}{joint}{sentence}" if who else sentence

    return EditRefused(
        why="；".join(dict.fromkeys(said(o, o.zh, "：") for o in objections)),
        why_en="; ".join(dict.fromkeys(said(o, o.en, ": ") for o in objections)),
    )
