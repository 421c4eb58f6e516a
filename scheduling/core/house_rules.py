"""What a team agrees on beside the law, as data; by default nothing of it is asked.

Who walks with whom, which shift may follow which, how patrols are staggered, what is shared evenly.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict

from scheduling.core.contract import CLOSED, DAY_MIN, Some, Unless
from scheduling.core.problem_errors import AtOdds, SamePerson, between


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """Two shifts by key, the second on the day after the first."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    first: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two members by key who always walk together, or never."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    one: str
    other: str
    kind: Literal["together", "apart"]

    def __post_init__(self) -> None:
        if self.one == self.other:
            raise SamePerson(key=self.one)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverBand:
    """How many teams are in a zone at any moment of certain hours: at least, and at most.

    Of each day the worst moment counts: every team missing costs ``importance``, every team too
    many costs ``importance`` too where ``most`` is said.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    zone: str
    days: tuple[int, ...]
    start_min: int
    end_min: int
    least: int = 1
    most: Annotated[int | None, Unless] = None
    importance: int = 5

    def __post_init__(self) -> None:
        between(self.key, 0, DAY_MIN - 1, start_min=self.start_min)
        between(self.key, self.start_min + 1, 2 * DAY_MIN, end_min=self.end_min)
        between(self.key, 0, 20, least=self.least)
        between(self.key, 1, 100, importance=self.importance)
        if self.most is not None:
            between(self.key, 0, 20, most=self.most)
            if self.least > self.most:
                raise AtOdds(least="least", low=self.least, most="most", high=self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staggering:
    """错时巡逻: how long a zone may be without a team, and how often a start may repeat.

    A coverage gap longer than ``gap_max_min`` costs its minutes over it, per zone and day. Teams
    that start at one and the same minute in a zone on more than ``same_start_days`` days of a week
    cost ``same_start_counts_min`` for each day over it: whoever watches learns no timetable.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    gap_max_min: int | None = None
    same_start_days: int | None = None
    same_start_counts_min: int = 30

    def __post_init__(self) -> None:
        if self.gap_max_min is not None:
            between("staggering", 0, 2 * DAY_MIN, gap_max_min=self.gap_max_min)
        if self.same_start_days is not None:
            between("staggering", 0, 7, same_start_days=self.same_start_days)
        between("staggering", 1, DAY_MIN, same_start_counts_min=self.same_start_counts_min)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much the spread of nights, weekends and holidays within a force counts beside the load's.

    Each spread is in basis points of available minutes, as the load's; 0 leaves it out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    nights: Annotated[int, Some] = 0
    weekends: Annotated[int, Some] = 0
    holidays: Annotated[int, Some] = 0

    def __post_init__(self) -> None:
        between(
            "shares", 0, 100, nights=self.nights, weekends=self.weekends, holidays=self.holidays
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sat:
    """Who sat where in the roster that this one is to differ least from."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    patrol: str
    seat: int
    member: str
