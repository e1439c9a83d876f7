import numpy as np
import pytest

from segspark.segments.spectrum import basis_of, chebyshev_filter


def value(polynomial, at):
    """The polynomial at some points, factor by factor as it is applied."""
    product = np.ones_like(at)
    for root in polynomial.roots:
        product = product * (at - root) * polynomial.scale
    return product


@pytest.mark.parametrize("bound", [0.0, 0.5, 0.88, 0.99])
def test_a_filter_is_1_at_1_grows_above_its_bound_and_is_even_below_it(bound):
    polynomial = chebyshev_filter(bound, 8)
    below, above = np.linspace(-1, bound, 500), np.linspace(bound, 1, 50)
    assert value(polynomial, np.array([1.0])) == pytest.approx(1)
    assert np.abs(value(polynomial, below)).max() == pytest.approx(1 / polynomial.height)
    assert (np.diff(value(polynomial, above)) > 0).all()
    np.testing.assert_allclose(polynomial.eigenvalues(value(polynomial, above)), above, atol=1e-6)


def test_products_of_the_first_roots_stay_small():
    polynomial = chebyshev_filter(0.9, 8)
    points, product, most = np.linspace(-1, 1, 500), np.ones(500), 0.0
    for root in polynomial.roots:
        product = product * (points - root) * polynomial.scale
        most = max(most, np.abs(product).max())
    assert most < 100


def test_a_basis_makes_columns_orthogonal_and_drops_those_that_hang_on_others():
    random = np.random.default_rng(2)
    columns = random.normal(size=(200, 4)) * [3, 2, 1, 1]
    columns = np.column_stack([columns, columns[:, 0] + columns[:, 1]])
    basis = basis_of(columns.T @ columns / 200)
    after = columns @ basis.turn
    np.testing.assert_allclose(after.T @ after / 200, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(basis.lengths, np.linalg.svd(columns / 200**0.5, compute_uv=False)[:4])
