import threading
from pathlib import Path

import pytest

from segspark.bi.query.stage import Offer, register_views
from tests.unit.bi.marts.readers import VIEWS
from tests.unit.bi.marts.test_marts_views import published, rows_in_spark

ASKED = ("segments_that_lose_revenue", "segments_by_revenue", "is_what_is_published_whole")


@pytest.mark.slow
def test_questions_asked_while_runs_are_published_answer_for_one_run_each(trading):
    """Views over several tables, each looking for the published run, while that changes all the time."""
    register_views(trading, Offer(VIEWS))
    sql = {name: Path(VIEWS.folder, "questions", f"{name}.sql").read_text(encoding="utf-8") for name in ASKED}
    possible = {name: [rows_in_spark(trading.spark, sql[name])] for name in ASKED}
    with published(trading, "r-2"):
        for name in ASKED:
            possible[name].append(rows_in_spark(trading.spark, sql[name]))
    stop, acts = threading.Event(), []

    def go_on_publishing():
        while not stop.is_set():
            acts.append(trading.publish(("r-2", "r-1")[len(acts) % 2], "another", "run", {}, {}))

    publisher = threading.Thread(target=go_on_publishing)
    publisher.start()
    try:
        for turn in range(30):
            name = ASKED[turn % len(ASKED)]
            assert rows_in_spark(trading.spark, sql[name]) in possible[name], name
    finally:
        stop.set()
        publisher.join()
        trading.publish("r-1", "me", "rollback", {}, {})
    assert len(acts) > 3
