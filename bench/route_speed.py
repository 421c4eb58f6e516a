"""``./xunge bench route-speed``: what a route of the product takes, and what a month of them does.

Proofs of walks with up to 25 stops; 150 stops against the answer of a minute; and a month, twelve
zones by thirty days, each walk minding those before it in its zone, as publishing a roster asks.
"""

import json
import time
from typing import Annotated

import numpy as np
import typer

from bench.route_ground import Ground, bench_ground
from scheduling.core.check_route import check_route
from scheduling.core.route import RecentWalk, RouteProblem, Team
from scheduling.core.routes.plan import plan_routes
from scheduling.walks import ROUNDS as WEEK_ROUNDS

AROUND_M = 700.0
LONG_S = 60.0
ZONES, DAYS, REMEMBERED = 12, 30, 14
Line = dict[str, object]


def route_speed(
    seed: Annotated[int, typer.Option(min=0, help="随机种子 / seed")] = 1,
    draws: Annotated[int, typer.Option(min=1, max=100, help="每项抽几次 / draws of each")] = 12,
) -> None:
    """路线要算多久 / How long routes take: proofs, 150 stops, a month."""
    ground = bench_ground()
    _few(ground, 1, 8)  # the kernel is compiled once per installation
    for line in (_proofs(ground, seed, draws), _many(ground, seed), _month(ground, seed)):
        print(json.dumps(line | {"ground": ground.name, "seed": seed}), flush=True)


def _few(ground: Ground, seed: int, stops: int, minutes: int = 90) -> tuple[bool, float, int]:
    room, places = ground.draw(stops, AROUND_M, np.random.default_rng(seed))
    asked = RouteProblem(
        lines=ground.lines, stops=places, teams=(Team(minutes=minutes, start=room, end=room),),
        seed=seed,
    )  # fmt: skip
    began = time.monotonic()
    plan = plan_routes(asked, ground.network)
    seconds = time.monotonic() - began
    return plan.proven, seconds, len(check_route(asked, plan))


def _proofs(ground: Ground, seed: int, draws: int) -> Line:
    found = [
        _few(ground, seed * 1000 + draw, stops, minutes)
        for draw in range(draws)
        for stops, minutes in ((15, 60), (25, 90))
    ]
    return {
        "measure": "25 stops",
        "walks": len(found),
        "proven": sum(proven for proven, _, _ in found),
        "seconds_mean": round(float(np.mean([s for _, s, _ in found])), 2),
        "seconds_max": round(max(s for _, s, _ in found), 2),
        "violations": sum(faults for _, _, faults in found),
    }


def _many(ground: Ground, seed: int) -> Line:
    room, places = ground.draw(150, 1200.0, np.random.default_rng(seed))
    team = Team(minutes=240, start=room, end=room)
    asked = RouteProblem(lines=ground.lines, stops=places, teams=(team,), seed=seed)
    began = time.monotonic()
    plan = plan_routes(asked, ground.network)
    seconds = time.monotonic() - began
    rounds = round(asked.rounds * LONG_S / seconds)
    longer = RouteProblem(lines=ground.lines, stops=places, teams=(team,), seed=seed, rounds=rounds)
    began = time.monotonic()
    best = plan_routes(longer, ground.network)
    return {
        "measure": "150 stops",
        "seconds": round(seconds, 2),
        "prize": plan.prize,
        "long_seconds": round(time.monotonic() - began, 1),
        "long_prize": best.prize,
        "gap": round(1 - plan.prize / best.prize, 5),
        "violations": len(check_route(asked, plan)),
    }


def _month(ground: Ground, seed: int) -> Line:
    drawn = np.random.default_rng(seed)
    main = int((ground.network.component == 0).sum())
    faults, began = 0, time.monotonic()
    for zone in range(ZONES):
        room, places = ground.draw(30, 400.0, drawn, middle=int(drawn.integers(main)))
        recent: list[RecentWalk] = []
        for day in range(DAYS):
            asked = RouteProblem(
                lines=ground.lines, stops=places, teams=(Team(minutes=180, start=room, end=room),),
                recent=tuple(reversed(recent[-REMEMBERED:])), rounds=WEEK_ROUNDS,
                seed=seed * 100_000 + zone * 100 + day,
            )  # fmt: skip
            plan = plan_routes(asked, ground.network, proof=False)
            faults += len(check_route(asked, plan))
            (walk,) = plan.walks
            recent.append(
                RecentWalk(
                    stops=tuple(stop.key for stop in walk.stops),
                    arrive_min=tuple(stop.arrive_min for stop in walk.stops),
                    line=walk.line,
                )
            )
    return {
        "measure": "month",
        "walks": ZONES * DAYS,
        "seconds": round(time.monotonic() - began, 1),
        "violations": faults,
    }
