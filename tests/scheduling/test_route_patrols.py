"""What a patrol's walk minds: windows, hours, hot places, other teams, and the walks before it."""

import time

import numpy as np
import pytest

from scheduling.core.check_route import check_route
from scheduling.core.network import WalkNetwork
from scheduling.core.route import Place, RecentWalk, RoutePlan, RouteProblem, Stop, Team
from scheduling.core.routes.plan import plan_routes
from scheduling.core.routes.variety import arrival_entropy, jaccard, steps

HOME = Place(name="警务室", x=0.0, y=0.0)


def grid(side: int = 5, step: float = 100.0):
    reach = side * step
    across = [((0.0, k * step), (reach, k * step)) for k in range(side + 1)]
    along = [((k * step, 0.0), (k * step, reach)) for k in range(side + 1)]
    return tuple(across + along)


def stop(key: str, x: float, y: float, **more: object) -> Stop:
    return Stop(**{"key": key, "name": key, "x": x, "y": y, "dwell_min": 2, "required": False, "prize": 1, **more})  # fmt: skip


def team(minutes: int = 120, **more: object) -> Team:
    return Team(**{"minutes": minutes, "start": HOME, "end": HOME, **more})


def planned(*stops: Stop, **more: object) -> RoutePlan:
    asked = RouteProblem(**{"lines": grid(), "stops": stops, "teams": (team(),), **more})
    plan = plan_routes(asked)
    assert check_route(asked, plan) == ()
    return plan


def arrivals(plan: RoutePlan) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for walk in plan.walks:
        for one in walk.stops:
            found.setdefault(one.key, []).append(one.arrive_min)
    return found


def scattered(count: int, **more: object) -> tuple[Stop, ...]:
    drawn = np.random.default_rng(4)
    return tuple(
        stop(str(n), float(x), float(y), prize=int(prize), **more)
        for n, (x, y, prize) in enumerate(
            zip(*drawn.integers(0, 500, (2, count)), drawn.integers(1, 20, count), strict=True)
        )
    )


def walked(plan: RoutePlan) -> RecentWalk:
    (walk,) = plan.walks
    return RecentWalk(
        stops=tuple(one.key for one in walk.stops),
        arrive_min=tuple(one.arrive_min for one in walk.stops),
        line=walk.line,
    )


class TestTimes:
    def test_a_visit_begins_within_its_window_even_if_the_patrol_must_wait(self):
        plan = planned(stop("late", 100, 0, required=True, window=(70, 75)), stop("b", 300, 0))
        assert 70 <= arrivals(plan)["late"][0] <= 75

    def test_a_window_no_team_can_keep_is_named_with_the_minutes_missing(self):
        plan = planned(stop("far", 500, 500, required=True, window=(0, 10)))
        # 1,000 m at 60 m/min take 16.7 minutes.
        assert [(u.key, u.missing_min) for u in plan.unreached] == [("far", 7)]

    def test_a_stop_is_visited_in_the_hour_it_is_worth_most(self):
        plan = planned(
            stop("evening", 100, 0, prize_by_hour=(1, 9)),
            stop("morning", 0, 100, prize_by_hour=(9, 1)),
            *(stop(str(n), 100.0 * n, 300, dwell_min=12) for n in range(5)),
        )
        assert arrivals(plan)["morning"][0] < 60 <= arrivals(plan)["evening"][0]

    def test_a_long_stay_is_paid_for_by_its_prize_alone(self):
        long, short = stop("long", 100, 0, dwell_min=30, prize=2), stop("short", 0, 100, prize=1)
        assert set(arrivals(planned(long, short))) == {"long", "short"}
        # No time for both: the worth more goes first, however long it takes.
        assert set(arrivals(planned(long, short, teams=(team(34),)))) == {"long"}

    def test_prizes_never_outweigh_a_required_stop(self):
        plan = planned(
            stop("must", 500, 500, required=True, prize=0),
            *(stop(str(n), 20.0 * n, 0, prize=100_000) for n in range(9)),
            teams=(team(36),),
        )
        assert "must" in arrivals(plan)


class TestHotPlaces:
    def test_a_hot_place_is_stayed_at_every_two_hours(self):
        plan = planned(
            stop("hot", 300, 300, dwell_min=12, every_min=120), *scattered(12),
            teams=(team(360),),
        )  # fmt: skip
        (gap,) = plan.hot_gaps
        assert gap.kept
        assert gap.longest_min <= 120
        assert len(arrivals(plan)["hot"]) >= 2

    def test_a_hot_place_is_required_when_its_longest_gap_ends_in_this_shift_and_not_before(self):
        busy = [stop(str(n), 10.0 * n, 0, prize=50) for n in range(10)]
        hot = {"x": 500, "y": 500, "prize": 1, "max_gap_min": 600}
        due = planned(stop("hot", last_visit_min=-560, **hot), *busy, teams=(team(45),))
        later = planned(stop("hot", last_visit_min=-100, **hot), *busy, teams=(team(45),))
        assert arrivals(due)["hot"][0] <= 40
        assert "hot" not in arrivals(later)

    def test_where_hands_do_not_allow_it_the_gap_is_told(self):
        hot = [stop(str(n), 500, 100.0 * n, dwell_min=15, every_min=30) for n in range(5)]
        plan = planned(*hot, teams=(team(90),))
        late = [gap for gap in plan.hot_gaps if not gap.kept]
        assert late
        assert any(late[0].name in zh and "应不超过 30 分钟" in zh for zh, _ in plan.notes)

    def test_a_hard_gap_that_cannot_be_kept_is_named_with_the_minutes_missing(self):
        plan = planned(
            stop("hot", 500, 500, max_gap_min=100, last_visit_min=-90), teams=(team(30),)
        )
        assert [u.key for u in plan.unreached] == ["hot"]
        assert plan.unreached[0].missing_min == 6


