"""All of the export that knows the lake: a segment or a campaign as files, for the tool that writes to people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from segspark.core.contracts import CAMPAIGNS, SEGMENTS
from segspark.core.duckdb_sql import Selection
from segspark.core.errors import InputError
from segspark.core.files import local_path
from segspark.core.reader import Reader
from segspark.core.words import neutral

FORMATS = ("csv", "parquet", "delta")
MEMBER = ("user_id", "scheme", "segment_id", "segment_name", "confidence")
CONTACT = ("campaign_id", "user_id", "segment_name", "action", "channel", "send_on", "items", "propensity")

MEMBERS = f"""
    SELECT {", ".join(MEMBER)} FROM {{user_segments}} WHERE scheme = :scheme AND segment_name = :segment
    ORDER BY user_id"""


def engine_for(form: str, path: str, asked: str | None) -> str | None:
    """The engine that writes this form there; the one that is asked for where it can. None: as the lake suggests.

    Raises InputError where the one that is asked for cannot.
    """
    why = "delta is written" if form == "delta" else f"{path} is reached" if local_path(path) is None else None
    if why is not None and asked == "duckdb":
        raise InputError(f"--engine duckdb: {why} by Spark only; leave it out")
    return asked if why is None else "spark"


def export_segment(lake: Reader, run_id: str, scheme: str, name: str, form: str, path: str) -> int:
    """Writes the run's users of one segment to `path`, in the order of their ids; returns how many.

    One row per user, with the columns MEMBER. Raises InputError where there is no such segment, or where something is
    at `path` already.
    """
    names = [row.name for row in lake.rows_of_run(SEGMENTS, run_id) if row.scheme == scheme]
    if name not in names:
        there = ", ".join(map(neutral, sorted(names))) or "none"
        raise InputError(f"--segment: scheme {neutral(scheme)} has no {neutral(name)}; it has: {there}")
    return write_export(lake.select(run_id, MEMBERS, scheme=scheme, segment=name), form, path)


@dataclass(frozen=True)
class Contacts:
    """Which contacts of a campaign are written."""

    campaign_id: str
    consent_required: bool = True  # not of users who have withdrawn it since
    since: date | None = None  # only of this day and later


def export_campaign(lake: Reader, run_id: str, wanted: Contacts, form: str, path: str) -> int:
    """Writes the run's contacts of one campaign to `path`, by day, channel, action and user; returns how many.

    One row per user who is to be contacted, with the columns CONTACT; nobody who is held out is in it, nor who does not
    consent by now. In csv the items are one text, separated by blanks. Raises InputError where the run planned no such
    campaign, or where something is at `path` already.
    """
    campaign_id = wanted.campaign_id
    planned = [row.campaign_id for row in lake.rows_of_run(CAMPAIGNS, run_id)]
    if campaign_id not in planned:
        there = ", ".join(map(neutral, sorted(planned))) or "none"
        raise InputError(f"--campaign: the published run planned no {neutral(campaign_id)}; it planned: {there}")
    values: dict[str, Any] = {"campaign": campaign_id} | ({"since": wanted.since} if wanted.since else {})
    return write_export(lake.select(run_id, _contacts(wanted, form), **values), form, path)


def _contacts(wanted: Contacts, form: str) -> str:
    """The query of a campaign's contacts."""
    columns = ["array_join(items, ' ') AS items" if form == "csv" and name == "items" else name for name in CONTACT]
    rules = ["campaign_id = :campaign", "NOT holdout"]
    if wanted.consent_required:
        rules.append("user_id IN (SELECT user_id FROM {users} WHERE consent)")
    if wanted.since is not None:
        rules.append("send_on >= :since")
    return f"""
        SELECT {", ".join(columns)} FROM {{campaign_plan}} WHERE {" AND ".join(rules)}
        ORDER BY send_on, channel, action, user_id"""


def write_export(rows: Any, form: str, path: str) -> int:
    """Writes what a lake selected for use outside, by the engine that selected it; returns how many rows.

    `csv` is one file with a header, no text of which a spreadsheet takes for a formula; `parquet` is a folder of files,
    `delta` a table, both with the texts as they are. Raises InputError where something is at `path` already.
    """
    if isinstance(rows, Selection):
        from segspark.bi.export.by_duckdb import write_selection

        return write_selection(rows, form, path)
    from segspark.bi.export.by_spark import write_frame

    return write_frame(rows, form, path)
