"""The comparison of plans."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop
from benchmarks.planning.work import ACTIONS, rules_for, strategies_for, write_users
from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.planning.assigning import users_of

LEAST = 0.98  # of the greedy plan's gain


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Users who may be contacted, a tenth of them held out."""
    folder = workshop.folder / "users"
    if not folder.exists():
        folder.mkdir(parents=True)
        write_users(size, str(folder))
    return {"users": str(folder), "size": str(size)}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """What each plan is expected to gain; nobody twice, nobody held out, no day of a channel beyond its budget."""
    table = pq.read_table(inputs["users"]).sort_by("user_id")
    strategies = strategies_for(int(inputs["size"]))
    users, rules = users_of(table), rules_for(strategies)
    gains = rules.uplift_mean[users.segment] * users.worth[:, None] - rules.costs
    values, found = {}, []
    for name, path in outputs.items():
        plan = pq.read_table(path).sort_by("user_id")
        rows = pa.compute.index_in(plan["user_id"], table["user_id"].combine_chunks()).to_numpy()
        values[name] = float(gains[rows, plan["action_no"].to_numpy()].sum())
        held = np.asarray(table["holdout"])[rows].sum()
        is_single = len(np.unique(rows)) == len(rows) and not held
        found.append(Check(f"{name}: nobody twice, nobody held out", bool(is_single), f"{len(rows):,} contacts"))
        used = most_used(plan, strategies)
        found.append(Check(f"{name}: no budget exceeded", used <= 1 + 1e-9, f"{used:.4f} of a budget at most"))
    if {"ours", "greedy"} <= set(values):
        ratio = values["ours"] / values["greedy"]
        found.append(Check(f"ours gains at least {LEAST} x greedy", ratio >= LEAST, f"{ratio:.4f}"))
    return found


def most_used(plan: pa.Table, strategies: Strategies) -> float:
    """The largest part of any day's contacts or money of any channel that the plan uses."""
    days = plan["send_on"].to_numpy()
    counts = {day: np.bincount(plan["action_no"].to_numpy()[days == day], minlength=ACTIONS) for day in np.unique(days)}
    actions = list(strategies.actions.values())
    parts = [0.0]
    for name, channel in strategies.channels.items():
        of = np.array([action.channel == name for action in actions])
        costs = np.array([action.cost for action in actions])
        for count in counts.values():
            parts += [(count * of).sum() / channel.contacts_per_day, (count * of * costs).sum() / channel.money_per_day]
    return float(max(parts))


CASE = Case(
    name="planning",
    title=f"A week's campaign, {ACTIONS} actions, 4 channels",
    unit="users",
    sizes={"tiny": (3_000,), "small": (50_000, 100_000, 200_000), "full": (250_000, 500_000, 1_000_000)},
    prepare=prepare,
    contestants=(
        Contestant("greedy", "benchmarks.planning.greedy_peer"),
        Contestant("ours", "benchmarks.planning.ours"),
    ),
    baseline="greedy",
    check=check,
)
