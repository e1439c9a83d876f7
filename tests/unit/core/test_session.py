"""What a session is opened with, and what it leaves behind."""

from pathlib import Path
from urllib.parse import urlparse

from segspark.core.session import JAVA_ALGEBRA, LATE_OPTIMISER, clear_checkpoints

DEFAULTS = Path(__file__).parents[3] / "conf" / "spark-defaults.conf"


def test_checkpoints_are_deleted_and_later_ones_still_work(spark):
    folder = Path(urlparse(spark.sparkContext.getCheckpointDir()).path)
    assert spark.range(5).checkpoint().count() == 5
    assert any(folder.rglob("part-*"))
    clear_checkpoints(spark)
    assert not folder.exists()
    assert spark.range(7).checkpoint().count() == 7


def test_submitted_jobs_get_the_java_options_of_local_sessions():
    settings = dict(line.split(maxsplit=1) for line in DEFAULTS.read_text().splitlines() if line.startswith("spark."))
    for process in ("driver", "executor"):
        assert settings[f"spark.{process}.defaultJavaOptions"] == LATE_OPTIMISER + JAVA_ALGEBRA


def test_pages_of_memory_are_small_as_each_broadcast_takes_one(spark):
    manager = spark._jvm.org.apache.spark.SparkEnv.get().memoryManager()
    assert manager.pageSizeBytes() == 2 << 20
