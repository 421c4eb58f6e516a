"""Part a map into contiguous groups of like weight: the search behind grid cells and patrol zones.

Pure: places are numbered from 0, a border says that two places touch along an edge and what it
costs to part them there. Groups are always contiguous; weights are balanced as well as the search
finds, borders are cheap. Same input, seed and rounds → the same groups.

The search recombines two neighbouring groups along a random spanning tree and cuts the tree where
the weights balance (the ReCom step of DeFord, Duchin and Solomon, 2021, used as local search),
then moves single places across borders. It starts from recursive tree cuts.
"""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence

Border = tuple[int, int]
"""Two places that touch along an edge, the smaller number first."""

TREES_PER_START = 24
CUTS_TRIED = 6
OUTSIDE_BAND = 8.0
"""How much more a group counts for every part of its weight that lies outside the band."""


class _Map:
    """Places, their weights and borders, and what a grouping of them costs."""

    def __init__(
        self,
        weights: Sequence[float],
        borders: Mapping[Border, float],
        groups: int,
        band: float,
        border_share: float,
        sizes: tuple[int, int] | None,
    ) -> None:
        self.weights = list(weights)
        self.neighbours: list[dict[int, float]] = [{} for _ in self.weights]
        for (a, b), cost in sorted(borders.items()):
            self.neighbours[a][b] = cost
            self.neighbours[b][a] = cost
        self.target = sum(self.weights) / max(1, groups) or 1.0
        self.band = band
        self.sizes = sizes
        # Borders are counted in a unit in which a usual group's share of them weighs
        # ``border_share`` as much as a group that is empty.
        total = sum(borders.values()) or 1.0
        self.border_unit = border_share / (total / max(1, groups))

    def imbalance(self, weight: float, size: int) -> float:
        """Return what one group costs: 0 at the target, 1 when empty, more outside the band."""
        off = weight / self.target - 1.0
        over = max(0.0, abs(off) - self.band)
        cost = off * off + OUTSIDE_BAND * over * over + over
        if self.sizes is not None:
            low, high = self.sizes
            cost += 0.5 * (max(0, low - size) + max(0, size - high))
        return cost

    def tree(self, places: Sequence[int], dice: random.Random) -> "_Tree":
        """Return a random spanning tree of contiguous places; cheap borders tend to stay out."""
        inside = set(places)
        edges = []
        for a in places:
            for b, cost in self.neighbours[a].items():
                if a < b and b in inside:
                    # An exponential race: the dearer the border, the sooner it is joined.
                    edges.append((dice.expovariate(1.0) / (cost + 1e-9), a, b))
        edges.sort()
        parent = {place: place for place in places}
        beside: dict[int, list[int]] = {place: [] for place in places}
        for _, a, b in edges:
            root_a, root_b = _root(parent, a), _root(parent, b)
            if root_a != root_b:
                parent[root_a] = root_b
                beside[a].append(b)
                beside[b].append(a)
        return _Tree(places[0], beside, self.weights)

    def border_cost(self, side: set[int], places: set[int]) -> float:
        """Return what parting ``side`` from the rest of ``places`` costs."""
        return self.border_unit * sum(
            cost
            for a in side
            for b, cost in self.neighbours[a].items()
            if b in places and b not in side
        )

    def connected(self, places: set[int]) -> bool:
        """Say whether places are contiguous."""
        if not places:
            return False
        start = next(iter(places))
        seen, stack = {start}, [start]
        while stack:
            for other in self.neighbours[stack.pop()]:
                if other in places and other not in seen:
                    seen.add(other)
                    stack.append(other)
        return len(seen) == len(places)

    def components(self) -> list[list[int]]:
        """Return the parts of the map that do not touch, each in order."""
        left = set(range(len(self.weights)))
        parts = []
        while left:
            start = min(left)
            seen, stack = {start}, [start]
            while stack:
                for other in self.neighbours[stack.pop()]:
                    if other not in seen:
                        seen.add(other)
                        stack.append(other)
            left -= seen
            parts.append(sorted(seen))
        return parts


class _Tree:
    """A spanning tree, hung from one place, that can be cut above any other."""

    def __init__(self, top: int, beside: Mapping[int, list[int]], weights: Sequence[float]) -> None:
        self.order, self.above = [top], {top: top}
        for place in self.order:
            for other in beside[place]:
                if other != self.above[place]:
                    self.above[other] = place
                    self.order.append(other)
        self.weight = {place: weights[place] for place in self.order}
        self.size = dict.fromkeys(self.order, 1)
        for place in reversed(self.order[1:]):
            self.weight[self.above[place]] += self.weight[place]
            self.size[self.above[place]] += self.size[place]

    def below(self, top: int) -> set[int]:
        """Return the places that hang from ``top``, itself included."""
        side = {top}
        for place in self.order[1:]:
            if self.above[place] in side:
                side.add(place)
        return side


