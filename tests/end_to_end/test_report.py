"""The reports of real runs in a browser: of the demo shop, and of online retail where its files are."""

from pathlib import Path

import pytest

from segspark.config import load_config
from segspark.core.contracts import USER_FEATURES
from segspark.core.lake import Lake
from segspark.pipeline import RunRequest, run_pipeline
from tests.browser import WIDTHS, keep_screenshot, open_page, serious_violations, strange_addresses, tab_stops
from tests.end_to_end.conftest import REPO

pytestmark = pytest.mark.slow
RETAIL = REPO.parent / "shared" / "data" / "online_retail"


@pytest.fixture(scope="module")
def demo_report(first_run):
    return Path(first_run.lake.path(f"reports/{first_run.run.run_id}.html"))


@pytest.fixture(scope="module")
def retail_report(spark, tmp_path_factory):
    files = sorted(RETAIL.glob("*.csv.gz"))
    if not files:
        pytest.skip(f"the files of online retail are not in {RETAIL}")
    lake_path = tmp_path_factory.mktemp("retail") / "lake"
    overrides = (f"lake={lake_path}", f"sources.orders.path={RETAIL}/*.csv.gz", "recommend.iterations=5")
    personas = f"segments.personas={REPO / 'conf' / 'personas.yaml'}"
    strategies = f"campaigns.strategies={REPO / 'conf' / 'strategies.yaml'}"
    config = load_config(str(REPO / "conf" / "datasets" / "online_retail.yaml"), (*overrides, personas, strategies))
    lake = Lake(spark, config.lake)
    outcome = run_pipeline(lake, config, RunRequest(), lambda line: None)
    return Path(lake.path(f"reports/{outcome.run.run_id}.html"))


def looked_at(browser, path, name):
    """The report at each width: quiet, alone, whole, within the window and without a serious violation."""
    assert path.stat().st_size < 3_000_000
    for width in WIDTHS:
        opened = open_page(browser, path, width)
        keep_screenshot(opened.page, f"{name}-{width}")
        assert (opened.said, strange_addresses(opened)) == ([], [])
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.page.locator("#map-1-live canvas").is_visible()
        assert len(tab_stops(opened.page)) > 10
        assert serious_violations(opened.page) == []
    return opened.page


def test_the_demos_report_is_for_everyone(browser, demo_report):
    page = looked_at(browser, demo_report, "demo")
    assert page.locator("#examples .card").count() == 4
    assert "Seconds that each stage took" in page.locator("#health .figtitle").all_text_contents()


def test_no_user_id_is_in_the_report(spark, first_run, demo_report):
    ids = {
        row.user_id for row in first_run.lake.read_run(USER_FEATURES, first_run.run.run_id).select("user_id").collect()
    }
    text = demo_report.read_text(encoding="utf-8")
    assert len(ids) > 300 and not [user_id for user_id in ids if user_id in text]


def test_online_retails_report_is_for_everyone(browser, retail_report):
    looked_at(browser, retail_report, "online-retail")
