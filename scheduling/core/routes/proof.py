"""Prove small walks best: CP-SAT with one circuit per walk, begun from what the search found.

CP-SAT counts in whole numbers: times in ten-thousandths of the problem's unit, rounded to nearest,
prizes in hundredths. A better walk found here is held to the true times before it is believed.
"""

import itertools
import math
from dataclasses import replace

from ortools.sat.python import cp_model

from scheduling.core.routes.orienteering import Orienteering, Tours, arrivals, worth

PROVED_MOST = 25
"""Stops up to which a proof takes seconds."""
FINE = 100
"""Steps of one unit of prize."""
TICKS = 10_000
"""Steps of one unit of time."""
EFFORT = 4.0
"""CP-SAT's deterministic seconds, shared by the walks of a shift (several are seldom proven at all):
the same answer on every machine, whatever the clock says."""


class _Model:
    """A circuit per walk over the stops and one node that stands for its two ends."""

    def __init__(self, problem: Orienteering) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.stops = [int(node) for node in problem.stops.nonzero()[0]]
        self.arcs: dict[tuple[int, int, int], cp_model.IntVar] = {}
        self.visited = {
            (walk, node): self.model.new_bool_var(f"visit_{walk}_{node}")
            for walk in range(len(problem.starts))
            for node in self.stops
        }
        self.timed = not (problem.early is None and problem.late is None) or problem.prize.shape[1] > 1  # fmt: skip
        self.prizes: list[cp_model.LinearExprT] = []
        for node in self.stops:
            self.model.add_at_most_one(
                self.visited[walk, node] for walk in range(len(problem.starts))
            )
        for walk in range(len(problem.starts)):
            self._circuit(walk)
        if self.timed:
            self._times()
        else:
            self.prizes = [
                round(float(problem.prize[node, 0]) * FINE) * visit
                for (_, node), visit in self.visited.items()
            ]
        tolls = [
            -round(float(problem.toll[self._node(w, a, 0), self._node(w, b, 1)]) * FINE) * arc
            for (w, a, b), arc in self.arcs.items()
            if problem.toll is not None and (a >= 0 or b >= 0)
        ]
        self.model.maximize(sum(self.prizes) + sum(tolls))

    def _node(self, walk: int, node: int, side: int) -> int:
        """Return the problem's node of a circuit's; -1 is the walk's start or its end."""
        if node >= 0:
            return node
        return (self.problem.starts, self.problem.ends)[side][walk]

    def _metres(self, walk: int, a: int, b: int) -> int:
        """Return stay at a and walking from a to b."""
        one, other = self._node(walk, a, 0), self._node(walk, b, 1)
        stay = float(self.problem.stay[one]) if a >= 0 else 0.0
        return round((stay + float(self.problem.walk[one, other])) * TICKS)

    def _circuit(self, walk: int) -> None:
        arcs = []
        number = {-1: 0, **{node: place + 1 for place, node in enumerate(self.stops)}}
        room = round((self.problem.end[walk] - self.problem.begin[walk]) * TICKS)
        spent = []
        for a in number:
            for b in number:
                if a == b and a >= 0:
                    arcs.append((number[a], number[a], ~self.visited[walk, a]))
                elif a != b or a == -1:
                    arc = self.model.new_bool_var(f"arc_{walk}_{a}_{b}")
                    arcs.append((number[a], number[b], arc))
                    if a != b:
                        self.arcs[walk, a, b] = arc
                        spent.append(self._metres(walk, a, b) * arc)
                    else:
                        # A walk that stays at home visits nothing.
                        for node in self.stops:
                            self.model.add_implication(arc, ~self.visited[walk, node])
        self.model.add_circuit(arcs)
        self.model.add(sum(spent) <= room)

    def _times(self) -> None:
        problem = self.problem
        first = math.floor(min(problem.begin) * TICKS)
        last = math.ceil(max(problem.end) * TICKS)
        at = {}
        for node in self.stops:
            early = (
                first if problem.early is None else max(first, _fine(problem.early[node], first))
            )
            late = last if problem.late is None else min(last, _fine(problem.late[node], last))
            if early > late:
                for walk in range(len(problem.starts)):
                    self.model.add(self.visited[walk, node] == 0)
                early = late = first
            at[node] = self.model.new_int_var(early, late, f"at_{node}")
        for (walk, a, b), arc in self.arcs.items():
            took = self._metres(walk, a, b)
            start = round(problem.begin[walk] * TICKS)
            if a < 0:
                self.model.add(at[b] >= start + took).only_enforce_if(arc)
            elif b < 0:
                self.model.add(at[a] + took <= round(problem.end[walk] * TICKS)).only_enforce_if(
                    arc
                )
            else:
                self.model.add(at[b] >= at[a] + took).only_enforce_if(arc)
        slots = problem.prize.shape[1]
        for node in self.stops:
            visits = [self.visited[walk, node] for walk in range(len(problem.starts))]
            if slots == 1:
                self.prizes += [round(float(problem.prize[node, 0]) * FINE) * v for v in visits]
                continue
            length = problem.slot_length * TICKS
            inside = []
            for slot in range(slots):
                here = self.model.new_bool_var(f"slot_{node}_{slot}")
                inside.append(here)
                if slot:
                    self.model.add(at[node] >= math.ceil(slot * length)).only_enforce_if(here)
                if slot < slots - 1:
                    self.model.add(at[node] < math.ceil((slot + 1) * length)).only_enforce_if(here)
                self.prizes.append(round(float(problem.prize[node, slot]) * FINE) * here)
            self.model.add(sum(inside) == sum(visits))

    def hint(self, tours: Tours) -> None:
        """Begin from these walks."""
        on = set()
        for walk, route in enumerate(tours.routes):
            line = [-1, *route, -1]
            on |= {(walk, a, b) for a, b in itertools.pairwise(line)}
        for key, arc in self.arcs.items():
            self.model.add_hint(arc, key in on)
        for (walk, node), visit in self.visited.items():
            self.model.add_hint(visit, node in tours.routes[walk])

    def routes(self, solver: cp_model.CpSolver) -> tuple[tuple[int, ...], ...]:
        """Read the walks off a solution."""
        after = {(w, a): b for (w, a, b), arc in self.arcs.items() if solver.boolean_value(arc)}
        found = []
        for walk in range(len(self.problem.starts)):
            route, at = [], after.get((walk, -1), -1)
            while at >= 0:
                route.append(at)
                at = after[walk, at]
            found.append(tuple(route))
        return tuple(found)


