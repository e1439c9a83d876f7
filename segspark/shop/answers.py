"""What people do when the shop acts on a plan: outcomes and orders with planted effects, null and harmful ones too.

Every draw is a function of the seed, the campaign and the user. One draw per user and campaign decides whether they
convert, whatever they get: who would buy anyway also buys after any contact that does not harm.
"""

import json
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.errors import InputError
from segspark.shop.catalogue import category_of, item_id, price_of
from segspark.shop.config import ShopConfig
from segspark.shop.dirt import TextSource, order_source, outcome_source
from segspark.shop.draws import bits, hashed, numbers_below, uniform, zipf_rank
from segspark.shop.files import exists, remove, write_named
from segspark.shop.generate import MARK
from segspark.shop.logs import DISCOUNT
from segspark.shop.personas import CATEGORIES, PERSONAS, TIERS, TYPICAL

# Share of people who order within some days without any contact; frequent buyers more often than rare ones.
RATES = {
    "high_value": 0.36,
    "young": 0.30,
    "economy": 0.30,
    "loyal": 0.34,
    "frequent": 0.45,
    "rare_big_basket": 0.28,
    "new_product_taster": 0.33,
}

# What an action adds to it: per persona one that works, one without effect and one that harms. What is not named has no
# effect. The sizes are large for marketing, because the demo is small: with 5,000 people, three actions a segment and a
# holdout of a tenth, a segment has some 24 held out per action and week. At even shares and a rate of 30 % without a
# contact, 12 weeks decide a quarter of effects of 6 points, half of those of 8 and nine in ten of those of 12; with
# 20,000 people half of those of 4 points, with 100,000 half of those of 2. Smaller ones stay undecided.
EFFECTS = {
    "high_value": {"personal-recommendations": 0.15, "points": 0.0, "priority-service": -0.20},
    "young": {"social-campaign": 0.15, "promotion": 0.0, "celebrity-campaign": -0.20},
    "economy": {"coupon": 0.15, "cost-effective-goods": 0.0, "promotion": -0.20},
    "loyal": {"member-service": 0.15, "birthday-wishes": 0.0, "shopping-reminder": -0.20},
    "frequent": {"points": 0.15, "personal-recommendations": 0.0, "coupon": -0.20},
    "rare_big_basket": {"personal-recommendations": 0.15, "new-products": 0.0, "coupon": -0.20},
    "new_product_taster": {"new-products": 0.15, "shopping-reminder": 0.0, "new-product-trial": -0.20},
}


