"""The same answers by dense numpy, pair by pair."""

import numpy as np


def similarity(values, seen, name, shrinkage=0.0, min_overlap=1):
    """Rows against rows; 0 where undefined or too few columns are common. `seen` says where `values` has a cell."""
    values = np.where(seen, values, 0.0)
    if name == "adjusted_cosine":
        means = values.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        values = np.where(seen, values - means, 0.0)
    answer = np.zeros((len(values), len(values)))
    for one in range(len(values)):
        for other in range(len(values)):
            common = seen[one] & seen[other]
            if common.sum() >= min_overlap:
                alike = _pearson if name == "pearson" else _cosine
                shrunk = common.sum() / (common.sum() + shrinkage) if common.any() else 0.0
                answer[one, other] = shrunk * alike(values[one], values[other], common)
    return answer


def neighbours(similar, size, keeps_negative):
    """row, rank, neighbour and similarity: the best first, ties by number, 0 and the row itself left out."""
    rows = []
    for row, rounded in enumerate(np.round(similar, 10)):
        others = [n for n, each in enumerate(rounded) if n != row and (each > 0 or (keeps_negative and each < 0))]
        others.sort(key=lambda n: (-rounded[n], n))
        rows += [(row, rank, n, float(rounded[n])) for rank, n in enumerate(others[:size], 1)]
    return rows


def _cosine(one, other, _):
    length = np.linalg.norm(one) * np.linalg.norm(other)
    return one @ other / length if length > 1e-9 else 0.0


def _pearson(one, other, common):
    one, other = one[common], other[common]
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return np.corrcoef(one, other)[0, 1]
