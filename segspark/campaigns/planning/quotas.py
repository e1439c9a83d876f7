"""How many contacts of each action go out on each day: whole numbers that no budget of a day is exceeded by."""

from collections.abc import Mapping
from decimal import Decimal
from math import floor

from segspark.campaigns.catalogue import Strategies

Quotas = dict[str, list[int]]  # by action, contacts on each day
Used = Mapping[tuple[str, int], tuple[int, float]]  # by channel and day: contacts and money that others have planned


def set_quotas(wanted: Mapping[str, int], strategies: Strategies, days: int, used: Used | None = None) -> Quotas:
    """Contacts per action and day, as early as the channels' budgets allow: in each day the same part of what is left
    of each action, and then of the cheapest what room remains. What does not fit into the last day is not sent. What
    others have `used` of a day is not there.
    """
    quotas: Quotas = {action: [0] * days for action in strategies.actions}
    left = {action: int(wanted.get(action, 0)) for action in strategies.actions}
    for channel in strategies.channels:
        of = [name for name, action in strategies.actions.items() if action.channel == channel]
        for day in range(days):
            others = (used or {}).get((channel, day), (0, 0.0))
            for action, contacts in _one_day({name: left[name] for name in of}, strategies, channel, others).items():
                quotas[action][day] = contacts
                left[action] -= contacts
    return quotas


def _one_day(left: Mapping[str, int], strategies: Strategies, channel: str, used: tuple[int, float]) -> dict[str, int]:
    """So many of each action as fit: the same part of each, rounded down, then the cheapest while there is room."""
    costs = {name: Decimal(str(strategies.actions[name].cost)) for name in left}
    contacts = max(0, strategies.channels[channel].contacts_per_day - used[0])
    money = max(Decimal(0), Decimal(str(strategies.channels[channel].money_per_day)) - Decimal(str(used[1])))
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
