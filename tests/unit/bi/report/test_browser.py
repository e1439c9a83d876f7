"""The report in a browser. Set SEGSPARK_REPORT to the path of a report to look at a real one as well."""

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from segspark.bi.config import ReportConfig
from segspark.bi.report.campaign.rows import CampaignRows
from segspark.bi.report.content import RunRows
from segspark.bi.report.page import render_page
from tests.browser import WIDTHS, keep_screenshot, open_page, serious_violations, strange_addresses, tab_stops
from tests.unit.bi.report.fake_run import AS_OF, HOSTILE, FakeRun, compared_rows, run_rows

pytestmark = pytest.mark.slow
REAL = os.environ.get("SEGSPARK_REPORT")


def many_segments():
    """Fifteen segments, which are more than there are colours, with names of the length of a sentence."""
    rows = run_rows(FakeRun())
    first = rows.segments[0]
    segments = [
        {
            **first,
            "segment_id": n,
            "name": f"people who {'very ' * 20}often buy {n}",
            "pca": [n % 4, n // 4],
            "size": 60,
        }
        for n in range(15)
    ]
    points = [{"segment_id": n % 15, "x": n % 4 + n / 900, "y": n // 4 % 4 + n / 700} for n in range(600)]
    return replace(rows, segments=segments, samples={"value": points}, trees=())


# Dots of the first map's picture that the browser finds where they are drawn.
SEEN_DOTS = """() => {
  const map = document.querySelector("svg.still");
  map.scrollIntoView({block: "center", behavior: "instant"});
  let seen = 0;
  for (const path of map.querySelectorAll("path[stroke-linecap]"))
    for (const [, x, y] of path.getAttribute("d").matchAll(/M([-\\d.]+),([-\\d.]+)h0/g)) {
      const place = new DOMPoint(Number(x) + 1.5, Number(y)).matrixTransform(path.getScreenCTM());
      seen += document.elementsFromPoint(place.x, place.y).some(found => found.hasAttribute("stroke-linecap"));
    }
  return seen;
}"""

PAGES = {
    "whole": lambda: compared_rows(FakeRun()),
    "hostile": lambda: compared_rows(FakeRun(names={0: HOSTILE, 1: "=1+1", 2: "</script>\u2028x"}, category=HOSTILE)),
    "first-run": lambda: run_rows(FakeRun()),
    "no-segments": lambda: RunRows("r-1", AS_OF, 7),
    "one-segment": lambda: replace(run_rows(FakeRun()), segments=run_rows(FakeRun()).segments[:1], models=()),
    "no-recommendations": lambda: replace(run_rows(FakeRun()), metrics=(), examples=()),
    "no-campaigns": lambda: replace(run_rows(FakeRun()), campaign=CampaignRows()),
    "many-segments": many_segments,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Each page as a file by its name; a real report too, where one is named."""
    folder = tmp_path_factory.mktemp("pages")
    found = {"real": Path(REAL).resolve()} if REAL else {}
    for name, rows in PAGES.items():
        title = HOSTILE if name == "hostile" else "Segment report"
        (folder / f"{name}.html").write_text(render_page(rows(), ReportConfig(title=title)), encoding="utf-8")
        found[name] = folder / f"{name}.html"
    return found


@pytest.fixture(params=[*PAGES, *(["real"] if REAL else [])])
def name(request):
    return request.param


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_asks_the_network_for_nothing_complains_of_nothing_and_fits_the_window(browser, files, name, width):
    opened = open_page(browser, files[name], width)
    keep_screenshot(opened.page, f"{name}-{width}")
    assert opened.said == []
    assert strange_addresses(opened) == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_serious_violation(browser, files, name, width):
    assert serious_violations(open_page(browser, files[name], width).page) == []


def test_without_scripts_every_picture_is_seen_and_nothing_stands_empty(browser, files):
    page = open_page(browser, files["whole"], 1280, scripts=False).page
    keep_screenshot(page, "without-scripts-1280")
    pictures, places = page.locator("svg.still"), page.locator(".live")
    assert pictures.count() == places.count() > 5
    assert all(picture.is_visible() for picture in pictures.all() if picture.bounding_box())
    assert not any(place.is_visible() for place in places.all())


def test_on_paper_the_pictures_stand_for_the_live_charts(browser, files):
    page = open_page(browser, files["whole"], 1280).page
    assert page.locator("#map-1-live").is_visible() and not page.locator("svg.still").first.is_visible()
    page.emulate_media(media="print")
    assert not page.locator("#map-1-live").is_visible() and page.locator("svg.still").first.is_visible()
    assert page.evaluate(SEEN_DOTS) > 1000
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("width", WIDTHS)
def test_a_chart_tells_what_is_under_the_pointer(browser, files, width):
    page = open_page(browser, files["whole"], width).page
    assert "ingest" in hovered(page, "#stages-live .mark-rect.role-mark path", "Seconds")
    assert "95% interval" in hovered(page, "#metrics-live .mark-symbol path", "Bestsellers")
    assert "harms" in hovered(page, "#effects-live .mark-symbol path", "Coupon")
    assert "Segments" in hovered(page, "#k-1-silhouette-live .mark-symbol path", "Silhouette")


def test_the_map_tells_whose_centre_is_under_the_pointer(browser, files):
    page = open_page(browser, files["whole"], 1280).page
    canvas = page.locator("#map-1-live canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    told = set()
    for step in range(40):  # along the line on which the first segment's centre lies
        page.mouse.move(box["x"] + box["width"] * (0.1 + step / 50), box["y"] + box["height"] * 0.37)
        page.wait_for_timeout(15)
        told.add(page.locator("#tip").text_content() if page.locator("#tip").count() else "")
    assert any("Economy" in text and "900" in text for text in told)  # the badge
    assert any("One user of" in text for text in told)  # a dot


def hovered(page, selector, expected):
    """The tool-tip over the first element of the selector that has one with the expected text."""
    for mark in page.locator(selector).all()[:8]:
        mark.scroll_into_view_if_needed()
        mark.hover(force=True)
        page.wait_for_timeout(60)
        text = page.locator("#tip.visible").text_content() if page.locator("#tip.visible").count() else ""
        if expected in (text or ""):
            return text
    raise AssertionError(f"no tool-tip with {expected!r} over {selector}")


def test_a_name_in_a_tool_tip_is_text_and_nothing_else(browser, files):
    page = open_page(browser, files["hostile"], 1280).page
    page.evaluate("() => { window.alert = () => { window.alarmed = true } }")
    canvas = page.locator("#map-1-live canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for step in range(40):
        page.mouse.move(box["x"] + box["width"] * (0.1 + step / 50), box["y"] + box["height"] * 0.37)
        page.wait_for_timeout(15)
        if page.locator("#tip.visible").count() and "alert" in (page.locator("#tip").text_content() or ""):
            break
    else:
        raise AssertionError("the hostile name was never shown")
    assert page.locator("#tip script, #tip [onload]").count() == 0
    assert page.evaluate("window.alarmed") is None


@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_key_goes_down_the_page_and_shows_where_it_is(browser, files, width):
    page = open_page(browser, files["whole"], width).page
    stops = tab_stops(page)
    assert stops[0]["text"] == "Skip to the report"
    links = [stop["text"] for stop in stops[1:] if stop["tag"] == "A"]
    assert links[:2] == ["Summary", "Segments by value"]
    after = [stop for stop in stops[1:] if stop["top"] > 400]
    assert len(after) > 8 and all(one["top"] <= other["top"] + 60 for one, other in pairwise(after))
    assert all(stop["outlined"] for stop in stops)


def test_the_skip_link_and_the_contents_lead_where_they_say(browser, files):
    page = open_page(browser, files["whole"], 1280).page
    for link in page.locator(".contents a").all():
        link.click()
        target = link.get_attribute("href")
        assert page.url.endswith(target) and page.locator(target).is_visible()