class AnswersConfig(BaseModel):
    """What is planted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 7
    rates: dict[str, float] = RATES  # by persona: share who convert without a contact
    effects: dict[str, dict[str, float]] = EFFECTS  # by persona and action: what a contact adds to the share
    order_days: int = Field(6, ge=1, le=60)  # an order comes within so many days of the contact

    @model_validator(mode="after")
    def _shares_are_shares(self) -> "AnswersConfig":
        for persona in (*self.rates, *self.effects):
            if persona not in PERSONAS:
                raise ValueError(f"{persona}: is no persona; known are {', '.join(PERSONAS)}")
        for persona, rate in self.rates.items():
            for action, effect in {"none": 0.0, **self.effects.get(persona, {})}.items():
                if not 0 <= rate + effect <= 1:
                    raise ValueError(f"effects.{persona}.{action}: a share of {rate + effect:g} is outside 0 to 1")
        return self

    def rate(self, persona: str, action: str | None) -> float:
        """The planted share who convert; None is no contact. People of no persona (bots) never do."""
        effect = self.effects.get(persona, {}).get(action, 0.0) if action else 0.0
        return self.rates.get(persona, 0.0) + (effect if persona in self.rates else 0.0)


@dataclass(frozen=True)
class Answers:
    """`outcomes`: one row per planned contact, held out ones too, in the shape of the outcomes table. `lines`: one row
    per order line, in the shape of the orders table."""

    outcomes: DataFrame
    lines: DataFrame


def answer_plan(plan: DataFrame, people: DataFrame, config: AnswersConfig, shop: ShopConfig) -> Answers:
    """What the plan brings. `plan` is as campaign_plan: campaign_id, user_id, action, holdout, propensity, send_on;
    `people` has user_id and persona, each user once. A user whom `people` does not know never converts."""
    answers = _answers(plan, people, config, shop)
    return Answers(answers.outcomes, answers.lines.drop("campaign_id"))


def write_answers(spark: SparkSession, plan: DataFrame, folder: str, config: AnswersConfig) -> list[str]:
    """Writes the answers beside the files of the shop in `folder`: outcomes/<campaign>.csv and orders/<campaign>.csv,
    in place of earlier answers to the same campaign; gives the campaigns. Raises InputError where there is no shop."""
    if not exists(spark, f"{folder}/{MARK}"):
        raise InputError(f"{folder}: holds no shop; make one with `segspark shop`")
    (mark,) = spark.read.text(f"{folder}/{MARK}", wholetext=True).collect()
    shop = ShopConfig(**json.loads(mark["value"]))
    answers = _answers(plan, spark.read.parquet(f"{folder}/truth/users"), config, shop)
    campaigns = sorted(row["campaign_id"] for row in plan.select("campaign_id").distinct().collect())
    numbered = answers.lines.withColumnRenamed("line", "line_number")
    _write(answers.outcomes, outcome_source(), "sent_at", f"{folder}/outcomes", campaigns)
    _write(numbered, order_source(), "order_time", f"{folder}/orders", campaigns)
    return campaigns


def _answers(plan: DataFrame, people: DataFrame, config: AnswersConfig, shop: ShopConfig) -> Answers:
    """With campaign_id in the lines, too."""
    contacts = plan.select("campaign_id", "user_id", "action", "holdout", "propensity", "send_on")
    persona = F.array_position(F.array(*map(F.lit, PERSONAS)), F.col("persona")) - 1
    known = people.select("user_id", persona.cast("int").alias("persona_number"))
    contacts = contacts.join(known, on="user_id", how="left").withColumns(_drawn(config))
    lines = _lines(contacts.where("converted"), config, shop)
    paid = lines.select("order_id", (F.col("quantity") * F.col("unit_price") - F.col("discount")).alias("paid"))
    revenue = paid.groupBy("order_id").agg(F.sum(F.col("paid").cast("decimal(15,2)")).cast("double").alias("revenue"))
    told = contacts.withColumn("order_id", _order_id()).join(revenue, on="order_id", how="left")
    outcomes = told.select(
        "campaign_id",
        "user_id",
        "action",
        (~F.col("holdout")).alias("treated"),
        "propensity",
        "sent_at",
        "converted",
        F.when(F.col("converted"), F.col("ordered_at")).alias("converted_at"),
        F.coalesce("revenue", F.lit(0.0)).alias("revenue"),
    )
    return Answers(outcomes, lines)


def _drawn(config: AnswersConfig) -> dict[str, Column]:
    mixed = hashed(config.seed, "answer", *_keys())
    chance = uniform(config.seed, "answer.converts", *_keys())
    sent = F.timestamp_add("SECOND", F.lit(8 * 3600) + bits(mixed, 0, 12 * 3600), F.col("send_on").cast("timestamp"))
    waited = F.lit(600) + F.floor(
        uniform(config.seed, "answer.waits", *_keys()) * (config.order_days * 86_400 - 600)
    ).cast("int")
    return {
        "mixed": mixed,
        "converted": chance < _rate(config),
        "sent_at": sent,
        "ordered_at": F.timestamp_add("SECOND", waited, sent),
    }


def _rate(config: AnswersConfig) -> Column:
    named = {f"{persona}/": rate for persona, rate in config.rates.items()}
    named |= {f"{p}/{a}": config.rate(p, a) for p in config.rates for a in config.effects.get(p, {})}
    table = F.create_map(*[F.lit(part) for pair in named.items() for part in pair])
    persona = F.get(F.array(*map(F.lit, PERSONAS)), F.col("persona_number"))
    base, own = F.try_element_at(table, F.concat(persona, F.lit("/"))), F.concat_ws("/", persona, F.col("action"))
    return F.coalesce(F.when(~F.col("holdout"), F.try_element_at(table, own)), base, F.lit(0.0))


def _lines(contacts: DataFrame, config: AnswersConfig, shop: ShopConfig) -> DataFrame:
    """Baskets as the persona fills them: so many lines, of their price tiers, on any shelf, popular places first."""
    size = _typical("items_per_order") * (0.5 + bits(F.col("mixed"), 20, 1_000) / 1_000)
    count = F.greatest(F.lit(1), F.round(size).cast("int"))
    frame = contacts.withColumn("line", numbers_below(count))
    mixed = hashed(config.seed, "answer.line", *_keys(), F.col("line"))
    tier = F.least(F.lit(TIERS - 1), F.floor(_typical("price_level") + bits(mixed, 0, 1_000) / 1_000).cast("int"))
    shelf = bits(mixed, 10, CATEGORIES) * TIERS + tier
    point = uniform(config.seed, "answer.item", *_keys(), F.col("line"))
    slot = zipf_rank(point, shop.slots - shop.launches)
    quantity = F.when(bits(mixed, 30, 8) == 0, 2.0).otherwise(1.0)
    frame = frame.withColumns({"item": shelf * shop.slots + slot, "quantity": quantity})
    frame = frame.withColumn("unit_price", price_of(F.col("item"), shop))
    is_off = bits(mixed, 40, 1_000) / 1_000 < _typical("discount_share")
    return frame.select(
        "campaign_id",
        _order_id().alias("order_id"),
        (F.col("line") + 1).alias("line"),
        "user_id",
        item_id(F.col("item")).alias("item_id"),
        category_of(F.col("item"), shop).alias("category"),
        "quantity",
        "unit_price",
        F.when(is_off, F.round(DISCOUNT * F.col("quantity") * F.col("unit_price"), 2)).otherwise(0.0).alias("discount"),
        F.lit("paid").alias("status"),
        F.col("ordered_at").alias("order_time"),
    )


def _order_id() -> Column:
    return F.concat_ws("/", F.lit("a"), "campaign_id", "user_id")


def _keys() -> tuple[Column, Column]:
    return F.xxhash64("campaign_id"), F.xxhash64("user_id")


def _typical(trait: str) -> Column:
    return F.get(F.array(*map(F.lit, TYPICAL[trait])), F.col("persona_number"))


def _write(frame: DataFrame, source: TextSource, time: str, folder: str, campaigns: list[str]) -> None:
    spark = frame.sparkSession
    lines = frame.select(
        F.col("campaign_id").alias("file"),
        F.unix_timestamp(time).alias("position"),
        source.line(source.fields).alias("line"),
    )
    rows = [(campaign, -1, source.header) for campaign in campaigns]
    lines = lines.unionByName(spark.createDataFrame(rows, "file string, position bigint, line string"))
    for campaign in campaigns:
        remove(spark, f"{folder}/{campaign}.csv")
    ordered = lines.repartition(1).sortWithinPartitions("file", "position", "line")
    write_named(ordered.select("file", "line"), folder, ("text", ".csv"), campaigns)
