"""The key of the pseudonyms: the environment's, or one that anybody can derive."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from segspark.core.errors import ConfigError

VARIABLE = "SEGSPARK_PSEUDONYM_KEY"
SHORTEST = 16  # bytes of a key


@dataclass(frozen=True)
class PseudonymKey:
    """The key; `is_secret` where it was given, and not derived from the seed."""

    secret: bytes = field(repr=False)
    is_secret: bool


def check_given_key() -> None:
    """Raises ConfigError where the environment gives a key that is too short to be a secret."""
    given = os.environ.get(VARIABLE, "").encode()
    if 0 < len(given) < SHORTEST:
        raise ConfigError(f"{VARIABLE}: {len(given)} bytes are too few; give {SHORTEST} or more, drawn at random")


def pseudonym_key(seed: int) -> PseudonymKey:
    """The key of the environment, else one that everybody can derive who knows the seed."""
    given = os.environ.get(VARIABLE, "").encode()
    if given:
        return PseudonymKey(given, is_secret=True)
    return PseudonymKey(hashlib.sha256(f"segspark pseudonyms {seed}".encode()).digest(), is_secret=False)
