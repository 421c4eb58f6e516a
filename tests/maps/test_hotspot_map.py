"""The hotspot map draws what was counted, where it was counted, and asks nobody for anything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maps.folium_page import lines, render
from maps.hotspot_map import (
    STEPS,
    Caption,
    CountedCell,
    Layers,
    Spot,
    colours,
    hotspot_map,
    radius,
    sample_density,
    steps_of,
)

CAPTION = Caption("热点图", ["2026", "n = 9"], "热点", "其他", "最深 {} 件", "台账")


def layers(ground, **changes) -> Layers:
    density = sample_density(
        lambda x, y: np.exp(-((x - 104.786) ** 2 + (y - 29.368) ** 2) / 2e-6),
        lambda lon, lat: (lon, lat),
        (104.78, 29.36, 104.79, 29.37),
    )
    given = {
        "spots": [
            Spot(29.3622, 104.7822, 40, True, ("3栋", "40 件"), "/requirements/new", "提出"),
            Spot(29.3622, 104.7823, 2, False, ("<b>门</b>", "2 件")),
        ],
        "cells": [CountedCell(ground.cells[0], 42, ("一号网格", "42 件"))],
        "density": density,
    }
    return Layers("地点", "网格", "密度", **(given | changes))


def test_the_map_has_its_layers_its_legend_and_no_outside_request(ground, opened):
    page, noted = opened(render(hotspot_map(ground, layers(ground), CAPTION)))
    names = page.locator(".leaflet-control-layers-overlays label").all_inner_texts()
    assert [name.strip() for name in names] == ["密度", "网格", "地点"]
    panel = page.locator(".panel").inner_text()
    assert "n = 9" in panel
    assert "最深 1 件" in panel
    page.locator(".leaflet-control-layers-overlays label").nth(1).click()
    page.evaluate("xungeMap.setZoom(19); 1")
    page.wait_for_timeout(400)
    assert page.locator("img.leaflet-image-layer").count() == 1
    assert noted == []


def test_words_of_a_place_are_escaped(ground):
    assert lines("<b>门</b>") == "<strong>&lt;b&gt;门&lt;/b&gt;</strong>"
    assert "<b>门" not in render(hotspot_map(ground, layers(ground), CAPTION))


def test_nothing_counted_is_a_map_without_marks(ground, opened):
    empty = layers(ground, spots=[], cells=[], density=None)
    _, noted = opened(render(hotspot_map(ground, empty, CAPTION)))
    assert noted == []


def test_the_picture_of_a_density_has_north_up_and_west_left(ground):
    picture = layers(ground).density
    row, column = np.unravel_index(picture.per_km2.argmax(), picture.per_km2.shape)
    rows, columns = picture.per_km2.shape
    assert row / rows == pytest.approx(0.2, abs=0.02)
    assert column / columns == pytest.approx(0.6, abs=0.02)
    # Pixels are square on the ground: a degree of longitude is shorter than one of latitude.
    assert columns / rows == pytest.approx(np.cos(np.radians(29.365)), abs=0.01)


def test_no_density_is_transparent_and_more_is_darker():
    painted = colours(np.array([[0.0, 0.2, 0.5, 1.0]]))[0]
    assert painted[0, 3] == 0
    assert (np.diff(painted[:, 3].astype(int)) > 0).all()
    assert (np.diff(painted[:, :3].astype(int).sum(axis=1)) < 0).all()
    assert not colours(np.zeros((2, 2)))[..., 3].any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=30))
def test_every_count_falls_into_a_class_of_the_legend(counts):
    bounds = steps_of(counts)
    assert bounds == sorted(set(bounds))
    assert len(bounds) <= len(STEPS)
    assert bounds[-1] >= max(counts, default=0)


def test_a_circles_area_grows_with_n():
    assert radius(100, 100) / radius(25, 100) == pytest.approx(2)
    assert radius(0, 100) == 4
    assert radius(3, 3) < 10  # three incidents are no giant, even where they are the most
