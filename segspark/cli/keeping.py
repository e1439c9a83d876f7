"""Commands for who keeps the house: old runs, the layout of files, a shop to try, this machine."""

import tempfile

import click

from segspark.cli.base import configured, main_group, published_run
from segspark.config import Config, load_config
from segspark.core.errors import InputError


@main_group.command("pin")
@configured
@click.argument("run_id")
@click.option("--off", is_flag=True, help="Let it go again.")
def pin_command(config: Config, run_id: str, off: bool) -> None:
    """Keep a whole run from `prune`."""
    from segspark.core.retention import pin
    from segspark.pipeline import open_lake

    pin(open_lake(config), run_id, pinned=not off)
    click.echo(f"{run_id} is {'no longer pinned' if off else 'pinned'}")


@main_group.command("prune")
@configured
@click.option("--keep", type=click.IntRange(min=1), help="Published runs to leave; default: housekeeping.keep_runs.")
def prune_command(config: Config, keep: int | None) -> None:
    """Remove runs, files and rejected rows that nobody needs; never what is published or pinned."""
    from segspark.pipeline import open_lake, prune_lake

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
    from segspark.pipeline import open_lake, optimize_lake

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
    from segspark.core.config import SessionConfig
    from segspark.core.session import open_session
    from segspark.shop.config import ShopConfig
    from segspark.shop.generate import write_shop

    length = {} if days is None else {"days": days}
    config = ShopConfig.model_validate({"users": users, "preset": preset, "seed": seed, **length})
    with tempfile.TemporaryDirectory() as checkpoints:
        spark = open_session(SessionConfig(), checkpoints, "segspark-shop")
        for kind, rows in write_shop(spark, config, folder).items():
            click.echo(f"{kind:10} {rows:>12,} rows")
    click.echo(f"the shop is in {folder}; its truth, which no run reads, in {folder}/truth")


@main_group.command()
@configured
@click.option("--shop", "folder", required=True, help="The folder of the synthetic shop.")
def answer(config: Config, folder: str) -> None:
    """Let a synthetic shop answer the published plan: outcomes and orders by planted effects, for the next run."""
    from segspark.core.contracts import CAMPAIGN_PLAN
    from segspark.pipeline import open_lake
    from segspark.shop.answers import AnswersConfig, write_answers

    lake = open_lake(config)
    plan = lake.read_run(CAMPAIGN_PLAN, published_run(lake))
    campaigns = write_answers(lake.spark, plan, folder, AnswersConfig())
    click.echo(f"{', '.join(campaigns) or 'no campaign'}: answered in {folder}/outcomes and {folder}/orders")


@main_group.command("doctor")
@click.option("--config", "-c", "path", default=None, help="Also look at what this configuration needs.")
@click.option("--quick", is_flag=True, help="Without starting Spark: seconds in place of half a minute.")
def doctor_command(path: str | None, quick: bool) -> None:
    """Java, Spark, Delta, memory, lake, cluster: what is wrong and how to mend it."""
    from segspark.doctor import examine

    checks = examine(load_config(path) if path else None, quick)
    for check in checks:
        click.echo(f"{'ok  ' if check.passed else 'FAIL'} {check.what}: {check.found}")
        if not check.passed:
            click.echo(f"     mend it: {check.mend}")
    if not all(check.passed for check in checks):
        raise InputError("doctor: see the lines marked FAIL")
