"""Patrols' walks as a problem and its answer: plain values, metres and minutes.

Coordinates are metres in one projected system; minutes count from the problem's own minute 0, the
start of the shift. A prize is what a visit is worth beside other visits: a required stop comes
before all prizes, prizes before any walking saved, and the shift's minutes before everything.
"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from grid.errors import DomainError
from scheduling.core.problem import CLOSED, read_document

WALKING_M_PER_MIN = 60.0
"""3.6 km/h: a patrol looks around."""
STOPS_MAX = 2000
TEAMS_MAX = 20
MINUTES_MAX = 720
ROUNDS = 2000


class RouteUnfit(DomainError):
    """A route problem that cannot be meant."""

    zh = "巡逻路线数据有误：{zh_what}。请更正后重试。"
    en = "The route's input does not fit together: {en_what}. Correct it and try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A place to stop at, and for how long; required, or worth its prize."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    x: float
    y: float
    dwell_min: int = 2
    required: bool = True
    prize: int = 0
    prize_by_hour: tuple[int, ...] = ()
    """If given, the prize of a visit that begins in hour ``minute // 60``; the last goes on."""
    window: tuple[int, int] | None = None
    """The visit begins no earlier and no later."""
    every_min: int | None = None
    """A hot place: no longer than this without a visit, where hands allow (Koper: 10–16 minutes
    there at least every two hours)."""
    max_gap_min: int | None = None
    """The hard limit from the last visit to the next: it makes the stop required when it is due."""
    last_visit_min: int | None = None
    """When the last visit ended, ≤ 0; None: nobody knows of one."""

    def __post_init__(self) -> None:
        if (
            not 0 <= self.dwell_min <= 240
            or self.prize < 0
            or min(self.prize_by_hour, default=0) < 0
        ):
            raise RouteUnfit(
                zh_what=f"停留点“{self.name}”的停留 {self.dwell_min} 分钟或奖励 {self.prize} 不成立",
                en_what=f"stop {self.name} stays {self.dwell_min} min with prize {self.prize}",
            )
        if self.window is not None and not 0 <= self.window[0] <= self.window[1]:
            raise RouteUnfit(
                zh_what=f"停留点“{self.name}”的时间窗 {self.window[0]}–{self.window[1]} 不成立",
                en_what=f"stop {self.name} has the window {self.window[0]}–{self.window[1]}",
            )
        for gap in (self.every_min, self.max_gap_min):
            if gap is not None and gap < 10:
                raise RouteUnfit(
                    zh_what=f"停留点“{self.name}”的间隔 {gap} 分钟短于 10 分钟",
                    en_what=f"stop {self.name} is to be visited every {gap} minutes, under 10",
                )
        if self.last_visit_min is not None and self.last_visit_min > 0:
            raise RouteUnfit(
                zh_what=f"停留点“{self.name}”的上次到访晚于班次开始",
                en_what=f"stop {self.name} was last visited after the shift began",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a walk starts or ends."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who walks, from when, for how long (a hard limit), from where to where.

    Without ``start`` the walk begins at its first stop, without ``end`` it ends at its last.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str = "1"
    minutes: int
    begin_min: int = 0
    start: Place | None = None
    end: Place | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.minutes <= MINUTES_MAX:
            raise RouteUnfit(
                zh_what=f"班次 {self.minutes} 分钟，应在 1 到 {MINUTES_MAX} 之间",
                en_what=f"a shift of {self.minutes} minutes, not 1–{MINUTES_MAX}",
            )
        if not 0 <= self.begin_min <= 1440:
            raise RouteUnfit(
                zh_what=f"出发时间 {self.begin_min} 不成立",
                en_what=f"setting out at {self.begin_min}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentWalk:
    """A walk of the same ground lately: its stops with arrivals from its own start, its course."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    stops: tuple[str, ...]
    arrive_min: tuple[int, ...]
    line: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.stops) != len(self.arrive_min):
            raise RouteUnfit(
                zh_what="近期路线的停留点与到达时间数目不同",
                en_what="a recent walk has not as many arrivals as stops",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteProblem:
    """The walks of one shift on one ground, by one team or several that share its stops."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    lines: tuple[tuple[tuple[float, float], ...], ...]
    """The walkways."""
    stops: tuple[Stop, ...]
    teams: tuple[Team, ...]
    recent: tuple[RecentWalk, ...] = ()
    """Newest first: what the new walks should not be like."""
    metres_per_min: float = WALKING_M_PER_MIN
    reach_m: float = 150.0
    """How far off the network a stop may lie."""
    seed: int = 0
    rounds: int = ROUNDS
    """Of the search, per chain."""

    def __post_init__(self) -> None:
        keys = [stop.key for stop in self.stops]
        if len(set(keys)) != len(keys):
            raise RouteUnfit(zh_what="停留点编号重复", en_what="two stops share a key")
        if len(keys) > STOPS_MAX:
            raise RouteUnfit(
                zh_what=f"停留点 {len(keys)} 个，超过上限 {STOPS_MAX}",
                en_what=f"{len(keys)} stops, more than {STOPS_MAX}",
            )
        teams = [team.key for team in self.teams]
        if not 1 <= len(teams) <= TEAMS_MAX or len(set(teams)) != len(teams):
            raise RouteUnfit(
                zh_what=f"班组 {len(teams)} 个或编号重复，应为 1 到 {TEAMS_MAX} 个",
                en_what=f"{len(teams)} teams, or two of one key; give 1–{TEAMS_MAX}",
            )
        if not (1 <= self.metres_per_min <= 200 and 1 <= self.rounds <= 1_000_000):
            raise RouteUnfit(zh_what="步速或迭代次数不成立", en_what="speed or rounds")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStop:
    """A visit of a walk; it begins at ``arrive_min``, rounded down, after any waiting."""

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
class HotGap:
    """The longest time a hot place is without a visit, from the last one known to the end."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    key: str
    name: str
    longest_min: int
    allowed_min: int

    @property
    def kept(self) -> bool:
        """Whether it is visited as often as asked."""
        return self.longest_min <= self.allowed_min


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """How unlike the recent walks a walk is; a share is None where there is nothing to compare."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    edge_jaccard: float | None
    """Of stop-to-stop steps, either way round, shared with the newest recent walk: 0 none, 1 all."""
    street_jaccard: float | None
    """The same of metres of street."""
    arrival_entropy: float | None
    """How evenly arrivals at one stop spread over the shift, this walk among the recent ones: 0
    always at the same time, 1 at any time alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWalk:
    """One team's walk: its stops in order, its course, its length and its end."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    team: str
    stops: tuple[PlannedStop, ...]
    line: tuple[tuple[float, float], ...]
    length_m: int
    minutes: int
    """From setting out to the end, stays and waits included, rounded up."""
    variety: Variety


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """The walks, in the order of the teams, what they collect and what they leave out."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    walks: tuple[PlannedWalk, ...]
    unreached: tuple[Unreached, ...]
    hot_gaps: tuple[HotGap, ...]
    prize: int
    """Of all visits that are not required."""
    best_prize: int
    """The same of the best walks found without minding the recent ones."""
    proven: bool
    """Whether no walks visit more required stops, or as many and collect more than those."""
    shared_m: int
    """Metres of street that two teams walk in the same hour, once for each pair of teams."""
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
