"""All of the looking back that knows the lake: earlier campaigns, what became of contacts, and what is known of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from importlib.metadata import version

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.evidence import SIDE, Evidence, add_up, evidence_of
from segspark.campaigns.history import Planned, contacts_of, outcomes_before, plans_since
from segspark.campaigns.past.counting import count_contacts
from segspark.campaigns.past.settled import (
    OF_OTHER_TOOLS,
    Measured,
    Span,
    basis_of,
    settled_campaigns,
    spans_of,
)
from segspark.campaigns.past.told import Told, count_outcomes, unsent
from segspark.campaigns.responses import days_with, measure, planned_contacts, purchases_of
from segspark.campaigns.windows import last_days, may_have_closed, open_campaigns
from segspark.core.code import code_version
from segspark.core.contracts import (
    CAMPAIGN_EVIDENCE,
    CAMPAIGN_PLAN,
    DAY_BUILDS,
    EVENTS,
    ORDERS,
    OUTCOMES,
    RATINGS,
    RUNS,
    USER_DAYS,
    USER_FEATURES,
)
from segspark.core.days import within
from segspark.core.stage import StageContext

HISTORY = timedelta(days=365)  # before as_of: those that started earlier are not measured again


@dataclass(frozen=True)
class Past:
    """What is known of earlier campaigns when the run looks back."""

    planned: frozenset[str]  # every campaign that was ever published, of any scheme
    forgotten: frozenset[str]  # those of the scheme from before the last year
    made: list[Planned]  # plans of the last year for the scheme's segments, as they were published, if they were sent
    unsent: list[str]  # campaigns of which no outcome tells a contact, though outcomes tell those of others
    seen: Mapping[str, int]  # the runs that were published, with the seq of their newest act
    outcomes: DataFrame  # the log
    told: list[Told]  # of every campaign in it
    orders_begin: date | None  # the first day with an order; None where there are none, or nothing to look back on
    contacts: DataFrame | None  # as `planned_contacts`, of `made`; None where that is empty
    counts: list[Row]  # of these, by campaign, as `count_contacts`
    last_days: Mapping[str, date]  # by campaign of `made`: on which its last window begins
    basis: Mapping[str, str]  # by campaign of `made`: what it is measured by
    settled: frozenset[str]  # campaigns of `made` that the run before measured for good
    responses: DataFrame | None  # of the others: whose window has closed; None where none of them can have closed


def look_back(context: StageContext, config: CampaignsConfig, made: list[Planned], seen: Mapping[str, int]) -> Past:
    """The campaigns of the last year and what became of their contacts. `made` are all plans."""
    lake, run = context.lake, context.run
    before = _run_before(context)
    told = _told(context, config, before)
    recent = plans_since(made, config.scheme, run.as_of - HISTORY)
    missing = unsent(recent, told, run.as_of)
    recent = [each for each in recent if each.campaign_id not in missing]
    outcomes = outcomes_before(lake.read(OUTCOMES), run)
    contacts, counts = _contacts(context, recent, outcomes)
    last = last_days(recent, {row.campaign_id: row.last_day for row in counts})
    begin = _orders_begin(context) if recent or config.lift.observed else None
    spans = spans_of(recent, last, config.lift)
    basis = _basis(context, config, recent, begin)
    measured = _measured(context, config, last, before, told)
    settled = settled_campaigns(last, spans, basis, measured, config.lift, run.as_of) if measured else frozenset()
    to_measure = sorted(may_have_closed(recent, config.lift.attribution_days, run.as_of) - settled)
    responses = None
    if contacts is not None and to_measure:
        logs = logs_within(context, begin, [spans[name] for name in to_measure])
        of_these = contacts.where(F.col("campaign_id").isin(*to_measure))
        responses = measure(of_these, logs, run.as_of, config.lift).checkpoint()
    return Past(
        planned=frozenset(each.campaign_id for each in made),
        forgotten=_forgotten(made, config.scheme, {*last, *missing}),
        made=recent,
        unsent=missing,
        seen=seen,
        outcomes=outcomes,
        told=told,
        orders_begin=begin,
        contacts=contacts,
        counts=counts,
        last_days=last,
        basis=basis,
        settled=settled,
        responses=responses,
    )


def evidence_from(context: StageContext, config: CampaignsConfig, past: Past) -> list[Evidence]:
    """What closed windows show, added up: one row per campaign, first day, segment, action and side, by these.

    Of settled campaigns, and of those that nobody looks back on any more if they were trusted, it is what the run
    before knew.
    """
    found = [] if past.responses is None else [evidence_of(row) for row in add_up(past.responses).collect()]
    if context.view.earlier is not None and past.settled | past.forgotten:
        known = [row for row in context.view.earlier.rows(CAMPAIGN_EVIDENCE) if row.scheme == config.scheme]
        found += [
            evidence_of(row)
            for row in known
            if row.campaign_id in past.settled or (row.campaign_id in past.forgotten and row.trusted is not False)
        ]
    return sorted(found, key=lambda each: tuple(getattr(each, name) for name in SIDE))


def logs_within(context: StageContext, orders_begin: date | None, spans: Sequence[Span]) -> dict[str, DataFrame]:
    """Orders, ratings and user_days of the days of any span that lie before as_of.

    On days before the first order that the lake knows, as on all where it knows none, purchase events stand in for
    orders, also in user_days.
    """
    lake, run = context.lake, context.run
    seen, day = F.col("ingest_seq") <= run.ingest_seq, F.col("day")
    inside = (day < F.lit(run.as_of)) & within(day for span in spans for day in span.days())
    orders, ratings = (lake.read(log).where(seen & inside) for log in (ORDERS, RATINGS))
    user_days = lake.read(USER_DAYS).where(inside)
    if orders_begin is None or any(span.first < orders_begin for span in spans):
        is_before = F.lit(True) if orders_begin is None else day < F.lit(orders_begin)
        purchases = purchases_of(lake.read(EVENTS).where(seen & inside & is_before))
        orders = orders.select(*purchases.columns).unionByName(purchases)
        user_days = days_with(user_days, purchases)
    return {"orders": orders, "ratings": ratings, "user_days": user_days}


def _run_before(context: StageContext) -> tuple[int, date] | None:
    """ingest_seq and as_of of the run that this one is compared with; None where there is none, or nobody knows."""
    rows = context.lake.rows(RUNS) if context.run.previous is not None else []
    found = (row for row in rows if row.run_id == context.run.previous and row.ingest_seq is not None)
    return next(((row.ingest_seq, row.as_of) for row in found), None)


def _told(context: StageContext, config: CampaignsConfig, before: tuple[int, date] | None) -> list[Told]:
    if context.lake.is_empty(OUTCOMES):
        return []
    log = context.lake.read(OUTCOMES)
    rows = count_outcomes(log, context.run, config.lift.attribution_days, before).collect()
    return [Told(**row.asDict()) for row in rows]


def _contacts(context: StageContext, made: list[Planned], outcomes: DataFrame) -> tuple[DataFrame | None, list[Row]]:
    """The contacts of these plans, and how many of each campaign were made."""
    if not made:
        return None, []
    plans = context.lake.read_runs(CAMPAIGN_PLAN, {each.run_id for each in made})
    contacts = planned_contacts(contacts_of(plans, made, outcomes), outcomes).checkpoint()
    known = context.view.frame(USER_FEATURES).select("user_id")
    return contacts, count_contacts(contacts, outcomes, known, context.run.as_of).collect()


def _orders_begin(context: StageContext) -> date | None:
    lake, run = context.lake, context.run
    if lake.is_empty(ORDERS):
        return None
    seen = lake.read(ORDERS).where((F.col("ingest_seq") <= run.ingest_seq) & (F.col("day") < F.lit(run.as_of)))
    first: date | None = seen.agg(F.min("day")).collect()[0][0]
    return first


def _forgotten(made: list[Planned], scheme: str, known: Collection[str]) -> frozenset[str]:
    """The campaigns of the scheme that nobody looks back on any more."""
    return frozenset(each.campaign_id for each in made if each.scheme == scheme and each.campaign_id not in known)


def _basis(
    context: StageContext, config: CampaignsConfig, made: list[Planned], orders_begin: date | None
) -> dict[str, str]:
    """By campaign, all that its measuring goes by but the rows of logs and outcomes."""
    builds = context.lake.rows(DAY_BUILDS) if made else []
    shape = max(builds, key=lambda row: row.built_at).shape if builds else None
    code = (code_version(), *(version(name) for name in ("numpy", "scipy", "statsmodels")))
    settings = (config.lift.model_dump_json(exclude=OF_OTHER_TOOLS), config.learning.objective, str(context.run.seed))
    method = (*code, *settings, str(orders_begin), str(shape))
    plans: dict[str, list[Planned]] = {}
    for each in made:
        plans.setdefault(each.campaign_id, []).append(each)
    return {name: basis_of(of_campaign, method) for name, of_campaign in plans.items()}


def _measured(
    context: StageContext,
    config: CampaignsConfig,
    last: Mapping[str, date],
    before: tuple[int, date] | None,
    told: list[Told],
) -> Measured | None:
    """What the run before measured and what came since; None where no campaign was over then, as far as is known.

    Looked at are all rows that came, also those that this run does not see.
    """
    lake, earlier = context.lake, context.view.earlier
    if earlier is None or before is None:
        return None
    ingest_seq, as_of = before
    if len(open_campaigns(last, config.lift.attribution_days, as_of)) == len(last):
        return None
    is_new = F.col("ingest_seq") > ingest_seq
    days = reduce(DataFrame.union, (lake.read(log).where(is_new).select("day") for log in (EVENTS, ORDERS, RATINGS)))
    return Measured(
        as_of,
        {row.campaign_id: row.basis for row in earlier.rows(CAMPAIGN_EVIDENCE) if row.scheme == config.scheme},
        frozenset(row.day for row in days.distinct().collect()),
        frozenset(each.campaign_id for each in told if each.news),
    )
