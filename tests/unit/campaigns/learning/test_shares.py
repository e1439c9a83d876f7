import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.posteriors import Effect, Posterior
from segspark.campaigns.learning.rules import rules_of
from segspark.campaigns.learning.shares import Money, allot, next_strategy
from segspark.campaigns.learning.strategy import strategy_rows, uplift_draws
from segspark.core.campaign_tables import STRATEGIES
from tests.unit.campaigns.learning.rows import both, week

CONFIG = LearningConfig()
FREE = Money({}, {})
WORKS, NOTHING, HARMS = (900, 270), (900, 180), (900, 80)
HELD_OUT = (300, 60)


def weeks_of(**actions):
    """Ten weekly campaigns in which each action does the same every week."""
    return [row for n in range(10) for name, seen in actions.items() for row in both(n, seen, HELD_OUT, action=name)]


def strategy_of(evidence, actions, previous=None, money=FREE, config=CONFIG, number=10):
    before = {} if previous is None else {"s": previous}
    (one,) = next_strategy(evidence, {"s": actions}, before, money, config, week(number), 7).segments
    return {arm.action: arm for arm in one.arms}, one


def test_before_any_outcome_all_actions_have_even_shares_and_are_untried():
    arms, _ = strategy_of([], ["a", "b", "c", "d"])
    assert [arm.share for arm in arms.values()] == [0.25] * 4
    assert {arm.status for arm in arms.values()} == {"untried"}
    assert arms["a"].reason == "untried at an even share: no outcomes yet"


