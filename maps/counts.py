"""Counting first: how many incidents each place had, always with its n.

All functions take and return numpy arrays; a place is an index 0 … places-1, and -1 means that an
incident belongs to none of them.
"""

import numpy as np
from numpy.typing import NDArray

LEAST_FOR_HOT = 5
"""Under this n nothing is called hot, whatever its p: too few to send people out on."""

LEAST_HOUSEHOLDS = 5
"""A dwelling with fewer households is not shown alone: a count there would point at a family."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def count_places(place: Ints, places: int) -> Ints:
    """Return how many incidents fall on each place.

    Parameters
    ----------
    place
        Shape (incidents,): the index of each incident's place, -1 for none.
    places
        How many places there are.

    Returns
    -------
    Shape (places,); its sum is the number of incidents that have a place.
    """
    return np.bincount(place[place >= 0], minlength=places).astype(np.int64)


def count_by_category(place: Ints, category: Ints, places: int, categories: int) -> Ints:
    """Return how many incidents of each category fall on each place.

    Parameters
    ----------
    place, category
        Shape (incidents,): indices, -1 for none.
    places, categories
        How many there are of each.

    Returns
    -------
    Shape (categories, places).
    """
    known = (place >= 0) & (category >= 0)
    flat = category[known] * places + place[known]
    return np.bincount(flat, minlength=categories * places).reshape(categories, places)


def shown_alone(households: Ints, dwelling: Bools) -> Bools:
    """Say which buildings may be shown by themselves; the others count in their grid cell only.

    A building in which nobody lives (a school, a hall) is a place like a square. A dwelling needs
    ``LEAST_HOUSEHOLDS``, and one whose households nobody has entered counts as having none.

    Parameters
    ----------
    households
        Shape (buildings,).
    dwelling
        Shape (buildings,): whether people are meant to live there.
    """
    return np.asarray((households >= LEAST_HOUSEHOLDS) | (~dwelling & (households == 0)), bool)
