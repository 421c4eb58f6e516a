"""Walks: as short as brute force finds, within the shift, on walkways, the same every time."""

from dataclasses import fields, replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduling.core.check_route import check_route
from scheduling.core.network import WalkNetwork, walk_matrix
from scheduling.core.route import (
    Place,
    PlannedWalk,
    RouteProblem,
    RouteUnfit,
    Stop,
    Team,
    Variety,
    read_route_plan,
    read_route_problem,
    write_route,
)
from scheduling.core.routes.plan import plan_routes

HOME = Place(name="警务室", x=0.0, y=0.0)


def grid(side: int = 5, step: float = 100.0) -> tuple[tuple[tuple[float, float], ...], ...]:
    reach = side * step
    across = [((0.0, k * step), (reach, k * step)) for k in range(side + 1)]
    along = [((k * step, 0.0), (k * step, reach)) for k in range(side + 1)]
    return tuple(across + along)


def stop(key: str, x: float, y: float, **more: object) -> Stop:
    return Stop(key=key, name=key, x=x, y=y, **{"dwell_min": 2, **more})


def problem(*stops: Stop, minutes=120, start=HOME, end=HOME, **more: object) -> RouteProblem:
    team = Team(minutes=minutes, start=start, end=end)
    return RouteProblem(**{"lines": grid(), "stops": stops, "teams": (team,), **more})


def only(asked: RouteProblem) -> PlannedWalk:
    """The walk of the one team."""
    (walk,) = plan_routes(asked).walks
    return walk


class TestNetwork:
    def test_lines_are_cut_where_they_cross(self):
        network = WalkNetwork.from_lines(grid(2))
        assert len(network.nodes) == 9
        assert len(network.lines) == 12

    def test_of_parallel_edges_the_shortest_counts_and_they_are_never_added_up(self):
        straight = [(0.0, 0.0), (100.0, 0.0)]
        around = [(0.0, 0.0), (50.0, 80.0), (100.0, 0.0)]
        network = WalkNetwork.from_lines([around, straight])
        assert network.lengths.tolist() == [100.0]
        metres = walk_matrix(network, np.array([[0.0, 0.0], [100.0, 0.0]])).metres
        assert metres[0, 1] == pytest.approx(100.0)

    def test_a_part_without_connection_is_reported_as_an_island(self):
        network = WalkNetwork.from_lines([*grid(2), ((900.0, 0.0), (950.0, 0.0))])
        assert [round(island.length_m) for island in network.islands] == [50]
        assert network.main_share == pytest.approx(1200 / 1250)

    def test_a_stop_stands_on_the_edge_not_at_its_nearest_node(self):
        network = WalkNetwork.from_lines([((0.0, 0.0), (100.0, 0.0))])
        found = walk_matrix(network, np.array([[30.0, 4.0], [70.0, 0.0]]))
        assert found.metres[0, 1] == pytest.approx(44.0)
        assert found.walk(0, 1).tolist() == [[30, 4], [30, 0], [70, 0]]

    def test_two_stops_at_one_spot_are_no_distance_apart(self):
        network = WalkNetwork.from_lines([((0.0, 0.0), (100.0, 0.0))])
        metres = walk_matrix(network, np.array([[50.0, 0.0], [50.0, 0.0]])).metres
        assert metres[0, 1] == pytest.approx(0.0, abs=0.01)

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)),
            min_size=1,
            max_size=10,
        ),
    )
    def test_shortest_walks_are_those_of_floyd_and_warshall(self, segments):
        lines = [
            ((a * 50.0, b * 50.0), (c * 50.0, d * 50.0))
            for a, b, c, d in segments
            if (a, b) != (c, d)
        ]
        network = WalkNetwork.from_lines(lines)
        n = len(network.nodes)
        reference = np.full((n, n), np.inf)
        np.fill_diagonal(reference, 0.0)
        for (a, b), length in zip(network.ends, network.lengths, strict=True):
            reference[a, b] = reference[b, a] = min(reference[a, b], length)
        for k in range(n):
            reference = np.minimum(reference, reference[:, [k]] + reference[[k], :])
        metres = walk_matrix(network, network.nodes).metres
        assert np.allclose(metres, reference, atol=0.05)
        if n:
            total = sum(np.linalg.norm(np.subtract(*line)) for line in lines)
            assert network.lengths.sum() <= total + 0.5


