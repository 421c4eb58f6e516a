"""What a member's contract allows and promises: the most of anything, and the least.

The most is a hard limit: whoever is taken off a patrol never breaks it. The least is a promise
that a week without hands or work may break; it is weighed, and what is missing is said.
None, 0 and 1 as defaults ask for nothing, and are left out of a file.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from scheduling.core.problem_errors import AtOdds, between

DAY_MIN = 1440
WEEK_DAYS = 7
CLOSED = ConfigDict(extra="forbid")
"""A word we do not know in a file is a mistake that is said, never passed over."""

Unless = Field(exclude_if=lambda value: value is None)
Some = Field(exclude_if=lambda value: not value)
MoreThanOne = Field(exclude_if=lambda value: value == 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingLimit:
    """At most ``minutes`` in any ``days`` days in a row, the days before the roster included."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    days: int
    minutes: int

    def __post_init__(self) -> None:
        between("rolling", 1, 42, days=self.days)
        between("rolling", 0, self.days * DAY_MIN, minutes=self.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most and the least a member works in a day, a week and in a row."""

    __pydantic_config__: ClassVar[ConfigDict] = CLOSED

    minutes_week: int = 2400
    patrols_week: int = 5
    nights_week: int = 2
    run_days: int = 5
    minutes_day: Annotated[int | None, Unless] = None
    patrols_day: Annotated[int | None, Unless] = None
    """Beside what the law allows; minutes count for the day on which a patrol starts."""
    rolling: Annotated[tuple[RollingLimit, ...], Some] = ()
    weekends_in_four: Annotated[int | None, Unless] = None
    """Of any four weekends in a row, those before the roster included."""
    weekends_row: Annotated[int | None, Unless] = None
    """Weekends worked in a row."""
    zone_week: Annotated[int | None, Unless] = None
    """Patrols in one and the same zone a week."""
    least_minutes_day: Annotated[int, Some] = 0
    """On a day that is worked at all."""
    least_minutes_week: Annotated[int, Some] = 0
    least_patrols_week: Annotated[int, Some] = 0
    least_run_days: Annotated[int, MoreThanOne] = 1
    least_off_days: Annotated[int, MoreThanOne] = 1
    most_off_days: Annotated[int | None, Unless] = None
    complete_weekends: Annotated[bool, Some] = False
    """Saturday and Sunday both, or neither."""

    def __post_init__(self) -> None:
        week = WEEK_DAYS * DAY_MIN
        between(
            "limits", 0, week,
            minutes_week=self.minutes_week, least_minutes_week=self.least_minutes_week,
        )  # fmt: skip
        between(
            "limits", 0, 21,
            patrols_week=self.patrols_week, nights_week=self.nights_week,
            least_patrols_week=self.least_patrols_week,
        )  # fmt: skip
        between(
            "limits", 1, 14,
            run_days=self.run_days, least_run_days=self.least_run_days,
            least_off_days=self.least_off_days,
        )  # fmt: skip
        between("limits", 0, DAY_MIN, least_minutes_day=self.least_minutes_day)
        for what, value, high in (
            ("minutes_day", self.minutes_day, DAY_MIN),
            ("patrols_day", self.patrols_day, 3),
            ("weekends_in_four", self.weekends_in_four, 4),
            ("weekends_row", self.weekends_row, 6),
            ("zone_week", self.zone_week, 21),
        ):
            if value is not None:
                between("limits", 0, high, **{what: value})
        if self.most_off_days is not None:
            between("limits", 1, 42, most_off_days=self.most_off_days)
        for least, most in (
            ("least_minutes_day", "minutes_day"),
            ("least_minutes_week", "minutes_week"),
            ("least_patrols_week", "patrols_week"),
            ("least_run_days", "run_days"),
            ("least_off_days", "most_off_days"),
        ):
            low, high = getattr(self, least), getattr(self, most)
            if high is not None and low > high:
                raise AtOdds(least=least, low=low, most=most, high=high)
