"""Who may be contacted at all, and by which actions."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.catalogue import Strategies
from segspark.core.errors import ConfigError
from segspark.core.expressions import columns_of

NO_CONSENT = "no consent"
CONTACTED = "contacted by this campaign already"
QUIET = "in a campaign a short time ago, or now"
NO_ACTION = "no action suits"
REASONS = (NO_CONSENT, CONTACTED, QUIET, NO_ACTION)  # why a user is left out: the first that holds


def check_columns(strategies: Strategies, path: str, known: set[str]) -> None:
    """ConfigError where an audience, or who is at risk, goes by a column that user_features does not have."""
    for where, text in strategies.expressions().items():
        unknown = sorted(columns_of(text) - known)
        if unknown:
            have = ", ".join(sorted(known))
            raise ConfigError(f"{path}: {where}: {unknown[0]} is no column of user_features; it has {have}")


def last_contacts(outcomes: DataFrame, plans: DataFrame) -> DataFrame:
    """user_id, action, made_on, last_on: the last contact that was sent or, by a published plan, was or will be made;
    and the last that was made or withheld.

    `outcomes` are rows of the log; `plans` has user_id, action, holdout and send_on of published plans in force.
    """
    sent = outcomes.where("treated").select(
        "user_id", "action", F.to_date("sent_at").alias("on"), F.lit(True).alias("made")
    )
    planned = plans.select("user_id", "action", F.col("send_on").alias("on"), (~F.col("holdout")).alias("made"))
    made_on = F.max(F.when(F.col("made"), F.col("on"))).alias("made_on")
    return sent.unionByName(planned).groupBy("user_id", "action").agg(made_on, F.max("on").alias("last_on"))


def find_audience(
    people: DataFrame,
    contacts: DataFrame,
    contacted: DataFrame,
    strategies: Strategies,
    suits: Mapping[str, list[str]],
    starts_on: date,
    window_days: int = 0,
) -> DataFrame:
    """One row per user of `people`, with `allowed`: an array of booleans, one per action of the file; and `left_out`.

    `people` has the columns of user_features, segment_name and may_be_contacted; `contacts` those of `last_contacts`;
    `contacted` the user_id of who had a contact of the same campaign. `suits` are the actions by segment. For
    `window_days` after a contact, or one that was withheld, a user is left alone, and for the file's quiet days at
    least. `left_out` is the first reason that holds, null for who may be contacted; nobody with a reason has an allowed
    action.
    """
    days = F.map_from_entries(F.collect_list(F.struct(F.coalesce("action", F.lit("")), "made_on")))
    last = contacts.groupBy("user_id").agg(days.alias("__last"), F.max("last_on").alias("__last_on"))
    marked = contacted.select("user_id").distinct().withColumn("__contacted", F.lit(True))
    known = people.join(last, on="user_id", how="left").join(marked, on="user_id", how="left")
    fits = F.array(*(_fits(name, strategies, suits, starts_on) for name in strategies.actions))
    is_quiet = F.date_add("__last_on", max(strategies.quiet_days, window_days)) > F.lit(starts_on)
    reason = (
        F.when(~F.coalesce("may_be_contacted", F.lit(False)), NO_CONSENT)
        .when(F.col("__contacted"), CONTACTED)
        .when(is_quiet, QUIET)
        .when(~F.exists("__fits", lambda fits: fits), NO_ACTION)
    )
    found = known.withColumn("__fits", fits).withColumn("left_out", reason)
    allowed = F.transform("__fits", lambda fits: fits & F.col("left_out").isNull())
    return found.withColumn("allowed", allowed).drop("__fits", "__last", "__last_on", "__contacted")


def _fits(name: str, strategies: Strategies, suits: Mapping[str, list[str]], starts_on: date) -> Column:
    """Whether the action may be done for the user: segment, audience, risk, cool-down."""
    action = strategies.actions[name]
    segments = sorted(segment for segment, actions in suits.items() if name in actions)
    again_on = F.date_add(F.col("__last")[F.lit(name)], action.cool_down_days)
    is_cool = F.coalesce(again_on <= F.lit(starts_on), F.lit(True))
    fits = F.col("segment_name").isin(*segments) & F.coalesce(F.expr(action.audience), F.lit(False)) & is_cool
    return fits & ~F.coalesce(F.expr(strategies.risk), F.lit(False)) if action.incentive else fits