class TestPlan:
    def test_the_walk_is_the_shortest_round_of_all_orders(self):
        stops = [stop(str(n), x, y) for n, (x, y) in enumerate([(100, 200), (400, 100), (300, 450), (20, 500), (500, 330)])]  # fmt: skip
        asked = problem(*stops)
        planned = plan_routes(asked)
        (walk,) = planned.walks
        points = np.array([[0, 0], *((s.x, s.y) for s in stops)])
        metres = walk_matrix(WalkNetwork.from_lines(asked.lines), points).metres
        best = min(
            sum(metres[a, b] for a, b in zip((0, *order), (*order, 0), strict=True))
            for order in permutations(range(1, 6))
        )
        assert walk.length_m == pytest.approx(best, abs=2)
        assert check_route(asked, planned) == ()

    def test_a_required_stop_the_shift_has_no_time_for_is_named_with_the_minutes_missing(self):
        asked = problem(stop("near", 100, 0), stop("far", 500, 500), minutes=20)
        planned = plan_routes(asked)
        assert [s.key for s in planned.walks[0].stops] == ["near"]
        # 2,000 m there and back at 60 m/min, 2 + 2 minutes of staying: 38 of 20.
        assert [(u.key, u.missing_min) for u in planned.unreached] == [("far", 18)]
        assert "还差 18 分钟" in planned.unreached[0].zh
        assert check_route(asked, planned) == ()

    def test_giving_those_minutes_reaches_it(self):
        asked = problem(stop("near", 100, 0), stop("far", 500, 500), minutes=38)
        assert plan_routes(asked).unreached == ()

    def test_a_one_minute_shift_names_every_stop_instead_of_failing(self):
        asked = problem(stop("a", 100, 0), stop("b", 200, 0), minutes=1)
        planned = plan_routes(asked)
        assert planned.walks[0].stops == ()
        assert planned.notes[0][0].startswith("班次 1 分钟，一处也走不到")
        assert {u.key for u in planned.unreached} == {"a", "b"}

    def test_an_empty_network_says_so(self):
        planned = plan_routes(problem(stop("a", 1, 1), lines=()))
        assert planned.notes[0][0].startswith("没有步行网络")
        assert planned.unreached[0].key == "a"

    def test_no_stops_say_so(self):
        assert plan_routes(problem()).notes[0][0].startswith("本巡区没有必到点")

    def test_a_stop_on_an_island_is_named_and_the_rest_is_walked(self):
        asked = problem(stop("a", 100, 0), stop("island", 950, 0), lines=(*grid(), ((900.0, 0.0), (960.0, 0.0))))  # fmt: skip
        planned = plan_routes(asked)
        assert [s.key for s in planned.walks[0].stops] == ["a"]
        assert "不连通" in planned.unreached[0].zh

    def test_a_stop_far_off_every_walkway_is_named_with_its_distance(self):
        planned = plan_routes(problem(stop("a", 100, 0), stop("field", 250, -400)))
        assert "400 米" in planned.unreached[0].zh

    def test_an_optional_stop_is_visited_when_the_shift_has_time_for_it(self):
        extra = stop("extra", 500, 500, required=False, prize=1)
        enough, short = problem(stop("a", 100, 0), extra, minutes=38), problem(stop("a", 100, 0), extra, minutes=37)  # fmt: skip
        assert "extra" in [s.key for s in only(enough).stops]
        assert "extra" not in [s.key for s in only(short).stops]

    def test_without_a_start_the_walk_begins_at_its_first_stop(self):
        asked = problem(stop("a", 100, 0), stop("b", 500, 0), start=None, end=None)
        planned = plan_routes(asked)
        (walk,) = planned.walks
        assert walk.length_m == 400
        assert walk.stops[0].arrive_min == 0
        assert check_route(asked, planned) == ()

    def test_the_same_problem_gives_the_same_walk_to_the_byte(self):
        stops = [stop(str(n), 37.0 * n % 500, 91.0 * n % 500) for n in range(14)]
        asked = problem(*stops, minutes=70, seed=7)
        assert write_route(plan_routes(asked)) == write_route(plan_routes(asked))

    def test_another_seed_walks_the_other_way_round(self):
        stops = [stop(str(n), x, y) for n, (x, y) in enumerate([(300, 0), (500, 300), (100, 500)])]
        one, other = (only(problem(*stops, seed=seed)) for seed in (2, 3))
        assert [s.key for s in one.stops] == [s.key for s in reversed(other.stops)]
        assert one.length_m == other.length_m

    def test_problem_and_plan_come_back_from_their_files_unchanged(self):
        asked = problem(stop("a", 100, 0))
        planned = plan_routes(asked)
        assert read_route_problem(write_route(asked)) == asked
        assert read_route_plan(write_route(planned)) == planned

    @settings(max_examples=60, deadline=None)
    @given(
        spots=st.lists(
            st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 15), st.booleans()),
            max_size=9,
        ),
        minutes=st.integers(1, 200),
        closed=st.booleans(),
        seed=st.integers(0, 3),
        teams=st.integers(1, 2),
        hot=st.booleans(),
    )
    @example(
        spots=[(0, 0, 6, True), (0, 168, 7, True), (108, 84, 0, True)],
        minutes=19, closed=False, seed=0, teams=1, hot=False,
    )  # fmt: skip
    def test_every_plan_passes_the_independent_check(
        self, spots, minutes, closed, seed, teams, hot
    ):
        stops = [
            stop(str(n), x, y, dwell_min=dwell, required=required, prize=0 if required else 3)
            for n, (x, y, dwell, required) in enumerate(spots)
        ]
        if hot and stops:
            stops[0] = replace(stops[0], every_min=45, prize_by_hour=(1, 4))
            stops[-1] = replace(stops[-1], max_gap_min=300, last_visit_min=-250)
        ends = {"start": HOME, "end": HOME} if closed else {}
        asked = RouteProblem(
            lines=grid(),
            stops=tuple(stops),
            teams=tuple(
                Team(key=str(n), minutes=minutes, begin_min=10 * n, **ends) for n in range(teams)
            ),
            seed=seed,
            rounds=60,
        )
        assert check_route(asked, plan_routes(asked)) == ()


