"""``./xunge bench route-variety``: how unlike each other fourteen walks of one ground are.

The ground is the real network of the map extract beside the project, or a made grid of streets
where that is absent; stops and what they are worth are drawn from the seed. Told are the share of
steps that each walk has in common with the one before, what that costs in score, and how evenly
arrivals at a stop spread over the shift.
"""

import json
import time
from typing import Annotated

import numpy as np
import typer

from bench.route_ground import bench_ground
from scheduling.core.check_route import check_route
from scheduling.core.route import RecentWalk, RouteProblem, Team
from scheduling.core.routes.plan import plan_routes

AROUND_M = 700.0
REMEMBERED = 14


def route_variety(
    shifts: Annotated[int, typer.Option(min=2, max=100, help="班次数 / shifts")] = 14,
    stops: Annotated[int, typer.Option(min=5, max=1000, help="停留点 / stops")] = 60,
    minutes: Annotated[int, typer.Option(min=30, max=720, help="每班分钟 / minutes")] = 180,
    seed: Annotated[int, typer.Option(min=0, help="随机种子 / seed")] = 1,
) -> None:
    """连续若干班次的路线有多不同 / How unlike the walks of shifts in a row are."""
    ground = bench_ground()
    room, places = ground.draw(stops, AROUND_M, np.random.default_rng(seed))
    recent: list[RecentWalk] = []
    shared, streets, lost, faults, spread = [], [], [], 0, None
    began = time.monotonic()
    for shift in range(shifts):
        asked = RouteProblem(
            lines=ground.lines, stops=places, teams=(Team(minutes=minutes, start=room, end=room),),
            recent=tuple(reversed(recent[-REMEMBERED:])), seed=seed * 1000 + shift,
        )  # fmt: skip
        plan = plan_routes(asked, ground.network)
        faults += len(check_route(asked, plan))
        (walk,) = plan.walks
        lost.append(1 - plan.prize / plan.best_prize)
        if walk.variety.edge_jaccard is not None:
            shared.append(walk.variety.edge_jaccard)
            streets.append(walk.variety.street_jaccard or 0.0)
            spread = walk.variety.arrival_entropy
        arrived = tuple(stop.arrive_min for stop in walk.stops)
        recent.append(RecentWalk(stops=tuple(s.key for s in walk.stops), arrive_min=arrived, line=walk.line))  # fmt: skip
    line = {
        "ground": ground.name, "shifts": shifts, "stops": len(places), "minutes": minutes,
        "visited": len(recent[-1].stops),
        "edge_jaccard_mean": round(float(np.mean(shared)), 4),
        "edge_jaccard_max": max(shared),
        "street_jaccard_mean": round(float(np.mean(streets)), 4),
        "score_lost_mean": round(float(np.mean(lost[1:])), 4),
        "score_lost_max": round(max(lost), 4),
        "arrival_entropy": spread, "violations": faults, "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip
    print(json.dumps(line, ensure_ascii=False), flush=True)
    if faults:
        raise typer.Exit(1)
