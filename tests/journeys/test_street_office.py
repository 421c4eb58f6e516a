"""The street office's errand: see where it is hot, ask for a patrol there, see it on the list."""

import re

from api.accounts import Role
from tests.journeys.conftest import PHONE


def test_from_the_hotspot_map_to_a_patrol_requirement(live):
    page = live.page()
    live.sign_in(page, live.account(Role.STREET_OFFICE))
    page.goto(f"{live.address}/hotspots")
    assert "433 → 338" in page.locator(".figures").inner_text()
    live.shot(page, "hotspots")

    # Narrow to the noise of the evenings, and look at the map in its frame.
    page.select_option("select[name=category]", "噪音扰民")
    page.select_option("select[name=from_hour]", "18")
    page.select_option("select[name=to_hour]", "23")
    page.click("form.filters button")
    page.locator("iframe.map").scroll_into_view_if_needed()
    frame = page.frame_locator("iframe.map")
    assert "噪音扰民 · 18:00–23:00" in frame.locator(".panel").inner_text()
    map_frame = next(f for f in page.frames if "/hotspots/map" in f.url)
    map_frame.wait_for_function("window.xungeMap !== undefined")
    live.shot(page, "hotspots-evening-noise")
    page.wait_for_timeout(500)  # the frame is as high as the window again
    # The largest circle is the hottest place: open its note and follow its link.
    map_frame.evaluate(
        """() => {
            let best = null;
            xungeMap.eachLayer((layer) => {
                if (layer.getRadius && layer.getPopup()
                    && (!best || layer.options.full > best.options.full)) { best = layer; }
            });
            best.openPopup();
        }"""
    )
    page.wait_for_timeout(500)  # the map has slid to show the whole note
    note = frame.locator(".leaflet-popup-content")
    assert "铸钢花园5栋" in note.inner_text()
    note.locator("a").press("Enter")

    # The browser changes its process on the way out of the frame: ask for the page, not its events.
    page.locator("input[name=category]").wait_for()
    assert "/requirements/new" in page.url
    assert page.input_value("input[name=category]") == "噪音扰民"
    assert page.input_value("input[name=band_start]") == "19:00"
    assert "铸钢花园5栋" in page.locator("select[name=place] option:checked").inner_text()
    live.shot(page, "requirement-form")
    page.click("form.stack button.primary")
    page.wait_for_url(re.compile("/requirements#r"))
    listed = page.locator(".requirement")
    assert listed.count() == 1
    assert "铸钢花园5栋 · 噪音扰民" in listed.inner_text()
    assert "待生效" in listed.inner_text()
    live.shot(page, "requirements")

    page.goto(f"{live.address}/hotspots")
    with page.expect_download() as download:
        page.click("text=下载地图")
    assert download.value.suggested_filename.endswith(".html")
    assert live.console_errors == []


def test_the_job_raises_requirements_while_one_watches(live):
    page = live.page(PHONE)
    live.sign_in(page, live.account(Role.TEAM_LEAD))
    page.goto(f"{live.address}/hotspots")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    live.shot(page, "hotspots-phone")
    page.click("text=按去年热点一并提出巡逻要求")
    page.wait_for_url(re.compile("/requirements"), timeout=60_000)
    told = page.locator("main").inner_text()
    for place in (
        "铸钢花园5栋 · 噪音扰民",
        "铸钢花园13栋 · 高空抛物",
        "印象西区消防通道 · 占用消防通道",
    ):
        assert place in told
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    live.shot(page, "requirements-phone")
    assert live.console_errors == []
