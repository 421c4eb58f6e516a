"""What a rule is: one named thing with a face in the model and sentences for people.

Its counterpart in the checker is written apart, from the law's words and not from this code.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scheduling.core.plan import Level
from scheduling.core.problem import Member, RosterProblem, Shift
from scheduling.core.roll import Roll
from scheduling.core.slots import Agenda, Slot

if TYPE_CHECKING:
    from scheduling.core.model import RosterModel, Term


@dataclass(frozen=True)
class Stop:
    """A rule stops a member from a seat, in two languages."""

    rule: str
    zh: str
    en: str


@dataclass(frozen=True)
class Count:
    """Something of which a member's roster holds at most so much: what each day and shift adds."""

    name: str
    units: Callable[[int, Shift], int]
    most: int


class Rule:
    """A hard rule: never traded. ``static`` ones depend on member and seat alone.

    What is hard forbids too much of something, so that it is kept by leaving a seat, or a whole
    team, at home: a legal roster always exists, whoever is missing. What asks for at least so much
    of something is a wish: nobody can promise that there are the hands, or the work, for it.
    """

    key: ClassVar[str]
    static: ClassVar[bool] = False
    parameters: ClassVar[tuple[str, ...]] = ()
    """What in the problem it goes by, as class and field."""
    says: ClassVar[tuple[str, str]]
    """What it asks, in two languages: the catalogue's sentence."""
    counts_as: ClassVar[tuple[str, str]]
    """How the sentence about an empty seat counts those whom it stops."""

    def stops(self, roll: Roll, member: Member, slot: Slot, seat: int) -> Stop | None:
        """Say why the member cannot take the seat beside what is on the roll, if so."""
        return None

    def refuses_team(self, roll: Roll, slot: Slot) -> Stop | None:
        """Say why the team now on the roll for this patrol may not go, if so."""
        return None

    def counts(self, agenda: Agenda, member: Member) -> Iterable[Count]:
        """Return the rule as counts for the search by lines of work, where it can be said so.

        Otherwise the search asks ``stops`` and ``refuses_team`` of every gain, and takes none that
        they stand against.
        """
        return ()

    def post(self, model: "RosterModel") -> None:
        """Forbid in the model what the rule forbids; a static rule's seats do not exist there."""


class Wish:
    """A soft rule: it adds to the cost of its level."""

    key: ClassVar[str]
    level: ClassVar[Level]
    parameters: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[tuple[str, str]]
    """See Rule."""

    def asked(self, problem: RosterProblem) -> bool:
        """Say whether the problem asks for it at all; a level that nothing asks for takes no effort."""
        return True

    def terms(self, model: "RosterModel") -> list["Term"]:
        """Return what it costs in the model, as (coefficient, variable) pairs."""
        raise NotImplementedError

    def cost(self, roll: Roll) -> int:
        """Return what the people on the roll cost."""
        raise NotImplementedError

    def seat_cost(self, member: Member, slot: Slot, seat: int) -> int:
        """Return the part of the cost that one member in one seat makes, whoever else sits where.

        The search by lines of work goes by it; a wish without such a part says 0.
        """
        return 0
