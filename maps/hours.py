"""When: the hour × weekday matrix of incidents, in community-local time, and its busiest band."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOCAL_OFFSET_S = 8 * 3600
"""Asia/Shanghai is UTC+8 all year; the summer time of 1986–1991 lies before any incident here."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Band:
    """Consecutive hours of the day; past 24 they go on in the next day."""

    start_hour: int
    hours: int
    n: int
    """Incidents inside the band."""

    @property
    def start_min(self) -> int:
        """Minutes from midnight."""
        return self.start_hour * 60

    @property
    def end_min(self) -> int:
        """Minutes from midnight of the day it starts; past 1440 is the next day."""
        return (self.start_hour + self.hours) * 60


def hour_and_weekday(epoch_s: Ints) -> tuple[Ints, Ints]:
    """Return the local hour 0–23 and the ISO weekday 1 (Monday) – 7 of UTC instants.

    Parameters
    ----------
    epoch_s
        Seconds since 1970-01-01 UTC, any shape.
    """
    local_hours = (np.asarray(epoch_s, np.int64) + LOCAL_OFFSET_S) // 3600
    days = local_hours // 24
    # 1970-01-01 was a Thursday, ISO weekday 4.
    return local_hours % 24, (days + 3) % 7 + 1


def hour_weekday_matrix(epoch_s: Ints) -> Ints:
    """Return how many incidents began in each hour of each weekday.

    Parameters
    ----------
    epoch_s
        Shape (incidents,): seconds since 1970-01-01 UTC.

    Returns
    -------
    Shape (7, 24): Monday first, local hours; its sum is the number of incidents.
    """
    hour, weekday = hour_and_weekday(epoch_s)
    return np.bincount((weekday - 1) * 24 + hour, minlength=168).reshape(7, 24).astype(np.int64)


def in_band(epoch_s: Ints, start_hour: int, end_hour: int) -> NDArray[np.bool_]:
    """Say which instants lie in the local hours [start, end); start ≥ end runs over midnight.

    Equal start and end mean the whole day.
    """
    hour, _ = hour_and_weekday(epoch_s)
    if start_hour == end_hour:
        return np.ones(hour.shape, bool)
    if start_hour < end_hour:
        return (hour >= start_hour) & (hour < end_hour)
    return (hour >= start_hour) | (hour < end_hour)


def busiest_band(by_hour: Ints, *, share: float = 0.5, shortest: int = 2, longest: int = 4) -> Band:
    """Return the shortest run of hours that holds a share of the incidents, else the fullest.

    Parameters
    ----------
    by_hour
        Shape (24,): incidents per local hour; the day is taken as a circle.
    share
        What part of all incidents the band should hold.
    shortest, longest
        Hours; where no band of ``longest`` hours holds the share, the fullest of them is taken.
        Among equals the one in whose middle the incidents lie wins, then the earliest.
    """
    total = int(by_hour.sum())
    best = Band(0, longest, 0)
    for hours in range(shortest, longest + 1):
        inside = np.array([np.roll(by_hour, -start)[:hours].sum() for start in range(24)])
        weights = np.minimum(np.arange(1, hours + 1), np.arange(hours, 0, -1))
        central = np.array(
            [(np.roll(by_hour, -start)[:hours] * weights).sum() for start in range(24)]
        )
        start = int(np.lexsort((np.arange(24), -central, -inside))[0])
        best = Band(start, hours, int(inside[start]))
        if total and best.n >= share * total:
            break
    return best


def busiest_weekdays(by_weekday: Ints, *, share: float = 0.7, at_least: int = 2) -> list[int]:
    """Return the fewest ISO weekdays that hold a share of the incidents, in calendar order.

    Parameters
    ----------
    by_weekday
        Shape (7,): incidents per weekday, Monday first.
    share
        What part of all incidents the days should hold.
    at_least
        How many days there are at the fewest.
    """
    order = np.lexsort((np.arange(7), -by_weekday))
    total = int(by_weekday.sum())
    taken = 0
    chosen: list[int] = []
    for day in order:
        if len(chosen) >= at_least and taken >= share * total:
            break
        chosen.append(int(day) + 1)
        taken += int(by_weekday[day])
    return sorted(chosen)


def in_minutes(epoch_s: Ints, start_min: int, end_min: int) -> NDArray[np.bool_]:
    """Say which instants lie in the local minutes [start, end); past 1440 is the next day's early hours."""
    minute = (np.asarray(epoch_s, np.int64) + LOCAL_OFFSET_S) // 60 % 1440
    return (minute - start_min) % 1440 < end_min - start_min
