from dataclasses import replace
from datetime import date

import pytest

from segspark.bi.config import ReportConfig
from segspark.bi.report.campaign.demand import demand_of
from segspark.bi.report.campaign.effects import effects_of
from segspark.bi.report.campaign.labels import points, signed, span
from segspark.bi.report.campaign.plan import plan_of
from segspark.bi.report.campaign.rows import CampaignRows
from segspark.bi.report.campaign.strategy import strategy_of
from segspark.bi.report.campaign.tables import demand_by_week, with_starts
from segspark.bi.report.content import schemes
from segspark.bi.report.figures import effects_figure
from segspark.core.words import NOTHING
from tests.unit.bi.report.fake_campaigns import FIRST, LAST, campaign
from tests.unit.bi.report.fake_run import AS_OF, HOSTILE, FakeRun, run_rows

MINUS = "\N{MINUS SIGN}"
CONFIG = ReportConfig()
ROWS = run_rows(FakeRun())
SCHEMES = schemes(ROWS, CONFIG)


def with_campaign(**changes):
    return replace(ROWS, campaign=replace(ROWS.campaign, **changes))


def test_the_plan_is_told_in_a_sentence():
    assert plan_of(ROWS, SCHEMES, CONFIG).told == (
        "<bdi>campaign-2011-09-01</bdi> contacts 1,460 of 2,394 users on 1 to 7 September 2011, for 816, and holds 163"
        " out to compare with; after their cost the contacts are expected to bring 4,186."
    )


def test_a_group_of_few_is_counted_and_not_shown_and_few_held_out_are_said_to_be_few():
    plan = plan_of(ROWS, SCHEMES, CONFIG)
    told = [(line.place.segment.badge, line.action, line.cells[:2], line.days) for line in plan.lines]
    assert told == [
        ("V0", "Coupon", ("520", "58"), "1 to 3 September 2011"),
        ("V1", "Birthday wishes", ("410", "45"), "1 to 7 September 2011"),
        ("V2", "Personal recommendations", ("300", "33"), "1 September 2011"),
        ("V2", "Points", ("64", "under 10"), "2 September 2011"),
        ("V3", "Personal recommendations", ("161", "20"), "2 to 4 September 2011"),
    ]
    assert plan.hidden == "1 more group of fewer than 10 users is not shown."
    few = [{**ROWS.campaign.planned[0], "contacts": 6, "held_out": 30}]
    (line,) = plan_of(with_campaign(planned=few), SCHEMES, CONFIG).lines
    assert (line.cells, line.days) == (("under 10", "30", NOTHING, NOTHING), NOTHING)


def test_who_is_left_out_is_told_by_reason_most_users_first():
    told = [(row.reason, row.users, row.share) for row in plan_of(ROWS, SCHEMES, CONFIG).left_out]
    assert told == [
        ("No consent", "402", "17%"),  # of 2,394
        ("The budget ends", "230", "9.6%"),
        ("Contacted a short time ago", "87", "3.6%"),
        ("No action suits", "under 10", NOTHING),
    ]


def test_without_a_plan_a_sentence_says_why_and_what_would_bring_one():
    bare = replace(ROWS, campaign=CampaignRows())
    assert "where the source users tells who agreed" in plan_of(bare, SCHEMES, CONFIG).told
    note = "campaigns.strategies is null; give the path of a strategies file"
    skipped = replace(bare, stages=[{"stage": "campaigns", "status": "skipped", "note": note}])
    assert plan_of(skipped, SCHEMES, CONFIG).told == f"This run planned no campaign: <bdi>{note}</bdi>."
    nobody = with_campaign(campaigns=[{**campaign(), "contacts": 0, "held_out": 0, "cost": 0.0, "expected_gain": 0.0}])
    assert "contacts nobody of 2,394 users" in plan_of(nobody, SCHEMES, CONFIG).told


def test_the_newest_campaign_is_told_in_full_and_those_before_in_a_line():
    found = effects_of(ROWS, SCHEMES, CONFIG)
    assert found.campaign == LAST and not found.is_observed
    told = [(effect.place.name, effect.action, effect.verdict, effect.lift, effect.least) for effect in found.shares]
    assert told == [
        ("All segments", "All actions", "works", "+4.4", ""),
        ("Economy", "Coupon", "harms", f"{MINUS}9.0", ""),
        ("Loyal", "Birthday wishes", "inconclusive", "+1.0", "13.0"),
        ("High-value", "Points", "works", "+16.0", ""),
        ("Rare big-basket buyers", "Personal recommendations", "inconclusive", f"{MINUS}5.0", "19.0"),
    ]
    others = [(effect.measure, effect.verdict, effect.least) for effect in found.others]
    assert ("Mean rating of who rated", "informs", "") in others
    assert [(one.campaign, one.lift, one.verdict) for one in found.earlier] == [(FIRST, "+0.4", "inconclusive")]
    assert [row["check"] for row in found.failed] == ["delivered"]


