"""Commands for who reads: what is published, in SQL, for one user, as files, to BI tools."""

import math
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

import click
from pyspark.errors import AnalysisException
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segspark.cli.base import configured, main_group, published_run
from segspark.config import Config
from segspark.core import freshness
from segspark.core.errors import InputError
from segspark.core.freshness import what_is_published
from segspark.core.lease import held_now
from segspark.core.runs import newest_status
from segspark.core.words import neutral
from segspark.pipeline import open_lake


@main_group.command()
@configured
def status(config: Config) -> None:
    """Runs, their stages, what is published and whether it is too old."""
    lake = open_lake(config)
    published = what_is_published(lake)
    table = Table("run", "stage", "status", "rows", "seconds", "note", title=f"runs in {config.lake}")
    for row in sorted(newest_status(lake), key=lambda row: row.started_at):
        mark = " *" if published and row.run_id == published.run_id else ""
        table.add_row(row.run_id + mark, row.stage, row.status, f"{row.rows:,}", f"{row.seconds:.1f}", row.note or "")
    Console().print(table)
    now = datetime.now(timezone.utc)
    click.echo(f"published: {freshness.told(published, now) if published else 'nothing yet'}")
    if published and (stale := freshness.warning(published, now, config.housekeeping.stale_after_days)):
        click.echo(stale)
    if holder := held_now(lake):
        click.echo(f"at work: {holder.told()}")


@main_group.command()
@configured
@click.argument("sql", required=False)
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False), help="A file that holds the statement.")
@click.option("--limit", default=50, show_default=True, help="Rows to show.")
@click.option("--tables", is_flag=True, help="Also the published run's tables, which know users by their id.")
@click.option("--logs", is_flag=True, help="Also these, and the log and day tables, which hold personal data.")
def query(config: Config, sql: str | None, file: str | None, limit: int, tables: bool, logs: bool) -> None:
    """Ask the published views in SQL."""
    from segspark.bi.marts.catalogue import names_in
    from segspark.bi.marts.stage import register_views

    if bool(sql) == bool(file):
        raise InputError('query: give either a statement ("SELECT …") or --file')
    lake = open_lake(config)
    statement = sql or Path(str(file)).read_text(encoding="utf-8").strip().rstrip(";")
    names = register_views(lake, config.marts, tables=tables or logs, logs=logs, asked=names_in(statement))
    try:
        frame = lake.spark.sql(statement)
    except AnalysisException as error:
        if error.getCondition() != "TABLE_OR_VIEW_NOT_FOUND":
            raise
        unknown = (error.getMessageParameters() or {}).get("relationName", "a table")
        raise InputError(f"query: {unknown} is not among {', '.join(names)}; --tables and --logs show more") from error
    table = Table(*frame.columns)
    for row in frame.limit(limit).collect():
        table.add_row(*map(_cell, row))
    Console().print(table)


@main_group.command()
@click.option("--dialect", type=click.Choice(["duckdb", "spark", "trino"]), default="spark", show_default=True)
@configured
def views(config: Config, dialect: str) -> None:
    """Print the statements that make the published views for a reader without Spark's catalogue."""
    from segspark.bi.marts.stage import printed_views

    click.echo(";\n\n".join(printed_views(open_lake(config), config.marts, dialect)) + ";")


@main_group.command()
@configured
def serve(config: Config) -> None:
    """Serve a masked copy of the views to BI tools, by HiveServer2's protocol, until told to end."""
    from segspark.bi.serving.stage import serve_marts

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the server ends with this process
    raw = [root for source in config.sources.given().values() for root in source.roots]
    serve_marts(open_lake(config), config.serve, config.marts, raw, click.echo)


@main_group.command("user")
@configured
@click.argument("user_id")
def user_command(config: Config, user_id: str) -> None:
    """All that is known of one user, and why they are where they are."""
    from segspark.bi.person.stage import user_card

    lake = open_lake(config)
    Console().print(user_card(lake, published_run(lake), user_id))


@main_group.command()
@configured
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
def report(config: Config, open_it: bool) -> None:
    """Where the report of the published run lies."""
    lake = open_lake(config)
    path = Path(lake.path(f"reports/{published_run(lake)}.html"))
    if not path.exists():
        raise InputError(f"report: {path} is not there; run the report stage (it needs segspark[report])")
    click.echo(str(path))
    if open_it:
        click.launch(str(path))


@main_group.command()
@configured
@click.option("--segment", metavar="NAME", help="The users of a segment, by its name in the published run.")
@click.option("--scheme", default="value", show_default=True, help="The scheme that the segment is of.")
@click.option("--campaign", metavar="ID", help="The contacts of a campaign that the published run planned.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Contacts of this day and later only.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet", "delta"]), default="csv", show_default=True)
@click.option("--to", "path", required=True, metavar="PATH", help="A place where nothing is yet.")
def export(
    config: Config,
    segment: str | None,
    scheme: str,
    campaign: str | None,
    since: datetime | None,
    form: str,
    path: str,
) -> None:
    """Write users of a segment, or contacts of a campaign, for the tool that sends. The file holds personal ids."""
    from segspark.bi.export.stage import Contacts, export_campaign, export_segment

    if (segment is None) == (campaign is None):
        raise InputError("export: give either --segment NAME or --campaign ID")
    lake = open_lake(config)
    run_id = published_run(lake)
    if segment is not None:
        users = export_segment(lake, run_id, scheme, segment, form, path)
        click.echo(f"{users:,} users of {segment} in {path}")
    else:
        day = since.date() if since else None
        wanted = Contacts(str(campaign), config.campaigns.consent == "required", day)
        contacts = export_campaign(lake, run_id, wanted, form, path)
        click.echo(f"{contacts:,} contacts of {campaign} in {path}")


def _cell(value: object) -> Text:
    """A value for the terminal: numbers to four decimals, or four digits where they are smaller than a thousandth."""
    if isinstance(value, float) and math.isfinite(value):
        is_tiny = 0 < abs(value) < 0.001
        return Text(f"{value:.4g}" if is_tiny else f"{value:.4f}".rstrip("0").rstrip("."))
    return Text("" if value is None else neutral(value))
