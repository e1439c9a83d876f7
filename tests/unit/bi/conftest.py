"""A lake with one run whose rows are known, and with what the report asks for of the one before."""

import pytest

from segspark.core.contracts import RUNS, SEGMENTS
from segspark.core.lake import Lake
from tests.builders import whole_rows, write_rows
from tests.unit.bi.report.fake_run import HOSTILE, FakeRun, segments, stages, write_run

FAKE = FakeRun(names={1: HOSTILE}, previous="r-before")


@pytest.fixture(scope="module")
def shop(spark, tmp_path_factory):
    """A lake with a run, and of the one that was published when it began what the report asks for."""
    lake, before = Lake(spark, str(tmp_path_factory.mktemp("shop"))), FakeRun("r-before")
    write_rows(lake, SEGMENTS, before.run_id, *segments(before))
    lake.append_rows(RUNS, whole_rows(RUNS, *stages(before)))
    write_run(lake, FAKE)
    return lake
