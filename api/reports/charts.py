"""The report's pictures as PNG: weeks, hours by weekday, and places over the community's ground."""

from collections.abc import Sequence
from io import BytesIO
from math import cos, radians
from typing import Any

import shapely
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager

from api.reports.figures import Report
from grid.shapes import Basemap, Shape

FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei")
DPI = 160
BRAND, SOFT, HOT, GREY = "#0f4c81", "#c9d9ea", "#c0392b", "#9aa7b4"
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def font(size: float) -> FontProperties:
    """Return a font that has Chinese, whichever is installed."""
    known = {entry.name for entry in fontManager.ttflist}
    family = next((name for name in FAMILIES if name in known), "sans-serif")
    return FontProperties(family=family, size=size)


def _png(figure: Figure) -> bytes:
    out = BytesIO()
    # No dates or versions inside: the same report is the same file.
    figure.savefig(out, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    return out.getvalue()


def weeks_chart(report: Report) -> bytes:
    """Return a bar for each of the last weeks, its n on top; the report's own weeks are dark."""
    figure = Figure(figsize=(6.6, 2.3))
    axes = figure.subplots()
    names = [f"{start:%m-%d}" for start, _ in report.weeks]
    counts = [n for _, n in report.weeks]
    colours = [BRAND if start >= report.first else SOFT for start, _ in report.weeks]
    bars = axes.bar(range(len(counts)), counts, color=colours, width=0.75)
    axes.bar_label(bars, fontproperties=font(7.5), padding=1)
    axes.set_xticks(range(len(names)), names, fontproperties=font(7.5), rotation=40)
    axes.set_title("每七天的件数（按截止日倒推，下标为起始日）", fontproperties=font(9))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_yticks([])
    return _png(figure)


def hours_chart(report: Report) -> bytes:
    """Return weekday × hour as shaded squares with their n."""
    figure = Figure(figsize=(6.6, 2.2))
    axes = figure.subplots()
    axes.imshow(report.matrix, cmap="OrRd", aspect="auto", vmin=0)
    most = max(max(row) for row in report.matrix) or 1
    for day, row in enumerate(report.matrix):
        for hour, n in enumerate(row):
            if n:
                axes.text(
                    hour, day, str(n), ha="center", va="center", fontproperties=font(6.5),
                    color="white" if n > 0.6 * most else "#222222",
                )  # fmt: skip
    axes.set_xticks(range(24), [str(hour) for hour in range(24)], fontproperties=font(7.5))
    axes.set_yticks(range(7), WEEKDAYS, fontproperties=font(7.5))
    axes.set_title("星期 × 小时", fontproperties=font(9))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return _png(figure)


def map_chart(
    report: Report, base: Basemap, spots: Sequence[tuple[float, float, int, bool]]
) -> bytes:
    """Return the places of the period over the ground; area is n, red is hot over the year.

    ``spots``: longitude, latitude, n, hot.
    """
    figure = Figure(figsize=(6.6, 5.2))
    axes = figure.subplots()
    ground = (base.boundary,) if base.boundary else ()
    for shapes, face, edge, width in (
        (ground, "#f7f7f4", "#888888", 1.0),
        (base.cells, "none", "#cfd6dd", 0.5),
        (base.buildings, "#dcdfe3", "none", 0.0),
    ):
        for shape in shapes:
            _fill(axes, shape, face, edge, width)
    for shape in base.walkways:
        for line in shapely.get_parts(shapely.geometry.shape(shape.geometry)):
            axes.plot(*line.xy, color="#e8c98f", lw=0.6, zorder=1)
    for lon, lat, n, hot in spots:
        axes.scatter(
            [lon], [lat], s=18 * n, color=HOT if hot else BRAND, alpha=0.65, lw=0.4, ec="white",
            zorder=3,
        )  # fmt: skip
    bounds = shapely.geometry.shape(base.boundary.geometry).bounds if base.boundary else None
    if bounds:
        _scale_and_north(axes, bounds)
    axes.set_title(
        f"{report.community}，圆面积为件数，红色为近一年仍显著的热点", fontproperties=font(9)
    )
    axes.axis("off")
    return _png(figure)


def _fill(axes: Any, shape: Shape, face: str, edge: str, width: float) -> None:  # noqa: ANN401 - matplotlib's
    for part in shapely.get_parts(shapely.geometry.shape(shape.geometry)):
        if part.geom_type == "Polygon":
            axes.fill(*part.exterior.xy, fc=face, ec=edge, lw=width, zorder=0)


def _scale_and_north(axes: Any, bounds: tuple[float, float, float, float]) -> None:  # noqa: ANN401
    """Draw 200 m, and where north is; a degree of longitude is shorter than one of latitude."""
    west, south, east, north = bounds
    middle = (south + north) / 2
    shrink = cos(radians(middle))
    axes.set_aspect(1 / shrink)
    metre = 1 / (111_320 * shrink)
    x, y = west, south - 0.03 * (north - south)
    axes.plot([x, x + 200 * metre], [y, y], color="#222222", lw=2)
    axes.text(x + 100 * metre, y, "200 米", ha="center", va="bottom", fontproperties=font(7.5))
    axes.annotate(
        "北", xy=(east, north), xytext=(east, north - 0.08 * (north - south)), ha="center",
        fontproperties=font(8), arrowprops={"arrowstyle": "-|>", "color": "#222222"},
    )  # fmt: skip
