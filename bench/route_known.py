"""The best values known of public orienteering instances."""

import re
from pathlib import Path

# Optima of Tsiligirides' first set and of Chao's diamond of 64, by time limit: Chao, Golden, Wasil,
# "A fast and effective heuristic for the orienteering problem", EJOR 88 (1996), improved since and
# agreed on by all exact methods.
_TSILIGIRIDES_1 = {
    5: 10, 10: 15, 15: 45, 20: 65, 25: 90, 30: 110, 35: 135, 40: 155, 46: 175, 50: 190, 55: 205,
    60: 225, 65: 240, 70: 260, 73: 265, 75: 270, 80: 280, 85: 285,
}  # fmt: skip
_CHAO_64 = {
    15: 96, 20: 294, 25: 390, 30: 474, 35: 576, 40: 714, 45: 816, 50: 900, 55: 984, 60: 1062,
    65: 1116, 70: 1188, 75: 1236, 80: 1284,
}  # fmt: skip
_TEAM = {"p4.2.a": 206, "p4.2.j": 965, "p4.3.g": 653, "p4.3.m": 1063, "p4.4.p": 1124}
"""Team orienteering of Chao, Golden, Wasil: best of all published methods."""


def best_known(file: Path) -> float | None:
    """Return the best value known of an instance, or None; OPLib's stands in the .sol beside it."""
    solution = file.with_suffix(".sol")
    if file.suffix == ".oplib" and solution.exists():
        found = re.search(r"^ROUTE_SCORE\s*:\s*(\S+)", solution.read_text(), re.MULTILINE)
        return float(found[1]) if found else None
    if found := re.fullmatch(r"tsiligirides_problem_1_budget_(\d+)", file.stem):
        return _TSILIGIRIDES_1.get(int(found[1]))
    if found := re.fullmatch(r"set_64_1_(\d+)", file.stem):
        return _CHAO_64.get(int(found[1]))
    return _TEAM.get(file.stem)
