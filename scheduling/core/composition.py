"""A patrol's composition (联动编组) from its type and what part each force has in its duties.

The type says how many seats there are, which one leads and whom each seat is meant for; the
duties say who must, may or must not take part. In this order:

1. A force without any part leaves every seat. A seat that nobody is left for falls away.
2. Every required force gets one seat that only it can take and that must be filled: one that is
   already its own, else the first optional seat it may take, else the first required one beside
   the leader's, else the leader's; where no seat is meant for it, a seat is added.

An optional force takes the seats the type means for it, and no others. Without duties the type's
own seats stand as they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from scheduling.core.problem import Seat

Part = Literal["required", "optional", "never"]


def compose(seats: Iterable[Seat], parts: Mapping[str, Part]) -> tuple[Seat, ...]:
    """Return the seats of a type whose duties give the forces these parts; one unnamed has none.

    The required forces are served in the order in which ``parts`` names them.
    """
    shaped = []
    for seat in seats:
        forces = tuple(f for f in seat.forces if parts.get(f, "never") != "never")
        if forces:
            shaped.append(replace(seat, forces=forces))
    taken: set[int] = set()
    for force, part in parts.items():
        if part != "required":
            continue
        place = _seat_for(force, shaped, taken)
        if place is None:
            shaped.append(Seat(forces=(force,)))
            place = len(shaped) - 1
        else:
            shaped[place] = replace(shaped[place], forces=(force,), required=True)
        taken.add(place)
    return tuple(shaped)


def _seat_for(force: str, seats: list[Seat], taken: set[int]) -> int | None:
    free = [n for n, seat in enumerate(seats) if n not in taken and force in seat.forces]
    return min(
        free,
        key=lambda n: (
            seats[n].forces != (force,),
            seats[n].leader,
            seats[n].required,
            n,
        ),
        default=None,
    )