class TestTeams:
    teams = (team(70, key="甲"), team(70, key="乙"))

    def test_teams_share_the_stops_and_no_stop_is_visited_twice(self):
        plan = planned(*scattered(40), teams=self.teams)
        assert all(len(times) == 1 for times in arrivals(plan).values())
        assert all(len(walk.stops) >= 8 for walk in plan.walks)

    def test_teams_go_around_each_others_streets_of_the_hour(self):
        # Only 0–100 m from the start must be shared: there are two streets out of it.
        plan = planned(*scattered(40), teams=self.teams)
        assert plan.shared_m <= 600

    def test_where_there_is_one_street_only_it_is_told_that_they_share_it(self):
        plan = planned(
            stop("a", 400, 0, required=True), stop("b", 450, 0, required=True),
            lines=(((0.0, 0.0), (500.0, 0.0)),), teams=(team(17, key="甲"), team(18, key="乙")),
        )  # fmt: skip
        assert [len(walk.stops) for walk in plan.walks] == [1, 1]
        assert plan.shared_m == pytest.approx(400, abs=20)
        assert "两队走到" in plan.notes[-1][0]

    def test_a_team_that_sets_out_later_is_not_at_its_stops_before(self):
        plan = planned(*scattered(20), teams=(team(30, key="甲"), team(30, key="乙", begin_min=40)))
        assert min(one.arrive_min for one in plan.walks[1].stops) >= 40


class TestVariety:
    def test_the_next_walk_shares_at_most_a_fifth_of_its_steps_for_at_most_three_percent(self):
        stops, recent, shared = scattered(50), [], []
        for shift in range(5):
            plan = planned(*stops, recent=tuple(reversed(recent)), seed=shift)
            assert plan.prize >= 0.97 * plan.best_prize
            shared.append(plan.walks[0].variety.edge_jaccard)
            recent.append(walked(plan))
        assert np.mean(shared[1:]) <= 0.2
        assert plan.walks[0].variety.arrival_entropy >= 0.6

    def test_streets_walked_lately_are_gone_around_when_time_is_left(self):
        ends = [stop("a", 300, 300, required=True)]
        first = planned(*ends)
        again = planned(*ends, recent=(walked(first),))
        assert again.walks[0].variety.street_jaccard < 0.5

    def test_what_must_be_visited_is_visited_however_lately_it_was(self):
        stops = [stop(str(n), 100.0 * n, 100, required=True) for n in range(5)]
        first = planned(*stops)
        again = planned(*stops, recent=(walked(first),))
        assert set(arrivals(again)) == set(arrivals(first))

    def test_the_same_steps_the_other_way_round_are_the_same_steps(self):
        one = steps(["a", "b", "c"], start=True, end=True, closed=True)
        other = steps(["c", "b", "a"], start=True, end=True, closed=True)
        assert jaccard(one, other) == 1.0
        assert jaccard(one, steps(["a", "c", "b"], start=True, end=True, closed=True)) == pytest.approx(1 / 3, abs=0.3)  # fmt: skip

    def test_entropy_is_nothing_for_one_time_and_all_for_every_time(self):
        assert arrival_entropy([{"a": 10}] * 8, 80) == 0.0
        assert arrival_entropy([{"a": 10 * n} for n in range(8)], 80) == 1.0
        assert arrival_entropy([{"a": 10}], 80) is None


def test_a_thousand_stops_are_planned_in_seconds_and_say_how_many_are_reached():
    stops = scattered(1000)
    planned(*stops[:3])  # the kernel is compiled once, not timed
    began = time.monotonic()
    plan = planned(*stops, teams=(team(240),))
    assert time.monotonic() - began < 30
    visited = len(arrivals(plan))
    assert visited > 60
    assert f"1000 处停留点中，本班次走到 {visited} 处" in plan.notes[0][0]


def test_small_walks_on_the_real_network_are_proven_best(real_data):
    from grid.imports.osm import read_osm
    from grid.metric import Metric

    metric = Metric(4544)
    shapes = [metric.to(s) for s in read_osm(real_data / "chengdu-xipu.osm").walkways.shapes()]
    lines = tuple(tuple((x, y) for x, y, *_ in shape.coords) for shape in shapes)
    network = WalkNetwork.from_lines(lines)
    main = network.nodes[network.component == 0]
    near = main[np.linalg.norm(main - np.median(main, axis=0), axis=1) < 700]
    for seed in range(3):
        drawn = np.random.default_rng(seed)
        spots = near[drawn.choice(len(near), 26, replace=False)].tolist()
        room = Place(name="警务室", x=spots[0][0], y=spots[0][1])
        asked = RouteProblem(
            lines=lines,
            stops=tuple(
                stop(str(n), x, y, prize=int(drawn.integers(1, 40)), dwell_min=4)
                for n, (x, y) in enumerate(spots[1:])
            ),
            teams=(Team(minutes=90, start=room, end=room),),
        )
        plan = plan_routes(asked, network)
        assert plan.proven
        assert plan.prize == plan.best_prize
        assert check_route(asked, plan) == ()