def test_of_a_side_with_few_users_nothing_is_told_and_of_few_who_ordered_only_the_difference():
    found = effects_of(ROWS, SCHEMES, CONFIG)
    assert not any("shopping" in effect.action.lower() for effect in (*found.shares, *found.others))
    means = {effect.place.name: effect.means for effect in found.shares}
    assert means["High-value"] == ("31%", "15%")  # 13.5 of 90 held out ordered
    assert means["Loyal"] == (NOTHING, NOTHING)  # 5 of 45
    assert means["Rare big-basket buyers"] == (NOTHING, NOTHING)  # 8 of 161, and 3 of 30
    assert [(move.move, move.cells[:2]) for move in found.moves] == [
        ("gone", (NOTHING, NOTHING)),
        ("up", ("21%", "16%")),
    ]


def test_of_many_effects_the_clearest_are_drawn_and_the_table_has_them_all():
    first = ROWS.campaign.lifts[3]
    many = [{**first, "segment_name": f"segment {n}", "lift": n / 100, "verdict": "works"} for n in range(1, 31)]
    of_actions = [{**first, "segment_name": "all"}, {**first, "action": "all"}]
    found = effects_of(with_campaign(lifts=[*ROWS.campaign.lifts[:1], *many, *of_actions]), SCHEMES, CONFIG)
    drawn = [effect.place.name for effect in found.drawn]
    assert len(found.shares) == 33 and len(drawn) == 16
    assert drawn[0] == "All segments" and set(drawn[1:]) == {f"Segment {n}" for n in range(16, 31)}
    assert effects_figure(found).caption.endswith("The table has 17 more.")


def test_where_no_effect_could_have_been_seen_no_least_one_is_told():
    lifts = [{**row, "least_detectable": None, "verdict": "inconclusive"} for row in ROWS.campaign.lifts[:1]]
    found = effects_of(with_campaign(lifts=lifts), SCHEMES, CONFIG)
    assert found.shares[0].least == "" and "would have been seen" not in effects_figure(found).description


def test_an_effect_that_was_adjusted_for_says_so():
    lifts = [{**row, "method": "weighting"} for row in ROWS.campaign.lifts]
    assert effects_of(with_campaign(lifts=lifts), SCHEMES, CONFIG).is_observed


def test_the_chart_tells_a_verdict_by_word_shape_and_colour_and_what_would_have_been_seen():
    chart = effects_figure(effects_of(ROWS, SCHEMES, CONFIG))
    rows = chart.spec["data"]["values"]
    looks = {row["verdict"]: (row["shape"], row["colour"], row["said"][0]) for row in rows}
    assert {shape for shape, _, _ in looks.values()} == {"triangle-up", "triangle-down", "circle"}
    assert len(set(looks.values())) == len({colour for _, colour, _ in looks.values()}) == 3
    assert all(row["verdict"] in row["said"] for row in rows)
    loyal = next(row for row in rows if "Loyal" in row["name"])
    assert (loyal["lift"], loyal["low"], loyal["high"]) == pytest.approx((1.0, -10.0, 9.0))
    assert (loyal["least_low"], loyal["least_high"]) == pytest.approx((-13.0, 13.0))
    assert rows[0]["least_high"] is None
    left, right = chart.spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert left < -20 and right > 24  # nothing is cut off
    told = f"inconclusive, +1.0 ({MINUS}10.0 to +9.0), an effect of 13.0 would have been seen"
    assert f"Loyal: Birthday wishes: {told}" in chart.description
    assert effects_figure(effects_of(with_campaign(lifts=()), SCHEMES, CONFIG)) is None


def test_the_strategy_tells_what_changes_and_hides_what_few_users_showed():
    found = strategy_of(ROWS, SCHEMES, CONFIG)
    changed = [(step.place.name, step.action, step.status, step.before, step.share) for step in found.changes]
    assert changed == [
        ("Economy", "Promotion", "untried", "50%", "100%"),
        ("Economy", "Coupon", "stopped", "50%", "0%"),
        ("High-value", "Points", "scaled", "50%", "86%"),
        ("High-value", "Exclusive discount", "exploring", "50%", "14%"),
    ]
    assert [step.action for step in found.others] == ["No contact", "Birthday wishes"]
    assert found.changes[3].reason == "too few users yet to be told" and found.changes[3].lift == NOTHING
    assert "4 of 5 pairs of segment and action" in found.told
    assert "0.221 per contact (95% interval 0.187 to 0.255) against 0.162 as they were sent" in found.told


def test_of_a_small_segment_no_strategy_is_told():
    small = [{**row, "size": 9} if row["segment_id"] == 2 else row for row in ROWS.segments]
    rows = replace(ROWS, segments=small)
    found = strategy_of(rows, schemes(rows, CONFIG), CONFIG)
    assert {step.place.name for step in (*found.changes, *found.others)} == {"Economy", "Loyal"}


