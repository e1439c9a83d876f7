from datetime import date

from segspark.campaigns.lift.adjusting import newcomers_row
from segspark.campaigns.lift.observed import known_since, newcomers, with_known
from tests.builders import at

USERS = {  # of who is known before 1 June, and who is not
    "old": True,
    "joined before": True,
    "joined before, came later": True,
    "first order in the window": False,
    "first order on the day": False,
    "joined on the day": False,
    "nothing at all": False,
}


def known_users(spark):
    responses = [(user, index % 2 == 0, date(2024, 6, 1)) for index, user in enumerate(USERS)]
    days = [
        ("old", date(2020, 1, 1)),
        ("old", date(2024, 6, 3)),
        ("joined before, came later", date(2024, 6, 2)),
        ("first order in the window", date(2024, 6, 5)),
        ("first order on the day", date(2024, 6, 1)),
    ]
    users = [
        ("joined before", at("2024-05-31 23:59")),
        ("joined before, came later", at("2024-05-01")),
        ("joined on the day", at("2024-06-01 00:01")),
        ("old", None),
    ]
    since = known_since(
        spark.createDataFrame(days, "user_id string, day date"),
        spark.createDataFrame(users, "user_id string, signup_time timestamp"),
    )
    return with_known(spark.createDataFrame(responses, "user_id string, treated boolean, starts_on date"), since)


def test_only_who_was_there_before_their_own_first_day_is_compared(spark):
    rows = known_users(spark).collect()
    assert {row.user_id: row.is_known for row in rows} == USERS and len(rows) == len(USERS)


def test_who_is_left_out_is_counted_by_side_and_told(spark):
    counts = {name: count.alias(name) for name, count in newcomers().items()}
    row = newcomers_row("spring", **known_users(spark).agg(*counts.values()).first().asDict())
    assert (row["check"], row["passed"], row["value"]) == ("known before", None, 4.0)
    assert "2 contacted users and 2 others are left out" in row["note"]


def test_a_campaign_of_nobody_leaves_nobody_out():
    assert newcomers_row("spring", 0, 0)["value"] == 0
