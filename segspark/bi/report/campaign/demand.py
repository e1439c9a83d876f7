"""What will be wanted of each category, whether the stock lasts, and how far to trust the forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from segspark.bi.report.content import Row, RunRows
from segspark.bi.wording import counted, day
from segspark.core.words import NOTHING, neutral, number, percent, sentence

SHOWN = 12  # categories, and as many of the items
NO_DEMAND = "No demand is forecast: some weeks of the source orders would bring it."
NO_STOCK = (
    "Whether it is in stock is not known: the column stock of the source items would bring it. Largest demand first:"
)
MODELS = {"last_value": "As in the last week", "seasonal_naive": "As a year before"}


@dataclass(frozen=True)
class Shelf:
    """One category, or one item of it, over the weeks of the forecast."""

    category: str
    item: str  # empty for the whole category
    units: str
    campaign_units: str
    stock: str
    cover: str  # days
    short_from: str  # the first week in which it is short; empty where it lasts


@dataclass(frozen=True)
class Judged:
    """One way to forecast."""

    model: str
    level: str
    error: str
    forecasts: str
    is_used: bool


@dataclass(frozen=True)
class Demand:
    """The forecast."""

    told: str
    shelves: tuple[Shelf, ...]
    items: tuple[Shelf, ...]  # those that run out
    about_accuracy: str
    judged: tuple[Judged, ...]


def demand_of(rows: RunRows) -> Demand:
    """Categories that will be short, those that last the shortest first; the others after them. Then short items."""
    if not rows.campaign.demand:
        return Demand(NO_DEMAND, (), (), "", ())
    goods: dict[tuple[str, str | None], list[Row]] = {}
    for row in sorted(rows.campaign.demand, key=lambda row: row["week"]):
        goods.setdefault((row["category"], row["item_id"]), []).append(row)
    ordered = sorted(goods.values(), key=_urgency)
    categories = [weeks for weeks in ordered if weeks[0]["item_id"] is None]
    items = [weeks for weeks in ordered if weeks[0]["item_id"] is not None]
    short = [weeks for weeks in items if _first_short(weeks)]
    judged = sorted(rows.campaign.accuracy, key=lambda row: (row["level"], not row["used"], row["model"]))
    return Demand(
        told=_told(categories, len(short), len(items)),
        shelves=tuple(map(_shelf, categories[:SHOWN])),
        items=tuple(map(_shelf, short[:SHOWN])),
        about_accuracy=_about_accuracy(judged),
        judged=tuple(map(_judged, judged)),
    )


def _shelf(weeks: Sequence[Row]) -> Shelf:
    units, campaign = (sum(row[name] or 0.0 for row in weeks) for name in ("expected_units", "campaign_units"))
    first = _first_short(weeks)
    return Shelf(
        category=neutral(weeks[0]["category"]) or "without a category",
        item=neutral(weeks[0]["item_id"]),
        units=number(round(units)),
        campaign_units=number(round(campaign)),
        stock=NOTHING if weeks[0]["stock"] is None else number(round(weeks[0]["stock"])),
        cover=_days(weeks[0]["stock_cover_days"]),
        short_from=day(first) if first else "",
    )


def _told(ordered: Sequence[Sequence[Row]], short_items: int, items: int) -> str:
    weeks = {row["week"] for rows in ordered for row in rows}
    ahead = f"over {counted(len(weeks), 'week')} from {day(min(weeks))} on"
    if all(rows[0]["stock"] is None for rows in ordered):
        return f"Demand is forecast {ahead}. {NO_STOCK}"
    short = sum(_first_short(rows) is not None for rows in ordered)
    said = f"{short or 'None'} of {counted(len(ordered), 'category', 'categories')}"
    if items:
        said += f" and {short_items or 'none'} of {counted(items, 'best-selling item')}"
    return f"{said} will be short {ahead}{': more will be wanted than there is' if short or short_items else ''}."


def _first_short(weeks: Sequence[Row]) -> date | None:
    return min((row["week"] for row in weeks if row["is_short"]), default=None)


def _urgency(weeks: Sequence[Row]) -> tuple[object, ...]:
    cover = weeks[0]["stock_cover_days"]
    units = sum(row["expected_units"] or 0.0 for row in weeks)
    named = weeks[0]["category"], weeks[0]["item_id"] or ""
    return _first_short(weeks) is None, cover is None, cover or 0.0, -units, *named


def _days(cover: float | None) -> str:
    return NOTHING if cover is None else counted(int(cover), "day")


def _judged(row: Row) -> Judged:
    name = MODELS.get(row["model"], sentence(row["model"]))
    return Judged(name, neutral(row["level"]), percent(row["wape"]), number(row["forecasts"]), bool(row["used"]))


def _about_accuracy(judged: Sequence[Row]) -> str:
    """The error beside that of seasonal-naive, for categories."""
    own = [row for row in judged if row["level"] == "category" and row["wape"] is not None]
    used = next((row for row in own if row["used"]), None)
    naive = next((row for row in own if row["model"] == "seasonal_naive"), None)
    if used is None:
        return "How far the forecast can be trusted is not known: the orders reach back too few weeks to try it."
    said = f"Tried segment by segment on {number(used['forecasts'])} weeks that it had not seen, the forecast was wrong"
    said += f" by {percent(used['wape'])} of the units"
    if naive is None or naive is used:
        return said + "."
    return said + f", against {percent(naive['wape'])} for taking the weeks of a year before (seasonal-naive)."
