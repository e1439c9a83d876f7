"""One Spark session for all tests, started by the first that needs it."""

import os
from pathlib import Path

import pytest

from segspark.core.lake import Lake
from segspark.core.session import SessionConfig, open_session
from tests.browser import CHROMIUM

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")


def pytest_addoption(parser):
    page = "write the table of docs/reliability.md into this page"
    parser.addoption("--faults-account", metavar="PAGE", default=None, help=page)


# Files that take a minute and more. They go first: else one of them is left to one worker in the end.
LONG = (
    *("end_to_end/test_run.py", "unit/core/test_writers.py", "unit/core/test_running.py", "unit/shop/"),
    *("unit/features/test_user_features.py", "unit/bi/marts/", "unit/segments/", "properties/", "unit/ingest/"),
)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    items.sort(key=lambda item: not item.path.relative_to(here).as_posix().startswith(LONG))


LEAN = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    "spark.sql.ui.retainedExecutions": "100000",  # tests count executions; by default a thousand are kept
    "spark.databricks.delta.delta.log.cacheSize": "150",  # two megabytes each, of every table that any test wrote
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    config = SessionConfig(master="local[2]", driver_memory="2g", shuffle_partitions=2, conf=LEAN)
    session = open_session(config, str(tmp_path_factory.mktemp("checkpoints")), "segspark-tests")
    yield session
    session.stop()


@pytest.fixture
def lake(spark, tmp_path):
    return Lake(spark, str(tmp_path / "lake"))


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium; without one the test is skipped."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
