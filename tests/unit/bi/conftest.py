"""A lake with one run whose rows are known, and with what the report asks for of the one before."""

import pytest

from segspark.core.contracts import RUNS, SEGMENTS
from segspark.core.lake import Lake
from tests.builders import rows_of
from tests.unit.bi.report.fake_run import HOSTILE, FakeRun, segments, stages, write_run

FAKE = FakeRun(names={1: HOSTILE}, previous="r-before")


@pytest.fixture(scope="module")
def shop(spark, tmp_path_factory):
    """A lake with a run, and of the one that was published when it began what the report asks for."""
    lake, before = Lake(spark, str(tmp_path_factory.mktemp("shop"))), FakeRun("r-before")
    lake.replace_run(SEGMENTS, rows_of(spark, SEGMENTS, *segments(before)), before.run_id)
    lake.append(RUNS, rows_of(spark, RUNS, *stages(before)))
    write_run(lake, FAKE)
    return lake
