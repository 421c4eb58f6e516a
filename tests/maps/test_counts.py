"""Counts are the plain sums they claim to be, and a small household is never shown alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from maps.counts import count_by_category, count_places, shown_alone

incidents = st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 3)), max_size=60)


@settings(max_examples=50, deadline=None)
@given(incidents)
def test_counts_equal_counting_by_hand(pairs):
    place = np.array([p for p, _ in pairs], np.int64)
    category = np.array([c for _, c in pairs], np.int64)
    assert count_places(place, 7).tolist() == [sum(p == k for p, _ in pairs) for k in range(7)]
    table = count_by_category(place, category, 7, 4)
    assert table.shape == (4, 7)
    for c in range(4):
        for k in range(7):
            assert table[c, k] == pairs.count((k, c))


def test_a_dwelling_with_fewer_than_five_households_is_not_shown_alone():
    households = np.array([0, 4, 5, 0, 3])
    dwelling = np.array([True, True, True, False, False])
    assert shown_alone(households, dwelling).tolist() == [False, False, True, True, False]