def _root(parent: dict[int, int], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


def balanced_groups(
    weights: Sequence[float],
    borders: Mapping[Border, float],
    groups: int,
    *,
    seed: int = 0,
    rounds: int = 2000,
    band: float = 0.1,
    border_share: float = 1.0,
    sizes: tuple[int, int] | None = None,
) -> list[int]:
    """Return the group of every place, groups numbered from 0 in order of their first place.

    ``weights`` (n, ≥ 0) are what to balance, ``borders`` the cost (> 0, such as metres) of parting
    two places. A group within ``band`` of the mean weight counts as balanced; ``border_share``
    says how much short borders matter beside balance; ``sizes`` are the fewest and most places a
    group should have. A map in several parts gets at least one group in each, so there may be more
    groups than asked; there are never more than places.
    """
    if not weights:
        return []
    ground = _Map(weights, borders, max(1, min(groups, len(weights))), band, border_share, sizes)
    dice = random.Random(seed)  # noqa: S311 - a search, not a secret
    label = [0] * len(weights)
    members: list[set[int]] = []
    for part, share in _shares(ground, groups):
        members.extend(_first_cut(ground, part, share, dice))
    for group, places in enumerate(members):
        for place in places:
            label[place] = group
    if len(members) > 1:
        _recombine(ground, members, label, dice, rounds)
        _move_across(ground, members, label)
    number: dict[int, int] = {}
    return [number.setdefault(group, len(number)) for group in label]


def _shares(ground: _Map, groups: int) -> list[tuple[list[int], int]]:
    """Give each part of the map its number of groups, by weight, at least one each."""
    parts = ground.components()
    total = sum(ground.weights) or 1.0
    wanted = [groups * sum(ground.weights[p] for p in part) / total for part in parts]
    shares = [
        max(1, min(len(part), math.floor(want))) for part, want in zip(parts, wanted, strict=True)
    ]
    while sum(shares) < groups:
        open_parts = [i for i, part in enumerate(parts) if shares[i] < len(part)]
        if not open_parts:
            break
        neediest = max(open_parts, key=lambda i: (wanted[i] - shares[i], -i))
        shares[neediest] += 1
    return list(zip(parts, shares, strict=True))


def _first_cut(ground: _Map, places: list[int], groups: int, dice: random.Random) -> list[set[int]]:
    """Cut places into contiguous groups by recursive balanced cuts of spanning trees."""
    if groups <= 1:
        return [set(places)]
    few = groups // 2
    total = sum(ground.weights[p] for p in places)
    inside = set(places)
    best: tuple[float, set[int], int] | None = None
    for _ in range(TREES_PER_START):
        tree = ground.tree(places, dice)
        for top in tree.order[1:]:
            size = tree.size[top]
            for here in sorted({few, groups - few}):
                if size < here or len(places) - size < groups - here:
                    continue
                off = abs(tree.weight[top] - total * here / groups) / ground.target
                if best is None or off < best[0]:
                    side = tree.below(top)
                    cost = off + ground.border_cost(side, inside)
                    if best is None or cost < best[0]:
                        best = (cost, side, here)
    if best is None:
        # No tree splits the places evenly enough: cut off one leaf, which always goes.
        tree = ground.tree(places, dice)
        side, here = {tree.order[-1]}, 1
    else:
        _, side, here = best
    return [
        *_first_cut(ground, sorted(side), here, dice),
        *_first_cut(ground, sorted(inside - side), groups - here, dice),
    ]


def _recombine(
    ground: _Map,
    members: list[set[int]],
    label: list[int],
    dice: random.Random,
    rounds: int,
) -> None:
    """Join two neighbouring groups and part them anew, again and again, keeping what is better."""
    heat_at_start = 0.15
    for step in range(rounds):
        heat = heat_at_start * (1 - step / rounds) ** 2
        place = dice.randrange(len(label))
        first = label[place]
        others = sorted({label[b] for a in members[first] for b in ground.neighbours[a]} - {first})
        if not others:
            continue
        second = dice.choice(others)
        both = members[first] | members[second]
        places = sorted(both)
        before = (
            ground.imbalance(_weight(ground, members[first]), len(members[first]))
            + ground.imbalance(_weight(ground, members[second]), len(members[second]))
            + ground.border_cost(members[first], both)
        )
        total = _weight(ground, both)
        tree = ground.tree(places, dice)
        cuts = sorted(
            (
                ground.imbalance(tree.weight[top], tree.size[top])
                + ground.imbalance(total - tree.weight[top], len(places) - tree.size[top]),
                top,
            )
            for top in tree.order[1:]
        )
        best: tuple[float, set[int]] | None = None
        for cost, top in cuts[:CUTS_TRIED]:
            if best is not None and cost >= best[0]:
                break
            side = tree.below(top)
            cost += ground.border_cost(side, both)
            if best is None or cost < best[0]:
                best = (cost, side)
        if best is None:
            continue
        worse = best[0] - before
        if worse < 0 or (heat > 0 and dice.random() < math.exp(-worse / heat) * 0.3):
            members[first], members[second] = best[1], both - best[1]
            for p in members[first]:
                label[p] = first
            for p in members[second]:
                label[p] = second


def _move_across(ground: _Map, members: list[set[int]], label: list[int]) -> None:
    """Move single places across borders while that makes the grouping better."""
    improved = True
    while improved:
        improved = False
        for place in range(len(label)):
            home = label[place]
            pull: dict[int, float] = defaultdict(float)
            for other, cost in ground.neighbours[place].items():
                pull[label[other]] += cost
            for away in sorted(set(pull) - {home}):
                gain = _gain(ground, members, place, home, away, pull)
                if gain > 1e-9 and ground.connected(members[home] - {place}):
                    members[home].remove(place)
                    members[away].add(place)
                    label[place] = away
                    improved = True
                    break


def _gain(
    ground: _Map,
    members: list[set[int]],
    place: int,
    home: int,
    away: int,
    pull: Mapping[int, float],
) -> float:
    weight = ground.weights[place]
    at_home, at_away = _weight(ground, members[home]), _weight(ground, members[away])
    size_home, size_away = len(members[home]), len(members[away])
    before = ground.imbalance(at_home, size_home) + ground.imbalance(at_away, size_away)
    after = ground.imbalance(at_home - weight, size_home - 1) + ground.imbalance(
        at_away + weight, size_away + 1
    )
    return before - after + ground.border_unit * (pull[away] - pull.get(home, 0.0))


def _weight(ground: _Map, places: set[int]) -> float:
    return math.fsum(ground.weights[p] for p in places)
