import pytest

from segspark.cli.reading import _cell


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0952381, "0.0952"), (21476.7, "21476.7"), (3.0, "3"), (0.00001234, "1.234e-05"), (100, "100"), (None, "")],
)
def test_numbers_in_the_terminal_are_short_and_small_ones_keep_their_digits(value, shown):
    assert str(_cell(value)) == shown


def test_what_steers_a_terminal_or_looks_like_markup_is_text():
    assert str(_cell("[red]a\u202e\x1b[31mb")) == "[red]a[31mb"
