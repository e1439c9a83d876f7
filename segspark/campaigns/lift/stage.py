"""All of the measuring that knows the lake: what campaigns changed, by their outcomes and by the logs."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.evidence import Evidence, add_up, evidence_of
from segspark.campaigns.history import Planned, contacts_of, outcomes_before, plans_since
from segspark.campaigns.lift.adjusting import Adjusted, adjust_campaign, newcomers_row
from segspark.campaigns.lift.bootstrap import bootstrap_revenue
from segspark.campaigns.lift.checks import CampaignCounts, check_campaign
from segspark.campaigns.lift.counting import count_contacts
from segspark.campaigns.lift.effects import hold_back, measure_lifts
from segspark.campaigns.lift.foreign import Sorted, count_foreign, foreign_checks, sort_foreign
from segspark.campaigns.lift.moves import compare_moves, count_moves, last_moves
from segspark.campaigns.lift.observed import COVARIATES, count_newcomers, everyone_in, with_covariates, with_known
from segspark.campaigns.lift.windows import open_campaigns
from segspark.campaigns.responses import measure, planned_contacts, purchases_of
from segspark.core.contracts import (
    CAMPAIGN_BALANCE,
    CAMPAIGN_CHECKS,
    CAMPAIGN_LIFT,
    CAMPAIGN_MOVES,
    CAMPAIGN_PLAN,
    EVENTS,
    ORDERS,
    OUTCOMES,
    RATINGS,
    SEGMENT_CHANGES,
    SEGMENT_PROFILES,
    SEGMENTS,
    USER_DAYS,
    USER_FEATURES,
    USERS,
    Contract,
    frame_of,
)
from segspark.core.stage import StageContext

SPENDING = "monetary"  # of segment_profiles: what up and down go by
HISTORY = timedelta(days=365)  # before as_of: campaigns that started earlier teach nothing any more
LOGS = timedelta(days=730)  # before as_of: what is read for campaigns of other tools


@dataclass(frozen=True)
class Past:
    """What is known of earlier campaigns when the run looks back."""

    planned: frozenset[str]  # every campaign that was ever published, of any scheme
    made: list[Planned]  # plans of the last year for the scheme's segments, as they were published
    seen: DataFrame  # run_id, seq: the runs that were published
    outcomes: DataFrame  # the log
    contacts: DataFrame  # as `planned_contacts`, of `made`
    responses: DataFrame  # those whose window has closed


def look_back(context: StageContext, config: CampaignsConfig, made: list[Planned], seen: DataFrame) -> Past:
    """The campaigns of the last year and what became of their contacts. `made` are all plans."""
    lake, run = context.lake, context.run
    recent = plans_since(made, config.scheme, run.as_of - HISTORY)
    outcomes = outcomes_before(lake.read(OUTCOMES), run)
    contacts = planned_contacts(contacts_of(lake.read(CAMPAIGN_PLAN), recent, outcomes), outcomes)
    responses = measure(contacts, _logs(context, recent, config), run.as_of, config.lift).checkpoint()
    return Past(frozenset(each.campaign_id for each in made), recent, seen, outcomes, contacts, responses)


def evidence_from(past: Past) -> list[Evidence]:
    """What the closed windows show, added up: one row per campaign, first day, segment, action and side."""
    return [evidence_of(row) for row in add_up(past.responses).collect()] if past.made else []


def write_lifts(
    context: StageContext, config: CampaignsConfig, past: Past, evidence: list[Evidence]
) -> tuple[dict[str, int], list[str]]:
    """Writes campaign_lift, campaign_checks, campaign_balance and campaign_moves; returns rows and notes."""
    lifts = _with_bootstrap(context, config, past, measure_lifts(evidence, config.lift))
    as_of, days = context.run.as_of, config.lift.attribution_days
    foreign = _foreign(context, config, past)
    observed = [each.campaign_id for each in foreign.observed]
    adjusted = [_adjust(context, config, past, campaign_id) for campaign_id in observed]
    lifts += [row for each in adjusted for row in each.lifts]
    until = open_campaigns(past.made, days, as_of)
    still_open = {*until, *(each.campaign_id for each in foreign.observed if each.open_until(days, as_of))}
    checks = [*_checks(context, past, until), *foreign_checks(foreign, days, as_of, as_of - LOGS)]
    content: dict[Contract, list[dict[str, Any]]] = {
        CAMPAIGN_LIFT: hold_back(lifts, still_open),
        CAMPAIGN_CHECKS: [*checks, *(row for each in adjusted for row in each.checks)],
        CAMPAIGN_BALANCE: [row for each in adjusted for row in each.balance],
        CAMPAIGN_MOVES: _moves(context, config, past),
    }
    lake, run = context.lake, context.run
    written = {
        contract.name: lake.replace_run(contract, frame_of(lake.spark, contract, rows), run.run_id)
        for contract, rows in content.items()
    }
    return written, _notes(content[CAMPAIGN_CHECKS], observed)


def _logs(context: StageContext, made: list[Planned], config: CampaignsConfig) -> dict[str, DataFrame]:
    """The logs of the days that windows of these campaigns need."""
    first = min((each.starts_on for each in made), default=context.run.as_of)
    return logs_between(context, first - timedelta(days=config.lift.before_days))


def logs_between(context: StageContext, first: Any) -> dict[str, DataFrame]:
    """Orders, ratings and user_days from a day on, before as_of; purchase events in place of orders where none is."""
    lake, run = context.lake, context.run
    inside = (F.col("day") >= F.lit(first)) & (F.col("day") < F.lit(run.as_of))
    bought = EVENTS if lake.read(ORDERS).isEmpty() else ORDERS
    read = {log: lake.read(log).where((F.col("ingest_seq") <= run.ingest_seq) & inside) for log in (bought, RATINGS)}
    orders = purchases_of(read[EVENTS]) if bought == EVENTS else read[ORDERS]
    return {"orders": orders, "ratings": read[RATINGS], "user_days": lake.read(USER_DAYS).where(inside)}


def _with_bootstrap(
    context: StageContext, config: CampaignsConfig, past: Past, lifts: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of revenue with the ends of the bootstrap."""
    if not lifts or not config.lift.bootstrap_samples:
        return lifts
    found = bootstrap_revenue(past.responses, config.lift, context.run.seed).collect()
    ends = {(row.campaign_id, row.segment_name, row.action): (row.bootstrap_low, row.bootstrap_high) for row in found}
    for row in lifts:
        key = (row["campaign_id"], row["segment_name"], row["action"])
        if row["measure"] == "revenue" and key in ends:
            row["bootstrap_low"], row["bootstrap_high"] = ends[key]
    return lifts


