"""Weekly patrol files of our own making, of any size, the same for the same seed."""

import json
import random
from pathlib import Path

DAYS = 7
SHIFTS = ((480, 840), (780, 1140), (1080, 1440))
SHARES = (
    ("officer", 0, 0.23, 5),
    ("grid", 1, 0.31, 5),
    ("guard", 2, 0.31, 5),
    ("leader", 2, 0.15, 3),
)
"""Role, the seat it takes, its share of the people, and the patrols a week of one of them."""
USED = 0.7
"""The part of what officers may walk that the week asks for."""


def make_week(people: int, zones: int, seed: int) -> dict[str, object]:
    """Return a week in the format of the patrol files."""
    rng = random.Random(seed)
    team = []
    for role, kind, share, most in SHARES:
        for n in range(max(2, round(people * share))):
            home = rng.randrange(zones)
            team.append(
                {
                    "id": f"{role[:2].upper()}{n:03}",
                    "role": role,
                    "kind": kind,
                    "max": most,
                    "zones": sorted({(home + k) % zones for k in range(4)}),
                    "off": sorted(rng.sample(range(DAYS), rng.randrange(3))),
                    "ban": [rng.randrange(len(SHIFTS))] if rng.random() < 0.15 else [],
                    "req": [
                        [rng.randrange(DAYS), rng.randrange(len(SHIFTS)), rng.randint(1, 3),
                         rng.choice((-1, 1))]
                        for _ in range(3)
                    ],
                    "hist": rng.randrange(3),
                }
            )  # fmt: skip
    least = min(
        sum(p["max"] for p in team if p["kind"] == kind)  # type: ignore[misc]
        for kind in range(3)
    )
    places = [(d, s, z) for d in range(DAYS) for s in range(len(SHIFTS)) for z in range(zones)]
    patrols = sorted(rng.sample(places, min(len(places), int(least * USED))))
    return {
        "D": DAYS,
        "shifts": [{"start": start, "end": end} for start, end in SHIFTS],
        "Z": zones,
        "people": team,
        "patrols": [list(p) for p in patrols],
        "rest": 660,
        "maxcons": 5,
        "maxnight": 2,
        "w": {"unfilled": 1000, "spread": 20, "unfamiliar": 2, "repeat": 3, "req": 1},
    }


def write_week(people: int, zones: int, seed: int, file: Path) -> None:
    """Write a week of our own making."""
    file.write_text(json.dumps(make_week(people, zones, seed)) + "\n")
