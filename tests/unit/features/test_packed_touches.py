"""Touches that the stage keeps packed: whatever is packed, features are those computed from all rows."""

from datetime import timedelta

import pytest
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ORDERS, RATINGS, USER_FEATURES, USER_TOUCHES
from segspark.features import stage, touches
from segspark.features.config import FeaturesConfig
from tests.builders import day
from tests.unit.features.shops import CLOCKS, event, random_logs

pytestmark = pytest.mark.slow
CONFIG = FeaturesConfig(windows_days=(7,))
FIRST, LAST = day("2024-02-26"), day("2024-03-16")
NEVER = 10**9


@pytest.fixture(autouse=True)
def packs_any_number(monkeypatch):
    monkeypatch.setattr(touches, "WORTH_PACKING", 0)


@pytest.fixture
def by_day():
    """For each log the rows before the last day, and those of it."""
    logs = dict(zip((EVENTS, ORDERS, RATINGS), random_logs(seed=23, users=8, days=20), strict=True))
    return {
        contract: [
            [row for row in rows if (row[CLOCKS[contract.name]].date() < LAST) == is_before]
            for is_before in (True, False)
        ]
        for contract, rows in logs.items()
    }


def log(shop, by_day, number):
    for contract, parts in by_day.items():
        if parts[number]:
            shop.log(contract, *parts[number])


def describe(shop, as_of, run_id, config=CONFIG):
    shop.describe(str(as_of), config, run_id)
    return features(shop, run_id)


def from_all_rows(shop, as_of, monkeypatch, run_id, config=CONFIG):
    """What a run computes that does not look at what is packed."""
    with monkeypatch.context() as unpacked:
        unpacked.setattr(touches, "WORTH_PACKING", NEVER)
        unpacked.setattr(stage, "_touches", lambda lake, days, start, salt: [touches.single_touches(days, salt)])
        return describe(shop, as_of, run_id, config)


def features(shop, run_id):
    return {user: row.asDict() for (user,), row in shop.rows(USER_FEATURES, run_id).items()}


def packed(shop):
    """The day that touches are packed to, the file number, and the touches by user."""
    rows = shop.rows(USER_TOUCHES).values()
    ((about, seq),) = {(row.day, row.ingest_seq) for row in rows}
    return about, seq, {row.user_id: (tuple(row.item_keys), tuple(row.item_touches)) for row in rows}


def test_one_more_day_and_then_a_late_row_give_what_all_rows_give(shop, by_day, monkeypatch):
    log(shop, by_day, 0)
    describe(shop, LAST, "run-1")
    day_before, first_seq, once = packed(shop)
    assert (day_before, first_seq) == (LAST - timedelta(days=7), 3)
    log(shop, by_day, 1)
    monkeypatch.setattr(touches, "KEPT_SINGLE", timedelta(days=8))
    after = LAST + timedelta(days=1)
    assert describe(shop, after, "run-2") == from_all_rows(shop, after, monkeypatch, "run-3")
    assert packed(shop) == (day_before, first_seq, once), "nothing more is to be packed"
    shop.log(EVENTS, event("late", "u1", f"{FIRST} 12:00", item_id="i9", category="c0"))
    late = describe(shop, after, "run-4")
    assert late == from_all_rows(shop, after, monkeypatch, "run-5") != features(shop, "run-2")
    assert packed(shop)[1] == shop.seq, "what was packed lacked the late row, and is made anew"


def test_moving_forward_adds_to_what_is_packed_and_a_run_before_leaves_it(shop, by_day, monkeypatch):
    log(shop, by_day, 0)
    log(shop, by_day, 1)
    early = FIRST + timedelta(days=12)
    before = describe(shop, early, "run-1")
    assert packed(shop)[0] == early - timedelta(days=7)
    after = LAST + timedelta(days=1)
    assert describe(shop, after, "run-2") == from_all_rows(shop, after, monkeypatch, "run-3")
    moved = packed(shop)
    assert moved[0] == after - timedelta(days=7)
    assert describe(shop, early, "run-4") == before
    assert packed(shop) == moved
    shop.lake.replace_days(USER_TOUCHES, shop.lake.read(USER_TOUCHES).where(F.lit(False)), {moved[0]})
    describe(shop, after, "run-5")
    assert packed(shop) == moved, "added to or made from nothing, it is the same"


def test_other_settings_and_a_clash_of_keys_pack_anew_and_a_crash_costs_time_only(shop, by_day, monkeypatch):
    log(shop, by_day, 0)
    with monkeypatch.context() as broken:
        broken.setattr(stage, "measure_taste", lambda *_: (_ for _ in ()).throw(RuntimeError("power cut")))
        with pytest.raises(RuntimeError, match="power cut"):
            describe(shop, LAST, "run-1")
    expected = from_all_rows(shop, LAST, monkeypatch, "run-2")
    assert describe(shop, LAST, "run-1") == expected
    bots = FeaturesConfig(windows_days=(7,), bot_events_per_day=3)
    assert describe(shop, LAST, "run-3", bots) == from_all_rows(shop, LAST, monkeypatch, "run-4", bots)
    keys = packed(shop)[2]

    def clashing(salt):
        return touches_key(salt) if salt else F.lit(1).cast("bigint")

    touches_key = touches.item_key
    monkeypatch.setattr(touches, "item_key", clashing)
    monkeypatch.setattr(stage, "item_key", clashing)
    assert describe(shop, LAST, "run-5") == expected
    assert packed(shop)[2] != keys


def test_a_shop_with_few_rows_packs_nothing(shop, monkeypatch):
    monkeypatch.setattr(touches, "WORTH_PACKING", NEVER)
    shop.log(EVENTS, event(1, "ann", "2024-03-01 10:00", item_id="i1"))
    assert describe(shop, day("2024-03-20"), "run-1")["ann"]["distinct_items"] == 1.0
    assert not shop.lake.exists(USER_TOUCHES)
