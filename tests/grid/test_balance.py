"""Groups are contiguous whatever the map, balanced where it allows, and the same every time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid.balance import balanced_groups


def chessboard(columns, rows, cost=10.0):
    borders = {}
    for row in range(rows):
        for column in range(columns):
            place = row * columns + column
            if column + 1 < columns:
                borders[place, place + 1] = cost
            if row + 1 < rows:
                borders[place, place + columns] = cost
    return borders


def contiguous(groups, borders):
    for group in set(groups):
        places = {p for p, g in enumerate(groups) if g == group}
        seen, stack = set(), [min(places)]
        while stack:
            here = stack.pop()
            if here in seen:
                continue
            seen.add(here)
            stack += [b for a, b in borders if a == here and b in places]
            stack += [a for a, b in borders if b == here and a in places]
        if seen != places:
            return False
    return True


@st.composite
def maps(draw):
    columns, rows = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    borders = chessboard(columns, rows)
    dice = random.Random(draw(st.integers(0, 10_000)))
    for border in list(borders):
        if dice.random() < draw(st.sampled_from([0.0, 0.2])):
            del borders[border]
    weights = [dice.choice([0, 0, 5, 20, 90]) for _ in range(columns * rows)]
    return weights, borders


@settings(max_examples=60, deadline=None)
@given(ground=maps(), groups=st.integers(1, 9), seed=st.integers(0, 5))
def test_every_place_is_in_a_contiguous_group(ground, groups, seed):
    weights, borders = ground
    found = balanced_groups(weights, borders, groups, seed=seed, rounds=60)
    assert len(found) == len(weights)
    assert contiguous(found, borders)
    assert sorted(set(found)) == list(range(max(found) + 1))
    if contiguous([0] * len(weights), borders):
        assert max(found) + 1 == min(groups, len(weights))


def test_the_same_seed_gives_the_same_groups():
    dice = random.Random(4)
    weights = [dice.randint(0, 60) for _ in range(100)]
    borders = chessboard(10, 10)
    first = balanced_groups(weights, borders, 9, seed=3, rounds=500)
    assert first == balanced_groups(weights, borders, 9, seed=3, rounds=500)
    shuffled = dict(sorted(borders.items(), key=lambda item: -item[0][1]))
    assert first == balanced_groups(weights, shuffled, 9, seed=3, rounds=500)


def test_even_ground_is_parted_evenly():
    groups = balanced_groups([1] * 144, chessboard(12, 12), 9, seed=1, rounds=2000)
    sizes = [groups.count(g) for g in set(groups)]
    assert min(sizes) >= 14 and max(sizes) <= 18


def test_a_cheap_border_is_taken_before_a_dear_one():
    borders = chessboard(6, 4)
    for row in range(4):
        borders[row * 6 + 2, row * 6 + 3] = 0.5
    groups = balanced_groups([1] * 24, borders, 2, seed=0, rounds=300)
    assert groups == [0, 0, 0, 1, 1, 1] * 4


def test_groups_keep_to_the_sizes_asked():
    groups = balanced_groups([1] * 30, chessboard(6, 5), 10, seed=0, rounds=2000, sizes=(2, 4))
    assert all(2 <= groups.count(g) <= 4 for g in set(groups))


def test_islands_get_groups_of_their_own():
    groups = balanced_groups([5, 5, 5, 5], {(0, 1): 1.0, (2, 3): 1.0}, 1, seed=0)
    assert groups == [0, 0, 1, 1]


@pytest.mark.parametrize("groups", [1, 3, 50])
def test_no_more_groups_than_places(groups):
    assert len(set(balanced_groups([1, 1, 1], {(0, 1): 1, (1, 2): 1}, groups))) == min(groups, 3)


def test_nothing_is_parted_into_nothing():
    assert balanced_groups([], {}, 3) == []
