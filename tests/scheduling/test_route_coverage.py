"""Street coverage: every metre walked, in as few patrols as the streets allow, or told why not."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduling.core.check_coverage import check_coverage
from scheduling.core.route import Place, RouteUnfit
from scheduling.core.routes.coverage import CoverageProblem, plan_coverage

HOME = Place(name="警务室", x=0.0, y=0.0)


def grid(side: int = 5, step: float = 100.0):
    reach = side * step
    across = [((0.0, k * step), (reach, k * step)) for k in range(side + 1)]
    along = [((k * step, 0.0), (k * step, reach)) for k in range(side + 1)]
    return tuple(across + along)


def coverage(**more: object) -> CoverageProblem:
    return CoverageProblem(**{"lines": grid(), "patrols": 4, "minutes": 120, "start": HOME, **more})


def test_one_patrol_walks_a_grid_as_short_as_a_postman_can():
    asked = coverage(patrols=1)
    planned = plan_coverage(asked)
    # 6,000 m of street and 16 odd corners, all pairs of which are at least 100 m apart.
    assert [walk.length_m for walk in planned.walks] == [6800]
    assert planned.covered_m == planned.total_m == 6000
    assert check_coverage(asked, planned) == ()


def test_shorter_shifts_take_more_patrols_and_none_is_longer_than_its_shift():
    asked = coverage(minutes=60)
    planned = plan_coverage(asked)
    assert planned.needed == len(planned.walks) == 2
    assert planned.covered_m == 6000
    assert check_coverage(asked, planned) == ()


def test_too_few_patrols_walk_what_they_can_and_say_what_is_left():
    asked = coverage(patrols=1, minutes=40)
    planned = plan_coverage(asked)
    assert len(planned.walks) == 1
    assert f"需要 {planned.needed} 班，现有 1 班" in planned.notes[0][0]
    assert 1500 < planned.covered_m < 3000
    assert check_coverage(asked, planned) == ()


def test_a_loop_and_the_longer_of_two_parallel_streets_are_walked_as_well():
    lines = (
        ((0.0, 0.0), (100.0, 0.0)),
        ((0.0, 0.0), (50.0, 80.0), (100.0, 0.0)),
        ((100.0, 0.0), (150.0, 50.0), (200.0, 0.0), (100.0, 0.0)),
    )
    asked = coverage(lines=lines, patrols=1)
    planned = plan_coverage(asked)
    assert planned.covered_m == planned.total_m == 530
    assert check_coverage(asked, planned) == ()


def test_what_is_too_far_or_on_an_island_is_told_in_metres():
    lines = (((0.0, 0.0), (1000.0, 0.0)), ((0.0, 500.0), (300.0, 500.0)))
    asked = coverage(lines=lines, minutes=20)
    planned = plan_coverage(asked)
    assert (planned.beyond_m, planned.islands_m, planned.covered_m) == (400, 300, 600)
    assert "还差 14 分钟" in planned.notes[0][0]
    assert "300 米道路与出发点不连通" in planned.notes[1][0]
    assert check_coverage(asked, planned) == ()


def test_an_empty_network_says_so():
    assert plan_coverage(coverage(lines=())).notes[0][0].startswith("没有步行网络")


def test_no_patrols_are_refused():
    with pytest.raises(RouteUnfit):
        coverage(patrols=0)


def test_the_same_problem_gives_the_same_walks():
    assert plan_coverage(coverage(minutes=45)) == plan_coverage(coverage(minutes=45))


@settings(max_examples=30, deadline=None)
@example(segments=[(0, 0, 0, 2), (0, 0, 1, 2), (0, 2, 1, 0)], start=(0, 0), minutes=4, patrols=1)
@given(
    segments=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)),
        min_size=1,
        max_size=8,
    ),
    start=st.tuples(st.integers(0, 200), st.integers(0, 200)),
    minutes=st.integers(1, 60),
    patrols=st.integers(1, 6),
)
def test_every_plan_passes_the_independent_check(segments, start, minutes, patrols):
    lines = tuple(
        ((a * 50.0, b * 50.0), (c * 50.0, d * 50.0)) for a, b, c, d in segments if (a, b) != (c, d)
    )
    place = Place(name="起点", x=float(start[0]), y=float(start[1]))
    asked = coverage(lines=lines, start=place, minutes=minutes, patrols=patrols)
    assert check_coverage(asked, plan_coverage(asked)) == ()


def test_the_checker_sees_a_street_left_out_and_a_walk_too_long(monkeypatch):
    from dataclasses import replace

    asked = coverage(minutes=60)
    planned = plan_coverage(asked)
    assert check_coverage(asked, replace(planned, walks=planned.walks[:1]))
    assert check_coverage(asked, replace(planned, covered_m=planned.covered_m - 500))
    longer = replace(planned.walks[0], line=planned.walks[0].line * 2)
    assert check_coverage(asked, replace(planned, walks=(longer, *planned.walks[1:])))
