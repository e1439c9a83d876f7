"""One cluster and one package for all tests of this folder."""

import pytest

from tests.cluster.standalone import make_package, standalone


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """One master and three workers."""
    with standalone(tmp_path_factory.mktemp("cluster"), workers=3) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def package():
    """dist/segspark.zip, as `make package` makes it."""
    make_package()