def _fine(value: float, otherwise: int) -> int:
    return round(float(value) * TICKS) if math.isfinite(value) else otherwise


def collected(problem: Orienteering, routes: tuple[tuple[int, ...], ...]) -> float | None:
    """Return what walks collect less their tolls, or None where one is not in time."""
    total = 0.0
    for number, route in enumerate(routes):
        times = arrivals(problem, number, route)
        if times[-1] > problem.end[number] + 1e-9:
            return None
        if problem.late is not None:
            late = problem.late
            if any(at > late[node] + 1e-9 for at, node in zip(times[:-1], route, strict=True)):
                return None
        total += sum(worth(problem, node, at) for at, node in zip(times[:-1], route, strict=True))
        if problem.toll is not None and route:
            line = [problem.starts[number], *route, problem.ends[number]]
            total -= sum(float(problem.toll[a, b]) for a, b in itertools.pairwise(line))
    return total


def prove(problem: Orienteering, tours: Tours, seed: int = 0, effort: float = EFFORT) -> Tours:
    """Return the walks with a bound, and better ones where CP-SAT finds any."""
    everything = (
        float(problem.prize[problem.stops].max(axis=1).sum()) if problem.stops.any() else 0.0
    )
    if tours.prize >= everything - 1e-9:
        return replace(tours, bound=everything, proven=True)
    if int(problem.stops.sum()) > PROVED_MOST:
        return replace(tours, bound=everything)
    built = _Model(problem)
    built.hint(tours)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = effort / len(problem.starts) ** 2
    status = solver.solve(built.model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return replace(tours, bound=everything)
    bound = min(everything, solver.best_objective_bound / FINE)
    better = built.routes(solver)
    found = collected(problem, better)
    if found is not None and found > tours.prize + 1e-9:
        walked = sum(
            float(problem.walk[a, b])
            for number, route in enumerate(better)
            for a, b in zip(
                (problem.starts[number], *route), (*route, problem.ends[number]), strict=True
            )
        )
        tours = replace(tours, routes=better, prize=found, walked=walked)
    return replace(tours, bound=bound, proven=tours.prize >= bound - 0.5 / FINE)
