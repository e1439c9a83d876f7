"""Our features stage on the log tables of a lake; the whole stage, so with day tables and the fitted preparation.

The day tables make a later run follow the new days only; the preparation is what
segments see. A peer writes neither. `told` has the CPU seconds after each message of the stage.
"""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.contestant import Ready, Task
from benchmarks.measure import cpu_seconds_so_far
from benchmarks.spark import session
from segspark.core.contracts import USER_FEATURES
from segspark.core.lake import Lake
from segspark.core.stage import Run, StageContext
from segspark.features.config import FeaturesConfig
from segspark.features.preparation.stage import write_prepared
from segspark.features.stage import build_features, update_days

RUN_ID = "benchmark-1"
HIGHEST_SEQ = 5
DAY_TABLES = ("sessions", "user_days", "user_item_days", "item_days", "user_touches", "day_builds")


def run(task: Task, ready: Ready) -> dict[str, Any]:
    """Builds everything from the logs; the lake is left as it was found, user_features goes to the output."""
    root = task.inputs["lake"]
    for name in (*DAY_TABLES, "user_features", "prepared_features", "feature_selection", "_models"):
        shutil.rmtree(Path(root) / name, ignore_errors=True)
    spark = session(task)
    ready()
    steps: dict[str, float] = {}

    def tell(message: str) -> None:
        steps[message] = round(cpu_seconds_so_far(), 2)

    context = StageContext(
        Lake(spark, root), Run(RUN_ID, date.fromisoformat(task.inputs["as_of"]), HIGHEST_SEQ, 7), tell
    )
    rows: dict[str, int] = {}
    for part in (update_days, build_features, write_prepared):
        rows |= part(context, FeaturesConfig()).rows
    tell("done")
    spark.stop()
    shutil.move(Path(root) / USER_FEATURES.name / f"run_id={RUN_ID}", task.output)
    return {"steps": steps, "rows": rows}
