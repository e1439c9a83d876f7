"""How many contacts of each action go out on each day: whole numbers that no budget of a day is exceeded by."""

from collections.abc import Mapping
from decimal import Decimal
from math import floor

from segspark.campaigns.catalogue import Strategies

Quotas = dict[str, list[int]]  # by action, contacts on each day


def set_quotas(wanted: Mapping[str, int], strategies: Strategies, days: int) -> Quotas:
    """Contacts per action and day, as early as the channels' budgets allow, and in each day in proportion to what is
    left to send. What does not fit into the last day is not sent.
    """
    quotas: Quotas = {action: [0] * days for action in strategies.actions}
    left = {action: int(wanted.get(action, 0)) for action in strategies.actions}
    for channel in strategies.channels:
        of = [name for name, action in strategies.actions.items() if action.channel == channel]
        for day in range(days):
            for action, contacts in _one_day({name: left[name] for name in of}, strategies, channel).items():
                quotas[action][day] = contacts
                left[action] -= contacts
    return quotas


def _one_day(left: Mapping[str, int], strategies: Strategies, channel: str) -> dict[str, int]:
    """So many of each action as fit: the same part of each, rounded down, then one more each while there is room."""
    costs = {name: Decimal(str(strategies.actions[name].cost)) for name in left}
    contacts = strategies.channels[channel].contacts_per_day
    money = Decimal(str(strategies.channels[channel].money_per_day))
    all_contacts, all_money = sum(left.values()), sum(costs[name] * count for name, count in left.items())
    part = min(
        Decimal(1),
        Decimal(contacts) / all_contacts if all_contacts else Decimal(1),
        money / all_money if all_money else Decimal(1),
    )
    taken = {name: floor(part * count) for name, count in left.items()}
    for name in sorted(left, key=lambda each: (costs[each], each)):
        room = contacts - sum(taken.values())
        rest = money - sum(costs[each] * count for each, count in taken.items())
        affordable = room if not costs[name] else min(room, int(rest // costs[name]))
        taken[name] += max(0, min(left[name] - taken[name], affordable))
    return taken
