from dataclasses import replace
from datetime import date, datetime, timezone

import pytest

from segspark.core.contracts import SEGMENTS
from segspark.core.freshness import Published, told, warning, what_is_published
from segspark.core.runs import StageRecord, record
from segspark.core.stage import Run
from tests.builders import at, rows_of

PUBLISHED = Published("r-1", date(2024, 3, 1), at("2024-03-01 06:30"))


@pytest.mark.parametrize(("now", "is_stale"), [("2024-03-08 23:59", False), ("2024-03-09 00:00", True)])
def test_a_run_is_stale_once_more_days_than_allowed_passed_since_the_last_that_it_knows(now, is_stale):
    line = warning(PUBLISHED, at(now), 7)
    assert (line is not None) == is_stale
    if line:
        assert "last 8 days" in line and "stale_after_days allows 7" in line and "\n" not in line


def test_nothing_is_stale_where_no_age_is_configured():
    assert warning(PUBLISHED, at("2034-01-01 00:00"), None) is None


def test_how_old_it_is_counts_from_as_of():
    assert told(PUBLISHED, at("2024-03-02 01:00")) == (
        "r-1, data before 2024-03-01 (1 day ago), published 2024-03-01 06:30 UTC"
    )
    assert "(1,400 days ago)" in told(replace(PUBLISHED, as_of=date(2020, 5, 1)), at("2024-03-01 00:00"))


def test_the_newest_publication_counts_even_where_it_goes_back_to_an_older_run(spark, lake):
    assert what_is_published(lake) is None
    begun = datetime.now(timezone.utc)
    for run_id, as_of in (("r-1", date(2024, 3, 1)), ("r-2", date(2024, 3, 8))):
        lake.replace_run(SEGMENTS, rows_of(spark, SEGMENTS, {"scheme": "value", "segment_id": 0}), run_id)
        record(lake, Run(run_id, as_of, 1, 7), "digest", [StageRecord("run", "done", begun)])
        lake.publish(run_id, "a", "run", {"segments": 1}, {"segments": 1})
    lake.publish("r-1", "a", "rollback", {"segments": 1}, {"segments": 1})
    found = what_is_published(lake)
    assert (found.run_id, found.as_of) == ("r-1", date(2024, 3, 1))
    assert abs((found.published_at - begun.replace(tzinfo=None)).total_seconds()) < 300
