"""What one writes first: all pairs of a user and an action by what they gain, the best first, while budgets last."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.contestant import Ready, Task
from benchmarks.planning.work import DAYS, rules_for, strategies_for
from segspark.campaigns.planning.assigning import users_of
from segspark.campaigns.planning.choosing import options


def run(task: Task, ready: Ready) -> None:
    """numpy on one core; each contact goes out on the first day that has room for it."""
    ready()
    table = pq.read_table(task.inputs["users"])
    table = table.filter(pa.compute.invert(table["holdout"]))
    strategies = strategies_for(int(task.inputs["size"]))
    rules = rules_for(strategies)
    gains = options(users_of(table), rules)
    users, actions = np.nonzero(gains > 0)
    order = np.argsort(-gains[users, actions], kind="stable")
    names = list(strategies.channels)
    through = [names.index(action.channel) for action in strategies.actions.values()]
    contacts = [[channel.contacts_per_day] * DAYS for channel in strategies.channels.values()]
    money = [[channel.money_per_day] * DAYS for channel in strategies.channels.values()]
    costs = [float(cost) for cost in rules.costs]
    is_done = bytearray(len(gains))
    made: list[tuple[int, int, int]] = []
    for user, action in zip(users[order].tolist(), actions[order].tolist(), strict=True):
        if is_done[user]:
            continue
        channel, cost = through[action], costs[action]
        for day in range(DAYS):
            if contacts[channel][day] >= 1 and money[channel][day] >= cost:
                contacts[channel][day] -= 1
                money[channel][day] -= cost
                made.append((user, action, day))
                is_done[user] = 1
                break
    rows, chosen, days = (np.array(column) for column in zip(*made, strict=True))
    sent = [date(2024, 7, 1) + timedelta(days=int(day)) for day in days]
    columns = {"user_id": table["user_id"].take(rows), "action_no": pa.array(chosen, pa.int32()), "send_on": sent}
    pq.write_table(pa.table(columns), task.output)
