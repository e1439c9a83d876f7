from math import log
from pathlib import Path

import pytest
import yaml

from segspark.core.errors import ConfigError
from segspark.segments.naming import margin, match_persona, name_segments, taste_personas
from segspark.segments.personas import Catalogue, Condition, check_features, load_catalogue
from segspark.segments.profiles import Profiles, Stats

SHIPPED = Path(__file__).resolve().parents[3] / "conf" / "personas.yaml"
RICH = {"title": "Rich", "strategy": "gifts", "all": [{"feature": "monetary", "lift": True, "at_least": 1.5}]}
YOUNG = {"title": "Young", "strategy": "films", "all": [{"feature": "age_18_25", "at_least": 0.5}]}


def catalogue(**personas):
    return Catalogue.model_validate({"personas": personas, "unnamed": "none"})


def profiles(*segments, everyone):
    told = [{name: Stats(value) for name, value in segment.items()} for segment in segments]
    overall = {name: Stats(value, deviation=value) for name, value in everyone.items()}
    return Profiles(overall, told, list(range(len(told))), frozenset({"age_18_25"}))


def names(found, given):
    return [named.name for named in name_segments(found, given.personas, given)]


def test_a_name_is_given_where_its_condition_holds_and_the_numbers_are_told():
    found = profiles({"monetary": 1240.0}, {"monetary": 100.0}, everyone={"monetary": 310.0})
    rich, other = name_segments(found, catalogue(rich=RICH).personas, catalogue(rich=RICH))
    assert (rich.name, rich.title, rich.strategy) == ("rich", "Rich", "gifts")
    assert rich.why == "monetary 1,240 against 310 for all users (4.0 times)"
    assert (other.name, other.strategy) == ("segment-1", "none")
    assert other.why == "no persona's conditions hold; most unusual: monetary 100 against 310 for all users (0.3 times)"


def test_a_profile_that_breaks_every_condition_gets_no_name():
    found = profiles({"monetary": 464.9, "age_18_25": 0.49}, everyone={"monetary": 310.0, "age_18_25": 0.1})
    assert names(found, catalogue(rich=RICH, young=YOUNG)) == ["segment-0"]


def test_each_name_goes_once_to_the_strongest_match():
    found = profiles({"monetary": 500.0}, {"monetary": 900.0}, {"monetary": 50.0}, everyone={"monetary": 310.0})
    assert names(found, catalogue(rich=RICH)) == ["segment-0", "rich", "segment-2"]


def test_a_segment_keeps_its_name_while_the_condition_holds_whoever_meets_it_better():
    """Without what was earlier the second would be rich; the first keeps it at 1.5 times and loses it below."""
    given = catalogue(rich=RICH)
    for monetary, expected in ((465.0, ["rich", "segment-1"]), (464.9, ["segment-0", "rich"])):
        found = profiles({"monetary": monetary}, {"monetary": 900.0}, everyone={"monetary": 310.0})
        assert [n.name for n in name_segments(found, given.personas, given, {0: "rich", 1: "segment-1"})] == expected


def test_a_stronger_name_does_not_take_the_place_of_the_one_that_a_segment_had():
    found = profiles({"monetary": 496.0, "age_18_25": 0.9}, everyone={"monetary": 310.0, "age_18_25": 0.2})
    given = catalogue(rich=RICH, young=YOUNG)
    assert [n.name for n in name_segments(found, given.personas, given, {0: "rich"})] == ["rich"]
    assert [n.name for n in name_segments(found, given.personas, given, {5: "rich"})] == ["young"]


def test_a_false_name_is_not_kept_for_having_been_there():
    found = profiles({"monetary": 100.0, "age_18_25": 0.1}, everyone={"monetary": 310.0, "age_18_25": 0.1})
    given = catalogue(rich=RICH, young=YOUNG)
    assert [n.name for n in name_segments(found, given.personas, given, {0: "rich"})] == ["segment-0"]
    assert [n.name for n in name_segments(found, given.personas, given, {0: "no such persona"})] == ["segment-0"]


def test_a_segment_takes_the_name_that_it_meets_best():
    """1.6 / 1.5 above the bound of rich, .9 / .5 above that of young."""
    found = profiles({"monetary": 496.0, "age_18_25": 0.9}, everyone={"monetary": 310.0, "age_18_25": 0.2})
    assert names(found, catalogue(rich=RICH, young=YOUNG)) == ["young"]


