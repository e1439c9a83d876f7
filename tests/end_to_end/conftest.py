"""A small demo shop that the end-to-end tests share."""

from pathlib import Path

import pytest
from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop

from segspark.config import load_config
from segspark.core.lake import Lake
from segspark.pipeline import RunRequest, run_pipeline

REPO = Path(__file__).parents[2]
SMALL = (
    "segments.value.k_range=[5, 8]",
    "segments.taste.k_range=[2, 4]",
    "recommend.rank=12",
    "recommend.iterations=6",
)


@pytest.fixture(scope="session")
def shop(spark, tmp_path_factory):
    """A shop of 700 users over 90 days, as files."""
    folder = tmp_path_factory.mktemp("shop")
    write_shop(spark, ShopConfig(users=700, days=90, seed=11), str(folder))
    return folder


@pytest.fixture(scope="session")
def configure(shop):
    """The demo's configuration over that shop, with a lake of its own."""

    def configure(lake, *overrides):
        plain = load_config(str(REPO / "conf" / "demo.yaml"))
        moved = [
            f"sources.{name}.path={str(source['path']).replace('demo/shop', str(shop))}"
            for name, source in plain.sources.model_dump(exclude_none=True).items()
        ]
        personas = f"segments.personas={REPO / 'conf' / 'personas.yaml'}"
        return load_config(str(REPO / "conf" / "demo.yaml"), (f"lake={lake}", personas, *moved, *SMALL, *overrides))

    return configure


@pytest.fixture(scope="session")
def run_shop(spark, configure):
    """Runs the pipeline in this process; returns the lake, the configuration, the outcome and what was told."""

    def run(folder, *overrides, request=None):
        config = configure(folder, *overrides)
        lake = Lake(spark, config.lake)
        told = []
        outcome = run_pipeline(lake, config, request or RunRequest(), told.append)
        return lake, config, outcome, told

    return run


@pytest.fixture(scope="session")
def first_run(run_shop, tmp_path_factory):
    """One whole, published run."""
    return run_shop(tmp_path_factory.mktemp("first") / "lake")
