"""What was planned before, as it was published: the plans that somebody may have acted on."""

from dataclasses import dataclass, fields
from datetime import date, timedelta

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig
from segspark.core.errors import ConfigError
from segspark.core.stage import Run


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


def publications_seen(publications: DataFrame, previous: str | None) -> DataFrame:
    """run_id, seq: the runs that were published up to the one that this run is compared with, by their newest act."""
    acts = publications.select("run_id", "seq")
    last = acts.where(F.col("run_id") == F.lit(previous)).agg(F.max("seq").alias("last"))
    seen = acts.crossJoin(F.broadcast(last)).where(F.col("seq") <= F.col("last"))
    return seen.groupBy("run_id").agg(F.max("seq").alias("seq"))


def plans_made(campaigns: DataFrame, seen: DataFrame) -> DataFrame:
    """One row per published plan of a campaign, with `until`: when the next plan of the same campaign took over."""
    later = Window.partitionBy("campaign_id").orderBy("seq")
    rows = campaigns.join(F.broadcast(seen), on="run_id", how="inner").withColumn(
        "until", F.lead("planned_on").over(later)
    )
    return rows.select(*(field.name for field in fields(Planned))).orderBy("seq")


def planned_of(rows: list[Row]) -> list[Planned]:
    """Rows of `plans_made`, collected: as many as campaigns were planned."""
    return [Planned(**row.asDict()) for row in rows]


def plans_since(made: list[Planned], scheme: str, first_day: date) -> list[Planned]:
    """Those that teach: of campaigns for the scheme's segments that started on that day or later."""
    return [each for each in made if each.scheme == scheme and each.starts_on >= first_day]


def plans_in_mind(made: list[Planned], campaign: Campaign, days: int) -> list[Planned]:
    """Those whose contacts matter to a plan: of the campaign itself, or with any in the `days` before it or later."""
    since = campaign.first_day - timedelta(days=days)
    return [each for each in made if each.campaign_id == campaign.campaign_id or each.last_day >= since]


def outcomes_before(log: DataFrame, run: Run) -> DataFrame:
    """The rows of outcomes that the run sees: those of contacts that were made or withheld before its day."""
    return log.where((F.col("ingest_seq") <= run.ingest_seq) & (F.col("sent_at") < F.lit(run.as_of).cast("timestamp")))


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
