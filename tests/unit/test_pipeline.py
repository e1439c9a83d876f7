from datetime import date, datetime, timezone

import pytest

from segspark.config import Config
from segspark.core.declared import Part, Stage
from segspark.core.errors import GateError, LakeError
from segspark.core.runs import (
    WHOLE_RUN,
    StageRecord,
    attempts,
    finished_stages,
    newest_status,
    published_when_it_began,
    record,
    work_digest,
)
from segspark.core.stage import Run, StageResult
from segspark.pipeline import STAGES, RunRequest, publish_earlier, roll_back, run_pipeline

DAY = date(2024, 7, 1)


def doing(name, result):
    """A stage in the place of another, which computes nothing."""
    return Stage(name, (Part(lambda context: result),))


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


def test_an_attempt_is_compared_with_what_was_published_when_it_began(lake):
    assert published_when_it_began(lake, "r-2") is None
    recorded(lake, "r-1", WHOLE_RUN, "done")
    publish_earlier(lake, "r-1")
    recorded(lake, "r-2", "features", "done")
    recorded(lake, "r-3", WHOLE_RUN, "done")
    publish_earlier(lake, "r-3")
    recorded(lake, "r-2", "features", "done")
    assert published_when_it_began(lake, "r-2") == "r-1"
    assert published_when_it_began(lake, "r-4") == "r-3"


@pytest.mark.slow
def test_a_stage_that_refuses_the_run_keeps_it_from_being_published(lake, spark, monkeypatch, tmp_path):
    (tmp_path / "orders.csv").write_text("o,u,i,t\n1,ann,x,2024-03-01 10:00:00\n")
    columns = {"order_id": "o", "user_id": "u", "item_id": "i", "order_time": "to_timestamp(t)"}
    columns |= {"quantity": "1", "unit_price": "2", "status": "'paid'"}
    orders = {"path": str(tmp_path / "*.csv"), "format": "csv", "options": {"header": True}, "columns": columns}
    config = Config.model_validate({"lake": lake.root, "sources": {"orders": orders}})
    for name in STAGES:
        monkeypatch.setitem(STAGES, name, doing(name, StageResult()))
    monkeypatch.setitem(STAGES, "segments", doing("segments", StageResult({"segments": 3}, refused="too many moved")))
    with pytest.raises(GateError, match="too many moved") as refusal:
        run_pipeline(lake, config, RunRequest(), lambda line: None)
    assert refusal.value.exit_code == 3
    assert lake.published_run() is None
    (row,) = (row for row in newest_status(lake) if row.stage == "segments")
    assert (row.status, row.rows, row.note) == ("refused", 3, "too many moved")
    with pytest.raises(LakeError, match="is not whole: segments"):
        run_pipeline(lake, config, RunRequest(only=("publish",)), lambda line: None)
    monkeypatch.setitem(STAGES, "segments", doing("segments", StageResult()))
    assert run_pipeline(lake, config, RunRequest(resume=True), lambda line: None).published_seq == 1
