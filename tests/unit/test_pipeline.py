from datetime import date, datetime, timezone

import pytest

from segspark.core.errors import LakeError
from segspark.core.runs import WHOLE_RUN, StageRecord, attempts, finished_stages, record, work_digest
from segspark.core.stage import Run
from segspark.pipeline import publish_earlier, roll_back

DAY = date(2024, 7, 1)


def recorded(lake, run_id, stage, status):
    run = Run(run_id, DAY, 1, 7)
    record(lake, run, "digest", [StageRecord(stage, status, datetime.now(timezone.utc))])


def test_the_same_work_has_the_same_digest_and_any_change_another():
    same = work_digest("c", 3, DAY)
    assert work_digest("c", 3, DAY) == same
    others = {work_digest("d", 3, DAY), work_digest("c", 4, DAY), work_digest("c", 3, date(2024, 7, 2))}
    assert len(others) == 3 and same not in others


def test_going_back_publishes_what_was_visible_before_and_only_whole_runs_are_published(lake):
    with pytest.raises(LakeError, match="nothing was published"):
        roll_back(lake)
    for run_id in ("r-1", "r-2", "r-3"):
        recorded(lake, run_id, WHOLE_RUN, "done")
        publish_earlier(lake, run_id)
    assert roll_back(lake) == ("r-2", 4)
    assert lake.published_run() == "r-2"
    assert roll_back(lake) == ("r-1", 5)
    with pytest.raises(LakeError, match="r-1 is the first run"):
        roll_back(lake)
    recorded(lake, "r-4", "features", "done")
    with pytest.raises(LakeError, match="r-4 is not whole"):
        publish_earlier(lake, "r-4")
    assert lake.published_run() == "r-1"


def test_a_stage_that_failed_after_it_was_done_is_not_finished(lake):
    recorded(lake, "r-10", "features", "done")
    recorded(lake, "r-10", "segments", "skipped")
    recorded(lake, "r-10", "features", "failed")
    recorded(lake, "r-2", "features", "done")
    assert finished_stages(lake, "r-10") == {"segments"}
    assert attempts(lake, "r") == ["r-2", "r-10"]
