"""The compiled part of pricing: dynamic programming over days, without Python and its lock.

A state is a run of days (off so long, or in this shift for so many days); with it goes a count of
every tracked counter, all in one mixed-radix number.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from scheduling.core.lines.line_problem import Floats, Ints

UNREACHED = 1e15


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def cheapest(
    value: Floats,  # (days, options) price of an option on a day, UNREACHED where it may not be
    off: Floats,  # (days,) price of a day off
    shift_of: Ints,  # (options,) shift of an option
    track_of: Ints,  # (options,) tracked counter that the option's place counts in, or -1
    follows: NDArray[np.uint8],  # (shifts, shifts)
    most_run: int,
    least_run: int,
    least_off: int,
    most_off: int,
    run_before: int,
    borders_free: bool,
    hard: int,  # number of hard counters; the others are places
    size: Ints,  # (counters,) values 0 … size-1
    need: Ints,  # (hard, days) least value after a day from which the counter's least can be reached
    after_off: Ints,  # (hard, days, shifts)
    after_work: Ints,  # (hard, days, shifts)
    dearer: float,  # cost of a visit when a place's counter is full
    back: NDArray[np.int32],  # (days, states × counts) int32, workspace
    taken: NDArray[np.int16],  # (days, states × counts) int16, workspace
    cur: Floats,
    nxt: Floats,
) -> tuple[Floats, Ints]:
    """Return, for each count of the tracked counters, the least cost and the state it ends in."""
    days, options = value.shape
    shifts = follows.shape[0]
    counters = size.shape[0]
    counts = 1
    stride = np.empty(counters, np.int64)
    for k in range(counters):
        stride[k] = counts
        counts *= size[k]
    offs = max(1, least_off, most_off)
    states = offs + shifts * most_run
    total = states * counts
    cur[:total] = UNREACHED
    if run_before > 0:
        start = offs + min(run_before, most_run) - 1
    elif most_off > 0:
        start = max(1, least_off) - 1
    else:
        start = offs - 1
    cur[start * counts] = 0.0
    held = np.empty(counters, np.int64)
    for d in range(days):
        nxt[:total] = UNREACHED
        for st in range(states):
            free = st < offs
            run = 0
            last = -1
            if free:
                may_start = st + 1 >= least_off
                next_off = st + 1 if st + 1 < offs else (st if most_off == 0 else -1)
                if most_off > 0 and st + 2 > most_off:
                    next_off = -1
            else:
                run = (st - offs) % most_run + 1
                last = (st - offs) // most_run
                may_start = run < most_run
                may_end = run >= least_run or (borders_free and run == d and run_before == 0)
                next_off = 0 if may_end else -1
            for c in range(counts):
                v = cur[st * counts + c]
                if v >= UNREACHED:
                    continue
                rest = c
                for k in range(counters):
                    held[k] = rest % size[k]
                    rest //= size[k]
                if next_off >= 0:
                    fits = True
                    for k in range(hard):
                        if held[k] < need[k, d]:
                            fits = False
                            break
                    if fits:
                        to = next_off * counts + c
                        w = v + off[d]
                        if w < nxt[to]:
                            nxt[to] = w
                            back[d, to] = st * counts + c
                            taken[d, to] = -1
                if not may_start:
                    continue
                for o in range(options):
                    w = v + value[d, o]
                    if w >= UNREACHED:
                        continue
                    s = shift_of[o]
                    if not free and d > 0 and follows[last, s] == 0:
                        continue
                    new = c
                    fits = True
                    for k in range(hard):
                        more = after_off[k, d, s] if free else after_work[k, d, s]
                        held_now = held[k] + more
                        if held_now >= size[k] or held_now < need[k, d]:
                            fits = False
                            break
                        new += more * stride[k]
                    if not fits:
                        continue
                    t = track_of[o]
                    if t >= 0:
                        if held[t] < size[t] - 1:
                            new += stride[t]
                        else:
                            w += dearer
                    to = (offs + s * most_run + run) * counts + new
                    if w < nxt[to]:
                        nxt[to] = w
                        back[d, to] = st * counts + c
                        taken[d, to] = o
        cur, nxt = nxt, cur
    best = np.full(counts, UNREACHED)
    where = np.zeros(counts, np.int64)
    for st in range(states):
        for c in range(counts):
            if cur[st * counts + c] < best[c]:
                best[c] = cur[st * counts + c]
                where[c] = st * counts + c
    return best, where


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def best_posts(post_day: Ints, option_of: Ints, price: Floats, value: Floats, which: Ints) -> None:
    """Take the cheapest post of each day and option; ``option_of`` is -1 for closed posts."""
    value[:, :] = UNREACHED
    which[:, :] = -1
    for post in range(len(post_day)):
        o = option_of[post]
        if o < 0:
            continue
        d = post_day[post]
        if price[post] < value[d, o]:
            value[d, o] = price[post]
            which[d, o] = post


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def walk_back(where: int, back: NDArray[np.int32], taken: NDArray[np.int16], which: Ints) -> Ints:
    """Return the post of each day of the line that ends in a state, -1 for off."""
    days = back.shape[0]
    posts = np.full(days, -1, np.int64)
    at = where
    for d in range(days - 1, -1, -1):
        o = taken[d, at]
        if o >= 0:
            posts[d] = which[d, o]
        at = back[d, at]
    return posts
