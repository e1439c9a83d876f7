"""How many contacts of each campaign were made, missed, or should not have been."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

COUNTED = ("windows", "planned", "delivered", "on_time", "contaminated", "unknown", "unplanned")  # of `CampaignCounts`


def count_contacts(contacts: DataFrame, outcomes: DataFrame, known: DataFrame, as_of: date) -> DataFrame:
    """One row per planned campaign: COUNTED, and the day of the last contact that counts.

    `contacts` are those of `planned_contacts`, `outcomes` rows of the log, `known` user_id of every user that a log
    knows.
    """
    is_due = F.to_date("starts_at") < F.lit(as_of)
    made = is_due & F.col("treated") & F.col("delivered")
    planned = contacts.groupBy("campaign_id").agg(
        F.to_date(F.max("starts_at")).alias("last_day"),
        F.count(F.lit(1)).alias("windows"),
        F.count_if(is_due & F.col("treated")).alias("planned"),
        F.count_if(made).alias("delivered"),
        F.count_if(made & F.col("on_time")).alias("on_time"),
        F.count_if(is_due & ~F.col("treated") & F.col("delivered")).alias("contaminated"),
    )
    sent = outcomes.where("treated").select("campaign_id", "user_id")
    sent = sent.join(known.withColumn("__known", F.lit(True)), on="user_id", how="left")
    listed = contacts.select("campaign_id", "user_id").withColumn("__planned", F.lit(True))
    stray = sent.join(listed, on=["campaign_id", "user_id"], how="left").where(F.col("__planned").isNull())
    strays = stray.groupBy("campaign_id").agg(
        F.count_if(F.col("__known").isNull()).alias("unknown"), F.count_if("__known").alias("unplanned")
    )
    return planned.join(strays, on="campaign_id", how="left").na.fill(0, ["unknown", "unplanned"])
