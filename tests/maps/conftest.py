"""Leaflet configured, and a browser that counts what a page asks for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from api.settings import Settings
from grid.shapes import Basemap, Shape
from maps.folium_page import configure_assets
from tests.journeys.conftest import chromium_browser

__all__ = ["chromium_browser"]


@pytest.fixture(autouse=True)
def _leaflet() -> None:
    configure_assets(Settings().offline_assets)


@pytest.fixture
def opened(chromium_browser, tmp_path: Path) -> Iterator[Callable[..., tuple[Page, list[str]]]]:
    """Open HTML in a browser; return the page and every address it asked for or erred about."""
    contexts = []

    def open_html(html: str, width: int = 1280) -> tuple[Page, list[str]]:
        path = tmp_path / f"map{len(contexts)}.html"
        path.write_text(html, encoding="utf-8")
        context = chromium_browser.new_context(viewport={"width": width, "height": 800})
        contexts.append(context)
        page = context.new_page()
        noted: list[str] = []
        context.on(
            "request",
            lambda r: noted.append(r.url) if not r.url.startswith(("file:", "data:")) else None,
        )
        page.on("console", lambda m: noted.append(m.text) if m.type != "log" else None)
        page.on("pageerror", lambda e: noted.append(str(e)))
        page.goto(path.as_uri())
        page.wait_for_function("window.xungeMap !== undefined")
        return page, noted

    yield open_html
    for context in contexts:
        context.close()


def square(west: float, south: float, size: float) -> dict[str, object]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture
def ground() -> Basemap:
    """A boundary, an estate, a cell, two buildings, a street and a path, a key place."""
    line = {"type": "LineString", "coordinates": [[104.78, 29.361], [104.79, 29.362]]}
    return Basemap(
        boundary=Shape(square(104.78, 29.36, 0.01), "试验社区"),
        estates=(Shape(square(104.781, 29.361, 0.004), "铸钢花园", "public_rental"),),
        cells=(Shape(square(104.78, 29.36, 0.01), "一号网格"),),
        buildings=(
            Shape(square(104.782, 29.362, 0.0004), "3栋", "residential", 1),
            Shape(square(104.783, 29.363, 0.0004), "</script><script>alert(1)</script>", "school"),
        ),
        walkways=(Shape(line, "铸钢路", "tertiary"), Shape(line, "", "steps")),
        places=(
            Shape({"type": "Point", "coordinates": [104.784, 29.364]}, "消防通道", "fire_lane"),
        ),
    )
