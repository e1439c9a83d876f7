"""What the driver does of an eigenproblem: polynomials that filter a spectrum, and small Gram matrices.

The spectrum is that of a symmetric matrix whose eigenvalues lie in [-1, 1], the wanted ones at its upper end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

RANK_BOUND = 1e-12  # share of the largest squared singular value below which a column is rounding


@dataclass(frozen=True)
class Filter:
    """A polynomial that is 1 at 1, grows from `bound` to there, and stays small from -1 to `bound`.

    The Chebyshev polynomial of that interval: none of its degree is smaller on it (Zhou, Saad et al. 2006). The matrix
    is put into it a root after the other: times `scale`, less `root` times `scale` of what it was.
    """

    bound: float
    roots: tuple[float, ...]
    scale: float
    height: float  # how often its value at 1 is the most that it reaches below the bound

    def eigenvalues(self, values: np.ndarray) -> np.ndarray:
        """Where the polynomial has these values, none below 0; at `bound` where it is not told."""
        grown = np.maximum(values * self.height, 1.0)
        return (self.bound - 1) / 2 + (self.bound + 1) / 2 * np.cosh(np.arccosh(grown) / len(self.roots))


def chebyshev_filter(bound: float, degree: int) -> Filter:
    """The filter of a degree; 0 <= `bound` < 1."""
    centre, radius = (bound - 1) / 2, (bound + 1) / 2
    roots = centre + radius * np.cos(np.pi * (np.arange(degree) + 0.5) / degree)
    height = float(np.cosh(degree * np.arccosh((1 - centre) / radius)))
    scale = float(np.prod(1 - roots) ** (-1 / degree))
    return Filter(bound, tuple(leja_order(roots)), scale, height)


def leja_order(roots: np.ndarray) -> list[float]:
    """The roots so ordered that products of the first few stay of one size (Calvetti and Reichel 2003)."""
    left = sorted(float(root) for root in roots)
    ordered = [left.pop(0)]
    while left:
        ordered.append(left.pop(int(np.argmax([np.prod([abs(each - root) for root in ordered]) for each in left]))))
    return ordered


@dataclass(frozen=True)
class Basis:
    """Turns columns into orthogonal ones of mean square 1, the longest first."""

    turn: np.ndarray  # columns before x columns after
    lengths: np.ndarray  # root mean squares along them, that is singular values, before


def gram_of(products: Iterable[Any], width: int, parts: float) -> np.ndarray:
    """A matrix from its cells: side, other, total in `parts`."""
    gram = np.zeros((width, width))
    for row in products:
        gram[row["side"], row["other"]] = row["total"] / parts
    return gram


def basis_of(gram: np.ndarray) -> Basis:
    """The right singular vectors of columns with this mean of products, scaled; columns that hang on others go."""
    squares, vectors = np.linalg.eigh(gram)
    is_own = squares > RANK_BOUND * squares[-1]
    squares, vectors = squares[is_own][::-1], vectors[:, is_own][:, ::-1]
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(len(squares))]
    lengths = np.sqrt(squares)
    return Basis(vectors * np.where(largest < 0, -1.0, 1.0) / lengths, lengths)
