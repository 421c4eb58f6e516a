"""Timefold's default search on any of our models; needs the peers' environment."""

# mypy: disable-error-code="import-not-found"

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from timefold.solver import BestSolutionChangedEvent, SolverFactory
from timefold.solver.config import (
    Duration,
    EnvironmentMode,
    ScoreDirectorFactoryConfig,
    SolverConfig,
    TerminationConfig,
)

from bench.peers.trial import Trial

Plan = TypeVar("Plan")


def search(
    plan_class: type[Plan],
    entity_class: type,
    constraints: Callable[..., Any],
    problem: Plan,
    run: Trial,
    is_full: Callable[[Plan], bool] = lambda plan: False,
) -> Plan:
    """Search for the run's seconds from the problem; the run learns when the better plans came."""
    logging.getLogger("timefold").setLevel(logging.WARNING)
    config = SolverConfig(
        solution_class=plan_class,
        entity_class_list=[entity_class],
        environment_mode=EnvironmentMode.NO_ASSERT,
        random_seed=run.seed,
        score_director_factory_config=ScoreDirectorFactoryConfig(
            constraint_provider_function=constraints
        ),
        termination_config=TerminationConfig(
            spent_limit=Duration(milliseconds=int(run.seconds * 1000))
        ),
    )
    solver = SolverFactory.create(config).build_solver()

    def better(event: BestSolutionChangedEvent[Plan]) -> None:
        run.to_best = event.time_spent.total_seconds()
        if run.to_first_full_cover is not None or not event.new_best_score.is_feasible:
            return
        if is_full(event.new_best_solution):
            run.to_first_full_cover = run.to_best

    solver.add_event_listener(better)
    run.restart()
    found: Plan = solver.solve(problem)
    return found
