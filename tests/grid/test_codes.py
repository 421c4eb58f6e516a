"""Codes are numbered as a page is read, and name one cell for ever."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid.codes import BadCommunityCode, CodesUsedUp, cell_code, new_codes, reading_order

COMMUNITY = "510304005001"


def numbers(codes):
    return [int(code[12:]) for code in codes]


def test_a_code_is_the_community_and_three_digits():
    assert cell_code(COMMUNITY, 7) == "510304005001007"


@pytest.mark.parametrize(
    "code", ["51030400500", "5103040050012", "51030400500a", "５１０３０４００５００１"]
)
def test_a_community_code_that_is_not_12_digits_is_refused(code):
    with pytest.raises(BadCommunityCode, match="12位"):
        cell_code(code, 1)


def test_the_thousandth_cell_is_refused_with_the_reason():
    with pytest.raises(CodesUsedUp, match="999"):
        new_codes(COMMUNITY, [(0, 0)], used=[cell_code(COMMUNITY, 999)])


@settings(max_examples=60)
@given(
    columns=st.integers(1, 6),
    rows=st.integers(1, 6),
    seed=st.integers(0, 1000),
    shift=st.floats(0, 0.15),
)
def test_a_fresh_grid_is_numbered_west_to_east_in_rows_north_to_south(columns, rows, seed, shift):
    dice = random.Random(seed)
    points = [
        (
            100 * column + dice.uniform(-shift, shift) * 100,
            -100 * row + dice.uniform(-shift, shift) * 100,
        )
        for row in range(rows)
        for column in range(columns)
    ]
    shuffled = list(range(len(points)))
    dice.shuffle(shuffled)
    codes = new_codes(COMMUNITY, [points[i] for i in shuffled])
    assert numbers(codes) == [i + 1 for i in shuffled]


def test_cells_that_differ_by_a_metre_in_north_stay_in_one_row():
    assert reading_order([(200, 0), (100, 1), (0, -1), (100, -100), (0, -99), (200, -101)]) == [
        2,
        1,
        0,
        4,
        3,
        5,
    ]


def test_a_new_cell_takes_the_next_number_and_renumbers_none():
    used = [cell_code(COMMUNITY, n) for n in (1, 2, 3)]
    assert new_codes(COMMUNITY, [(-1000, 1000)], used=used) == [cell_code(COMMUNITY, 4)]


def test_a_retired_code_never_comes_back_even_when_it_was_the_last():
    valid, retired = [cell_code(COMMUNITY, 1)], [cell_code(COMMUNITY, 9)]
    assert new_codes(COMMUNITY, [(0, 0)], used=valid + retired) == [cell_code(COMMUNITY, 10)]


def test_another_communitys_codes_are_no_matter():
    assert new_codes(COMMUNITY, [(0, 0)], used=["510304005002777"]) == [cell_code(COMMUNITY, 1)]
