"""Commands for who reads: what is published, in SQL, for one user, as files, to BI tools.

Each imports what it needs itself: a look at the lake takes a second, and importing everything takes three.
"""

from __future__ import annotations

import math
import signal
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segspark.cli.base import configured, engine_option, main_group, published_run, reading_lake
from segspark.config import Config
from segspark.core.errors import InputError
from segspark.core.words import neutral

if TYPE_CHECKING:
    from rich.text import Text


@main_group.command()
@configured
@engine_option
def status(config: Config, engine: str | None) -> None:
    """Runs, their stages, what is published and whether it is too old."""
    from rich.console import Console
    from rich.table import Table

    from segspark.core import freshness
    from segspark.core.lease import held_now
    from segspark.core.ledger import newest_status

    lake = reading_lake(config, engine)
    published = freshness.what_is_published(lake)
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
@engine_option
@click.argument("sql", required=False)
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False), help="A file that holds the statement.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=0), help="Rows to show.")
@click.option("--tables", is_flag=True, help="Also the published run's tables, which know users by their id.")
@click.option("--logs", is_flag=True, help="Also these, and the log and day tables, which hold personal data.")
def query(
    config: Config, engine: str | None, sql: str | None, file: str | None, limit: int, tables: bool, logs: bool
) -> None:
    """Ask the published views in SQL, as Spark speaks it."""
    from rich.console import Console
    from rich.table import Table

    from segspark.bi.query.stage import Offer, ask

    if bool(sql) == bool(file):
        raise InputError('query: give either a statement ("SELECT …") or --file')
    statement = sql or Path(str(file)).read_text(encoding="utf-8").strip().rstrip(";")
    answer = ask(reading_lake(config, engine), Offer(config.marts, tables, logs), statement, limit)
    table = Table(*answer.columns)
    for row in answer.rows:
        table.add_row(*map(_cell, row))
    Console().print(table)


@main_group.command()
@click.option("--dialect", type=click.Choice(["duckdb", "spark", "trino"]), default="spark", show_default=True)
@configured
@engine_option
def views(config: Config, engine: str | None, dialect: str) -> None:
    """Print the statements that make the published views for a reader without Spark's catalogue."""
    from segspark.bi.query.stage import printed_views

    click.echo(";\n\n".join(printed_views(reading_lake(config, engine), config.marts, dialect)) + ";")


@main_group.command()
@configured
def serve(config: Config) -> None:
    """Serve a masked copy of the views to BI tools, by HiveServer2's protocol, until told to end."""
    from segspark.bi.serving.stage import serve_marts
    from segspark.pipeline import open_lake

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the server ends with this process
    raw = [root for source in config.sources.given().values() for root in source.roots]
    serve_marts(open_lake(config), config.serve, config.marts, raw, click.echo)


@main_group.command("user")
@configured
@engine_option
@click.argument("user_id")
def user_command(config: Config, engine: str | None, user_id: str) -> None:
    """All that is known of one user, and why they are where they are."""
    from rich.console import Console

    from segspark.bi.person.stage import user_card

    lake = reading_lake(config, engine)
    Console().print(user_card(lake, published_run(lake), user_id))


@main_group.command()
@configured
@engine_option
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
def report(config: Config, engine: str | None, open_it: bool) -> None:
    """Where the report of the published run lies."""
    lake = reading_lake(config, engine)
    path = Path(lake.path(f"reports/{published_run(lake)}.html"))
    if not path.exists():
        raise InputError(f"report: {path} is not there; run the report stage (it needs segspark[report])")
    click.echo(str(path))
    if open_it:
        click.launch(str(path))


@main_group.command()
@configured
@engine_option
@click.option("--segment", metavar="NAME", help="The users of a segment, by its name in the published run.")
@click.option("--scheme", default="value", show_default=True, help="The scheme that the segment is of.")
@click.option("--campaign", metavar="ID", help="The contacts of a campaign that the published run planned.")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="Contacts of this day and later only.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet", "delta"]), default="csv", show_default=True)
@click.option("--to", "path", required=True, metavar="PATH", help="A place where nothing is yet.")
def export(
    config: Config,
    engine: str | None,
    segment: str | None,
    scheme: str,
    campaign: str | None,
    since: datetime | None,
    form: str,
    path: str,
) -> None:
    """Write users of a segment, or contacts of a campaign, for the tool that sends. The file holds personal ids."""
    from segspark.bi.export.stage import Contacts, engine_for, export_campaign, export_segment

    if (segment is None) == (campaign is None):
        raise InputError("export: give either --segment NAME or --campaign ID")
    lake = reading_lake(config, engine_for(form, path, engine))
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
    from rich.text import Text

    if isinstance(value, float) and math.isfinite(value):
        is_tiny = 0 < abs(value) < 0.001
        return Text(f"{value:.4g}" if is_tiny else f"{value:.4f}".rstrip("0").rstrip("."))
    return Text("" if value is None else neutral(value))
