"""The stage campaigns: what earlier ones changed, what follows from that, the next plan, and what it will sell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.catalogue import Strategies, load_strategies
from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.demand.stage import write_demand
from segspark.campaigns.evidence import Evidence
from segspark.campaigns.history import (
    Campaign,
    Planned,
    outcomes_before,
    plans_made,
    publications_seen,
    this_campaign,
)
from segspark.campaigns.learning.rules import rules_of
from segspark.campaigns.learning.shares import Money, next_strategy
from segspark.campaigns.learning.stage import write_strategies
from segspark.campaigns.learning.strategy import Strategy
from segspark.campaigns.lift.stage import write_lifts
from segspark.campaigns.past.stage import evidence_from, look_back
from segspark.campaigns.planning.audience import check_columns
from segspark.campaigns.planning.stage import Order, ask_everyone, build_plan, published_plans
from segspark.core.contracts import (
    CAMPAIGN_MEMBERS,
    CAMPAIGNS,
    OUTCOMES,
    PUBLICATIONS,
    SEGMENTS,
    STRATEGIES,
    USER_FEATURES,
)
from segspark.core.errors import ConfigError
from segspark.core.stage import StageContext, StageResult

NO_FILE = "campaigns.strategies is null; give the path of a strategies file"
NAMELESS = r"segment-\d+|noise"  # names that a segment did not earn


@dataclass(frozen=True)
class Offer:
    """What may be done for whom in this run."""

    strategies: Strategies
    segments: list[str]
    suits: Mapping[str, list[str]]  # actions by segment

    @property
    def costs(self) -> dict[str, float]:
        """What a contact costs, by action."""
        return {name: action.cost for name, action in self.strategies.actions.items()}


def build_campaigns(context: StageContext, config: CampaignsConfig, earned: frozenset[str] | None) -> StageResult:
    """Writes the tables of core/campaign_tables.py.

    `earned` are the names that segments can earn, where these are known. ConfigError for a strategies file or a
    campaign id that cannot be used.
    """
    if config.strategies is None:
        return StageResult(skipped=NO_FILE)
    segments = sorted(row.name for row in context.view.rows(SEGMENTS) if row.scheme == config.scheme)
    if not segments:
        return StageResult(
            skipped=f"there are no segments of the scheme {config.scheme}; the stage segments makes them"
        )
    offer = _offer(context, config, segments, earned)
    seen, made, campaign = _campaign(context, config)
    order = Order(campaign, offer.strategies, config, offer.suits, segments, made)
    plans = published_plans(context, order)
    asked, members = ask_everyone(context, order, plans)
    strategy, rows, notes = follow_up(context, config, offer, asked.worth, made, seen)
    rules = rules_of(strategy, segments, list(offer.costs), offer.costs, config.learning)
    planned, summary = build_plan(context, order, asked, plans, rules)
    demand, warnings = write_demand(context, config, campaign)
    rows |= {CAMPAIGN_MEMBERS.name: members, **planned, **demand}
    return StageResult(rows=rows, notes=(*notes, _told(summary), *warnings))


def follow_up(
    context: StageContext,
    config: CampaignsConfig,
    offer: Offer,
    worth: Mapping[str, float],
    made: list[Planned],
    seen: Mapping[str, int],
) -> tuple[Strategy, dict[str, int], list[str]]:
    """What earlier campaigns changed, and the strategy that follows from it. Writes the tables of both.

    `worth` is what a conversion brings, by segment; `made` and `seen` are those of `look_back`. Returns the strategy,
    the rows of each table, and notes.
    """
    past = look_back(context, config, made, seen)
    if past.settled:
        names = {each.campaign_id for each in past.made}
        context.tell(f"campaigns: {len(past.settled)} of {len(names)} were measured before and are settled")
    found = evidence_from(context, config, past)
    recent = [each for each in found if each.campaign_id not in past.forgotten]
    rows, notes, distrusted = write_lifts(context, config, past, recent)
    trusted = [each for each in found if each.campaign_id not in distrusted]
    strategy = _strategy(context, config, offer, trusted, worth)
    rows |= write_strategies(context, config, strategy, found, past, distrusted)
    return strategy, rows, notes


def check_campaign(context: StageContext, config: CampaignsConfig) -> None:
    """ConfigError where the run's campaign has an id that was used: told before hours of work."""
    if config.strategies is None:
        return
    lake = context.lake
    _, made, campaign = _campaign(context, config)
    if campaign.campaign_id not in {each.campaign_id for each in made} and not lake.is_empty(OUTCOMES):
        _refuse_used_id(outcomes_before(lake.read(OUTCOMES), context.run), campaign)


def _campaign(context: StageContext, config: CampaignsConfig) -> tuple[dict[str, int], list[Planned], Campaign]:
    """The runs that were published, the plans they made, and the campaign that this run plans."""
    lake, run = context.lake, context.run
    seen = publications_seen(lake.rows(PUBLICATIONS), run.previous)
    made = plans_made(lake.rows(CAMPAIGNS), seen)
    return seen, made, this_campaign(config, run.as_of, made)


def _offer(context: StageContext, config: CampaignsConfig, segments: list[str], earned: frozenset[str] | None) -> Offer:
    path = str(config.strategies)
    strategies = load_strategies(path, earned)
    check_columns(strategies, path, set(context.view.frame(USER_FEATURES).columns) - {"user_bucket"})
    suits = {name: strategies.suits(name, not _is_nameless(name)) for name in segments}
    return Offer(strategies, segments, suits)


def _is_nameless(name: str) -> bool:
    return re.fullmatch(NAMELESS, name) is not None


def _refuse_used_id(outcomes: DataFrame, campaign: Campaign) -> None:
    """ConfigError where somebody else's campaign has the id: its outcomes would count for this one."""
    first = outcomes.where(F.col("campaign_id") == campaign.campaign_id).agg(F.min("sent_at")).first()
    if first is not None and first[0] is not None:
        raise ConfigError(
            f"campaigns.campaign_id: outcomes has contacts of {campaign.campaign_id} from {first[0]:%Y-%m-%d} on, which"
            " no published run planned; give this campaign another id"
        )


def _strategy(
    context: StageContext,
    config: CampaignsConfig,
    offer: Offer,
    evidence: list[Evidence],
    worth: Mapping[str, float],
) -> Strategy:
    run, earlier = context.run, context.view.earlier
    before: dict[str, dict[str, float]] = {}
    for row in earlier.rows(STRATEGIES) if earlier is not None else []:
        if row.scheme == config.scheme and row.status != "baseline":
            before.setdefault(row.segment_name, {})[row.action] = row.share
    money = Money(offer.costs, worth)
    return next_strategy(evidence, offer.suits, before, money, config.learning, run.as_of, run.seed)


def _told(campaign: Mapping[str, Any]) -> str:
    """What a person should know of the plan, a row of campaigns: how many, and who is left out and why."""
    left_out = ", ".join(f"{each['users']:,} {each['reason']}" for each in campaign["left_out"])
    contacts = f"{campaign['contacts']:,} contacts for {campaign['cost']:,.2f}, {campaign['held_out']:,} held out"
    return f"{campaign['campaign_id']}: {contacts}" + (f"; left out: {left_out}" if left_out else "")
