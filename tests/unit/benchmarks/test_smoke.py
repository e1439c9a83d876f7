import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from benchmarks.__main__ import cases
from benchmarks.measure import measure
from benchmarks.retail.comparison import ORDERS
from tests.conftest import LEAN

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("name", list(cases()))
def test_all_contestants_find_the_same_at_a_tiny_size(name, tmp_path):
    for package in ("polars", "implicit", "duckdb"):
        pytest.importorskip(package, reason="the peers are in the extra `bench`")
    if name == "movielens" and not list(metadata.distributions(name="recbole")):
        pytest.skip("the ratings are in requirements-data.lock")
    if name == "retail" and not ORDERS.exists():
        pytest.skip("the shared online_retail data is not beside the repository")
    lean = [f"--conf={key}={value}" for key, value in LEAN.items()]
    options = ["--scale", "tiny", "--only", name, "--driver-memory", "1g", *lean]
    places = ["--folder", str(tmp_path / "work"), "--results", str(tmp_path / "results")]
    command = [sys.executable, "-m", "benchmarks", *options, *places]
    measure(command, tmp_path, {"PYTHONPATH": str(ROOT)}, 1200.0)
    (results,) = tmp_path.glob("results/*/results.json")
    checks = json.loads(results.read_text())["checks"]
    assert checks
    assert all(check["passed"] for check in checks)
