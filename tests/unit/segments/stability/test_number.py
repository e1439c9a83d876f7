"""How many segments a refit makes, on made-up candidates."""

from dataclasses import replace

import numpy as np
import pytest

from segspark.segments.choice import Candidate, scored
from segspark.segments.config import SchemeConfig
from segspark.segments.model import SegmentModel
from segspark.segments.placement import NearestCentre
from segspark.segments.stability.number import choose_again, kept_note, published_number
from segspark.segments.stability.reuse import Earlier

CONFIG = SchemeConfig(strength=0.8, min_share=0.05)


def candidate(k, strength, min_share=0.2):
    centres = NearestCentre(np.arange(float(k))[:, None])
    return Candidate({"k": k}, centres, k, 1.0, 0.5, 1.0, 100.0 - k, strength, 0.9, min_share, 0.5)


def chosen(number, *candidates):
    return choose_again(scored(list(candidates), CONFIG), CONFIG, number).k


def published(k, config=CONFIG):
    centres = np.arange(float(k))[:, None]
    model = SegmentModel(NearestCentre(centres), np.arange(k), centres, np.ones(k), np.zeros(1), np.zeros((2, 1)))
    return Earlier("r-1", {}, None, [], model, config)


@pytest.mark.parametrize(
    ("number", "two", "three", "expected"),
    [
        (None, (2, 0.9), (3, 0.85), 3),  # a free choice goes by the score: the larger of two strong ones
        (2, (2, 0.9), (3, 0.85), 2),
        (2, (2, 0.5), (3, 0.6), 2),  # where none is strong, a little more or less decides nothing
        (2, (2, 0.7), (3, 0.85), 3),  # two has lost its support
        (2, (2, 0.9, 0.01), (3, 0.85), 3),  # a segment of two has become too small
        (2, (2, 0.9, 0.01), (3, 0.85, 0.01), 2),
        (2, (2, 0.9), (3, 0.85, 0.01), 2),
        (7, (2, 0.9), (3, 0.85), 3),  # nobody found seven any more
    ],
)
def test_the_published_number_is_kept_while_it_is_as_well_supported(number, two, three, expected):
    assert chosen(number, candidate(*two), candidate(*three)) == expected


def test_the_number_is_free_with_other_settings_or_where_a_refit_is_always_asked_for():
    earlier = published(4)
    assert published_number(earlier, CONFIG) == 4
    assert published_number(earlier, SchemeConfig(strength=0.8, min_share=0.05, refit="never")) == 4
    assert published_number(earlier, SchemeConfig(strength=0.8, min_share=0.05, refit="always")) is None
    assert published_number(earlier, SchemeConfig(k_range=(3, 5))) is None
    assert published_number(None, CONFIG) is None
    assert published_number(replace(earlier, model=None), CONFIG) is None


def test_a_person_is_told_that_another_number_would_score_higher():
    both = scored([candidate(2, 0.9), candidate(3, 0.85)], CONFIG)
    (note,) = kept_note("taste", both[0], both)
    assert note.startswith("taste: 2 segments are kept as published, though 3 score higher now")
    assert kept_note("taste", both[1], both) == []
