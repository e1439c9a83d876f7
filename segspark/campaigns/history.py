"""What was planned before, as it was published: the plans that somebody may have acted on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig
from segspark.core.arrow_rows import Row
from segspark.core.errors import ConfigError
from segspark.core.stage import Run

AS_PLANNED = ("campaign_id", "run_id", "starts_on", "ends_on", "scheme", "holdout_share")  # columns of campaigns


@dataclass(frozen=True)
class Planned:
    """One plan of one campaign, for segments of `scheme`. Its contacts from `until` on were planned again later."""

    campaign_id: str
    run_id: str
    starts_on: date
    ends_on: date
    until: date | None
    scheme: str
    seq: int  # of the publication: which plan came after which
    holdout_share: float

    @property
    def last_day(self) -> date:
        """The last day of contacts that count."""
        return self.ends_on if self.until is None else min(self.ends_on, self.until - timedelta(days=1))


@dataclass(frozen=True)
class Campaign:
    """The campaign that this run plans: contacts from `first_day` on for `days` days; none where these are over."""

    campaign_id: str
    starts_on: date
    ends_on: date
    first_day: date

    @property
    def days(self) -> int:
        """Days on which contacts are still sent."""
        return max(0, (self.ends_on - self.first_day).days + 1)


def publications_seen(acts: Iterable[Row], previous: str | None) -> dict[str, int]:
    """By run that was published up to the one that this run is compared with the seq of its newest act by then.

    `acts` are the rows of publications.
    """
    acts = list(acts)
    last = max((act.seq for act in acts if act.run_id == previous), default=0)
    seen: dict[str, int] = {}
    for act in sorted(acts, key=lambda act: act.seq):
        if act.seq <= last:
            seen[act.run_id] = act.seq
    return seen


def plans_made(campaigns: Iterable[Row], seen: Mapping[str, int]) -> list[Planned]:
    """The published plans, the oldest first, with `until`: when the next plan of the same campaign took over.

    `campaigns` are the rows of the table of all runs, as many as campaigns were planned.
    """
    made: list[Planned] = []
    until: dict[str, date] = {}
    published = [row for row in campaigns if row.run_id in seen]
    for row in sorted(published, key=lambda row: seen[row.run_id], reverse=True):
        told = {name: row[name] for name in AS_PLANNED}
        made.append(Planned(**told, until=until.get(row.campaign_id), seq=seen[row.run_id]))
        until[row.campaign_id] = row.planned_on
    return made[::-1]


def plans_since(made: list[Planned], scheme: str, first_day: date) -> list[Planned]:
    """Those that teach: of campaigns for the scheme's segments that started on that day or later."""
    return [each for each in made if each.scheme == scheme and each.starts_on >= first_day]


def plans_in_mind(made: list[Planned], campaign: Campaign, days: int) -> list[Planned]:
    """Those whose contacts matter to a plan: of the campaign itself, or with any in the `days` before it or later."""
    since = campaign.first_day - timedelta(days=days)
    return [each for each in made if each.campaign_id == campaign.campaign_id or each.last_day >= since]


def outcomes_before(log: DataFrame, run: Run) -> DataFrame:
    """The rows of outcomes that the run sees."""
    return log.where(is_told_before(run.ingest_seq, run.as_of))


def is_told_before(ingest_seq: int, as_of: date) -> Column:
    """Whether a run sees a row of outcomes: of a contact that was made or withheld before its day."""
    return (F.col("ingest_seq") <= ingest_seq) & (F.col("sent_at") < F.lit(as_of).cast("timestamp"))


def contacts_of(plan: DataFrame, made: list[Planned], outcomes: DataFrame) -> DataFrame:
    """The rows of campaign_plan (with run_id) that counted: one per campaign and user.

    Of a plan that a later one of the same campaign took over, those are the days before, and whoever an outcome says
    was contacted before that day, though it was too early: the later plan does not contact them again.
    """
    if not made:
        return plan.limit(0)
    places = [(each.campaign_id, each.run_id, each.until, number) for number, each in enumerate(made)]
    told = plan.sparkSession.createDataFrame(places, "campaign_id string, run_id string, __until date, __no int")
    rows = plan.where(F.col("run_id").isin(*(each.run_id for each in made)))
    rows = rows.join(F.broadcast(told), on=["campaign_id", "run_id"], how="inner")
    if all(each.until is None for each in made):
        return rows.drop("__until", "__no")
    sent = outcomes.where("treated").groupBy("campaign_id", "user_id")
    first_sent = sent.agg(F.min(F.to_date("sent_at")).alias("__sent_on"))
    marked = rows.join(first_sent, on=["campaign_id", "user_id"], how="left")
    is_in_force = F.col("__until").isNull() | (F.col("send_on") < F.col("__until"))
    was_early = F.coalesce(F.col("__sent_on") < F.col("__until"), F.lit(False))
    first = Window.partitionBy("campaign_id", "user_id").orderBy("__no")
    counted = marked.where(is_in_force | was_early).withColumn("__place", F.row_number().over(first))
    return counted.where("__place = 1").drop("__until", "__no", "__sent_on", "__place")


def this_campaign(config: CampaignsConfig, as_of: date, made: list[Planned]) -> Campaign:
    """The campaign of a run. ConfigError where its id was used for one of another first day, or another scheme."""
    starts_on = config.starts_on or as_of
    campaign_id = config.campaign_id or f"campaign-{starts_on.isoformat()}"
    for each in made:
        if each.campaign_id == campaign_id and each.starts_on != starts_on:
            raise ConfigError(
                f"campaigns.campaign_id: {campaign_id} is the campaign that started on {each.starts_on}, not on"
                f" {starts_on}; give another id, or that first day to plan it again"
            )
        if each.campaign_id == campaign_id and each.scheme != config.scheme:
            raise ConfigError(
                f"campaigns.campaign_id: {campaign_id} was planned for the segments of {each.scheme}; give another id"
                f" for those of {config.scheme}"
            )
    ends_on = date.fromordinal(starts_on.toordinal() + config.days - 1)
    return Campaign(campaign_id, starts_on, ends_on, max(starts_on, as_of))