class TestChecker:
    """A checker that cannot fail checks nothing."""

    asked = problem(
        stop("a", 100, 0),
        stop("b", 500, 300),
        stop("c", 200, 300, required=False, prize=4, window=(30, 80)),
        stop("hot", 300, 100, dwell_min=12, required=False, prize=2, every_min=60),
    )

    def broken(self, **change: object) -> tuple[str, ...]:
        plan = plan_routes(self.asked)
        of_walk = {f.name for f in fields(PlannedWalk)} & set(change)
        if not of_walk:
            return check_route(self.asked, replace(plan, **change))
        return check_route(self.asked, replace(plan, walks=(replace(plan.walks[0], **change),)))

    def test_it_sees_each_kind_of_fault(self):
        good = plan_routes(self.asked)
        (walk,) = good.walks
        assert check_route(self.asked, good) == ()
        assert self.broken(length_m=walk.length_m + 50)
        assert self.broken(minutes=walk.minutes + 10)
        assert self.broken(minutes=walk.minutes - 10)
        assert self.broken(stops=walk.stops[:1])
        assert self.broken(stops=(*walk.stops, walk.stops[0]))
        assert self.broken(stops=(walk.stops[1], walk.stops[0], *walk.stops[2:]))
        assert self.broken(stops=(replace(walk.stops[0], arrive_min=0), *walk.stops[1:]))
        assert self.broken(stops=(replace(walk.stops[0], dwell_min=1), *walk.stops[1:]))
        assert self.broken(line=((0.0, 0.0), (500.0, 300.0), (0.0, 0.0)))
        assert self.broken(line=walk.line[:-3])
        assert self.broken(minutes=121)
        assert self.broken(team="somebody else")
        assert self.broken(prize=good.prize + 1)
        assert self.broken(best_prize=good.prize - 1)
        assert self.broken(hot_gaps=())
        assert self.broken(shared_m=500)
        assert self.broken(variety=Variety(edge_jaccard=0.1, street_jaccard=None, arrival_entropy=None))  # fmt: skip


@pytest.mark.parametrize(
    "build",
    [
        lambda: problem(minutes=0),
        lambda: problem(minutes=100_000),
        lambda: problem(stop("a", 0, 0), stop("a", 1, 1)),
        lambda: problem(stop("a", 0, 0, window=(9, 3))),
        lambda: problem(stop("a", 0, 0, every_min=3)),
        lambda: problem(stop("a", 0, 0, max_gap_min=60, last_visit_min=5)),
        lambda: problem(teams=()),
        lambda: problem(teams=(Team(minutes=5), Team(minutes=5))),
        lambda: problem(*(stop(str(n), 0, 0) for n in range(2001))),
    ],
)
def test_a_problem_that_cannot_be_meant_is_refused_with_a_sentence(build):
    with pytest.raises(RouteUnfit) as refused:
        build()
    assert "请更正" in refused.value.sentence("zh")


def test_the_real_network_hangs_together_or_says_what_does_not(real_data):
    from pyproj import Transformer

    from grid.imports.osm import read_osm

    extract = read_osm(real_data / "chengdu-xipu.osm")
    to_metric = Transformer.from_crs(4326, 4544, always_xy=True).transform
    lines = [
        np.column_stack(to_metric(*np.array(way.coords).T)) for way in extract.walkways.shapes()
    ]
    network = WalkNetwork.from_lines(lines)
    total = network.lengths.sum()
    islands = sum(island.length_m for island in network.islands)
    assert total > 100_000
    assert network.main_share == pytest.approx(1 - islands / total)
    assert network.main_share > 0.95
    corners = network.nodes[network.component[: len(network.nodes)] == 0][::100]
    stops = tuple(stop(str(n), x, y) for n, (x, y) in enumerate(corners.tolist()))
    asked = RouteProblem(
        lines=tuple(tuple(map(tuple, line.tolist())) for line in lines),
        stops=stops,
        teams=(Team(minutes=720),),
        rounds=500,
    )
    planned = plan_routes(asked)
    assert len(planned.walks[0].stops) >= 10
    assert planned.unreached == ()
    assert check_route(asked, planned) == ()
    assert "不连通" in planned.notes[0][0]
