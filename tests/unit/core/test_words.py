import pytest

from segspark.core.words import NOTHING, percent


@pytest.mark.parametrize(
    ("share", "told"),
    [
        *((0.0, "0%"), (0.0004, "under 0.1%"), (0.0449, "4.5%"), (0.0994, "9.9%"), (0.0996, "10%"), (0.1, "10%")),
        *((0.36, "36%"), (0.8996, "90%"), (0.9041, "90.4%"), (0.9995, "over 99.9%"), (1.0, "100%"), (None, NOTHING)),
    ],
)
def test_a_share_has_two_telling_digits_and_is_not_rounded_to_all_or_none(share, told):
    assert percent(share) == told
