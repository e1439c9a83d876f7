"""Commands that make a run visible: compute, tune, publish, go back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segspark.cli.base import configured, main_group
from segspark.config import Config

if TYPE_CHECKING:
    from segspark.core.lake import Lake
    from segspark.pipeline import RunOutcome


@main_group.command("run")
@configured
@click.option("--as-of", metavar="DAY", help="Nothing on or after this day counts (2024-06-30).")
@click.option("--only", multiple=True, metavar="STAGE", help="Only this stage; may be repeated.")
@click.option("--resume", is_flag=True, help="Go on with an unpublished run of the same work.")
@click.option("--force", is_flag=True, help="Do the work again although it was published.")
@click.option("--wait", is_flag=True, help="Wait while another run works on the lake.")
def run_command(config: Config, as_of: str | None, **request: Any) -> None:
    """Read new input, compute every table, publish all of them together."""
    from segspark.pipeline import RunRequest, open_lake, run_pipeline

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
    from rich.console import Console

    from segspark.pipeline import open_lake, tune_recommendations
    from segspark.recommend.trials import trials_of_lists, trials_of_ratings
    from segspark.recommend.tuning import RATINGS, lines_of

    tuned = tune_recommendations(open_lake(config), config, click.echo)
    Console().print(trials_of_lists(tuned, config.recommend))
    if any(trial.method == RATINGS for trial in tuned.trials):
        Console().print(trials_of_ratings(tuned, config.recommend))
    click.echo(lines_of(tuned, config.recommend))


@main_group.command()
@configured
@click.argument("run_id")
def publish(config: Config, run_id: str) -> None:
    """Make a whole run what readers see."""
    from segspark.pipeline import open_lake, publish_earlier

    seq = publish_earlier(open_lake(config), run_id)
    click.echo(f"published {run_id} (publication {seq})")


@main_group.command()
@configured
def rollback(config: Config) -> None:
    """Make visible again what was published before the present run."""
    from segspark.pipeline import open_lake, roll_back

    run_id, seq = roll_back(open_lake(config))
    click.echo(f"rolled back to {run_id} (publication {seq})")


def _summary(config: Config, lake: Lake, outcome: RunOutcome) -> None:
    from rich.console import Console

    from segspark.bi.person.stage import segment_summary

    run_id = outcome.run.run_id
    Console().print(segment_summary(lake, run_id))
    if outcome.published_seq:
        click.echo(f"published {run_id} (publication {outcome.published_seq})")
    click.echo(f"tables: {config.lake}")
    report_path = Path(lake.path(f"reports/{run_id}.html"))
    if report_path.exists():
        click.echo(f"report: {report_path}")
