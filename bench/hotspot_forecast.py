"""Rolling weekly forecasts of a city's incidents, scored as published: hit rate, PAI and PEI.

The area is the cells in which something happened in the first year, and those within 150 m (one
cell at least) of them: what was known before the first forecast, of any category. The cells are taken in the order of their score; a share of the area is that share
of its cells, rounded up. PAI is the hit rate over the share of area (S. Chainey, L. Tompson and
S. Uhlig, Security Journal 21 (2008) 4–28); PEI is the hits over the most that as many cells could
have hit that week (J. M. Hunt, 2016). Hit rates are means over weeks, each week alike.
"""

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from bench.measure import NotAnInstance
from maps.density import Raster
from maps.forecast import (
    all_members,
    hits,
    lag_weights,
    mixture_weights,
    shares,
    smooth_weeks,
)

YEAR_WEEKS = 52
AREA_REACH_M = 150.0
SHARES_OF_AREA = (0.01, 0.05, 0.10)
BOOTSTRAPS = 2000
SEED = 1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class City:
    """A city's incidents in metres and whole weeks from the first day on."""

    x: Floats
    y: Floats
    week: Ints
    asked: NDArray[np.bool_]
    """Which incidents are of the category to forecast; the others may help to."""
    weeks: int
    start: datetime
    """The midnight the first week starts at, whatever its weekday."""
    projection: str
    """Of x and y, in PROJ's words."""


