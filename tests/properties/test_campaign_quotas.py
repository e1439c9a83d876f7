"""No day of any channel ever gets more contacts or money than it has."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.planning.quotas import set_quotas

MONEY = st.decimals("0.01", "500", places=2)


@st.composite
def catalogues(draw):
    channels = {
        name: {"contacts_per_day": draw(st.integers(1, 300)), "money_per_day": float(draw(MONEY))} for name in "ab"
    }
    actions = {}
    for number in range(draw(st.integers(1, 6))):
        channel = draw(st.sampled_from("ab"))
        most = Decimal(str(channels[channel]["money_per_day"]))
        cost = draw(st.decimals(0, most, places=2))
        actions[f"x{number}"] = {"title": "t", "channel": channel, "personas": ["all"], "cost": float(cost)}
    return Strategies.model_validate({"channels": channels, "actions": actions})


@settings(max_examples=300, deadline=None)
@given(catalogues(), st.data(), st.integers(1, 20))
def test_no_budget_of_a_day_is_exceeded_and_nothing_is_sent_that_nobody_wanted(strategies, data, days):
    wanted = {name: data.draw(st.integers(0, 3000)) for name in strategies.actions}
    of_others = st.tuples(st.integers(0, 200), MONEY.map(float))
    used = {(channel, day): data.draw(of_others) for channel in strategies.channels for day in range(min(days, 2))}
    quotas = set_quotas(wanted, strategies, days, used)
    for name in strategies.actions:
        assert sum(quotas[name]) <= wanted[name]
        assert min(quotas[name]) >= 0
    for channel, budget in strategies.channels.items():
        of = [name for name, action in strategies.actions.items() if action.channel == channel]
        for day in range(days):
            contacts, spent = used.get((channel, day), (0, 0.0))
            assert sum(quotas[name][day] for name in of) <= max(0, budget.contacts_per_day - contacts)
            money = sum(Decimal(str(strategies.actions[name].cost)) * quotas[name][day] for name in of)
            assert money <= max(Decimal(0), Decimal(str(budget.money_per_day)) - Decimal(str(spent)))


@settings(max_examples=200, deadline=None)
@given(catalogues(), st.data())
def test_a_contact_is_only_left_out_of_a_day_whose_budget_has_no_room_for_it(strategies, data):
    wanted = {name: data.draw(st.integers(0, 300)) for name in strategies.actions}
    quotas = set_quotas(wanted, strategies, days=1)
    for channel, budget in strategies.channels.items():
        of = [name for name, action in strategies.actions.items() if action.channel == channel]
        contacts = budget.contacts_per_day - sum(quotas[name][0] for name in of)
        spent = sum(Decimal(str(strategies.actions[name].cost)) * quotas[name][0] for name in of)
        money = Decimal(str(budget.money_per_day)) - spent
        for name in of:
            if quotas[name][0] < wanted[name]:
                assert contacts == 0 or Decimal(str(strategies.actions[name].cost)) > money
