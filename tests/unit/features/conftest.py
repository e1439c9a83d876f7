import pytest

from tests.unit.features.shops import Shop


@pytest.fixture
def shop(spark, lake):
    return Shop(spark, lake)