def read_city(file: Path, category: str | None) -> City:
    """Read t, lon, lat, cat; a row whose time or place cannot be read is left out."""
    times, lon, lat, cat = [], [], [], []
    with gzip.open(file, "rt", newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            try:
                at = datetime.fromisoformat(row["t"]).replace(tzinfo=None)
                where = float(row["lon"]), float(row["lat"])
            except (KeyError, TypeError, ValueError):
                continue
            if np.isfinite(where).all():
                times.append(at)
                lon.append(where[0])
                lat.append(where[1])
                cat.append(row.get("cat") or "")
    asked = np.array([category is None or c == category for c in cat], bool)
    if not asked.any():
        raise NotAnInstance(
            file,
            f"no usable incident (columns t, lon, lat, cat; category {category or 'any'})",
        )
    first = min(times).replace(hour=0, minute=0, second=0, microsecond=0)
    week = np.array([(at - first).days // 7 for at in times], np.int64)
    weeks = ((max(times) - first).days + 1) // 7
    if weeks < YEAR_WEEKS + 6:
        raise NotAnInstance(
            file, f"{weeks} weeks of incidents; a forecast is tested on {YEAR_WEEKS + 6} or more"
        )
    projection = f"+proj=tmerc +lon_0={np.median(lon):.6f} +lat_0={np.median(lat):.6f} +ellps=WGS84"
    x, y = pyproj.Proj(projection)(np.array(lon), np.array(lat))
    return City(np.asarray(x), np.asarray(y), week, asked, weeks, first, projection)


def measure_forecast(
    city: City, cell_m: float, out: Path, say: Callable[[str], None]
) -> dict[str, object]:
    """Forecast every week after the tuning third, write the rankings, return the summary."""
    known = city.week < YEAR_WEEKS
    reach = max(1, round(AREA_REACH_M / cell_m))
    edge = (reach + 1) * cell_m
    x, y = city.x[known], city.y[known]
    raster = Raster.over((x.min() - edge, y.min() - edge, x.max() + edge, y.max() + edge), cell_m)
    square = np.ones((2 * reach + 1, 2 * reach + 1), bool)
    area = binary_dilation(raster.bin(x, y) > 0, square)
    row, column = np.nonzero(area)
    start = YEAR_WEEKS + (city.weeks - YEAR_WEEKS) // 3
    came = _counts(city, raster)[:, area]
    outside = np.bincount(city.week[city.asked], minlength=city.weeks + 1)[: city.weeks]
    say(f"{area.sum()} cells, {city.weeks} weeks, tested from week {start}")

    sources = [city.asked] if city.asked.all() else [city.asked, np.ones_like(city.asked)]
    members = all_members()
    said = np.concatenate([_say(city, s, raster, area) for s in sources])
    weight = mixture_weights(said[:, YEAR_WEEKS:start], came[YEAR_WEEKS:start])
    ensemble = np.tensordot(weight.astype(np.float32), said, axes=1)
    single, chosen = _best_single(said, came, outside, start)
    chance = np.random.default_rng(SEED).random(came.shape)

    fixed = np.broadcast_to(came[start:].sum(axis=0), came.shape)  # hindsight: what no map can beat

    methods = {
        "ensemble": ensemble,
        "single": single,
        "last_4_weeks": _last(came, 4),
        "last_52_weeks": _last(came, 52),
        "best_fixed_map": fixed,
        "random": chance,
    }
    test = range(start, city.weeks)
    rates = {name: _rates(score, came, outside, test) for name, score in methods.items()}
    best = _rates(came, came, outside, test)
    _write_rankings(out, ensemble, row, column, city, test)
    kinds = [
        {"source": "asked" if k < len(members) else "all", "bandwidth_m": m.bandwidth_m,
         "half_life_weeks": None if m.seasonal else m.half_life_weeks, "seasonal": m.seasonal,
         "weight": round(float(w), 4)}
        for k, (w, m) in enumerate(zip(weight, members * len(sources), strict=True))
        if w >= 0.001
    ]  # fmt: skip
    summary: dict[str, object] = {
        "cells": int(area.sum()),
        "cell_m": cell_m,
        "area": "cells within reach of the first year's incidents",
        "grid": {"projection": city.projection, "west": raster.west, "south": raster.south},
        "incidents_per_week": round(float(outside[start:].mean()), 1),
        "outside_area": int(outside[start:].sum() - came[start:].sum()),
        "tuning_weeks": start - YEAR_WEEKS,
        "test_weeks": len(test),
        "at_share_of_area": list(SHARES_OF_AREA),
        "methods": {
            name: {
                "hit_rate": _rounded(found.mean(axis=0)),
                "pai": _rounded(found.mean(axis=0) / SHARES_OF_AREA),
                "pei": _rounded(found.mean(axis=0) / best.mean(axis=0)),
            }
            for name, found in rates.items()
        },
        "ensemble_minus": {
            name: _paired(rates["ensemble"] - rates[name])
            for name in ("single", "last_4_weeks", "last_52_weeks", "random")
        },
        "single": chosen,
        "weights": kinds,
    }
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (out / "summary.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _counts(city: City, raster: Raster) -> NDArray[np.float32]:
    return np.stack(
        [
            raster.bin(city.x[of_week], city.y[of_week]).astype(np.float32)
            for of_week in (city.asked & (city.week == w) for w in range(city.weeks))
        ]
    )


def _last(came: NDArray[np.float32], weeks: int) -> NDArray[np.float32]:
    return np.stack([came[max(0, t - weeks) : t].sum(axis=0) for t in range(len(came))])


def _say(
    city: City, chosen: NDArray[np.bool_], raster: Raster, area: NDArray[np.bool_]
) -> NDArray[np.float32]:
    smoothed = {
        h: smooth_weeks(
            city.x[chosen], city.y[chosen], city.week[chosen], city.weeks, raster, area, h
        )
        for h in {m.bandwidth_m for m in all_members()}
    }
    return np.stack(
        [shares(lag_weights(city.weeks, m) @ smoothed[m.bandwidth_m]) for m in all_members()]
    )


def _best_single(
    said: NDArray[np.float32], came: NDArray[np.float32], total: Ints, start: int
) -> tuple[NDArray[np.float32], dict[str, object]]:
    """Return the one member of the highest hit rate in the tuning weeks."""
    tuning = range(YEAR_WEEKS, start)
    found = [float(_rates(s, came, total, tuning)[:, 1:].mean()) for s in said]
    k = int(np.argmax(found))
    members = all_members()
    m = members[k % len(members)]
    return said[k], {
        "source": "asked" if k < len(members) else "all",
        "bandwidth_m": m.bandwidth_m,
        "half_life_weeks": None if m.seasonal else m.half_life_weeks,
    }


def _rates(
    score: NDArray[np.floating], came: NDArray[np.floating], total: Ints, weeks: range
) -> Floats:
    """Return hit rates, shape (weeks, shares of area); incidents outside the area are missed."""
    cells = came.shape[1]
    return np.array(
        [
            [
                hits(np.asarray(score[t]), np.asarray(came[t]), int(np.ceil(share * cells)))
                / max(1, int(total[t]))
                for share in SHARES_OF_AREA
            ]
            for t in weeks
            if total[t]
        ]
    )


def _paired(difference: Floats) -> list[dict[str, float]]:
    """Return the mean difference at each share with its 95 % interval, weeks drawn again."""
    draw = np.random.default_rng(SEED).integers(0, len(difference), (BOOTSTRAPS, len(difference)))
    drawn = difference[draw].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    mean = difference.mean(axis=0)
    return [
        {"mean": round(float(m), 4), "low": round(float(a), 4), "high": round(float(b), 4)}
        for m, a, b in zip(mean, low, high, strict=True)
    ]


def _rounded(values: Floats) -> list[float]:
    return [round(float(v), 4) for v in values]


def _write_rankings(
    out: Path, score: NDArray[np.floating], row: Ints, column: Ints, city: City, weeks: range
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for t in weeks:
        order = np.argsort(-score[t], kind="stable")
        day = city.start + timedelta(weeks=t)
        with (out / f"week-{day:%Y-%m-%d}.csv").open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(["row", "column", "score"])
            lines.writerows((int(row[k]), int(column[k]), f"{score[t][k]:.6g}") for k in order)
