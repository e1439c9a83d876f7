"""All of the measuring that knows the lake: what campaigns changed, by their outcomes and by the logs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.evidence import Evidence
from segspark.campaigns.lift.adjusting import Adjusted, adjust_campaign, newcomers_row
from segspark.campaigns.lift.bootstrap import bootstrap_revenue
from segspark.campaigns.lift.checks import SAMPLE_RATIO, CampaignCounts, check_campaign, unsent_row
from segspark.campaigns.lift.effects import hold_back, measure_lifts
from segspark.campaigns.lift.foreign import foreign_checks, sort_foreign
from segspark.campaigns.lift.moves import compare_moves, count_moves, last_moves
from segspark.campaigns.lift.observed import (
    COVARIATES,
    NEVER,
    everyone_in,
    known_since,
    newcomers,
    with_covariates,
    with_known,
)
from segspark.campaigns.lookup import looked_up
from segspark.campaigns.past.counting import COUNTED
from segspark.campaigns.past.settled import Span
from segspark.campaigns.past.stage import Past, logs_within
from segspark.campaigns.past.told import Told
from segspark.campaigns.responses import closed_windows, measure
from segspark.campaigns.windows import open_campaigns
from segspark.core.checkpoints import checkpointed
from segspark.core.contracts import (
    CAMPAIGN_BALANCE,
    CAMPAIGN_CHECKS,
    CAMPAIGN_LIFT,
    CAMPAIGN_MOVES,
    SEGMENT_CHANGES,
    SEGMENT_PROFILES,
    SEGMENTS,
    USER_DAYS,
    USER_FEATURES,
    USERS,
    Contract,
)
from segspark.core.stage import StageContext

SPENDING = "monetary"  # of segment_profiles: what up and down go by
LOGS = timedelta(days=730)  # before as_of: what is read for campaigns of other tools


def write_lifts(
    context: StageContext, config: CampaignsConfig, past: Past, evidence: list[Evidence]
) -> tuple[dict[str, int], list[str], set[str]]:
    """Writes campaign_lift, campaign_checks, campaign_balance and campaign_moves.

    Returns rows, notes, and the campaigns that did not keep their sample ratio, which teach nothing.
    """
    lifts = _lifts(context, config, past, evidence)
    as_of, days = context.run.as_of, config.lift.attribution_days
    foreign = sort_foreign(past.told, past.planned, config.lift.observed, as_of - LOGS)
    observed = [each.campaign_id for each in foreign.observed]
    adjusted = _adjust(context, config, past, foreign.observed)
    lifts += [row for each in adjusted for row in each.lifts]
    until = open_campaigns(past.last_days, days, as_of)
    checks = [*_checks(past, evidence, until), *foreign_checks(foreign, days, as_of, as_of - LOGS)]
    distrusted = {row["campaign_id"] for row in checks if row["check"] == SAMPLE_RATIO and row["passed"] is False}
    still_open = {*until, *(each.campaign_id for each in foreign.observed if each.open_until(days, as_of))}
    content: dict[Contract, list[dict[str, Any]]] = {
        CAMPAIGN_LIFT: hold_back(lifts, distrusted | still_open),
        CAMPAIGN_CHECKS: [*checks, *map(unsent_row, past.unsent), *(row for each in adjusted for row in each.checks)],
        CAMPAIGN_BALANCE: [row for each in adjusted for row in each.balance],
        CAMPAIGN_MOVES: _moves(context, config, past) if evidence else [],
    }
    written = {contract.name: context.view.write_rows(contract, rows) for contract, rows in content.items()}
    return written, _notes(content[CAMPAIGN_CHECKS], observed), distrusted


def _lifts(
    context: StageContext, config: CampaignsConfig, past: Past, evidence: list[Evidence]
) -> list[dict[str, Any]]:
    """Rows of campaign_lift of planned campaigns; of settled ones those that the run before wrote."""
    made = measure_lifts([each for each in evidence if each.campaign_id not in past.settled], config.lift)
    if made and past.responses is not None and config.lift.bootstrap_samples:
        found = bootstrap_revenue(past.responses, config.lift, context.run.seed).collect()
        ends = {(row.campaign_id, row.segment_name, row.action): row for row in found}
        for row in made:
            key = (row["campaign_id"], row["segment_name"], row["action"])
            if row["measure"] == "revenue" and key in ends:
                row |= {name: ends[key][name] for name in ("bootstrap_low", "bootstrap_high")}
    if past.settled and context.view.earlier is not None:
        before = context.view.earlier.rows(CAMPAIGN_LIFT)
        made += [row.asDict() for row in before if row.campaign_id in past.settled]
    return made


def _adjust(context: StageContext, config: CampaignsConfig, past: Past, campaigns: Sequence[Told]) -> list[Adjusted]:
    """The effects of campaigns that nobody drew at random."""
    if not campaigns:
        return []
    lake, run = context.lake, context.run
    people = context.view.frame(USER_FEATURES).where("NOT coalesce(is_bot, false)").select("user_id")
    ever = lake.read(USER_DAYS).where(F.col("day") < F.lit(run.as_of))
    since = known_since(ever, lake.read(USERS).where(F.col("ingest_seq") <= run.ingest_seq)).checkpoint()
    return [_adjust_one(context, config, past, each, people, since) for each in campaigns]


def _adjust_one(
    context: StageContext,
    config: CampaignsConfig,
    past: Past,
    campaign: Told,
    people: DataFrame,
    since: DataFrame,
) -> Adjusted:
    as_of, campaign_id = context.run.as_of, campaign.campaign_id
    first, last = campaign.first or as_of, campaign.last or as_of
    begins = max(as_of - LOGS, first - timedelta(days=int(NEVER)))
    span = Span(begins, last + timedelta(days=config.lift.attribution_days))
    logs = logs_within(context, past.orders_begin, [span])
    contacts = everyone_in(campaign_id, past.outcomes, people)
    known = with_known(measure(contacts, logs, as_of, config.lift), since)
    others = past.outcomes.where(F.col("campaign_id") != campaign_id)
    begins_on = F.min(F.when(F.col("is_known"), F.col("starts_on")))
    everyone, counted = checkpointed(
        with_covariates(known, logs["user_days"], others), {**newcomers(), "begins_on": begins_on}
    )
    rows, days_before = everyone.where("is_known"), _days_before(counted["begins_on"], logs["user_days"])
    adjusted = adjust_campaign(campaign_id, rows, COVARIATES, config.lift, context.run.seed, days_before)
    left_out = newcomers_row(campaign_id, counted["contacted"], counted["others"])
    return replace(adjusted, checks=[*adjusted.checks, left_out])


def _days_before(begins_on: date | None, user_days: DataFrame) -> int:
    """Days from the first that any log knows to the first of the campaign; 0 where a log begins later, or none does."""
    if begins_on is None:
        return 0
    first = user_days.agg(F.min("day")).collect()[0][0]
    return 0 if first is None else max(0, (begins_on - first).days)


def _checks(past: Past, evidence: list[Evidence], open_until: dict[str, date]) -> list[dict[str, Any]]:
    """Whether the planned campaigns ran as they were planned."""
    planned: dict[str, set[float]] = {}
    for each in past.made:
        planned.setdefault(each.campaign_id, set()).add(each.holdout_share)
    shares = {name: found.pop() if len(found) == 1 else None for name, found in planned.items()}
    compared: Counter[tuple[str, bool]] = Counter()
    for side in evidence:
        compared[side.campaign_id, side.treated] += side.sums.users
    found = {
        row.campaign_id: CampaignCounts(
            campaign_id=row.campaign_id,
            **{name: row[name] for name in COUNTED},
            treated_users=compared[row.campaign_id, True],
            control_users=compared[row.campaign_id, False],
            holdout_share=shares[row.campaign_id],
            open_until=open_until.get(row.campaign_id),
        )
        for row in past.counts
    }
    return [row for name in sorted(found) for row in check_campaign(found[name])]


def _moves(context: StageContext, config: CampaignsConfig, past: Past) -> list[dict[str, Any]]:
    """Where users of closed windows went since they were planned, by the changes of published runs and of this one."""
    if past.contacts is None:
        return []
    run, view = context.run, context.view
    planned: dict[str, int] = {}
    for each in past.made:
        planned[each.campaign_id] = min(each.seq, planned.get(each.campaign_id, each.seq))
    seqs = {name: seq for name, seq in past.seen.items() if seq > min(planned.values())} | {run.run_id: 2**62}
    names = {row.segment_id: row.name for row in view.rows(SEGMENTS) if row.scheme == config.scheme}
    changes = context.lake.read_runs(SEGMENT_CHANGES, seqs).where(F.col("scheme") == config.scheme)
    told = changes.withColumns(
        {"seq": looked_up(seqs, "run_id", "bigint"), "to_name": looked_up(names, "to_segment", "string")}
    )
    spending = {
        names[row.segment_id]: row["mean"]
        for row in view.rows(SEGMENT_PROFILES)
        if row.scheme == config.scheme and row.feature == SPENDING and row.segment_id in names
    }
    closed = closed_windows(past.contacts, config.lift.attribution_days, run.as_of)
    plan = closed.select(
        "campaign_id",
        "user_id",
        "segment_name",
        (~F.col("treated")).alias("holdout"),
        looked_up(planned, "campaign_id", "bigint").alias("planned_seq"),
    )
    return compare_moves(count_moves(plan, last_moves(told), spending).collect(), config.lift.level)


def _notes(checks: list[dict[str, Any]], observed: list[str]) -> list[str]:
    failed = [row for row in checks if row["passed"] is False and row["campaign_id"] not in observed]
    notes = [f"campaign {row['campaign_id']}: {row['check']}: {row['note']}" for row in failed]
    if observed:
        names = ", ".join(observed[:3]) + (f" and {len(observed) - 3} more" if len(observed) > 3 else "")
        notes.append(f"{names}: no random holdout; campaign_checks tells what was adjusted for, and what was not")
    return notes
