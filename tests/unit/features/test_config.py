import pytest
from pydantic import ValidationError

from segspark.features.config import Block, FeaturesConfig, PrepareConfig


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"session_gap_minutes": 0}, "greater than or equal to 1"),
        ({"windows_days": (7, 7)}, "distinct numbers of days"),
        ({"windowdays": (7,)}, "Extra inputs are not permitted"),
        ({"prepare": {"winsorise": 0.5}}, "less than 0.5"),
        ({"prepare": {"blocks": {}}}, "name at least one"),
    ],
)
def test_impossible_settings_are_refused_with_what_is_allowed(wrong, says):
    with pytest.raises(ValidationError, match=says):
        FeaturesConfig(**wrong)


def test_a_feature_named_in_two_blocks_is_refused():
    with pytest.raises(ValidationError, match="age stands in two blocks"):
        PrepareConfig(blocks={"a": Block(columns=("age",)), "b": Block(columns=("age",))})


def test_only_settings_that_shape_days_make_day_tables_stale():
    plain = FeaturesConfig().shapes_days()
    assert FeaturesConfig(windows_days=(3,), new_product_days=5).shapes_days() == plain
    assert FeaturesConfig(session_gap_minutes=10).shapes_days() != plain
