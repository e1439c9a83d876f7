"""What the log of outcomes tells of each campaign, added up: a row per campaign, looked at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.history import Planned, is_told_before
from segspark.campaigns.windows import closes_after
from segspark.core.stage import Run


@dataclass(frozen=True)
class Told:
    """Of one campaign: its rows in the log, and its contacts. But for `news`, those that the run sees."""

    campaign_id: str
    rows: int
    contacts: int
    closed: int  # contacts whose window has closed
    first: date | None  # of its contacts
    last: date | None
    news: int = 0  # rows that came since the run before, or that were not to be seen by it

    def open_until(self, attribution_days: int, as_of: date) -> date | None:
        """When the last window closes; None where all have."""
        return None if self.last is None else closes_after(self.last, attribution_days, as_of)


def count_outcomes(log: DataFrame, run: Run, attribution_days: int, before: tuple[int, date] | None) -> DataFrame:
    """One row per campaign in the log with the fields of `Told`.

    `before` are ingest_seq and as_of of the run before. Among the news are rows that this run does not see either: an
    outcome that was replaced by one of these is news.
    """
    is_seen = is_told_before(run.ingest_seq, run.as_of)
    is_contact = is_seen & F.col("treated")
    ends_at = F.timestamp_add("DAY", F.lit(attribution_days), "sent_at")
    sent_at = F.when(is_contact, F.col("sent_at"))
    is_news = F.lit(False) if before is None else ~is_told_before(*before)
    return log.groupBy("campaign_id").agg(
        F.count_if(is_seen).alias("rows"),
        F.count_if(is_contact).alias("contacts"),
        F.count_if(is_contact & (ends_at <= F.lit(run.as_of).cast("timestamp"))).alias("closed"),
        F.to_date(F.min(sent_at)).alias("first"),
        F.to_date(F.max(sent_at)).alias("last"),
        F.count_if(is_news).alias("news"),
    )


def unsent(made: Iterable[Planned], told: Iterable[Told], as_of: date) -> list[str]:
    """The campaigns that should have begun and of which no outcome tells a contact; none where no outcome tells any."""
    begun = sorted({each.campaign_id for each in made if each.starts_on < as_of})
    sent = {each.campaign_id for each in told if each.contacts} & set(begun)
    return [name for name in begun if name not in sent] if sent else []