def test_what_works_is_scaled_what_harms_is_stopped_what_does_neither_keeps_the_floor():
    arms, _ = strategy_of(weeks_of(a=WORKS, b=NOTHING, c=HARMS), ["a", "b", "c"], {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    assert [arms[name].status for name in "abc"] == ["scaled", "exploring", "stopped"]
    assert [arms[name].share for name in "abc"] == pytest.approx([0.98, 0.02, 0.0])
    assert arms["a"].reason.startswith("scaled up from 33 % to 98 %: +10.0 points of conversion (")
    assert arms["a"].reason.endswith(") over 9,000 users; best in 100 % of draws")
    assert arms["c"].reason.startswith("stopped: -11.1 points of conversion (-")
    assert arms["b"].reason.startswith("held at 2 %: +0.0 points of conversion (-")
    assert "does not exclude zero; best in 0 % of draws" in arms["b"].reason


def test_nothing_is_scaled_up_without_proof():
    arms, _ = strategy_of(both(0, (90, 30), (30, 6)) + both(0, (90, 20), (30, 6), "b"), ["a", "b"])
    assert arms["a"].sequence.lift > 0.1
    assert [arm.share for arm in arms.values()] == [0.5, 0.5]
    assert arms["a"].reason.startswith("held at an even share: +13.3 points of conversion (")


def test_an_unproven_action_that_may_be_better_still_gets_at_most_an_even_share():
    evidence = weeks_of(a=WORKS) + both(9, (40, 30), (8, 4), action="b")
    arms, _ = strategy_of(evidence, ["a", "b", "c"])
    assert arms["b"].status == "exploring"
    assert arms["b"].share == pytest.approx(1 / 3)
    assert arms["a"].share >= 1 / 3


def test_two_proven_actions_share_by_their_probability_to_be_the_best():
    arms, _ = strategy_of(weeks_of(a=WORKS, b=(900, 268)), ["a", "b"])
    assert arms["a"].status == arms["b"].status == "scaled"
    assert 0.5 < arms["a"].share < 0.98 and arms["b"].share >= 0.02


def test_a_proven_action_that_costs_more_than_it_brings_is_not_scaled():
    evidence = weeks_of(a=WORKS, b=NOTHING)
    money = Money({"a": 4.0}, {"s": 30.0})  # ten points of 30 are 3
    arms, _ = strategy_of(evidence, ["a", "b"], money=money)
    assert arms["a"].status == "exploring" and arms["a"].share == 0.5
    assert arms["a"].gain == pytest.approx(30 * 0.1 - 4, abs=0.1)
    assert "but a contact loses 1." in arms["a"].reason or "but a contact loses 0.9" in arms["a"].reason


def test_the_dearer_of_two_proven_actions_yields():
    evidence = weeks_of(a=WORKS, b=WORKS)
    arms, _ = strategy_of(evidence, ["a", "b"], money=Money({"a": 1.5, "b": 0.1}, {"s": 30.0}))
    assert arms["b"].share > 0.9 and arms["a"].share >= 0.02


def test_where_every_action_harms_nobody_is_contacted():
    arms, one = strategy_of(weeks_of(a=HARMS), ["a"])
    assert one.live == () and arms["a"].share == 0.0
    strategy = next_strategy(weeks_of(a=HARMS), {"s": ["a"]}, {}, FREE, CONFIG, week(10), 7)
    none, action = strategy_rows(strategy, "value")
    assert (none["share"], action["share"]) == (1.0, 0.0)
    assert none["reason"].startswith("no contact, as every action is stopped; 19.9 % convert")


def test_what_is_proven_worse_than_the_scaled_action_and_likely_harms_is_stopped():
    # -6 points would not be proven by itself yet, +30 against it is
    evidence = [
        row
        for n in range(3)
        for name, seen in (("a", (900, 450)), ("b", (300, 42)))
        for row in both(n, seen, (100, 20), action=name)
    ]
    arms, _ = strategy_of(evidence, ["a", "b"])
    assert arms["b"].sequence.high > 0 > arms["b"].sequence.plain(0.05)[1]
    assert arms["b"].status == "stopped"
    assert arms["b"].reason.startswith("stopped: -36.0 points of conversion (-")
    assert "against a, and likely below no contact: -6.0 points" in arms["b"].reason
    alone, _ = strategy_of([row for row in evidence if row.action == "b"], ["a", "b"])
    assert alone["b"].status == "exploring"


def test_another_segment_or_action_changes_no_draw():
    evidence = weeks_of(a=WORKS, b=NOTHING)
    one = next_strategy(evidence, {"s": ["a", "b"]}, {}, FREE, CONFIG, week(10), 7)
    more = next_strategy(evidence, {"r": ["z"], "s": ["c", "a", "b"]}, {}, FREE, CONFIG, week(10), 7)
    np.testing.assert_array_equal(one.draw(100)["s"], more.draw(100)["s"][:, 1:])
    other = next_strategy(evidence, {"s": ["a", "b"]}, {}, FREE, CONFIG, week(10), 8)
    assert (other.draw(100)["s"] != one.draw(100)["s"]).all()


def test_draws_have_the_mean_and_spread_of_the_posteriors():
    strategy = next_strategy(weeks_of(a=WORKS), {"s": ["a"]}, {}, FREE, CONFIG, week(10), 7)
    (one,) = strategy.segments
    drawn = strategy.draw(8192)["s"][:, 0]
    arm = one.arms[0]
    variance = sum(p.rate * (1 - p.rate) / (p.alpha + p.beta + 1) for p in (arm.none, arm.posterior))
    assert drawn.mean() == pytest.approx(arm.posterior.rate - arm.none.rate, abs=4 * (variance / 8192) ** 0.5)
    assert drawn.std() == pytest.approx(variance**0.5, rel=0.05)


def test_an_action_for_people_who_buy_less_is_judged_by_its_own_held_out():
    # a: everybody, .30 and 5 points more; b: an audience, .10 and 6 points more
    weeks = [(both(n, (1800, 630), (200, 60), "a") + both(n, (1800, 288), (200, 20), "b")) for n in range(12)]
    evidence = [row for rows in weeks for row in rows]
    arms, one = strategy_of(evidence, ["a", "b"], number=12)
    assert one.none.rate == pytest.approx(0.2, abs=0.003)  # of all held out: above what b reaches
    assert arms["b"].posterior.rate < one.none.rate
    assert arms["b"].sequence.low > 0
    assert arms["b"].status == "scaled" and arms["b"].gain == pytest.approx(0.06, abs=0.003)
    assert arms["b"].share > arms["a"].share  # six points are more than five
    strategy = next_strategy(evidence, {"s": ["a", "b"]}, {}, FREE, CONFIG, week(12), 7)
    rules = rules_of(strategy, ["s"], ["a", "b"], {"a": 0.0, "b": 0.0}, CONFIG)
    assert rules.uplift_mean[0] == pytest.approx([0.05, 0.06], abs=0.003)
    assert rules.uplift[:, 0].mean(axis=0) == pytest.approx([0.05, 0.06], abs=0.003)
    assert rules.uplift_most[0] == pytest.approx([arms["a"].sequence.high, arms["b"].sequence.high])


def test_what_an_untried_action_may_bring_is_told_by_the_held_out_of_all():
    strategy = next_strategy(weeks_of(a=WORKS), {"s": ["a", "new"]}, {}, FREE, CONFIG, week(10), 7)
    rules = rules_of(strategy, ["s"], ["a", "new"], {"a": 0.0, "new": 0.0}, CONFIG)
    none, new = strategy.segments[0].none, strategy.segments[0].arms[1]
    assert rules.uplift_mean[0, 1] == pytest.approx(CONFIG.prior_lift)
    expected = beta.ppf(0.975, new.posterior.alpha, new.posterior.beta) - none.rate
    assert rules.uplift_most[0, 1] == pytest.approx(expected)


def test_the_held_out_of_two_actions_are_drawn_by_themselves():
    arms, _ = strategy_of(weeks_of(a=WORKS, b=WORKS), ["a", "b"])
    assert arms["a"].none == arms["b"].none
    sure = Posterior(1e9, 1e9, 0.0, 0.0, 2e9)  # leaves what the held out are drawn to
    effects = [(name, Effect(sure, arms[name].none)) for name in "ab"]
    drawn = uplift_draws("s", effects, "conversions", 4096, 7)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.05


def test_by_revenue_a_rarer_but_dearer_sale_wins():
    def paid(number, name, users, buyers, price):
        rows = []
        for row in both(number, (users, buyers), (300, 60), action=name):
            spent = price * row.sums.converted if row.treated else 20.0 * 60
            squares = price * spent if row.treated else 20.0 * spent
            rows.append(
                type(row)(
                    **vars(row)
                    | {"sums": type(row.sums)(**vars(row.sums) | {"revenue": spent, "revenue_squares": squares})}
                )
            )
        return rows

    evidence = [row for n in range(10) for row in paid(n, "a", 900, 270, 20.0) + paid(n, "b", 900, 180, 60.0)]
    config = LearningConfig(objective="revenue")
    arms, _ = strategy_of(evidence, ["a", "b"], config=config)
    assert arms["b"].share > 0.9
    assert arms["b"].reason.startswith("scaled to 98 %: +8.00 per user (")
    assert arms["b"].lift.lift == pytest.approx(0.0)  # of conversions, for the table
    by_count, _ = strategy_of(evidence, ["a", "b"])
    assert by_count["a"].share > 0.9


def test_rows_fill_the_table_and_shares_of_a_segment_add_up_to_one():
    strategy = next_strategy(weeks_of(a=WORKS, b=HARMS), {"s": ["a", "b"], "t": ["a"]}, {}, FREE, CONFIG, week(10), 7)
    rows = strategy_rows(strategy, "value")
    assert all(set(row) == set(STRATEGIES.names) - {"run_id"} for row in rows)
    assert [(row["segment_name"], row["action"]) for row in rows] == [
        ("s", "none"), ("s", "a"), ("s", "b"), ("t", "none"), ("t", "a"),
    ]  # fmt: skip
    for segment in "st":
        assert sum(row["share"] for row in rows if row["segment_name"] == segment) == pytest.approx(1.0)
    assert rows[0]["status"] == "baseline" and rows[0]["lift"] is None


def test_what_begins_at_or_after_as_of_changes_nothing():
    early, late = weeks_of(a=WORKS, b=NOTHING), both(10, (900, 10), HELD_OUT)
    assert strategy_of(early, ["a", "b"]) == strategy_of(early + late, ["a", "b"])


STATUSES = st.sampled_from(["untried", "exploring", "scaled", "stopped"])


@given(st.lists(st.tuples(STATUSES, st.floats(0, 1)), min_size=1, max_size=12), st.floats(0, 0.2))
@settings(max_examples=300, deadline=None)
def test_shares_add_up_and_keep_the_floor_and_the_even_share(arms, floor):
    statuses = {str(n): status for n, (status, _) in enumerate(arms)}
    total = sum(best for status, best in arms if status != "stopped") or 1.0
    best = {str(n): best / total if status != "stopped" else 0.0 for n, (status, best) in enumerate(arms)}
    shares = allot(statuses, best, floor)
    live = [name for name, status in statuses.items() if status != "stopped"]
    assert all(shares[name] == 0 for name in statuses if name not in live)
    if live:
        assert sum(shares.values()) == pytest.approx(1.0)
        assert all(shares[name] >= min(floor, 1 / len(live)) - 1e-12 for name in live)
        assert all(shares[name] <= 1 / len(live) + 1e-12 for name in live if statuses[name] != "scaled")
