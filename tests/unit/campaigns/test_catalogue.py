"""Strategies files: the shipped one is sound, and each mistake is one line that says where, what and what to do."""

import copy
from pathlib import Path

import pytest
import yaml

from segspark.campaigns.catalogue import load_strategies
from segspark.core.errors import ConfigError

SHIPPED = Path(__file__).resolve().parents[3] / "conf" / "strategies.yaml"
PERSONAS = frozenset(yaml.safe_load((SHIPPED.parent / "personas.yaml").read_text())["personas"])
GOOD = {
    "channels": {"email": {"contacts_per_day": 10, "money_per_day": 5.0}},
    "actions": {"coupon": {"title": "Coupon", "channel": "email", "personas": ["economy"], "cost": 0.5}},
}


def refused(tmp_path, content):
    path = tmp_path / "strategies.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    with pytest.raises(ConfigError) as error:
        load_strategies(str(path), PERSONAS)
    assert "\n" not in str(error.value)
    return str(error.value)


def changed(*path, value):
    content = copy.deepcopy(GOOD)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


def test_the_shipped_file_has_an_action_for_every_persona_and_for_segments_without_a_name():
    shipped = load_strategies(str(SHIPPED), PERSONAS)
    for persona in PERSONAS:
        assert len(shipped.suits(persona, named=True)) >= 2, persona
    assert "shopping-reminder" in shipped.suits("segment-4", named=False)
    assert "shopping-reminder" not in shipped.suits("economy", named=True)


def test_users_at_risk_get_no_shipped_incentive_but_a_review():
    shipped = load_strategies(str(SHIPPED), PERSONAS)
    gives = {name for name, action in shipped.actions.items() if action.incentive}
    assert {"exclusive-discount", "coupon", "points", "new-product-trial"} <= gives
    assert shipped.actions["review-risk"].audience == shipped.risk


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            changed("actions", "coupon", "personas", value=["ghosts"]),
            "actions.coupon.personas: no segment may receive it",
        ),
        (changed("actions", "coupon", "personas", value=[]), "actions.coupon.personas: "),
        (changed("channels", "email", "contacts_per_day", value=0), "channels.email.contacts_per_day: "),
        (changed("channels", "email", "money_per_day", value=0), "channels.email.money_per_day: "),
        (changed("actions", "coupon", "cost", value=5.01), "actions.coupon.cost: 5.01 is more than channels.email"),
        (changed("actions", "coupon", "cost", value=-1), "actions.coupon.cost: "),
        (changed("actions", "coupon", "channel", value="pigeon"), "pigeon is no channel; known are email"),
        (changed("actions", "coupon", "audience", value="reflect('x')"), "calls reflect(), which is not allowed"),
        (changed("actions", "coupon", "audience", value="(SELECT 1)"), "actions.coupon.audience: has a sub-query"),
        (changed("risk", value="1 +"), "risk: is not a Spark SQL expression"),
        (changed("actions", value={"none": GOOD["actions"]["coupon"]}), "actions.none: the name is taken"),
        (changed("actions", value={}), "actions: "),
        (changed("typo", value=1), "typo: "),
        ("channels: [", "in line 1; mend the YAML"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path, content, told):
    assert told in refused(tmp_path, content)


def test_a_file_that_is_not_there_is_told_with_its_key():
    with pytest.raises(ConfigError, match=r"campaigns.strategies: nowhere.yaml cannot be read"):
        load_strategies("nowhere.yaml", None)


def test_names_that_follow_from_the_data_are_not_checked(tmp_path):
    path = tmp_path / "strategies.yaml"
    path.write_text(yaml.safe_dump(changed("actions", "coupon", "personas", value=["champions"])))
    assert load_strategies(str(path), None).suits("champions", named=True) == ["coupon"]
