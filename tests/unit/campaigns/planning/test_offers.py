from datetime import date

from segspark.campaigns.history import Campaign
from segspark.campaigns.planning.offers import candidates, describe_items, still_selling, within_stock
from tests.builders import at

ITEMS = "item_id string, category string, price double, stock bigint, launch_time timestamp"


def described(spark, rows, sold=()):
    items = spark.createDataFrame(rows, ITEMS)
    return describe_items(
        items, spark.createDataFrame(list(sold), "item_id string, category string, units double"), "2024-07-01"
    )


def test_items_are_new_for_sixty_days_cheap_up_to_the_median_and_gone_without_stock(spark):
    found = described(
        spark,
        [
            ("new", "toys", 5.0, 3, at("2024-05-02")),
            ("old", "toys", 9.0, 3, at("2024-05-01")),
            ("coming", "toys", 1.0, 3, at("2024-07-01")),
            ("gone", "toys", 1.0, 0, None),
            ("untold", None, None, None, None),
        ],
        sold=[("unlisted", "toys", 4.0)],
    )
    rows = {row.item_id: (row.new, row.cheap) for row in found.collect()}
    assert rows == {
        "new": (True, True),  # the median of 1, 5 and 9
        "old": (False, False),
        "untold": (False, False),
        "unlisted": (False, False),
    }


def offer(spark, contacts, lists, items, most=2, take=1.0):
    frame = spark.createDataFrame(contacts, "user_id string, surplus double, tie double, holdout boolean, kind string")
    own = spark.createDataFrame(lists, "user_id string, item_id string, rank int")
    found = within_stock(candidates(frame, own, items, 2 * most), most, take)
    return {row.user_id: row["items"] for row in found.collect()}


def test_a_contact_shows_the_users_own_list_first_then_what_sells(spark):
    items = described(spark, [(name, "toys", 1.0, 99, None) for name in "abc"], sold=[("c", "toys", 9.0)])
    contacts = [("u", 1.0, 0.1, False, "recommended"), ("v", 1.0, 0.2, False, "recommended")]
    assert offer(spark, contacts, [("u", "b", 1)], items) == {"u": ["b", "c"], "v": ["c", "a"]}


def test_no_item_is_shown_more_often_than_there_is_stock_for_and_the_best_contacts_get_it(spark):
    items = described(spark, [("a", "toys", 1.0, 2, None)])
    contacts = [(f"u{n}", float(n), 0.5, n == 4, "recommended") for n in range(5)]
    assert offer(spark, contacts, [], items) == {"u4": ["a"], "u3": ["a"], "u2": ["a"]}  # u4 is held out
    assert len(offer(spark, contacts, [], items, take=0.5)) == 5


def test_a_contact_of_new_items_shows_no_old_ones(spark):
    items = described(spark, [("new", "t", 1.0, 9, at("2024-06-20")), ("old", "t", 1.0, 9, at("2023-01-01"))])
    assert offer(spark, [("u", 1.0, 0.5, False, "new")], [("u", "old", 1)], items) == {"u": ["new"]}


def test_contacts_that_went_out_may_still_sell_and_those_that_are_planned_anew_do_not(spark):
    campaign = Campaign("july", date(2024, 7, 1), date(2024, 7, 7), date(2024, 7, 3))
    rows = [
        ("july", "went out", date(2024, 7, 2), False),
        ("july", "planned anew", date(2024, 7, 3), False),
        ("june", "window closed", date(2024, 6, 18), False),
        ("june", "window open", date(2024, 6, 19), False),
        ("june", "held out", date(2024, 6, 19), True),
        ("others", "to come", date(2024, 7, 9), False),
    ]
    plans = spark.createDataFrame(rows, "campaign_id string, user_id string, send_on date, holdout boolean")
    found = {row.user_id for row in still_selling(plans, campaign, 14).collect()}
    assert found == {"went out", "window open", "to come"}
