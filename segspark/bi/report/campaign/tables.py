"""From a run's campaign tables to the rows that the report shows; nothing has the size of the users."""

from collections.abc import Iterable, Mapping
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.bi.report.campaign.rows import Row
from segspark.core.exact import exact_sum, sum_of

GROUP = ("campaign_id", "segment_name", "action", "channel")


def planned_actions(plan: DataFrame) -> DataFrame:
    """One row per campaign, segment, action and channel: contacts, held_out; of the contacts cost, gain and days."""
    is_made = ~F.col("holdout")
    made = {name: F.when(is_made, F.col(name)) for name in ("cost", "expected_gain", "send_on")}
    return plan.groupBy(*GROUP).agg(
        F.count_if(is_made).alias("contacts"),
        F.count_if("holdout").alias("held_out"),
        exact_sum(made["cost"]).alias("cost"),
        exact_sum(made["expected_gain"]).alias("expected_gain"),
        F.min(made["send_on"]).alias("first_day"),
        F.max(made["send_on"]).alias("last_day"),
    )


def with_starts(lifts: Iterable[Row], campaigns: Iterable[Row]) -> list[Row]:
    """The lifts with the first day of their campaign, of the campaigns of all runs; none where no run planned it."""
    starts: dict[str, date] = {}
    for row in campaigns:
        if row["starts_on"] is not None:
            starts[row["campaign_id"]] = max(row["starts_on"], starts.get(row["campaign_id"], date.min))
    return [{**row, "starts_on": starts.get(row["campaign_id"])} for row in lifts]


def demand_by_week(
    demand: Iterable[Row], bought: Iterable[Row], buyers: Mapping[str, int], min_group: int
) -> list[Row]:
    """One row per category, item (none for the whole category) and week, of all segments.

    None of what some bought, but fewer than `min_group`: `bought` is segment_categories, `buyers` are those of items.
    """
    of_category: dict[tuple[str, str], int] = {}
    for row in bought:
        place = row["scheme"], row["category"]
        of_category[place] = of_category.get(place, 0) + row["buyers"]
    weeks: dict[tuple[str, str | None, date], list[Row]] = {}
    for row in demand:
        item = row["item_id"]
        people = of_category.get((row["scheme"], row["category"])) if item is None else buyers.get(item)
        if people is None or people >= min_group:
            weeks.setdefault((row["category"], item, row["week"]), []).append(row)
    return [_of_all_segments(rows) for rows in weeks.values()]


def _of_all_segments(rows: list[Row]) -> Row:
    """The demand of one week over its segments."""

    def known(name: str) -> list[float]:
        return [row[name] for row in rows if row[name] is not None]

    short = [row["is_short"] for row in rows if row["is_short"] is not None]
    return {
        **{name: rows[0][name] for name in ("category", "item_id", "week")},
        **{name: sum_of(known(name)) for name in ("expected_units", "campaign_units")},
        "stock": max(known("stock"), default=None),
        "stock_cover_days": min(known("stock_cover_days"), default=None),
        "is_short": any(short) if short else None,
    }
