"""The `segspark` command."""

import functools
import math
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
from pyspark.errors import AnalysisException
from rich.console import Console
from rich.table import Table
from rich.text import Text

from segspark import doctor
from segspark.config import Config, load_config
from segspark.core import freshness
from segspark.core.errors import InputError, SegsparkError
from segspark.core.freshness import what_is_published
from segspark.core.lease import held_now
from segspark.core.retention import pin
from segspark.core.runs import newest_status
from segspark.core.words import neutral
from segspark.pipeline import (
    STAGE_NAMES,
    RunOutcome,
    RunRequest,
    open_lake,
    optimize_lake,
    prune_lake,
    publish_earlier,
    roll_back,
    run_pipeline,
    tune_recommendations,
)
from segspark.recommend.trials import trials_of_lists, trials_of_ratings
from segspark.recommend.tuning import RATINGS, lines_of

DEFAULT_CONFIG = "conf/demo.yaml"


def configured(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --config and --set, and hands the checked configuration to the command."""

    @click.option("--config", "-c", "path", default=DEFAULT_CONFIG, show_default=True, help="YAML file.")
    @click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Overrides a key; may be repeated.")
    @functools.wraps(command)
    def wrapper(path: str, overrides: tuple[str, ...], **rest: Any) -> Any:
        return command(load_config(path, overrides), **rest)

    return wrapper


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, expose_value=False, help="Show stack traces; may stand anywhere.")
def main_group() -> None:
    """User segments, recommendations and campaign plans from a shop's raw logs, on Spark and Delta Lake."""


@main_group.command("run")
@configured
@click.option("--as-of", metavar="DAY", help="Nothing on or after this day counts (2024-06-30).")
@click.option("--only", multiple=True, metavar="STAGE", help=f"Only this stage: {', '.join(STAGE_NAMES)}.")
@click.option("--resume", is_flag=True, help="Go on with an unpublished run of the same work.")
@click.option("--force", is_flag=True, help="Do the work again although it was published.")
@click.option("--wait", is_flag=True, help="Wait while another run works on the lake.")
def run_command(config: Config, as_of: str | None, **request: Any) -> None:
    """Read new input, compute every table, publish all of them together."""
    if as_of:
        config = Config.model_validate({**config.model_dump(), "as_of": as_of})
    lake = open_lake(config)
    asked = RunRequest(**request)
    outcome = run_pipeline(lake, config, asked, click.echo)
    if not asked.only:
        _summary(config, lake, outcome)


@main_group.command()
@configured
def tune(config: Config) -> None:
    """Try settings of ALS on days before those that runs are judged by; say which to configure. Writes no table."""
    tuned = tune_recommendations(open_lake(config), config, click.echo)
    Console().print(trials_of_lists(tuned, config.recommend))
    if any(trial.method == RATINGS for trial in tuned.trials):
        Console().print(trials_of_ratings(tuned, config.recommend))
    click.echo(lines_of(tuned, config.recommend))


@main_group.command()
@configured
def status(config: Config) -> None:
    """Runs, their stages, what is published and whether it is too old."""
    lake = open_lake(config)
    published = what_is_published(lake)
    table = Table("run", "stage", "status", "rows", "seconds", "note", title=f"runs in {config.lake}")
    for row in newest_status(lake).orderBy("started_at").collect():
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
    Console().print(user_card(lake, _published(lake), user_id))


@main_group.command()
@configured
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
def report(config: Config, open_it: bool) -> None:
    """Where the report of the published run lies."""
    lake = open_lake(config)
    path = Path(lake.path(f"reports/{_published(lake)}.html"))
    if not path.exists():
        raise InputError(f"report: {path} is not there; run the report stage (it needs segspark[report])")
    click.echo(str(path))
    if open_it:
        click.launch(str(path))


@main_group.command()
@configured
@click.option("--segment", required=True, metavar="NAME", help="The segment's name, as the published run has it.")
@click.option("--scheme", default="value", show_default=True, help="The scheme that the segment is of.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet", "delta"]), default="csv", show_default=True)
@click.option("--to", "path", required=True, metavar="PATH", help="A place where nothing is yet.")
def export(config: Config, segment: str, scheme: str, form: str, path: str) -> None:
    """Write the users of a segment, for the tool that writes to them. The file holds personal ids."""
    from segspark.bi.export.stage import export_segment

    lake = open_lake(config)
    users = export_segment(lake, _published(lake), scheme, segment, form, path)
    click.echo(f"{users:,} users of {segment} in {path}")


@main_group.command()
@configured
@click.argument("run_id")
def publish(config: Config, run_id: str) -> None:
    """Make a whole run what readers see."""
    seq = publish_earlier(open_lake(config), run_id)
    click.echo(f"published {run_id} (publication {seq})")


@main_group.command()
@configured
def rollback(config: Config) -> None:
    """Make visible again what was published before the present run."""
    run_id, seq = roll_back(open_lake(config))
    click.echo(f"rolled back to {run_id} (publication {seq})")


@main_group.command("pin")
@configured
@click.argument("run_id")
@click.option("--off", is_flag=True, help="Let it go again.")
def pin_command(config: Config, run_id: str, off: bool) -> None:
    """Keep a whole run from `prune`."""
    pin(open_lake(config), run_id, pinned=not off)
    click.echo(f"{run_id} is {'no longer pinned' if off else 'pinned'}")


