import hashlib
import hmac
from datetime import date

import pytest

from segspark.bi.marts.keys import VARIABLE, pseudonym_key
from segspark.bi.marts.stage import build_marts, build_moves
from segspark.core.contracts import (
    COHORT_MONTHS,
    ITEM_FACTS,
    SEGMENT_CATEGORIES,
    SEGMENT_FACTS,
    SEGMENT_MONTHS,
    SEGMENT_MOVES,
    USER_FACTS,
)
from segspark.core.errors import ConfigError
from segspark.core.lake import Lake
from tests.unit.bi.marts.planted import CROWD, context, plant_logs, plant_run

pytestmark = pytest.mark.slow

FEBRUARY, MARCH = date(2024, 2, 1), date(2024, 3, 1)
KEY = "sixteen bytes at least, and more than a block of sixty-four bytes of it all"
CHANGES = (
    {"scheme": "value", "user_id": "c0", "from_segment": 1, "to_segment": 0, "cause": "behaviour"},
    {"scheme": "value", "user_id": "idle", "from_segment": None, "to_segment": 0, "cause": "new"},
    {"scheme": "value", "user_id": "left", "from_segment": 1, "to_segment": None, "cause": "gone"},
)


@pytest.fixture(scope="module")
def built(spark, tmp_path_factory):
    """The lake, and what the stage said of a run that is compared with the one before."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("marts")))
    plant_logs(lake)
    plant_run(lake, "r-0", names=("old crowd", "old few"))
    plant_run(lake, "r-1", CHANGES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, KEY)
        asked = context(lake, "r-1", previous="r-0")
        made = build_marts(asked)
        build_moves(asked)
        return lake, made


def rows(built, contract, *columns):
    return {tuple(row) for row in built[0].read_run(contract, "r-1").select(*columns).collect()}


def test_segments_are_added_up_by_month_of_who_is_in_them_now(built):
    assert rows(built, SEGMENT_MONTHS, *SEGMENT_MONTHS.names) == {
        ("value", 0, FEBRUARY, 29, CROWD, CROWD, CROWD, 120.0),
        ("value", 0, MARCH, 14, CROWD + 1, CROWD, CROWD, 60.0),
        ("value", 1, MARCH, 14, 2, 2, 2, 200.0),
    }


def test_segments_are_added_up_over_all_time_and_the_last_thirty_days(built):
    assert rows(built, SEGMENT_FACTS, *SEGMENT_FACTS.names) == {
        ("value", 0, CROWD + 1, CROWD, 2 * CROWD, 180.0, CROWD, 60.0),
        ("value", 1, 2, 2, 2, 200.0, 2, 200.0),
    }


def test_cohorts_are_followed_from_the_month_of_their_first_order(built):
    assert rows(built, COHORT_MONTHS, *COHORT_MONTHS.names) == {
        (FEBRUARY, 0, FEBRUARY, CROWD, CROWD, CROWD, 120.0),
        (FEBRUARY, 1, MARCH, CROWD, CROWD, CROWD, 60.0),
        (MARCH, 0, MARCH, 2, 2, 2, 200.0),
    }


def test_items_count_guests_but_neither_bots_nor_refunds_nor_what_came_later(built):
    sold = ("item_id", "category", "price", "units", "revenue", "buyers", "users")
    assert rows(built, ITEM_FACTS, *sold) == {
        ("i1", "Candles", 3.5, 24.0, 120.0, CROWD, CROWD),
        ("i2", "Candles", None, 24.0, 60.0, CROWD, CROWD),
        ("i3", "Candles", 3.5, 6.0, 230.0, 2, 3),
    }


def test_segments_bought_from_categories(built):
    assert rows(built, SEGMENT_CATEGORIES, *SEGMENT_CATEGORIES.names) == {
        ("value", 0, "Candles", CROWD, 48.0, 180.0),
        ("value", 1, "Candles", 2, 4.0, 200.0),
    }


def test_moves_tell_names_of_both_runs_and_what_the_users_pay_now(built):
    assert rows(built, SEGMENT_MOVES, *SEGMENT_MOVES.names) == {
        ("value", 0, "old crowd", 0, "crowd", "same", CROWD - 1, CROWD - 1, 55.0),
        ("value", 1, "old few", 1, "few", "same", 2, 2, 200.0),
        ("value", 1, "old few", 0, "crowd", "behaviour", 1, 1, 5.0),
        ("value", None, None, 0, "crowd", "new", 1, 0, 0.0),
        ("value", 1, "old few", None, None, "gone", 1, 0, 0.0),
    }


def test_users_are_known_by_a_keyed_hash_and_bands(built):
    facts = {row.user_id: row for row in built[0].read_run(USER_FACTS, "r-1").collect()}
    assert "bot" not in facts and len(facts) == CROWD + 3
    keyed = {user: hmac.new(KEY.encode(), user.encode(), hashlib.sha256).hexdigest()[:32] for user in facts}
    assert {user: row.user_key for user, row in facts.items()} == keyed
    crowd, idle = facts["c3"], facts["idle"]
    assert (crowd.recency_band, crowd.frequency_band, crowd.orders, crowd.revenue) == (
        "1 to 7 days",
        "2 to 3 orders",
        2,
        15.0,
    )
    assert (crowd.first_order_month, crowd.revenue_30d) == (FEBRUARY, 5.0)
    assert (idle.recency_band, idle.frequency_band, idle.first_order_month) == ("never", "no order", None)
    assert (idle.recency_score, idle.frequency_score, idle.monetary_score) == (None, None, None)
    lower = {"c3": (2, 0), "s0": (0, 12)}  # of 14 buyers, who ordered longer ago, and who paid less
    for user, (ordered_before, paid_less) in lower.items():
        scores = (facts[user].recency_score, facts[user].monetary_score)
        assert scores == (1 + 5 * ordered_before // 14, 1 + 5 * paid_less // 14)


def test_a_secret_key_is_not_remarked_on_and_stands_in_no_plan(built, spark, monkeypatch):
    from segspark.bi.marts.pseudonyms import with_user_key

    assert built[1].notes == ()
    monkeypatch.setenv(VARIABLE, KEY)
    key = pseudonym_key(7)
    frame = with_user_key(spark.createDataFrame([("a",)], "user_id string"), key)
    plan = frame._jdf.queryExecution().toString() + frame._jdf.queryExecution().debug().codegenToSeq().toString()
    for digest in (key.secret, hashlib.sha256(key.secret).digest()):
        padded = digest[:64].ljust(64, b"\0")
        for pad in (0x00, 0x36, 0x5C):
            block = bytes(byte ^ pad for byte in padded)
            assert block.hex()[:16] not in plan.lower() and block[:12].decode("latin-1") not in plan
    assert KEY not in plan and KEY not in repr(key)
    assert len(frame.first().user_key) == 32


def test_a_short_key_is_refused_before_anything_is_done(monkeypatch):
    from segspark.bi.config import MartsConfig

    monkeypatch.setenv(VARIABLE, "secret")
    with pytest.raises(ConfigError, match="6 bytes are too few; give 16 or more"):
        MartsConfig()


def test_without_sources_tables_are_empty_and_notes_say_what_would_fill_them(lake, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    result = build_marts(context(lake))
    moves = build_moves(context(lake))
    assert set((result.rows | moves.rows).values()) == {0} and len(result.rows | moves.rows) == 7
    told = "\n".join(result.notes)
    assert "cohort_months is empty: nobody ordered; the source orders" in told
    assert f"so anybody can tell users; set {VARIABLE}" in told
