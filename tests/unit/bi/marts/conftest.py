"""One lake with two runs and their marts, the first published."""

import pytest

from segspark.core.lake import Lake
from tests.unit.bi.marts.trading import write_shop


@pytest.fixture(scope="session")
def trading(spark, tmp_path_factory):
    """The lake; a test that publishes anything else goes back to r-1."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("it's a trade")))
    write_shop(lake)
    lake.publish("r-1", "me", "run", {}, {})
    return lake
