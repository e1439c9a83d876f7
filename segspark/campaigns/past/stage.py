"""All of the looking back that knows the lake: earlier campaigns, what became of contacts, and what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from importlib.metadata import version

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.evidence import SIDE, Evidence, add_up, evidence_of
from segspark.campaigns.history import Planned, contacts_of, outcomes_before, plans_since
from segspark.campaigns.past.settled import (
    OF_OTHER_TOOLS,
    Measured,
    Span,
    basis_of,
    settled_campaigns,
    spans_of,
)
from segspark.campaigns.responses import days_with, measure, planned_contacts, purchases_of
from segspark.campaigns.windows import last_days, open_campaigns
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
)
from segspark.core.days import contiguous
from segspark.core.stage import StageContext

HISTORY = timedelta(days=365)  # before as_of: those that started earlier are not measured again


@dataclass(frozen=True)
class Past:
    """What is known of earlier campaigns when the run looks back."""

    planned: frozenset[str]  # every campaign that was ever published, of any scheme
    forgotten: frozenset[str]  # those of the scheme from before the last year
    made: list[Planned]  # plans of the last year for the scheme's segments, as they were published, if they were sent
    unsent: list[str]  # campaigns of which no outcome tells a contact, though outcomes tell those of others
    seen: DataFrame  # run_id, seq: the runs that were published
    outcomes: DataFrame  # the log
    orders_begin: date | None  # the first day with an order; None where there are none
    contacts: DataFrame  # as `planned_contacts`, of `made`
    last_days: Mapping[str, date]  # by campaign of `made`: on which its last window begins
    basis: Mapping[str, str]  # by campaign of `made`: what it is measured by
    settled: frozenset[str]  # campaigns of `made` that the run before measured for good
    responses: DataFrame  # of the other campaigns: those whose window has closed

    @property
    def has_unsettled(self) -> bool:
        """Whether there are campaigns to measure in this run."""
        return any(each.campaign_id not in self.settled for each in self.made)


def look_back(context: StageContext, config: CampaignsConfig, made: list[Planned], seen: DataFrame) -> Past:
    """The campaigns of the last year and what became of their contacts. `made` are all plans."""
    lake, run = context.lake, context.run
    recent = plans_since(made, config.scheme, run.as_of - HISTORY)
    outcomes = outcomes_before(lake.read(OUTCOMES), run)
    unsent = _unsent(recent, outcomes, run.as_of)
    recent = [each for each in recent if each.campaign_id not in unsent]
    contacts = planned_contacts(contacts_of(lake.read(CAMPAIGN_PLAN), recent, outcomes), outcomes).checkpoint()
    orders = lake.read(ORDERS).where((F.col("ingest_seq") <= run.ingest_seq) & (F.col("day") < F.lit(run.as_of)))
    begin = orders.agg(F.min("day")).collect()[0][0]
    last = last_days(recent, _last_contacts(contacts) if recent else {})
    spans = spans_of(recent, last, config.lift)
    basis = _basis(context, config, recent, begin) if recent else {}
    before = _measured(context, config, last) if recent else None
    settled = settled_campaigns(last, spans, basis, before, config.lift, run.as_of) if before else frozenset()
    logs = logs_within(context, begin, [span for name, span in spans.items() if name not in settled])
    to_measure = contacts.where(~F.col("campaign_id").isin(*sorted(settled)))
    responses = measure(to_measure, logs, run.as_of, config.lift).checkpoint()
    names = frozenset(each.campaign_id for each in made)
    of_scheme = {each.campaign_id for each in made if each.scheme == config.scheme}
    forgotten = frozenset(of_scheme - {each.campaign_id for each in recent} - set(unsent))
    return Past(names, forgotten, recent, unsent, seen, outcomes, begin, contacts, last, basis, settled, responses)


def evidence_from(context: StageContext, config: CampaignsConfig, past: Past) -> list[Evidence]:
    """What closed windows show, added up: one row per campaign, first day, segment, action and side, by these.

    Of settled campaigns, and of those that nobody looks back on any more if they were trusted, it is what the run
    before knew.
    """
    found = [evidence_of(row) for row in add_up(past.responses).collect()] if past.has_unsettled else []
    if context.run.previous is not None and past.settled | past.forgotten:
        known = context.lake.read_run(CAMPAIGN_EVIDENCE, context.run.previous).where(F.col("scheme") == config.scheme)
        is_settled = F.col("campaign_id").isin(*sorted(past.settled))
        teaches = F.col("campaign_id").isin(*sorted(past.forgotten)) & F.coalesce("trusted", F.lit(True))
        found += [evidence_of(row) for row in known.where(is_settled | teaches).collect()]
    return sorted(found, key=lambda each: tuple(getattr(each, name) for name in SIDE))


def logs_within(context: StageContext, orders_begin: date | None, spans: Sequence[Span]) -> dict[str, DataFrame]:
    """Orders, ratings and user_days of the days of any span that lie before as_of.

    On days before the first order that the lake knows, as on all where it knows none, purchase events stand in for
    orders, also in user_days.
    """
    lake, run = context.lake, context.run
    seen, day = F.col("ingest_seq") <= run.ingest_seq, F.col("day")
    inside = (day < F.lit(run.as_of)) & _is_within(spans)
    orders, ratings = (lake.read(log).where(seen & inside) for log in (ORDERS, RATINGS))
    user_days = lake.read(USER_DAYS).where(inside)
    if orders_begin is None or any(span.first < orders_begin for span in spans):
        is_before = F.lit(True) if orders_begin is None else day < F.lit(orders_begin)
        purchases = purchases_of(lake.read(EVENTS).where(seen & inside & is_before))
        orders = orders.select(*purchases.columns).unionByName(purchases)
        user_days = days_with(user_days, purchases)
    return {"orders": orders, "ratings": ratings, "user_days": user_days}


def _is_within(spans: Sequence[Span]) -> Column:
    """Whether `day` lies in any of the spans, said in as few ranges as there are gaps."""
    one = timedelta(days=1)
    days = {span.first + n * one for span in spans for n in range((span.last - span.first).days + 1)}
    is_inside = F.lit(False)
    for first, last in contiguous(days):
        is_inside = is_inside | F.col("day").between(F.lit(first), F.lit(last))
    return is_inside


def _unsent(made: list[Planned], outcomes: DataFrame, as_of: date) -> list[str]:
    """The campaigns that should have begun and of which no outcome tells a contact; none where no outcome tells any."""
    begun = sorted({each.campaign_id for each in made if each.starts_on < as_of})
    told = outcomes.where(F.col("treated") & F.col("campaign_id").isin(*begun)).select("campaign_id").distinct()
    sent = {row.campaign_id for row in told.collect()} if begun else set()
    return [name for name in begun if name not in sent] if sent else []


def _last_contacts(contacts: DataFrame) -> dict[str, date]:
    """By campaign the day of the last contact that counts."""
    last = contacts.groupBy("campaign_id").agg(F.max(F.to_date("starts_at")).alias("day"))
    return {row.campaign_id: row.day for row in last.collect()}


def _basis(
    context: StageContext, config: CampaignsConfig, made: list[Planned], orders_begin: date | None
) -> dict[str, str]:
    """By campaign, all that its measuring goes by but the rows of logs and outcomes."""
    shape = context.lake.read(DAY_BUILDS).agg(F.max_by("shape", "built_at")).collect()[0][0]
    code = (code_version(), *(version(name) for name in ("numpy", "scipy", "statsmodels")))
    settings = (config.lift.model_dump_json(exclude=OF_OTHER_TOOLS), config.learning.objective, str(context.run.seed))
    method = (*code, *settings, str(orders_begin), str(shape))
    plans: dict[str, list[Planned]] = {}
    for each in made:
        plans.setdefault(each.campaign_id, []).append(each)
    return {name: basis_of(of_campaign, method) for name, of_campaign in plans.items()}


def _measured(context: StageContext, config: CampaignsConfig, last: Mapping[str, date]) -> Measured | None:
    """What the run before measured and what came since; None where no campaign was over then, as far as is known.

    Looked at are all rows that came, also those that this run does not see: an outcome that was replaced by one that
    it does not see is news.
    """
    lake, previous = context.lake, context.run.previous
    if previous is None:
        return None
    run = lake.read(RUNS).where((F.col("run_id") == previous) & F.col("ingest_seq").isNotNull()).first()
    if run is None or len(open_campaigns(last, config.lift.attribution_days, run.as_of)) == len(last):
        return None
    evidence = lake.read_run(CAMPAIGN_EVIDENCE, previous).where(F.col("scheme") == config.scheme)
    is_new = F.col("ingest_seq") > run.ingest_seq
    days = reduce(DataFrame.union, (lake.read(log).where(is_new).select("day") for log in (EVENTS, ORDERS, RATINGS)))
    was_unseen = F.col("sent_at") >= F.lit(run.as_of).cast("timestamp")
    told = lake.read(OUTCOMES).where(is_new | was_unseen).select("campaign_id")
    return Measured(
        run.as_of,
        {row.campaign_id: row.basis for row in evidence.select("campaign_id", "basis").distinct().collect()},
        frozenset(row.day for row in days.distinct().collect()),
        frozenset(row.campaign_id for row in told.distinct().collect()),
    )
