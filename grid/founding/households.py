"""Estimate households from footprints: pure, and never taken for a count.

households = footprint × floors × share that is dwelling ÷ floor area of a dwelling. Where the map
names no floors they are guessed from the footprint: small houses are low, slabs are middling, and
the largest outlines are mostly perimeter blocks on a podium, which are lower than slabs.
"""

from dataclasses import dataclass

DWELLING_SHARE = 0.75
"""Stairs, lifts and walls take the rest of a floor."""
DWELLING_M2 = 105.0
"""Floor area of a usual city dwelling, walls included."""
PERSONS_PER_HOUSEHOLD = 2.62
"""China, seventh national census, 2020."""
HOUSE_M2 = 150.0
SLAB_M2 = 1500.0
FLOORS_HOUSE, FLOORS_SLAB, FLOORS_BLOCK = 2, 11, 7
LARGEST_DWELLING_BLOCK_M2 = 4000.0
"""A larger unlabelled outline in a residential area is a market or a school, not dwellings."""


@dataclass(frozen=True)
class Estimate:
    """What a building is reckoned to hold."""

    floors: int
    households: int
    residents: int
    estimated: bool


def estimate(
    footprint_m2: float,
    use: str,
    *,
    floors: int | None = None,
    households: int | None = None,
    in_estate: bool = False,
) -> Estimate:
    """Return floors, households and residents of a building.

    ``use`` is the importer's; ``unknown`` counts as dwelling inside a named residential estate.
    A count of households that the map gives is kept; everything else is an estimate.
    """
    dwelling = use == "residential" or (
        use == "unknown" and in_estate and footprint_m2 <= LARGEST_DWELLING_BLOCK_M2
    )
    guessed = _floors(footprint_m2) if dwelling else 3
    storeys = floors or guessed
    if households is not None:
        residents = round(households * PERSONS_PER_HOUSEHOLD)
        return Estimate(storeys, households, residents, estimated=False)
    if not dwelling:
        return Estimate(storeys, 0, 0, estimated=True)
    count = max(1, round(footprint_m2 * storeys * DWELLING_SHARE / DWELLING_M2))
    if footprint_m2 < HOUSE_M2 and floors is None:
        count = 1
    return Estimate(storeys, count, round(count * PERSONS_PER_HOUSEHOLD), estimated=True)


def _floors(footprint_m2: float) -> int:
    if footprint_m2 < HOUSE_M2:
        return FLOORS_HOUSE
    return FLOORS_SLAB if footprint_m2 < SLAB_M2 else FLOORS_BLOCK
