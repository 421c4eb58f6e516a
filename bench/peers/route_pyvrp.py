"""Plain PyVRP: every stop optional at its prize, a prize worth more than any walk saved."""

import pyvrp
from pyvrp.stop import MaxRuntime

from bench.peers.route_trial import RouteTrial


def main() -> None:
    """Solve one file."""
    trial = RouteTrial()
    instance = trial.instance
    model = pyvrp.Model()
    places = [model.add_location(0, 0) for _ in instance.score]
    depots = {node: model.add_depot(places[node]) for node in {instance.start, instance.end}}
    for node in trial.stops:
        prize = int(instance.score[node]) * (trial.limit + 1)
        model.add_client(places[node], prize=prize, required=False)
    model.add_vehicle_type(
        instance.walks,
        start_depot=depots[instance.start],
        end_depot=depots[instance.end],
        max_distance=trial.limit,
    )
    for a, one in enumerate(places):
        for b, other in enumerate(places):
            if a != b:
                model.add_edge(one, other, int(trial.distance[a, b]), 0)
    best = model.solve(MaxRuntime(trial.seconds), seed=trial.seed, display=False).best
    routes = [
        [trial.stops[visit.idx] for visit in route if visit.is_client()] for route in best.routes()
    ]
    trial.finish(routes)


if __name__ == "__main__":
    main()