@main_group.command("prune")
@configured
@click.option("--keep", type=click.IntRange(min=1), help="Published runs to leave; default: housekeeping.keep_runs.")
def prune_command(config: Config, keep: int | None) -> None:
    """Remove runs, files and rejected rows that nobody needs; never what is published or pinned."""
    changed = {} if keep is None else {"keep_runs": keep}
    pruned = prune_lake(open_lake(config), config.housekeeping.model_copy(update=changed), click.echo)
    click.echo(f"removed {len(pruned.removed)} runs{': ' if pruned.removed else ''}{', '.join(pruned.removed)}")
    click.echo(f"removed {pruned.rejected:,} rows of quarantine")
    for run_id, why in pruned.kept.items():
        click.echo(f"kept    {run_id}: {why}")


@main_group.command("optimize")
@configured
def optimize_command(config: Config) -> None:
    """Put the published run's files in an order that look-ups of a user and overviews read little of."""
    files = optimize_lake(open_lake(config), config.housekeeping, click.echo)
    click.echo(f"put {files} files together; `segspark prune` removes the old ones when nobody needs them")


@main_group.command()
@click.option("--users", default=5000, show_default=True, type=click.IntRange(min=20), help="How many users.")
@click.option("--to", "folder", required=True, help="The folder to write to.")
@click.option("--preset", type=click.Choice(["demo", "hard"]), default="demo", show_default=True)
@click.option("--days", default=None, type=click.IntRange(min=30), help="Length of the history in days.")
@click.option("--seed", default=7, show_default=True, type=click.IntRange(min=0))
def shop(users: int, folder: str, preset: str, days: int | None, seed: int) -> None:
    """Make a synthetic shop with known segments."""
    from segspark.core.session import SessionConfig, open_session
    from segspark.shop.config import ShopConfig
    from segspark.shop.generate import write_shop

    length = {} if days is None else {"days": days}
    config = ShopConfig.model_validate({"users": users, "preset": preset, "seed": seed, **length})
    with tempfile.TemporaryDirectory() as checkpoints:
        spark = open_session(SessionConfig(), checkpoints, "segspark-shop")
        for kind, rows in write_shop(spark, config, folder).items():
            click.echo(f"{kind:10} {rows:>12,} rows")
    click.echo(f"the shop is in {folder}; its truth, which no run reads, in {folder}/truth")


@main_group.command("doctor")
@click.option("--config", "-c", "path", default=None, help="Also look at what this configuration needs.")
def doctor_command(path: str | None) -> None:
    """Java, Spark, Delta, memory, cluster: what is wrong and how to mend it."""
    config = load_config(path) if path else None
    checks = doctor.examine(config)
    for check in checks:
        click.echo(f"{'ok  ' if check.passed else 'FAIL'} {check.what}: {check.found}")
        if not check.passed:
            click.echo(f"     mend it: {check.mend}")
    if not all(check.passed for check in checks):
        raise InputError("doctor: see the lines marked FAIL")


def main(arguments: list[str] | None = None) -> None:
    """Runs the command; exits with its code. Errors are one line unless --debug."""
    given = sys.argv[1:] if arguments is None else arguments
    rest = [argument for argument in given if argument != "--debug"]  # may stand anywhere
    try:
        sys.exit(main_group.main(rest, prog_name="segspark", standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"segspark: {error.format_message()}", err=True)
        sys.exit(2)
    except Exception as error:
        if rest != given:
            raise
        click.echo(f"segspark: {one_line(error)}", err=True)
        sys.exit(getattr(error, "exit_code", 1))


def one_line(error: Exception) -> str:
    """Our own errors as they are; of any other its kind and first line, and how to see more."""
    if isinstance(error, SegsparkError):
        return str(error)
    first = str(error).strip().splitlines()[0] if str(error).strip() else ""
    return f"{type(error).__name__}: {first[:300]} (--debug shows the trace)"


def _cell(value: object) -> Text:
    """A value for the terminal: numbers to four decimals, or four digits where they are smaller than a thousandth."""
    if isinstance(value, float) and math.isfinite(value):
        is_tiny = 0 < abs(value) < 0.001
        return Text(f"{value:.4g}" if is_tiny else f"{value:.4f}".rstrip("0").rstrip("."))
    return Text("" if value is None else neutral(value))


def _published(lake: Any) -> str:
    run_id = lake.published_run()
    if run_id is None:
        raise InputError("publications: nothing was published yet; `segspark run` first")
    return str(run_id)


def _summary(config: Config, lake: Any, outcome: RunOutcome) -> None:
    from segspark.bi.person.stage import segment_summary

    run_id = outcome.run.run_id
    Console().print(segment_summary(lake, run_id))
    if outcome.published_seq:
        click.echo(f"published {run_id} (publication {outcome.published_seq})")
    click.echo(f"tables: {config.lake}")
    report_path = Path(lake.path(f"reports/{run_id}.html"))
    if report_path.exists():
        click.echo(f"report: {report_path}")


if __name__ == "__main__":
    main()
