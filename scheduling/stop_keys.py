"""What names a stop of a stored walk: its place, and which visit it is where a walk comes back."""

from collections import Counter
from collections.abc import Iterable, Mapping


def place_key(stop: Mapping[str, object]) -> str:
    """Return what names the place of a stop: ``checkpoint:7``, ``requirement:3``, ``risk:41``."""
    return f"{stop['kind']}:{stop['id']}"


def stop_keys(stops: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the key of each stop of one walk, in order.

    A hot place is visited again where hands allow: ``risk:41``, then ``risk:41#2``. Each visit is
    checked in by itself.
    """
    seen: Counter[str] = Counter()
    keys = []
    for stop in stops:
        key = place_key(stop)
        seen[key] += 1
        keys.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return keys


def place_of(key: str) -> tuple[str, int]:
    """Return the kind and the number of the place that a stop's key names."""
    kind, _, number = key.partition(":")
    return kind, int(number.partition("#")[0])
