"""Raw text lines, good and bad. Each bad line is one more, made from a good one that stays: so what a reader accepts is
the clean shop exactly, and what it must refuse is known by kind."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.shop.config import ShopConfig
from segspark.shop.draws import bits, hashed, uniform

LATER, EARLIER = "2096-02-29", "1970-01-01"  # a day in the future, and that of a clock that was never set
TIME_JSON, TIME_CSV = "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd HH:mm:ss"

Fields = dict[str, Column]
Spoil = Callable[[Fields, Callable[[Fields], Column]], Column]


@dataclass(frozen=True)
class TextSource:
    """How a table's rows become lines: the raw fields, the format, and the kinds of bad lines."""

    fields: Fields
    line: Callable[[Fields], Column]
    key: str  # the raw field that names the row; a bad line gets one of its own
    spoils: dict[str, Spoil]

    @property
    def header(self) -> str | None:
        """The first line of each file, where the format has one."""
        return ",".join(self.fields) if self.line is csv_line else None


def json_line(fields: Fields) -> Column:
    """One JSON object; what is null is left out."""
    return F.to_json(F.struct(*[column.alias(name) for name, column in fields.items()]))


def csv_line(fields: Fields) -> Column:
    """Comma-separated; what is null is empty."""
    return F.concat_ws(",", *[F.coalesce(column.cast("string"), F.lit("")) for column in fields.values()])


def with_lines(frame: DataFrame, source: TextSource, key: str, config: ShopConfig) -> DataFrame:
    """`frame` with `line` and `kind`: each row once with its line and no kind, and some once more with a bad line.

    Which rows have a bad copy, and of which kind, hangs on the hash of column `key` alone.
    """
    kinds, name = list(source.spoils), F.xxhash64(F.col(key))
    frame = frame.withColumn("kind_number", bits(hashed(config.seed, "dirt.kind", name), 0, len(kinds)))
    frame = frame.withColumn("is_dirty", uniform(config.seed, "dirt", name) < config.dirty_share)
    fresh = {**source.fields, source.key: F.concat(source.fields[source.key].cast("string"), F.lit("-x"))}
    bad = F.lit("")
    for number, kind in enumerate(kinds):
        fields = source.fields if kind == "repeated" else fresh
        bad = F.when(F.col("kind_number") == number, source.spoils[kind](fields, source.line)).otherwise(bad)
    names = F.get(F.array(*map(F.lit, kinds)), F.col("kind_number"))
    good = F.struct(source.line(source.fields).alias("line"), F.lit(None).cast("string").alias("kind"))
    worse = F.struct(bad.alias("line"), names.alias("kind"))
    both = F.when(F.col("is_dirty"), F.array(good, worse)).otherwise(F.array(good))
    return frame.withColumn("written", F.explode_outer(both)).withColumns(
        {"line": F.col("written.line"), "kind": F.col("written.kind")}
    )


def event_source() -> TextSource:
    """Events as JSON lines."""
    fields = {
        "id": F.col("event_id"),
        "user": F.col("user_id"),
        "time": F.date_format("event_time", TIME_JSON),
        "type": F.col("event_type"),
        "item": F.col("item_id"),
        "category": F.col("category"),
        "price": F.col("price"),
        "session": F.col("session_id"),
        "device": F.col("device"),
        "region": F.col("region"),
    }
    spoils = {
        "broken_json": _half,
        "no_json": _text("<html><body>502 Bad Gateway</body></html>"),
        "unknown_type": _with(type=F.lit("teleport")),
        "future_time": _on_day(LATER),
        "ancient_time": _on_day(EARLIER),
        "negative_price": _with(price=F.lit(-1.5)),
        "missing_user": _with(user=F.lit(None).cast("string")),
        "repeated": _unchanged,
        "blank_line": _text(""),
    }
    return TextSource(fields, json_line, "id", spoils)


def order_source() -> TextSource:
    """Order lines as comma-separated text."""
    fields = {
        "order": F.col("order_id"),
        "line": F.col("line_number"),
        "customer": F.col("user_id"),
        "item": F.col("item_id"),
        "category": F.col("category"),
        "quantity": F.col("quantity").cast("int"),
        "price": F.col("unit_price"),
        "discount": F.col("discount"),
        "status": F.col("status"),
        "time": F.date_format("order_time", TIME_CSV),
    }
    spoils = {
        "few_fields": _few_fields,
        "many_fields": _many_fields,
        "text_quantity": _with(quantity=F.lit("two")),
        "negative_quantity": _with(quantity=F.lit(-3)),
        "negative_price": _with(price=F.lit(-1.5)),
        "future_time": _on_day(LATER),
        "missing_order": _with(order=F.lit(None).cast("string")),
        "repeated": _unchanged,
        "blank_line": _text(""),
    }
    return TextSource(fields, csv_line, "order", spoils)


def user_source() -> TextSource:
    """Users as comma-separated text."""
    fields = {
        "user": F.col("user_id"),
        "age": F.col("age"),
        "gender": F.col("gender"),
        "income": F.col("income").cast("int"),
        "education": F.col("education"),
        "region": F.col("region"),
        "signup": F.date_format("signup_time", TIME_CSV),
        "consent": F.col("consent"),
    }
    missing = _with(user=F.lit(None).cast("string"))
    spoils = {"few_fields": _few_fields, "many_fields": _many_fields, "missing_user": missing, "blank_line": _text("")}
    return TextSource(fields, csv_line, "user", spoils)


def item_source() -> TextSource:
    """Items as comma-separated text; descriptions hold commas and so are quoted."""
    fields = {
        "item": F.col("item_id"),
        "category": F.col("category"),
        "brand": F.col("brand"),
        "price": F.col("price"),
        "launched": F.date_format("launch_time", "yyyy-MM-dd"),
        "stock": F.col("stock"),
        "description": F.concat(F.lit('"'), F.col("description"), F.lit('"')),
    }
    spoils = {"few_fields": _few_fields, "negative_price": _with(price=F.lit(-1.5)), "blank_line": _text("")}
    return TextSource(fields, csv_line, "item", spoils)


def outcome_source() -> TextSource:
    """Outcomes as comma-separated text."""
    fields = {
        "campaign": F.col("campaign_id"),
        "user": F.col("user_id"),
        "action": F.col("action"),
        "treated": F.col("treated"),
        "propensity": F.col("propensity"),
        "sent": F.date_format("sent_at", TIME_CSV),
        "converted": F.col("converted"),
        "converted_at": F.date_format("converted_at", TIME_CSV),
        "revenue": F.col("revenue").cast("decimal(15,2)"),
    }
    return TextSource(fields, csv_line, "campaign", {})


def _with(**changes: Column) -> Spoil:
    return lambda fields, line: line({**fields, **changes})


def _text(value: str) -> Spoil:
    return lambda fields, line: F.lit(value)


def _on_day(day: str) -> Spoil:
    return lambda fields, line: line({**fields, "time": F.concat(F.lit(day), F.substring(fields["time"], 11, 20))})


def _unchanged(fields: Fields, line: Callable[[Fields], Column]) -> Column:
    return line(fields)


def _half(fields: Fields, line: Callable[[Fields], Column]) -> Column:
    whole = line(fields)
    return F.substring(whole, F.lit(1), F.floor(F.length(whole) / 2).cast("int"))


def _few_fields(fields: Fields, line: Callable[[Fields], Column]) -> Column:
    return line(dict(list(fields.items())[:3]))


def _many_fields(fields: Fields, line: Callable[[Fields], Column]) -> Column:
    return F.concat(line(fields), F.lit(",,0"))
