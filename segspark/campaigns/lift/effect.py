"""One comparison of two sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Effect:
    """Treated against control. None is what cannot be told.

    `least_detectable` gives, for a level and a power, the smallest true difference above 0 that the two-sided test at
    that level finds with that probability; None where there is no such difference.
    """

    treated_users: int
    control_users: int
    treated: float | None
    control: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    least_detectable: Callable[[float, float], float | None] = lambda level, power: None

    @property
    def lift(self) -> float | None:
        """Treated - control."""
        return None if self.treated is None or self.control is None else self.treated - self.control
