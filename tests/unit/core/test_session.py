"""What a session leaves behind."""

from pathlib import Path
from urllib.parse import urlparse

from segspark.core.session import clear_checkpoints


def test_checkpoints_are_deleted_and_later_ones_still_work(spark):
    folder = Path(urlparse(spark.sparkContext.getCheckpointDir()).path)
    assert spark.range(5).checkpoint().count() == 5
    assert any(folder.rglob("part-*"))
    clear_checkpoints(spark)
    assert not folder.exists()
    assert spark.range(7).checkpoint().count() == 7
