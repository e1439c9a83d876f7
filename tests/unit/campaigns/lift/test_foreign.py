from datetime import date

from segspark.campaigns.lift.foreign import count_foreign, foreign_checks, sort_foreign
from tests.builders import at

AS_OF = date(2024, 7, 1)
FIRST = date(2022, 7, 2)  # of the logs that are read
PLANNED = {"mine", "mine-of-2022", "TypeA-mine"}
OUTCOMES = [
    ("mine", "a", True, at("2024-06-01 10:00")),
    ("mine-of-2022", "a", True, at("2022-03-01 10:00")),
    ("TypeA-mine", "a", True, at("2024-06-01 10:00")),
    ("TypeA-done", "a", True, at("2024-05-01 10:00")),
    ("TypeA-done", "b", True, at("2024-06-16 10:00")),
    ("TypeA-open", "a", True, at("2024-06-16 10:00")),
    ("TypeA-open", "b", True, at("2024-06-17 00:01")),
    ("TypeA-open", "c", False, at("2024-06-20 00:01")),
    ("TypeA-old", "a", True, at("2022-07-01 10:00")),
    ("who-knows", "a", True, at("2024-06-01 10:00")),
]


def found(spark, planned=PLANNED):
    outcomes = spark.createDataFrame(OUTCOMES, "campaign_id string, user_id string, treated boolean, sent_at timestamp")
    return sort_foreign(count_foreign(outcomes, planned, 14, AS_OF).collect(), ["TypeA-*"], FIRST)


def names(campaigns):
    return [each.campaign_id for each in campaigns]


def test_a_campaign_of_ones_own_is_never_foreign_however_old_or_named(spark):
    foreign = found(spark)
    assert names(foreign.observed) == ["TypeA-done", "TypeA-open"]
    assert names(foreign.old) == ["TypeA-old"] and names(foreign.unknown) == ["who-knows"]
    assert names(found(spark, set()).unknown) == ["mine", "mine-of-2022", "who-knows"]


def test_a_campaign_from_before_the_logs_is_left_out_and_a_check_says_so(spark):
    rows = {(row["campaign_id"], row["check"]): row for row in foreign_checks(found(spark), 14, AS_OF, FIRST)}
    old = rows["TypeA-old", "recent contacts"]
    assert (old["passed"], old["value"]) == (None, 731.0)
    assert "its last contact was on 2022-07-01, and logs are read from 2022-07-02 on" in old["note"]
    assert rows["who-knows", "known campaign"]["passed"] is False


def test_windows_of_other_tools_campaigns_close_after_their_last_contact(spark):
    rows = {(row["campaign_id"], row["check"]): row for row in foreign_checks(found(spark), 14, AS_OF, FIRST)}
    done, still = (rows[name, "windows closed"] for name in ("TypeA-done", "TypeA-open"))
    assert (done["passed"], done["value"]) == (True, 1.0)
    assert (still["passed"], still["value"]) == (None, 0.5)
    assert "1 of 2 windows have closed, the last does on 2024-07-02" in still["note"]
