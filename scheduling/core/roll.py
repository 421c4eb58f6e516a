"""Who sits where at one moment of planning: the state that rules are asked about."""

from collections import defaultdict

from scheduling.core.slots import Agenda, Slot


class Roll:
    """Seats taken so far, and each member's patrols in order of time."""

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda
        self.problem = agenda.problem
        self.seated: dict[tuple[int, int], str] = {}
        """(slot index, seat) → member key."""
        self.patrols: dict[str, list[Slot]] = defaultdict(list)

    def put(self, slot: Slot, seat: int, member: str) -> None:
        """Seat a member."""
        self.seated[slot.index, seat] = member
        self.patrols[member].append(slot)
        self.patrols[member].sort(key=lambda s: s.start_min)

    def take_away(self, slot: Slot, seat: int) -> None:
        """Empty a seat."""
        self.patrols[self.seated.pop((slot.index, seat))].remove(slot)

    def exchange(self, one: Slot, seat: int, other: Slot, other_seat: int) -> None:
        """Let the members of two seats change places."""
        a, b = self.seated[one.index, seat], self.seated[other.index, other_seat]
        self.take_away(one, seat)
        self.take_away(other, other_seat)
        self.put(one, seat, b)
        self.put(other, other_seat, a)

    def copy(self) -> "Roll":
        """Return a roll that can be changed apart."""
        twin = Roll(self.agenda)
        twin.seated = dict(self.seated)
        for member, slots in self.patrols.items():
            twin.patrols[member] = list(slots)
        return twin

    def team(self, slot: Slot) -> dict[int, str]:
        """Return seat → member of a patrol."""
        return {
            seat: self.seated[slot.index, seat]
            for seat in range(len(slot.type.seats))
            if (slot.index, seat) in self.seated
        }

    def walked(self, slot: Slot) -> bool:
        """Say whether every required seat is filled."""
        return all(
            (slot.index, n) in self.seated
            for n, seat in enumerate(slot.type.seats)
            if seat.required
        )

    def load_bp(self, member: str) -> int:
        """Return a member's load with what was carried over."""
        who = self.agenda.members[member]
        return who.carried_over_bp + sum(
            self.agenda.load_bp(who, slot.day, slot.shift) for slot in self.patrols[member]
        )