def test_a_condition_on_a_feature_that_nobody_has_never_holds():
    for condition in (Condition(feature="age", at_most=30), Condition(feature="age", lift=True, at_least=0.1)):
        assert margin(condition, {"age": Stats(None)}, {"age": Stats(None)}) is None
        assert margin(condition, {}, {}) is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition(feature="f", at_least=2), log(6 / 2)),
        (Condition(feature="f", at_most=12), log(12 / 6)),
        (Condition(feature="f", at_most=5), None),
        (Condition(feature="f", lift=True, at_least=1.5), log(2 / 1.5)),
        (Condition(feature="f", statistic="median", lift=True, at_most=1), log(2)),
        (Condition(feature="f", statistic="p90", at_least=1), log(4)),
        (Condition(feature="f", at_least=4, at_most=7), log(7 / 6)),
    ],
)
def test_a_margin_is_the_logarithm_of_value_and_bound_at_most_of_four(condition, expected):
    own, everyone = {"f": Stats(6.0, median=1.0, p90=9.0)}, {"f": Stats(3.0, median=2.0, p90=4.0)}
    found = margin(condition, own, everyone)
    assert found == (None if expected is None else pytest.approx(expected))


def test_of_alternatives_one_is_enough_and_those_that_hold_are_kept():
    either = {"any": [{"feature": "a", "at_least": 2}, {"feature": "b", "at_least": 2}]}
    persona = catalogue(p={"title": "", "strategy": "", "all": [either]}).personas["p"]
    match = match_persona(persona, {"a": Stats(1.0), "b": Stats(3.0)}, {})
    assert match is not None
    assert [condition.feature for condition in match.held] == ["b"]
    assert match_persona(persona, {"a": Stats(1.0), "b": Stats(1.0)}, {}) is None


def test_tastes_are_named_after_the_category_that_stands_out():
    tastes = {"category": "favourite_category", "name": "likes {value}", "title": "", "strategy": ""}
    given = Catalogue.model_validate(
        {"personas": {}, "unnamed": "none", "tastes": {**tastes, "share": 0.3, "lift": 1.5}}
    )
    everyone = {"favourite_category=toys": 0.2, "favourite_category=books": 0.6, "age": 30.0}
    toys = {"favourite_category=toys": 0.5, "favourite_category=books": 0.5}
    books = {"favourite_category=toys": 0.1, "favourite_category=books": 0.8}
    found = profiles(toys, books, everyone=everyone)
    named = name_segments(found, taste_personas(found, given), given)
    assert [entry.name for entry in named] == ["likes toys", "segment-1"]


def test_the_shipped_personas_are_seven_and_name_known_features(tmp_path):
    shipped = load_catalogue(str(SHIPPED))
    assert list(shipped.personas) == [
        "high-value",
        "young",
        "economy",
        "loyal",
        "frequent buyers",
        "rare big-basket buyers",
        "new-product tasters",
    ]
    with pytest.raises(ConfigError, match=r"personas.high-value.all.0.feature: monetary is no feature; known are age"):
        check_features(shipped, "personas.yaml", {"age"}, {"favourite_category"})


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"feature": "monetary"}, "a condition needs a bound"),
        ({"feature": "monetary", "at_least": -1}, "at_least: Input should be greater than 0"),
        ({"feature": "monetary", "at_leats": 1}, "at_leats"),
        ({"feature": "monetary", "statistic": "mode", "at_least": 1}, "statistic"),
    ],
)
def test_a_wrong_condition_is_told_in_one_line_with_its_place(tmp_path, condition, message):
    path = tmp_path / "personas.yaml"
    persona = {"title": "", "strategy": "", "all": [condition]}
    path.write_text(yaml.safe_dump({"personas": {"loyal": persona}, "unnamed": ""}))
    with pytest.raises(ConfigError, match=r"personas.yaml: personas.loyal.all.0") as error:
        load_catalogue(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_personas_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"segments.personas: .* cannot be read; give the path"):
        load_catalogue(str(tmp_path / "none.yaml"))


def test_noise_is_called_so_though_a_personas_conditions_hold():
    found = profiles({"monetary": 900.0}, {"monetary": 500.0}, everyone={"monetary": 310.0})
    noise, rich = name_segments(found, catalogue(rich=RICH).personas, catalogue(rich=RICH), noise=0)
    assert (noise.name, noise.title, noise.strategy, rich.name) == ("noise", "Noise", "none", "rich")
    assert noise.why == "users in no dense place; most unusual: monetary 900 against 310 for all users (2.9 times)"
