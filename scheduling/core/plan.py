"""A roster as an answer: who walks what, what stays empty and why, and what was proven of it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from scheduling.core.problem import CLOSED, read_document

Tier = Literal["minimum", "ideal", "extra"]
Level = Literal[
    "locks", "cover_minimum", "requirements", "cover_ideal", "staggering", "changes", "fairness",
    "preferences",
]  # fmt: skip
LEVELS: tuple[Level, ...] = (
    "locks", "cover_minimum", "requirements", "cover_ideal", "staggering", "changes", "fairness",
    "preferences",
)  # fmt: skip
"""From the first to the last: no gain in a later level is worth a loss in an earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSeat:
    """A seat of a patrol and who sits in it."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    member: str | None
    leader: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPatrol:
    """A patrol that was asked for; it is walked when every required seat is filled."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    day: int
    shift: str
    zone: str
    type: str
    tier: Tier
    walked: bool
    seats: tuple[PlannedSeat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """One member who could have sat there, and the rule that stopped it (``free``: none did)."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    member: str
    rule: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptySeat:
    """An empty seat: its rank among all by importance, why, and who was stopped by what."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    rank: int
    patrol: str
    seat: int
    tier: Tier
    required: bool
    importance: int
    zh: str
    en: str
    candidates: tuple[Stopped, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementOutcome:
    """A requirement and the patrols that honour it."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    requirement: str
    wanted: int
    patrols: tuple[str, ...]
    short: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLoad:
    """One member's week: ``load_bp`` is weighted ÷ available minutes plus the balance carried over."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    member: str
    patrols: int
    minutes: int
    nights: int
    weighted_min: int
    available_min: int
    carried_over_bp: int
    load_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """The spread (highest − lowest load) within a force, or within a force of one employer."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    force: str
    employer: str | None
    members: int
    highest_bp: int
    lowest_bp: int
    mean_bp: int
    spread_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGap:
    """The longest run of minutes of a patrol day with no team in a zone."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    zone: str
    day: int
    gap_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOutcome:
    """What a level costs, and the cost below which no roster can go.

    The bound holds among rosters that are no worse in the levels before.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    level: Level
    cost: int
    bound: int
    gap: float
    """(cost − bound) ÷ cost; 0 when proven."""
    proven: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPlan:
    """The roster of a week."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    problem: str
    """Digest of the problem it answers."""
    status: Literal["proven", "found", "stopped"]
    """All levels proven; effort used up; stopped early with the best so far."""
    patrols: tuple[PlannedPatrol, ...]
    empty_seats: tuple[EmptySeat, ...]
    requirements: tuple[RequirementOutcome, ...]
    loads: tuple[MemberLoad, ...]
    fairness: tuple[Fairness, ...]
    coverage_gaps: tuple[CoverageGap, ...]
    levels: tuple[LevelOutcome, ...]
    seed: int


_PLAN = TypeAdapter(RosterPlan)


def read_plan(text: str | bytes, name: str = "plan.json") -> RosterPlan:
    """Read a plan from JSON. Raises UnreadableFile."""
    return read_document(_PLAN, text, name)


def write_plan(plan: RosterPlan) -> str:
    """Return a plan as JSON, the same for the same plan."""
    return _PLAN.dump_json(plan, indent=1).decode() + "\n"
