"""OR-Tools routing: a disjunction per stop, a longest distance, guided local search."""

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from bench.peers.route_trial import RouteTrial


def main() -> None:
    """Solve one file."""
    trial = RouteTrial()
    instance = trial.instance
    manager = pywrapcp.RoutingIndexManager(
        len(instance.score),
        instance.walks,
        [instance.start] * instance.walks,
        [instance.end] * instance.walks,
    )
    routing = pywrapcp.RoutingModel(manager)
    table = trial.distance.tolist()
    transit = routing.RegisterTransitCallback(
        lambda a, b: table[manager.IndexToNode(a)][manager.IndexToNode(b)]
    )
    routing.SetArcCostEvaluatorOfAllVehicles(transit)
    routing.AddDimension(transit, 0, trial.limit, True, "distance")
    for node in trial.stops:
        penalty = int(instance.score[node]) * (trial.limit + 1)
        routing.AddDisjunction([manager.NodeToIndex(node)], penalty)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    )
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    parameters.time_limit.FromMilliseconds(int(trial.seconds * 1000))
    found = routing.SolveWithParameters(parameters)
    routes = []
    for vehicle in range(instance.walks):
        route, at = [], found.Value(routing.NextVar(routing.Start(vehicle)))
        while not routing.IsEnd(at):
            route.append(manager.IndexToNode(at))
            at = found.Value(routing.NextVar(at))
        routes.append(route)
    trial.finish(routes)


if __name__ == "__main__":
    main()
