"""A patrol's walk as a problem and its answer: plain values, metres and minutes.

Coordinates are metres in one projected system. A prize is the detour in metres that an optional
stop is worth; a required stop is worth any detour the shift has time for.
"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from grid.errors import DomainError
from scheduling.core.problem import CLOSED, read_document

WALKING_M_PER_MIN = 60.0
"""3.6 km/h: a patrol looks around."""
STOPS_MAX = 2000


class RouteUnfit(DomainError):
    """A route problem that cannot be meant."""

    zh = "巡逻路线数据有误：{zh_what}。请更正后重试。"
    en = "The route's input does not fit together: {en_what}. Correct it and try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A place to stop at, and for how long; required, or worth a detour of ``prize_m`` metres."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    x: float
    y: float
    dwell_min: int = 2
    required: bool = True
    prize_m: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.dwell_min <= 240 or self.prize_m < 0:
            raise RouteUnfit(
                zh_what=f"停留点“{self.name}”的停留 {self.dwell_min} 分钟或奖励 {self.prize_m} 不成立",
                en_what=f"stop {self.name} stays {self.dwell_min} min with prize {self.prize_m}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a walk starts or ends."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteProblem:
    """One patrol's walk. Without ``start`` it begins at its first stop, without ``end`` at the last."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    lines: tuple[tuple[tuple[float, float], ...], ...]
    """The walkways."""
    stops: tuple[Stop, ...]
    minutes: int
    """The shift: a hard limit."""
    start: Place | None = None
    end: Place | None = None
    metres_per_min: float = WALKING_M_PER_MIN
    reach_m: float = 150.0
    """How far off the network a stop may lie."""
    seed: int = 0
    iterations: int = 300

    def __post_init__(self) -> None:
        keys = [stop.key for stop in self.stops]
        if len(set(keys)) != len(keys):
            raise RouteUnfit(zh_what="停留点编号重复", en_what="two stops share a key")
        if len(keys) > STOPS_MAX:
            raise RouteUnfit(
                zh_what=f"停留点 {len(keys)} 个，超过上限 {STOPS_MAX}",
                en_what=f"{len(keys)} stops, more than {STOPS_MAX}",
            )
        if not 1 <= self.minutes <= 720:
            raise RouteUnfit(
                zh_what=f"班次 {self.minutes} 分钟，应在 1 到 720 之间",
                en_what=f"a shift of {self.minutes} minutes, not 1–720",
            )
        if not (1 <= self.metres_per_min <= 200 and 1 <= self.iterations <= 1_000_000):
            raise RouteUnfit(zh_what="步速或迭代次数不成立", en_what="speed or iterations")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStop:
    """A stop of the walk; ``arrive_min`` counts from the shift's start."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    x: float
    y: float
    arrive_min: int
    dwell_min: int
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """A required stop that is left out, and why; ``missing_min`` is what the shift lacks for it."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    missing_min: int | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """The walk: its stops in order, its course, and what it leaves out."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    stops: tuple[PlannedStop, ...]
    line: tuple[tuple[float, float], ...]
    length_m: int
    minutes: int
    unreached: tuple[Unreached, ...]
    prize_m: int
    notes: tuple[tuple[str, str], ...] = ()
    """What a reader should know, each in Chinese and English."""


_PROBLEM = TypeAdapter(RouteProblem)
_PLAN = TypeAdapter(RoutePlan)


def read_route_problem(text: str | bytes, name: str = "problem.json") -> RouteProblem:
    """Read a route problem from JSON. Raises UnreadableFile."""
    return read_document(_PROBLEM, text, name)


def read_route_plan(text: str | bytes, name: str = "plan.json") -> RoutePlan:
    """Read a route plan from JSON. Raises UnreadableFile."""
    return read_document(_PLAN, text, name)


def write_route(value: RouteProblem | RoutePlan) -> str:
    """Return a route problem or plan as JSON, the same for the same value."""
    adapter: TypeAdapter[RouteProblem] | TypeAdapter[RoutePlan] = (
        _PROBLEM if isinstance(value, RouteProblem) else _PLAN
    )
    return adapter.dump_json(value, indent=1).decode() + "\n"  # type: ignore[arg-type]
