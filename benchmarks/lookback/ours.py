"""What the stage campaigns does of earlier ones: measured by a first run, or by one that follows it."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.contestant import Ready, Task
from benchmarks.lookback.shop import ACTIONS, AS_OF, SEGMENTS, STRATEGIES, write_lake
from benchmarks.spark import bytes_read, copy_lake, session
from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.history import plans_made, publications_seen
from segspark.campaigns.stage import Offer, follow_up
from segspark.core.contracts import CAMPAIGNS, PUBLICATIONS, RUNS
from segspark.core.lake import Lake
from segspark.core.runs import StageRecord, record
from segspark.core.stage import Run, StageContext


def run(task: Task, ready: Ready) -> dict[str, Any]:
    """Leaves the lake at `output` and beside it how many campaigns were settled. Tells the bytes that were read.

    Settings: `prepares` writes the lake and measures once; else run r3 measures a week later. Where it does not
    `follow` r2, the ledger does not know that run, so that nothing that it measured counts.
    """
    root = Path(task.output)
    if not task.settings["prepares"]:
        copy_lake(task.inputs["history"], root)
    spark = session(task)
    ready()
    lake = Lake(spark, str(root))
    if task.settings["prepares"]:
        write_lake(lake, int(task.inputs["contacts"]))
        lake.publish("r1", "benchmark", "run", {}, {})
        _measure(lake, Run("r2", AS_OF, 1, 7, "r1"))
        lake.publish("r2", "benchmark", "run", {}, {})
        spark.stop()
        return {}
    before = bytes_read(spark)
    if not task.settings["follows"]:
        lake.delete(RUNS, "run_id = 'r2'")
    settled = _measure(lake, Run("r3", AS_OF + timedelta(days=7), 2, 7, "r2"))
    told = {"bytes_read": bytes_read(spark) - before}
    spark.stop()
    root.with_name("settled.txt").write_text(str(settled))
    return told


def _measure(lake: Lake, attempt: Run) -> int:
    """Tells how many campaigns were settled."""
    told: list[str] = []
    context, config = StageContext(lake, attempt, told.append), CampaignsConfig()
    seen = publications_seen(lake.rows(PUBLICATIONS), attempt.previous)
    made = plans_made(lake.rows(CAMPAIGNS), seen)
    actions = [f"a{number}" for number in range(ACTIONS)]
    segments = [f"s{number}" for number in range(SEGMENTS)]
    offer = Offer(STRATEGIES, segments, dict.fromkeys(segments, actions))
    follow_up(context, config, offer, dict.fromkeys(segments, 20.0), made, seen)
    record(lake, attempt, "benchmark", [StageRecord("campaigns", "done", datetime.now(timezone.utc))])
    return int(told[0].split()[1]) if told else 0
