"""`python -m benchmarks`: runs the comparisons, writes figures beside the proof that results are the same."""

import signal
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import click

from benchmarks.case import Case
from benchmarks.report import Found, write_report
from benchmarks.runner import Options, run_case

RESULTS = Path(__file__).with_name("results")


def cases() -> dict[str, Case]:
    """Every comparison by name, in the order of running."""
    from benchmarks.als.comparison import CASE as ALS
    from benchmarks.days.comparison import CASE as DAYS
    from benchmarks.features.comparison import CASE as FEATURES
    from benchmarks.kmeans.comparison import CASE as KMEANS
    from benchmarks.lookback.comparison import CASE as LOOKBACK
    from benchmarks.movielens.comparison import CASE as MOVIELENS
    from benchmarks.neighbours.comparison import CASE as NEIGHBOURS
    from benchmarks.planning.comparison import CASE as PLANNING
    from benchmarks.retail.comparison import CASE as RETAIL
    from benchmarks.similarity.comparison import CASE as SIMILARITY
    from benchmarks.topn.comparison import CASE as TOPN
    from benchmarks.years.comparison import CASE as YEARS

    chosen = (FEATURES, KMEANS, ALS, TOPN, SIMILARITY, NEIGHBOURS, PLANNING, LOOKBACK, DAYS, YEARS, MOVIELENS, RETAIL)
    return {case.name: case for case in chosen}


@click.command()
@click.option("--scale", type=click.Choice(["tiny", "small", "full"]), default="small", show_default=True)
@click.option("--only", multiple=True, help="A comparison; may be repeated. Default: all.")
@click.option("--size", "sizes", multiple=True, type=int, help="Sizes of its own in place of the scale's.")
@click.option("--contestant", "contestants", multiple=True, help="Only these; may be repeated.")
@click.option("--repeat", default=1, show_default=True, help="Repetitions; tables show medians.")
@click.option("--driver-memory", default="4g", show_default=True, help="Heap of each Spark driver.")
@click.option("--conf", multiple=True, metavar="KEY=VALUE", help="A Spark setting; may be repeated.")
@click.option("--limit", default=3600.0, show_default=True, help="Seconds after which a contestant is ended.")
@click.option("--folder", type=click.Path(path_type=Path), default=RESULTS / "work", help="For data and outputs.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS, help="For the figures.")
def main(
    scale: str,
    only: tuple[str, ...],
    sizes: tuple[int, ...],
    contestants: tuple[str, ...],
    repeat: int,
    driver_memory: str,
    conf: tuple[str, ...],
    limit: float,
    folder: Path,
    results: Path,
) -> None:
    """Times each stage beside what a user would pick instead. Ends with 1 where results differ."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that contestants end with us
    settings = dict(setting.split("=", 1) for setting in conf)
    options = Options(scale, repeat, driver_memory, folder.resolve(), limit, contestants, settings)
    chosen = cases()
    unknown = [name for name in only if name not in chosen]
    if unknown:
        raise click.UsageError(f"--only: there is no comparison {unknown[0]}; they are {', '.join(chosen)}")
    place = results / datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    found: list[Found] = []
    for case in (chosen[name] for name in only or chosen):
        sized = replace(case, sizes={scale: sizes}) if sizes else case
        for measured, checks in run_case(sized, options, click.echo):
            found.append((sized, measured, checks))
            write_report(place, found, options)
    click.echo((place / "results.md").read_text())
    sys.exit(0 if all(check.passed for _, _, checks in found for check in checks) else 1)


if __name__ == "__main__":
    main()
