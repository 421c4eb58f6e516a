"""The kernel of the route search: ruin a part of the walks, recreate it, straighten, accept.

Orienteering for one walk or several: collect the most prize within each walk's time. A round takes
out a stretch of stops (or the stops around a place, or those in the way of one left out), puts in
whatever is worth most for its detour, and uncrosses the walk (2-opt, or-opt); simulated annealing
decides whether to go on from there (after Christiaens & Vanden Berghe 2020, "Slack Induction by
String Removals"). Times are floats in one unit; walking is symmetric.

Every array is allocated by the caller or once per call; nothing here looks at a clock.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TINY = 1e-9


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _draw(state: NDArray[np.uint64]) -> float:
    """Return the next number of xorshift64* in [0, 1): the same on every machine and thread."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _below(state: NDArray[np.uint64], n: int) -> int:
    return min(n - 1, int(_draw(state) * n))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _refresh(
    r: int, seq: Ints, cnt: Ints, walk: Floats, stay: Floats, early: Floats, late: Floats,
    begin: Floats, end: Floats, arr: Floats, lat: Floats, pos: Ints, route: Ints,
) -> None:  # fmt: skip
    """Work out a walk's earliest and latest arrivals, and where each stop stands."""
    clock = begin[r]
    arr[r, 0] = clock
    last = cnt[r] - 1
    for p in range(1, last + 1):
        a, b = seq[r, p - 1], seq[r, p]
        clock = max(clock + stay[a] + walk[a, b], early[b])
        arr[r, p] = clock
        if p < last:
            pos[b] = p
            route[b] = r
    latest = end[r]
    lat[r, last] = latest
    for p in range(last - 1, -1, -1):
        a, b = seq[r, p], seq[r, p + 1]
        latest = min(latest - walk[a, b] - stay[a], late[a] if p else np.inf)
        lat[r, p] = latest


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _worth(prize: Floats, u: int, at: float, slot: float) -> float:
    """Return what a stop is worth when it is reached at a time."""
    last = prize.shape[1] - 1
    return float(prize[u, 0] if last == 0 else prize[u, min(last, max(0, int(at / slot)))])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _best_place(
    u: int, seq: Ints, cnt: Ints, walk: Floats, cost: Floats, stay: Floats,
    early: Floats, late: Floats, arr: Floats, lat: Floats, state: NDArray[np.uint64], blink: float,
    found: Floats, where: Ints,
) -> None:  # fmt: skip
    """Find the stop's cheapest feasible place: found = [time, cost], where = [walk, place]."""
    best = np.inf
    found[0] = np.inf
    found[1] = np.inf
    where[0] = -1
    for r in range(seq.shape[0]):
        for p in range(1, cnt[r]):
            a, b = seq[r, p - 1], seq[r, p]
            detour = walk[a, u] + walk[u, b] - walk[a, b]
            full = cost[a, u] + cost[u, b] - cost[a, b]
            if full >= best:
                continue
            at = max(arr[r, p - 1] + stay[a] + walk[a, u], early[u])
            if at > late[u] + TINY or at + stay[u] + walk[u, b] > lat[r, p] + TINY:
                continue
            if blink > 0.0 and _draw(state) < blink:
                continue
            best = full
            found[0] = detour
            found[1] = full
            where[0] = r
            where[1] = p


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _insert(r: int, p: int, u: int, seq: Ints, cnt: Ints) -> None:
    for k in range(cnt[r], p, -1):
        seq[r, k] = seq[r, k - 1]
    seq[r, p] = u
    cnt[r] += 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _recreate(
    first: int, seq: Ints, cnt: Ints, route: Ints, pos: Ints, walk: Floats, cost: Floats,
    stay: Floats, prize: Floats, slot: float, early: Floats, late: Floats,
    begin: Floats, end: Floats, arr: Floats, lat: Floats, state: NDArray[np.uint64],
    mode: int, blink: float, toll_rate: float, out: Ints, detour: Floats, full: Floats,
    in_route: Ints, at_place: Ints, noise: Floats, found: Floats, where: Ints,
) -> bool:  # fmt: skip
    """Insert stops while any fits, the most worth for its detour first; say whether any went in.

    ``first`` goes in before all others if it can (-1: none). Modes: 0 worth/time, 1 worth²/time,
    2 worth, 3 least time, 4 as drawn.
    """
    n = len(route)
    waiting = 0
    for u in range(n):
        if route[u] == -1:
            out[waiting] = u
            waiting += 1
            _best_place(u, seq, cnt, walk, cost, stay, early, late, arr, lat, state, blink, found, where)  # fmt: skip
            detour[u] = found[0]
            full[u] = found[1]
            in_route[u] = where[0]
            at_place[u] = where[1]
            noise[u] = 0.8 + 0.4 * _draw(state) if mode < 4 else _draw(state)
    done = False
    while waiting:
        best, best_key = -1, -np.inf
        k = 0
        while k < waiting:
            u = out[k]
            r = in_route[u]
            if r >= 0:
                # What was the cheapest place may have become too late since.
                p = at_place[u]
                a, b = seq[r, p - 1], seq[r, p]
                at = max(arr[r, p - 1] + stay[a] + walk[a, u], early[u])
                if at > late[u] + TINY or at + stay[u] + walk[u, b] > lat[r, p] + TINY:
                    _best_place(u, seq, cnt, walk, cost, stay, early, late, arr, lat, state, 0.0, found, where)  # fmt: skip
                    detour[u] = found[0]
                    full[u] = found[1]
                    in_route[u] = where[0]
                    at_place[u] = where[1]
                    r = where[0]
            if r < 0:
                waiting -= 1
                out[k] = out[waiting]
                continue
            p = at_place[u]
            a = seq[r, p - 1]
            at = max(arr[r, p - 1] + stay[a] + walk[a, u], early[u])
            worth = _worth(prize, u, at, slot) - toll_rate * (full[u] - detour[u])
            if worth > 0.0:
                if u == first:
                    best = k
                    break
                spent = max(detour[u] + stay[u], TINY)
                if mode == 0:
                    key = worth * noise[u] / spent
                elif mode == 1:
                    key = worth * worth * noise[u] / spent
                elif mode == 2:
                    key = worth * noise[u]
                elif mode == 3:
                    key = -spent * noise[u]
                else:
                    key = noise[u]
                if key > best_key:
                    best, best_key = k, key
            k += 1
        if best < 0:
            break
        u = out[best]
        waiting -= 1
        out[best] = out[waiting]
        r, p = in_route[u], at_place[u]
        _insert(r, p, u, seq, cnt)
        _refresh(r, seq, cnt, walk, stay, early, late, begin, end, arr, lat, pos, route)
        done = True
        a, b = seq[r, p - 1], seq[r, p + 1]
        for k in range(waiting):
            v = out[k]
            if in_route[v] == r:
                if at_place[v] == p:
                    _best_place(v, seq, cnt, walk, cost, stay, early, late, arr, lat, state, blink, found, where)  # fmt: skip
                    detour[v] = found[0]
                    full[v] = found[1]
                    in_route[v] = where[0]
                    at_place[v] = where[1]
                    continue
                if at_place[v] > p:
                    at_place[v] += 1
            now = cost[a, v] + cost[v, u] - cost[a, u]
            if now < full[v]:
                detour[v] = walk[a, v] + walk[v, u] - walk[a, u]
                full[v], in_route[v], at_place[v] = now, r, p
            now = cost[u, v] + cost[v, b] - cost[u, b]
            if now < full[v]:
                detour[v] = walk[u, v] + walk[v, b] - walk[u, b]
                full[v], in_route[v], at_place[v] = now, r, p + 1
    return done


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _in_time(
    line: Ints, k: int, r: int, walk: Floats, stay: Floats, early: Floats, late: Floats,
    begin: Floats, end: Floats,
) -> bool:  # fmt: skip
    """Whether the first ``k`` places of ``line`` can be walked in this order."""
    clock = begin[r]
    for p in range(1, k):
        b = line[p]
        clock = clock + stay[line[p - 1]] + walk[line[p - 1], b]
        if p < k - 1:
            clock = max(clock, early[b])
            if clock > late[b] + TINY:
                return False
    return bool(clock <= end[r] + TINY)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _take(
    r: int, k: int, line: Ints, checked: bool, seq: Ints, walk: Floats, stay: Floats,
    early: Floats, late: Floats, begin: Floats, end: Floats, pos: Ints,
) -> bool:  # fmt: skip
    """Make ``line`` walk r where it is in time."""
    if checked and not _in_time(line, k, r, walk, stay, early, late, begin, end):
        return False
    for p in range(1, k - 1):
        if seq[r, p] != line[p]:
            seq[r, p] = line[p]
            pos[line[p]] = p
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _reverse(
    r: int, i: int, j: int, k: int, checked: bool, seq: Ints, line: Ints, walk: Floats,
    stay: Floats, early: Floats, late: Floats, begin: Floats, end: Floats, pos: Ints,
) -> bool:  # fmt: skip
    """Walk places i..j the other way round."""
    for p in range(k):
        line[p] = seq[r, i + j - p] if i <= p <= j else seq[r, p]
    return bool(_take(r, k, line, checked, seq, walk, stay, early, late, begin, end, pos))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _move(
    r: int, i: int, length: int, after: int, flip: bool, k: int, checked: bool, seq: Ints,
    line: Ints, walk: Floats, stay: Floats, early: Floats, late: Floats, begin: Floats,
    end: Floats, pos: Ints,
) -> bool:  # fmt: skip
    """Put the ``length`` places from i behind place ``after``, turned round if ``flip``."""
    n = 0
    for p in range(k):
        if not i <= p < i + length:
            line[n] = seq[r, p]
            n += 1
        if p == after:
            for q in range(length):
                line[n] = seq[r, i + length - 1 - q] if flip else seq[r, i + q]
                n += 1
    return bool(_take(r, k, line, checked, seq, walk, stay, early, late, begin, end, pos))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _better_two(
    r: int, a: int, seq: Ints, cnt: Ints, route: Ints, pos: Ints, near: Ints, cost: Floats,
    checked: bool, line: Ints, walk: Floats, stay: Floats, early: Floats, late: Floats,
    begin: Floats, end: Floats,
) -> bool:  # fmt: skip
    """Try 2-opt around stop a; say whether it made the walk cheaper."""
    k = cnt[r]
    i = pos[a]
    after, before = seq[r, i + 1], seq[r, i - 1]
    for m in range(near.shape[1]):
        c = near[a, m]
        if c < 0:
            break
        if route[c] != r:
            continue
        near_by = walk[a, c]
        j = pos[c]
        gone = cost[a, after]
        if near_by < gone:
            d = seq[r, j + 1] if j + 1 < k else -1
            if d >= 0:
                delta = cost[a, c] + cost[after, d] - gone - cost[c, d]
                if delta < -1e-7:
                    lo, hi = (i + 1, j) if i < j else (j + 1, i)
                    if _reverse(r, lo, hi, k, checked, seq, line, walk, stay, early, late, begin, end, pos):  # fmt: skip
                        return True
        gone = cost[before, a]
        if near_by < gone:
            d = seq[r, j - 1]
            delta = cost[a, c] + cost[before, d] - gone - cost[d, c]
            if delta < -1e-7:
                lo, hi = (i, j - 1) if i < j else (j, i - 1)
                if _reverse(r, lo, hi, k, checked, seq, line, walk, stay, early, late, begin, end, pos):  # fmt: skip
                    return True
        if near_by >= cost[a, after] and near_by >= cost[before, a]:
            break
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _better_or(
    r: int, s: int, seq: Ints, cnt: Ints, route: Ints, pos: Ints, near: Ints, cost: Floats,
    checked: bool, line: Ints, walk: Floats, stay: Floats, early: Floats, late: Floats,
    begin: Floats, end: Floats,
) -> bool:  # fmt: skip
    """Try to move 1–3 stops that begin or end with s beside one of its neighbours."""
    k = cnt[r]
    for length in range(1, 4):
        for last in range(2 if length > 1 else 1):
            i = pos[s] - (length - 1 if last else 0)
            j = i + length - 1
            if i < 1 or j > k - 2:
                continue
            other = seq[r, i] if last else seq[r, j]
            a, b = seq[r, i - 1], seq[r, j + 1]
            gain = cost[a, seq[r, i]] + cost[seq[r, j], b] - cost[a, b]
            for m in range(near.shape[1]):
                c = near[s, m]
                if c < 0 or walk[s, c] >= gain:
                    break
                if route[c] != r:
                    continue
                q = pos[c]
                if i <= q <= j:
                    continue
                # s right behind c, or right before it.
                d = seq[r, q + 1] if q != i - 1 else b
                delta = cost[c, s] + cost[other, d] - cost[c, d] - gain
                if delta < -1e-7:
                    behind = q
                    if _move(r, i, length, behind, last == 1, k, checked, seq, line, walk, stay, early, late, begin, end, pos):  # fmt: skip
                        return True
                d = seq[r, q - 1] if q != j + 1 else a
                delta = cost[c, s] + cost[other, d] - cost[d, c] - gain
                if delta < -1e-7:
                    behind = q - 1 if q != j + 1 else i - 1
                    if _move(r, i, length, behind, last == 0, k, checked, seq, line, walk, stay, early, late, begin, end, pos):  # fmt: skip
                        return True
    return False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _straighten(
    r: int, seq: Ints, cnt: Ints, route: Ints, pos: Ints, near: Ints, cost: Floats,
    checked: bool, line: Ints, walk: Floats, stay: Floats, early: Floats, late: Floats,
    begin: Floats, end: Floats,
) -> bool:  # fmt: skip
    """Make one walk's order locally best; say whether anything changed."""
    changed = False
    again = True
    while again:
        again = False
        p = 1
        while p < cnt[r] - 1:
            u = seq[r, p]
            if _better_two(r, u, seq, cnt, route, pos, near, cost, checked, line, walk, stay, early, late, begin, end) or _better_or(r, u, seq, cnt, route, pos, near, cost, checked, line, walk, stay, early, late, begin, end):  # fmt: skip
                again = True
                changed = True
            else:
                p += 1
    return changed


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _take_out(seq: Ints, cnt: Ints, route: Ints, gone: NDArray[np.bool_]) -> None:
    """Remove every stop marked ``gone`` from the walks."""
    for r in range(seq.shape[0]):
        n = 1
        for p in range(1, cnt[r]):
            u = seq[r, p]
            if p < cnt[r] - 1 and gone[u]:
                route[u] = -1
            else:
                seq[r, n] = u
                n += 1
        cnt[r] = n


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _value(
    seq: Ints, cnt: Ints, walk: Floats, cost: Floats, prize: Floats, slot: float, arr: Floats,
    toll_rate: float, found: Floats,
) -> None:  # fmt: skip
    """Found = [prize less tolls, metres or minutes walked]."""
    worth = 0.0
    walked = 0.0
    full = 0.0
    for r in range(seq.shape[0]):
        for p in range(1, cnt[r]):
            a, b = seq[r, p - 1], seq[r, p]
            walked += walk[a, b]
            full += cost[a, b]
            if p < cnt[r] - 1:
                worth += _worth(prize, b, arr[r, p], slot)
    found[0] = worth - toll_rate * (full - walked)
    found[1] = walked


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def anneal(
    seq: Ints,  # (walks, places): where to go on from; holds the last walks afterwards
    cnt: Ints,  # (walks,) places in use, start and end among them
    best_seq: Ints,
    best_cnt: Ints,
    best: Floats,  # (2,) prize less tolls, and what is walked, of the best so far
    may: NDArray[np.bool_],  # (n,) stops that may be visited; starts and ends may not
    near: Ints,  # (n, k) nearest stops, nearest first, -1 beyond the last
    walk: Floats,
    cost: Floats,  # walking plus tolls, in units of time
    stay: Floats,
    prize: Floats,  # (n, slots)
    slot: float,
    early: Floats,
    late: Floats,
    begin: Floats,
    end: Floats,
    checked: bool,  # whether a cheaper order may yet be too late
    toll_rate: float,  # prize of one unit of toll
    walk_rate: float,  # prize of one unit of walking, small: of equal walks the shorter
    hot: float,
    cold: float,
    rounds: int,
    reach: int,  # most stops a round takes out
    state: NDArray[np.uint64],
) -> None:
    """Go ``rounds`` rounds on from ``seq`` while the temperature falls from ``hot`` to ``cold``."""
    walks, places = seq.shape
    n = len(may)
    if not may.any():
        best[0], best[1] = 0.0, 0.0
        for r in range(walks):
            best[1] += walk[seq[r, 0], seq[r, 1]]
        return
    now_seq, now_cnt = seq.copy(), cnt.copy()
    arr, lat = np.zeros((walks, places)), np.zeros((walks, places))
    pos, route = np.zeros(n, np.int64), np.full(n, -1, np.int64)
    now_route = np.full(n, -1, np.int64)
    gone = np.zeros(n, np.bool_)
    out, in_route, at_place = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    detour, full, noise = np.zeros(n), np.zeros(n), np.zeros(n)
    found, where = np.zeros(2), np.zeros(2, np.int64)
    line = np.zeros(places, np.int64)
    for u in range(n):
        if not may[u]:
            now_route[u] = -2
    route[:] = now_route
    for r in range(walks):
        _refresh(r, now_seq, now_cnt, walk, stay, early, late, begin, end, arr, lat, pos, now_route)
    _value(now_seq, now_cnt, walk, cost, prize, slot, arr, toll_rate, found)
    now = found[0] - walk_rate * found[1]
    fall = (cold / hot) ** (1.0 / max(1, rounds))
    heat = hot
    for _ in range(rounds):
        heat *= fall
        seq[:, :] = now_seq
        cnt[:] = now_cnt
        route[:] = now_route
        visited = 0
        for r in range(walks):
            visited += cnt[r] - 2
            for p in range(1, cnt[r] - 1):
                pos[seq[r, p]] = p
        gone[:] = False
        first = -1
        kind = _draw(state)
        most = max(1, min(reach, visited))
        wanted = 1 + _below(state, most)
        if visited == 0:
            pass
        elif kind < 0.45:
            # A stretch of one walk, or of several side by side.
            u = _below(state, n)
            while route[u] < 0:
                u = _below(state, n)
            r = route[u]
            strings = 1 if walks == 1 else 1 + _below(state, min(3, walks))
            for m in range(-1, near.shape[1]):
                v = u if m < 0 else near[u, m]
                if v < 0 or strings == 0:
                    break
                if route[v] < 0 or gone[v]:
                    continue
                if m >= 0 and route[v] == r:
                    continue
                r = route[v]
                length = min(wanted, cnt[r] - 2)
                p = max(1, min(pos[v] - _below(state, length), cnt[r] - 1 - length))
                for q in range(p, p + length):
                    gone[seq[r, q]] = True
                strings -= 1
        elif kind < 0.7:
            # What lies around a place.
            u = _below(state, n)
            while not may[u]:
                u = _below(state, n)
            if route[u] >= 0:
                gone[u] = True
            left = wanted
            for m in range(near.shape[1]):
                v = near[u, m]
                if v < 0 or left == 0:
                    break
                if route[v] >= 0 and _draw(state) < 0.85:
                    gone[v] = True
                    left -= 1
        elif kind < 0.9:
            # One left out goes in; what stands in its way goes out.
            u = _below(state, n)
            for _try in range(20):
                if route[u] == -1:
                    break
                u = _below(state, n)
            if route[u] == -1:
                first = u
                closest, r, at = np.inf, 0, 1
                for rr in range(walks):
                    for p in range(1, cnt[rr]):
                        a, b = seq[rr, p - 1], seq[rr, p]
                        d = cost[a, u] + cost[u, b] - cost[a, b]
                        if d < closest:
                            closest, r, at = d, rr, p
                length = min(wanted, cnt[r] - 2)
                if length > 0:
                    p = max(1, min(at - _below(state, length + 1), cnt[r] - 1 - length))
                    for q in range(p, p + length):
                        gone[seq[r, q]] = True
        else:
            # Here and there.
            for u in range(n):
                if route[u] >= 0 and _draw(state) * visited < wanted:
                    gone[u] = True
        _take_out(seq, cnt, route, gone)
        for r in range(walks):
            _refresh(r, seq, cnt, walk, stay, early, late, begin, end, arr, lat, pos, route)
        draw = _draw(state)
        mode = 0 if draw < 0.5 else 1 if draw < 0.65 else 2 if draw < 0.8 else 3 if draw < 0.9 else 4  # fmt: skip
        blink = 0.02 if _draw(state) < 0.5 else 0.0
        if draw < 0.3:
            for r in range(walks):
                if _straighten(r, seq, cnt, route, pos, near, cost, checked, line, walk, stay, early, late, begin, end):  # fmt: skip
                    _refresh(r, seq, cnt, walk, stay, early, late, begin, end, arr, lat, pos, route)
        again = True
        while again:
            again = _recreate(first, seq, cnt, route, pos, walk, cost, stay, prize, slot, early, late, begin, end, arr, lat, state, mode, blink, toll_rate, out, detour, full, in_route, at_place, noise, found, where)  # fmt: skip
            if again:
                again = False
                for r in range(walks):
                    if _straighten(r, seq, cnt, route, pos, near, cost, checked, line, walk, stay, early, late, begin, end):  # fmt: skip
                        again = True
                        _refresh(r, seq, cnt, walk, stay, early, late, begin, end, arr, lat, pos, route)  # fmt: skip
            blink = 0.0
        _value(seq, cnt, walk, cost, prize, slot, arr, toll_rate, found)
        value = found[0] - walk_rate * found[1]
        if found[0] > best[0] + TINY or (found[0] > best[0] - TINY and found[1] < best[1] - TINY):
            best[0] = found[0]
            best[1] = found[1]
            best_seq[:, :] = seq
            best_cnt[:] = cnt
        if value > now + heat * np.log(max(1e-300, _draw(state))):
            now = value
            now_seq[:, :] = seq
            now_cnt[:] = cnt
            now_route[:] = route
    seq[:, :] = now_seq
    cnt[:] = now_cnt