def test_a_strategy_without_evidence_says_what_it_waits_for():
    untried = [{**row, "status": "untried", "previous_share": None} for row in ROWS.campaign.strategies]
    found = strategy_of(with_campaign(strategies=untried, values=()), SCHEMES, CONFIG)
    assert found.told.startswith("Nothing changes in the strategy: no action is scaled up") and not found.changes
    assert strategy_of(with_campaign(strategies=()), SCHEMES, CONFIG).told.startswith("There is no strategy yet")


def test_categories_that_run_out_stand_first_with_how_long_they_last():
    found = demand_of(ROWS)
    assert [(one.category, one.units, one.stock, one.cover, one.short_from) for one in found.shelves] == [
        ("Candles", "480", "210", "11 days", "8 September 2011"),  # 4 weeks of 120
        ("Garden", "360", "900", "70 days", ""),
        ("Books", "160", NOTHING, NOTHING, ""),
    ]
    assert [(one.item, one.category, one.units, one.cover) for one in found.items] == [
        ("i1", "Candles", "64", "3 days")
    ]
    told = "1 of 3 categories and 1 of 2 best-selling items will be short over 4 weeks from 1 September 2011 on"
    assert found.told.startswith(told)
    assert "wrong by 27% of the units, against 38% for taking the weeks of a year before" in found.about_accuracy


def test_without_stock_or_orders_the_forecast_says_which_source_would_bring_it():
    no_stock = [{**row, "stock": None, "stock_cover_days": None, "is_short": None} for row in ROWS.campaign.demand]
    assert "the column stock of the source items would bring it" in demand_of(with_campaign(demand=no_stock)).told
    assert "the source orders would bring it" in demand_of(with_campaign(demand=())).told
    assert "reach back too few weeks" in demand_of(with_campaign(accuracy=())).about_accuracy


def test_names_that_a_shop_gave_are_neutral():
    rows = run_rows(FakeRun(names={0: HOSTILE}, category=HOSTILE))
    told = [*(line.place.name for line in plan_of(rows, schemes(rows, CONFIG), CONFIG).lines)]
    told += [shelf.category for shelf in (*demand_of(rows).shelves, *demand_of(rows).items)]
    assert sum("evil" in name for name in told) == 3 and not any("\u202e" in name for name in told)


def test_days_and_differences_are_written_as_people_write_them():
    assert span(date(2011, 8, 30), date(2011, 9, 2)) == "30 August to 2 September 2011"
    assert span(date(2011, 12, 30), date(2012, 1, 2)) == "30 December 2011 to 2 January 2012"
    assert (span(AS_OF, AS_OF), span(None, None)) == ("1 September 2011", NOTHING)
    assert [points(value) for value in (0.0004, -0.051, 0.25, None)] == ["0.0", f"{MINUS}5.1", "+25.0", NOTHING]
    assert [signed(value) for value in (2.5, -1200.0, 0.0, float("nan"))] == [
        "+2.50",
        f"{MINUS}1,200",
        "0",
        NOTHING,
    ]


WEEK = date(2024, 3, 4)
WANTED = {"scheme": "value", "category": "Garden", "item_id": None, "week": WEEK, "expected_units": 0.1, "stock": 3.0}
WANTED |= {"campaign_units": None, "stock_cover_days": None, "is_short": None}


def test_demand_is_added_up_over_segments_and_what_is_not_known_of_one_is_taken_from_the_others():
    more = {"expected_units": 0.2, "stock": None, "stock_cover_days": 9.5, "is_short": False}
    (week,) = demand_by_week([WANTED, {**WANTED, **more}], [], {}, min_group=10)
    expected = {**WANTED, "expected_units": 0.3, "stock_cover_days": 9.5, "is_short": False}
    assert week == {name: value for name, value in expected.items() if name != "scheme"}


def test_what_only_few_bought_is_not_told():
    bought = [
        {"scheme": "value", "category": shelf, "buyers": n} for shelf, n in (("Garden", 5), ("Garden", 5), ("x", 9))
    ]
    demand = [{**WANTED, "category": shelf, "item_id": item} for shelf, item in (("Garden", None), ("x", None))]
    demand += [{**WANTED, "item_id": item} for item in ("i1", "few", "never bought")]
    told = demand_by_week(demand, bought, {"i1": 10, "few": 9}, min_group=10)
    assert [(row["category"], row["item_id"]) for row in told] == [
        ("Garden", None),
        ("Garden", "i1"),
        ("Garden", "never bought"),
    ]


def test_a_lift_knows_the_first_day_of_its_campaign_as_it_was_planned_last():
    planned = [{"campaign_id": "a", "starts_on": day} for day in (date(2024, 3, 1), date(2024, 3, 4), None)]
    lifts = [{"campaign_id": name, "lift": 0.1} for name in ("a", "of nobody")]
    assert [row["starts_on"] for row in with_starts(lifts, planned)] == [date(2024, 3, 4), None]
