"""A small demo shop that the end-to-end tests share."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from segspark.config import Config, load_config
from segspark.core.declared import Part, Stage
from segspark.core.errors import LakeError
from segspark.core.lake import Lake
from segspark.core.stage import Run
from segspark.pipeline import STAGES, RunRequest, run_pipeline
from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop
from tests.end_to_end.executions import Executions

REPO = Path(__file__).parents[2]
SMALL = (
    "segments.value.k_range=[5, 8]",
    "segments.taste.k_range=[2, 4]",
    "recommend.rank=12",
    "recommend.iterations=6",
    "recommend.evaluation.test_days=7",
)


@pytest.fixture(scope="session")
def shop(spark, tmp_path_factory):
    """A shop of 400 users over a month, as files."""
    folder = tmp_path_factory.mktemp("shop")
    write_shop(spark, ShopConfig(users=400, days=30, seed=11), str(folder))
    return folder


def demo_config(shop, lake, *overrides):
    """The demo's configuration over a shop in that folder, with a lake of its own."""
    path = str(REPO / "conf" / "demo.yaml")
    sources = load_config(path).sources.model_dump(exclude_none=True)
    moved = [
        f"sources.{name}.path={str(source['path']).replace('demo/shop', str(shop))}" for name, source in sources.items()
    ]
    personas = f"segments.personas={REPO / 'conf' / 'personas.yaml'}"
    strategies = f"campaigns.strategies={REPO / 'conf' / 'strategies.yaml'}"
    return load_config(path, (f"lake={lake}", personas, strategies, *moved, *overrides))


@pytest.fixture(scope="session")
def configure(shop):
    """The demo's configuration over the small shop."""
    return lambda lake: demo_config(shop, lake, *SMALL)


@pytest.fixture(scope="session")
def run_pipeline_on(spark):
    """Runs stages on the shop in a folder; returns the folder, the lake and the run's id."""

    def run(folder, request):
        config = demo_config(folder / "shop", folder / "lake")
        lake = Lake(spark, config.lake)
        outcome = run_pipeline(lake, config, request, lambda line: None)
        return folder, lake, outcome.run.run_id

    return run


@pytest.fixture(scope="session")
def run_shop(spark, configure):
    """Runs the pipeline in this process; returns the lake, the configuration and the outcome."""

    def run(folder, told, request):
        config = configure(folder)
        lake = Lake(spark, config.lake)
        return lake, config, run_pipeline(lake, config, request, told.append)

    return run


@dataclass(frozen=True)
class Interrupted:
    """One published run that stopped before its segments and went on: what each call told, and what it cost."""

    lake: Lake
    config: Config
    run: Run
    before: list[str]
    refused: str
    after: list[str]
    executions: Counter[str]  # of Spark SQL, by stage


@pytest.fixture(scope="session")
def first_run(spark, run_shop, tmp_path_factory):
    """One whole, published run: stopped before its segments, refused to publish, resumed."""

    def stop(context):
        raise RuntimeError("power cut")

    folder = tmp_path_factory.mktemp("first") / "lake"
    before: list[str] = []
    with Executions(spark) as counted, pytest.MonkeyPatch.context() as patch:
        patch.setitem(STAGES, "segments", Stage("segments", (Part(stop),)))
        with pytest.raises(RuntimeError, match="power cut"):
            run_shop(folder, before, RunRequest())
    with pytest.raises(LakeError) as refused:
        run_shop(folder, [], RunRequest(only=("publish",)))
    after: list[str] = []
    with counted:
        lake, config, outcome = run_shop(folder, after, RunRequest(resume=True))
    assert outcome.published_seq == 1
    return Interrupted(lake, config, outcome.run, before, str(refused.value), after, counted.by_stage)
