"""VROOM: stops as jobs with priorities, vehicles with a longest distance. It stops by itself."""

import numpy as np
import vroom

from bench.peers.route_trial import RouteTrial

MOST_PRIORITY = 100


def main() -> None:
    """Solve one file."""
    trial = RouteTrial()
    instance = trial.instance
    most = max(float(instance.score.max()), 1.0)
    scale = 1.0 if most <= MOST_PRIORITY else MOST_PRIORITY / most
    given = vroom.Input()
    given.set_durations_matrix("car", trial.distance.astype(np.uint32))
    for number in range(instance.walks):
        given.add_vehicle(
            vroom.Vehicle(
                number + 1, start=instance.start, end=instance.end, max_travel_time=trial.limit
            )
        )
    given.add_job(
        [
            vroom.Job(node + 1, location=node, priority=round(instance.score[node] * scale))
            for node in trial.stops
        ]
    )
    steps = given.solve(exploration_level=5, nb_threads=2).routes
    jobs = steps[steps["type"] == "job"]
    routes = [
        [int(job) - 1 for job in jobs[jobs["vehicle_id"] == vehicle]["id"]]
        for vehicle in sorted(set(jobs["vehicle_id"]))
    ]
    trial.finish(routes)


if __name__ == "__main__":
    main()
