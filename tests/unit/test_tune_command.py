"""`segspark tune` in this process, on the shop of the recommend room's tests."""

from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml

from segspark import cli, pipeline
from segspark.config import load_config
from segspark.core.runs import StageRecord, record
from segspark.core.stage import Run
from tests.unit.recommend.test_stage import AS_OF, stock_shop

RECOMMEND = {
    "rank": 2,
    "iterations": 3,
    "alpha": 0.001,
    "evaluation": {"k": 4, "bootstrap_rounds": 60, "test_days": 15},
    "tuning": {"days": 10, "alphas": [0.5], "reg_params": [], "ranks": [], "rating_reg_params": [0.5]},
}


@pytest.fixture
def tune(lake, tmp_path, monkeypatch, capsys):
    """Runs the command on the lake; returns the exit code, stdout, stderr and the path of the configuration."""
    monkeypatch.setattr(pipeline, "open_lake", lambda config: lake)

    def run():
        path = tmp_path / "shop.yaml"
        rated = {"path": "ratings.csv", "format": "csv", "columns": {"user_id": "u", "item_id": "i"}}
        rated["columns"] |= {"rating": "r", "rated_at": "t"}
        path.write_text(yaml.safe_dump({"lake": lake.root, "sources": {"ratings": rated}, "recommend": RECOMMEND}))
        with pytest.raises(SystemExit) as ended:
            cli.main(["tune", "--config", str(path)])
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err, str(path)

    return run


def tables_of(lake):
    return {path for path in Path(lake.root).rglob("*") if path.is_file()}


@pytest.mark.slow
def test_the_last_lines_are_what_to_configure_and_no_table_is_written(lake, spark, tune):
    stock_shop(lake, spark)
    now = datetime.now(timezone.utc)
    record(lake, Run("r-1", AS_OF, 5, 7), "digest", [StageRecord("features", "done", now)])
    before = tables_of(lake)
    code, out, err, path = tune()
    assert code == 0, err
    assert tables_of(lake) == before
    assert "ndcg_at_k" in out and "als *" in out and "popularity" in out and "rmse" in out
    lines = yaml.safe_load(out[out.rindex("recommend:") :])["recommend"]
    assert set(lines) == {"rank", "reg_param", "alpha", "rating_reg_param"}
    assert lines["alpha"] in (0.001, 0.5) and lines["rating_reg_param"] in (0.1, 0.5)
    load_config(path, tuple(f"recommend.{key}={value}" for key, value in lines.items()))


def test_before_any_run_the_command_says_what_to_do_in_one_line(tune):
    code, _, err, _ = tune()
    assert code == 2
    assert err.strip() == "segspark: runs: no run has done the stage features yet; `segspark run` first"
