"""All of the export that knows the lake: a segment or a campaign as files, for the tool that writes to people."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from segspark.bi.export.cells import neutralised
from segspark.core.contracts import CAMPAIGN_PLAN, CAMPAIGNS, SEGMENTS, USER_SEGMENTS, USERS
from segspark.core.errors import InputError
from segspark.core.files import is_there, write_csv_file
from segspark.core.lake import Lake
from segspark.core.words import neutral

FORMATS = ("csv", "parquet", "delta")
MEMBER = ("user_id", "scheme", "segment_id", "segment_name", "confidence")
CONTACT = ("campaign_id", "user_id", "segment_name", "action", "channel", "send_on", "items", "propensity")


def export_segment(lake: Lake, run_id: str, scheme: str, name: str, form: str, path: str) -> int:
    """Writes the run's users of one segment to `path`, in the order of their ids; returns how many.

    One row per user, with the columns MEMBER. Raises InputError where there is no such segment, or where something is
    at `path` already.
    """
    names = [row.name for row in lake.read_run(SEGMENTS, run_id).where(F.col("scheme") == scheme).collect()]
    if name not in names:
        there = ", ".join(map(neutral, sorted(names))) or "none"
        raise InputError(f"--segment: scheme {neutral(scheme)} has no {neutral(name)}; it has: {there}")
    members = lake.read_run(USER_SEGMENTS, run_id).where((F.col("scheme") == scheme) & (F.col("segment_name") == name))
    return write_export(members.select(*MEMBER).orderBy("user_id"), form, path)


@dataclass(frozen=True)
class Contacts:
    """Which contacts of a campaign are written."""

    campaign_id: str
    consent_required: bool = True  # not of users who have withdrawn it since
    since: date | None = None  # only of this day and later


def export_campaign(lake: Lake, run_id: str, wanted: Contacts, form: str, path: str) -> int:
    """Writes the run's contacts of one campaign to `path`, by day, channel, action and user; returns how many.

    One row per user who is to be contacted, with the columns CONTACT; nobody who is held out is in it, nor who does not
    consent by now. In csv the items are one text, separated by blanks. Raises InputError where the run planned no such
    campaign, or where something is at `path` already.
    """
    campaign_id = wanted.campaign_id
    planned = [row.campaign_id for row in lake.read_run(CAMPAIGNS, run_id).collect()]
    if campaign_id not in planned:
        there = ", ".join(map(neutral, sorted(planned))) or "none"
        raise InputError(f"--campaign: the published run planned no {neutral(campaign_id)}; it planned: {there}")
    contacts = lake.read_run(CAMPAIGN_PLAN, run_id).where((F.col("campaign_id") == campaign_id) & ~F.col("holdout"))
    if wanted.consent_required:
        contacts = contacts.join(lake.read(USERS).where("consent").select("user_id"), on="user_id", how="left_semi")
    if wanted.since is not None:
        contacts = contacts.where(F.col("send_on") >= F.lit(wanted.since))
    rows = contacts.select(*CONTACT).orderBy("send_on", "channel", "action", "user_id")
    return write_export(rows.withColumn("items", F.concat_ws(" ", "items")) if form == "csv" else rows, form, path)


def write_export(rows: DataFrame, form: str, path: str) -> int:
    """Writes rows for use outside; returns how many.

    `csv` is one file with a header, no text of which a spreadsheet takes for a formula; `parquet` is a folder of files,
    `delta` a table, both with the texts as they are. Raises InputError where something is at `path` already.
    """
    if is_there(rows.sparkSession, path):
        raise InputError(f"--to: {path} is there already; name another place, or remove it")
    written = Observation()
    counted = rows.observe(written, F.count(F.lit(1)).alias("rows"))
    if form == "csv":
        write_csv_file(neutralised(counted), path)
    else:
        counted.write.format(form).save(path)
    return int(written.get["rows"])
