"""Hours and weekdays are those of the community's clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from maps.hours import (
    busiest_band,
    busiest_weekdays,
    hour_and_weekday,
    hour_weekday_matrix,
    in_band,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
moments = st.datetimes(datetime(1995, 1, 1), datetime(2060, 1, 1))  # noqa: DTZ001


@settings(max_examples=80, deadline=None)
@given(moments)
def test_hour_and_weekday_agree_with_the_time_zone_data(naive):
    moment = naive.replace(tzinfo=UTC)
    hour, weekday = hour_and_weekday(np.array([int(moment.timestamp())]))
    local = moment.astimezone(SHANGHAI)
    assert (hour[0], weekday[0]) == (local.hour, local.isoweekday())


def test_monday_morning_in_utc_is_monday_afternoon_here():
    matrix = hour_weekday_matrix(np.array([int(datetime(2026, 11, 23, 6, tzinfo=UTC).timestamp())]))
    assert matrix[0, 14] == 1
    assert matrix.sum() == 1


def test_a_band_over_midnight_holds_both_sides():
    local = [datetime(2026, 11, 23, h, 30, tzinfo=SHANGHAI) for h in (21, 22, 23, 0, 1, 2)]
    epoch = np.array([int(t.timestamp()) for t in local])
    assert in_band(epoch, 22, 2).tolist() == [False, True, True, True, True, False]
    assert in_band(epoch, 0, 0).all()


def test_the_busiest_band_is_the_shortest_that_holds_half():
    by_hour = np.zeros(24, int)
    by_hour[19:23] = (9, 12, 9, 3)
    by_hour[8] = 6
    band = busiest_band(by_hour)
    assert (band.start_hour, band.hours, band.n) == (19, 2, 21)
    assert (band.start_min, band.end_min) == (19 * 60, 21 * 60)


def test_a_band_may_run_over_midnight():
    by_hour = np.zeros(24, int)
    by_hour[[23, 0, 1]] = (5, 6, 5)
    band = busiest_band(by_hour, share=0.9, shortest=3)
    assert (band.start_min, band.end_min) == (23 * 60, 26 * 60)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=24, max_size=24))
def test_no_band_of_the_same_length_holds_more(counts):
    by_hour = np.array(counts)
    band = busiest_band(by_hour)
    sums = [sum(counts[(s + k) % 24] for k in range(band.hours)) for s in range(24)]
    assert band.n == max(sums) == sums[band.start_hour]
    assert 2 <= band.hours <= 4
    if band.hours < 4 and by_hour.sum():
        assert band.n >= by_hour.sum() / 2


def test_busiest_weekdays_hold_the_share_and_are_at_least_two():
    assert busiest_weekdays(np.array([0, 0, 0, 0, 1, 40, 39])) == [6, 7]
    assert busiest_weekdays(np.array([0, 0, 0, 0, 0, 40, 0])) == [1, 6]
    assert busiest_weekdays(np.full(7, 3)) == [1, 2, 3, 4, 5]
