"""The codes of grid cells: the 12 digits of the community and 3 of the cell's own, kept for life.

A fresh partition is numbered as a page is read, rows from north to south and from west to east
within a row (GB/T 30428.1 numbers unit grids so). A code names one area for ever: a new cell takes
the next number above every number the community has ever used, so nothing is renumbered and no
retired code comes back.
"""

import math
from collections.abc import Iterable, Sequence

from grid.errors import DomainError

COMMUNITY_DIGITS = 12
CELL_DIGITS = 3
LAST_NUMBER = 10**CELL_DIGITS - 1


class BadCommunityCode(DomainError):
    """A community code that is not 12 digits."""

    zh = "社区代码“{code}”不是12位数字。请使用国家统计局公布的12位统计用区划代码。"
    en = "The community code “{code}” is not 12 digits. Use the 12-digit statistical code."


class CodesUsedUp(DomainError):
    """The community has no free cell number left."""

    zh = "社区{community}的网格编号已用完（最多999个，停用的编号不再使用）。请联系管理员拆分社区。"
    en = "Community {community} has used all 999 cell numbers (retired ones stay retired). Ask the administrator to divide the community."


def reading_order(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the positions of points as a page is read: rows north to south, west to east within.

    ``points`` are (east, north) in any one unit. A row starts at its northernmost point and takes
    in what lies less than half a pitch below; the pitch is that of a square grid of as many points
    over the same extent, so points that are nearly level belong to one row.
    """
    if len(points) < 2:
        return list(range(len(points)))
    easts, norths = [p[0] for p in points], [p[1] for p in points]
    width, height = max(easts) - min(easts), max(norths) - min(norths)
    # n points of pitch p: (width / p + 1) (height / p + 1) = n, solved for p.
    more = len(points) - 1
    pitch = (width + height + math.sqrt((width + height) ** 2 + 4 * more * width * height)) / (
        2 * more
    )
    result: list[int] = []
    row: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: (-norths[i], easts[i])):
        if row and norths[row[0]] - norths[i] > pitch / 2:
            result += sorted(row, key=lambda j: (easts[j], -norths[j]))
            row = []
        row.append(i)
    return result + sorted(row, key=lambda j: (easts[j], -norths[j]))


def cell_code(community: str, number: int) -> str:
    """Return the 15-digit code of a community's cell ``number`` (1..999).

    Raises BadCommunityCode or CodesUsedUp.
    """
    if len(community) != COMMUNITY_DIGITS or not (community.isascii() and community.isdigit()):
        raise BadCommunityCode(code=community)
    if not 1 <= number <= LAST_NUMBER:
        raise CodesUsedUp(community=community)
    return f"{community}{number:0{CELL_DIGITS}d}"


def new_codes(
    community: str, points: Sequence[tuple[float, float]], used: Iterable[str] = ()
) -> list[str]:
    """Return codes for new cells at ``points`` (east, north), in the order of ``points``.

    Numbers run in reading order from one above the highest ever ``used``, retired codes included.
    """
    taken = [int(code[COMMUNITY_DIGITS:]) for code in used if code.startswith(community)]
    first = max(taken, default=0) + 1
    codes = [""] * len(points)
    for offset, position in enumerate(reading_order(points)):
        codes[position] = cell_code(community, first + offset)
    return codes