def _foreign(context: StageContext, config: CampaignsConfig, past: Past) -> Sorted:
    """Campaigns that no published run planned, of whatever age and scheme."""
    as_of = context.run.as_of
    counts = count_foreign(past.outcomes, past.planned, config.lift.attribution_days, as_of)
    return sort_foreign(counts.collect(), config.lift.observed, as_of - LOGS)


def _adjust(context: StageContext, config: CampaignsConfig, past: Past, campaign_id: str) -> Adjusted:
    """The effect of a campaign that nobody drew at random."""
    lake, run = context.lake, context.run
    people = lake.read_run(USER_FEATURES, run.run_id).where("NOT coalesce(is_bot, false)").select("user_id")
    logs = logs_between(context, run.as_of - LOGS)
    contacts = everyone_in(campaign_id, past.outcomes, people)
    responses = measure(contacts, logs, run.as_of, config.lift)
    ever = lake.read(USER_DAYS).where(F.col("day") < F.lit(run.as_of))
    known = with_known(responses, ever, lake.read(USERS).where(F.col("ingest_seq") <= run.ingest_seq))
    others = past.outcomes.where(F.col("campaign_id") != campaign_id)
    everyone = with_covariates(known, logs["user_days"], others).checkpoint()
    rows = everyone.where("is_known")
    adjusted = adjust_campaign(campaign_id, rows, COVARIATES, config.lift, run.seed, _days_before(rows, logs))
    newcomers = newcomers_row(campaign_id, count_newcomers(everyone).collect())
    return replace(adjusted, checks=[*adjusted.checks, newcomers])


