"""Which features models see, decided on a bounded sample of users, in numpy on the driver."""

from dataclasses import dataclass

import numpy as np

from segspark.features.config import PrepareConfig


@dataclass(frozen=True)
class Choice:
    """What becomes of one feature. Bounds, fill and scale are in the feature's own unit."""

    feature: str
    reason: str | None = None  # why models do not see it
    low: float = 0.0  # smaller values are pulled up to it
    high: float = 0.0  # greater values are pulled down to it
    fill: float = 0.0  # stands for a missing value
    log_scaled: bool = False  # ln(1 + x) is taken

    @property
    def kept(self) -> bool:
        """Whether models see it."""
        return self.reason is None


def choose_features(sample: np.ndarray, names: list[str], config: PrepareConfig) -> list[Choice]:
    """One choice for each column of `sample`, users by features, NaN where missing.

    Left out are features mostly missing, constant between the winsorising bounds, or correlated beyond the bound
    (Pearson, after winsorising and logarithm) with one that is named before.
    """
    choices: list[Choice] = []
    seen: list[tuple[str, np.ndarray]] = []
    for name, values in zip(names, sample.T, strict=True):
        choice = _judge(name, values, config)
        if choice.kept:
            transformed = transform(values, choice)
            twin = _twin(transformed, seen, config.max_correlation)
            choice = choice if twin is None else Choice(name, reason=twin)
            if choice.kept:
                seen.append((name, transformed))
        choices.append(choice)
    return choices


def transform(values: np.ndarray, choice: Choice) -> np.ndarray:
    """Filled, winsorised and, where chosen, as a logarithm: what the fitted pipeline does before it scales."""
    filled = np.where(np.isnan(values), choice.fill, values)
    clipped = np.clip(filled, choice.low, choice.high)
    return np.log1p(clipped) if choice.log_scaled else clipped


def _judge(name: str, values: np.ndarray, config: PrepareConfig) -> Choice:
    known = values[np.isfinite(values)]
    missing = 1 - len(known) / max(len(values), 1)
    if len(known) == 0 or missing > config.max_missing:
        return Choice(name, reason=f"missing for {missing:.0%} of users")
    low, high = (float(bound) for bound in np.quantile(known, [config.winsorise, 1 - config.winsorise]))
    fills = {"low": low, "high": high, "zero": 0.0, "median": float(np.median(known))}
    fill = fills[config.fill.get(name, "median")]
    low, high = (min(low, fill), max(high, fill)) if missing > 0 else (low, high)
    clipped = np.clip(known, low, high)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        share = f" between the quantiles {config.winsorise:g} and {1 - config.winsorise:g}" if np.ptp(known) > 0 else ""
        return Choice(name, reason=f"constant{share}")
    skewed = low >= 0 and _skewness(clipped) > config.log_skewness
    choice = Choice(name, None, low, high, fill, skewed)
    if config.scaling == "robust" and not np.diff(np.quantile(transform(values, choice), [0.25, 0.75]))[0]:
        return Choice(name, reason="constant between its quartiles, by which robust scaling divides")
    return choice


def _skewness(values: np.ndarray) -> float:
    deviations = values - values.mean()
    spread = deviations.std()
    return float((deviations**3).mean() / spread**3) if spread > 0 else 0.0


def _twin(values: np.ndarray, seen: list[tuple[str, np.ndarray]], bound: float) -> str | None:
    for name, other in seen:
        correlation = float(np.corrcoef(values, other)[0, 1])
        if abs(correlation) > bound:
            return f"duplicates {name} (correlation {correlation:.2f})"
    return None
