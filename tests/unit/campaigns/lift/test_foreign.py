from datetime import date

from segspark.campaigns.lift.foreign import foreign_checks, sort_foreign
from segspark.campaigns.past.told import Told

AS_OF = date(2024, 7, 1)
FIRST = date(2022, 7, 2)  # of the logs that are read
PLANNED = {"mine", "mine-of-2022", "TypeA-mine"}
TOLD = [
    Told("mine", 1, 1, 1, date(2024, 6, 1), date(2024, 6, 1)),
    Told("mine-of-2022", 1, 1, 1, date(2022, 3, 1), date(2022, 3, 1)),
    Told("TypeA-mine", 1, 1, 1, date(2024, 6, 1), date(2024, 6, 1)),
    Told("who-knows", 1, 1, 1, date(2024, 6, 1), date(2024, 6, 1)),
    Told("TypeA-open", 3, 2, 1, date(2024, 6, 16), date(2024, 6, 17)),
    Told("TypeA-done", 2, 2, 2, date(2024, 5, 1), date(2024, 6, 16)),
    Told("TypeA-old", 1, 1, 1, date(2022, 7, 1), date(2022, 7, 1)),
    Told("TypeA-to-come", 0, 0, 0, None, None, news=1),  # nothing of it was there before the day of the run
]


def found(planned=PLANNED):
    return sort_foreign(TOLD, planned, ["TypeA-*"], FIRST)


def names(campaigns):
    return [each.campaign_id for each in campaigns]


def test_a_campaign_of_ones_own_is_never_foreign_however_old_or_named():
    foreign = found()
    assert names(foreign.observed) == ["TypeA-done", "TypeA-open"]
    assert names(foreign.old) == ["TypeA-old"] and names(foreign.unknown) == ["who-knows"]
    assert names(found(set()).unknown) == ["mine", "mine-of-2022", "who-knows"]


def test_a_campaign_from_before_the_logs_is_left_out_and_a_check_says_so():
    rows = {(row["campaign_id"], row["check"]): row for row in foreign_checks(found(), 14, AS_OF, FIRST)}
    old = rows["TypeA-old", "recent contacts"]
    assert (old["passed"], old["value"]) == (None, 731.0)
    assert "its last contact was on 2022-07-01, and logs are read from 2022-07-02 on" in old["note"]
    assert rows["who-knows", "known campaign"]["passed"] is False


def test_windows_of_other_tools_campaigns_close_after_their_last_contact():
    rows = {(row["campaign_id"], row["check"]): row for row in foreign_checks(found(), 14, AS_OF, FIRST)}
    done, still = (rows[name, "windows closed"] for name in ("TypeA-done", "TypeA-open"))
    assert (done["passed"], done["value"]) == (True, 1.0)
    assert (still["passed"], still["value"]) == (None, 0.5)
    assert "1 of 2 windows have closed, the last does on 2024-07-02" in still["note"]
