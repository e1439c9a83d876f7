"""A page opened in the system's Chromium, and what a person meets there."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
SCREENSHOTS = Path(__file__).parents[1] / "build" / "screenshots"  # ignored by git
WIDTHS = (1280, 390)


@dataclass
class Opened:
    """A page with all that the browser said about it."""

    page: object
    said: list[str] = field(default_factory=list)  # in the console, errors of the page among it
    asked: list[str] = field(default_factory=list)  # addresses, but that of the file itself


def open_page(browser, path, width, scripts=True) -> Opened:
    """Opens the file in a window of that width; waits until every chart is drawn anew."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.said.append(f"{message.type}: {message.text}"))
    opened.page.on("pageerror", lambda error: opened.said.append(f"error: {error}"))
    opened.page.on("request", lambda request: opened.asked.append(request.url))
    opened.page.goto(path.as_uri())
    opened.asked.remove(path.as_uri())
    if scripts:
        everything = "document.querySelectorAll('figure.is-live').length === document.querySelectorAll('.live').length"
        opened.page.wait_for_function(everything, timeout=30_000)
    return opened


def strange_addresses(opened) -> list[str]:
    """What the page asked for beyond itself."""
    return [url for url in opened.asked if not url.startswith(("data:", "blob:"))]


def serious_violations(page) -> list[tuple[str, list[str]]]:
    """What axe-core finds serious or critical in the page with everything unfolded: the rule and some places.

    Its script comes over the debugger, which the page's policy does not see.
    """
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.evaluate("document.querySelectorAll('details').forEach(found => { found.open = true })")
    found = [each for each in axe.Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]
    return [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found]


def keep_screenshot(page, name):
    """A picture of the whole page, kept for whoever wants to look."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=True)


def tab_stops(page, most=200):
    """What the tab key reaches, in order: a text for each, with its vertical place in the page."""
    page.evaluate("window.scrollTo(0, 0)")
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            "() => { const e = document.activeElement; if (!e || e === document.body) return null;"
            " const box = e.getBoundingClientRect(); return {tag: e.tagName, text: e.textContent.trim().slice(0, 60),"
            " top: Math.round(box.top + scrollY), left: Math.round(box.left),"
            " outlined: getComputedStyle(e).outlineStyle !== 'none'}; }"
        )
        if stop is None or (stops and stop == stops[0]):
            break
        stops.append(stop)
    return stops