def _days_before(responses: DataFrame, logs: dict[str, DataFrame]) -> int:
    """Days from the first that any log knows to the first of the campaign; 0 where a log begins later, or none does."""
    begins = logs["user_days"].agg(F.min("day").alias("first"))
    row = responses.agg(F.min("starts_on").alias("starts_on")).crossJoin(begins).collect()[0]
    return max(0, (row.starts_on - row["first"]).days) if row.starts_on and row["first"] else 0


def _checks(context: StageContext, past: Past, open_until: dict[str, date]) -> list[dict[str, Any]]:
    """Whether the planned campaigns ran as they were planned."""
    if not past.made:
        return []
    lake, run = context.lake, context.run
    known = lake.read_run(USER_FEATURES, run.run_id).select("user_id")
    shares = {each.campaign_id: each.holdout_share for each in past.made}  # of the newest plan
    counts = count_contacts(past.contacts, past.outcomes, past.responses, known, run.as_of).collect()
    found = {
        row.campaign_id: CampaignCounts(
            **row.asDict(), holdout_share=shares[row.campaign_id], open_until=open_until.get(row.campaign_id)
        )
        for row in counts
        if row.campaign_id in shares
    }
    return [row for name in sorted(found) for row in check_campaign(found[name])]


def _moves(context: StageContext, config: CampaignsConfig, past: Past) -> list[dict[str, Any]]:
    """Where users of closed windows went since they were planned, by the changes of published runs and of this one."""
    if not past.made:
        return []
    lake, run = context.lake, context.run
    of_scheme = F.col("scheme") == config.scheme
    changes = lake.read(SEGMENT_CHANGES).where(of_scheme)
    this_run = lake.spark.createDataFrame([(run.run_id, 2**62)], "run_id string, seq bigint")
    seen = past.seen.where(F.col("run_id") != run.run_id).unionByName(this_run)
    names = lake.read_run(SEGMENTS, run.run_id).where(of_scheme).select("segment_id", F.col("name").alias("to_name"))
    told = changes.join(F.broadcast(seen), on="run_id", how="inner").join(
        F.broadcast(names), F.col("to_segment") == F.col("segment_id"), how="left"
    )
    profiles = lake.read_run(SEGMENT_PROFILES, run.run_id).where(of_scheme & (F.col("feature") == SPENDING))
    spending = profiles.join(names, on="segment_id", how="inner").select(
        F.col("to_name").alias("segment_name"), F.col("mean").alias("spend_per_user")
    )
    since = lake.spark.createDataFrame(
        [(each.campaign_id, each.seq) for each in past.made], "campaign_id string, seq bigint"
    )
    first = since.groupBy("campaign_id").agg(F.min("seq").alias("planned_seq"))
    plan = past.responses.select("campaign_id", "user_id", "segment_name", (~F.col("treated")).alias("holdout"))
    counted = count_moves(plan.join(F.broadcast(first), on="campaign_id", how="inner"), last_moves(told), spending)
    return compare_moves(counted.collect(), config.lift.level)


def _notes(checks: list[dict[str, Any]], observed: list[str]) -> list[str]:
    failed = [row for row in checks if row["passed"] is False and row["campaign_id"] not in observed]
    notes = [f"campaign {row['campaign_id']}: {row['check']}: {row['note']}" for row in failed]
    if observed:
        names = ", ".join(observed[:3]) + (f" and {len(observed) - 3} more" if len(observed) > 3 else "")
        notes.append(f"{names}: no random holdout; campaign_checks tells what was adjusted for, and what was not")
    return notes
