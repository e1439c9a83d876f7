from datetime import date

import pytest
import yaml

from segspark.config import load_config
from segspark.core.errors import ConfigError

PLAIN = {
    "lake": "./lake",
    "sources": {
        "orders": {
            "path": "orders.csv",
            "format": "csv",
            "columns": {"order_id": "id", "user_id": "u", "item_id": "i", "order_time": "t", "unit_price": "p"},
        }
    },
}


@pytest.fixture
def write(tmp_path):
    def write(content, name="shop.yaml"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return str(path)

    return write


def test_a_plain_configuration_has_the_defaults(write):
    config = load_config(write(PLAIN))
    assert config.features.session_gap_minutes == 30
    assert config.segments.value.k_range == (2, 10)
    assert config.as_of is None


def test_overrides_are_read_as_yaml(write):
    config = load_config(write(PLAIN), ("as_of=2024-06-30", "segments.value.k_range=[3, 5]", "recommend.rank=8"))
    assert config.as_of == date(2024, 6, 30)
    assert config.segments.value.k_range == (3, 5)
    assert config.recommend.rank == 8


def test_a_file_that_extends_another_merges_its_keys(write):
    write(PLAIN, "below.yaml")
    config = load_config(write("extends: below.yaml\nsources: {orders: {where: p > 0}}\nseed: 3", "above.yaml"))
    assert config.sources.orders.where == "p > 0"
    assert config.sources.orders.path == "orders.csv"
    assert config.seed == 3


def test_execution_settings_do_not_change_the_digest_and_others_do(write):
    path = write(PLAIN)
    plain = load_config(path).digest()
    assert load_config(path, ("spark.shuffle_partitions=3", "lake=./other", "as_of=2024-01-01")).digest() == plain
    assert load_config(path, ("recommend.tuning.ranks=[8]",)).digest() == plain
    assert load_config(path, ("seed=8",)).digest() != plain
    assert load_config(path, ("features.session_gap_minutes=20",)).digest() != plain


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("segments.value.k_rnge=[2,3]", ["segments.value.k_rnge: unknown key", "k_range"]),
        ("segmnts.value.k=3", ["segmnts: unknown key", "segments"]),
        ("segments.value.k_range=[1,3]", ["segments.value.k_range", "2"]),
        ("features.session_gap_minutes=long", ["features.session_gap_minutes", "integer", "'long'"]),
        ("as_of=yesterday", ["as_of", "date", "'yesterday'"]),
        ("sources.orders.format=xml", ["sources.orders.format", "'csv'", "'xml'"]),
        ("segments.others={mine: {source: graph, weights: {a: 2}}}", ["segments.others.mine", "weights", "graph"]),
        ("sources=3", ["sources"]),
        ("sources.orders.columns.prize=p", ["sources.orders", "prize", "unit_price"]),
        ("seed", ["--set seed", "a.b=value"]),
        ("lake.sub=1", ["--set lake.sub=1"]),
        ("seed=[", ["--set seed: ", "mend the YAML"]),
        ("as_of=2024-02-30", ["--set as_of: ", "2024-02-30: day is out of range"]),
        ("seed=" + "1" * 5000, ["--set seed: ", "the number is too long"]),
    ],
)
def test_a_wrong_value_is_one_line_with_its_key_and_what_is_allowed(write, override, words):
    with pytest.raises(ConfigError) as caught:
        load_config(write(PLAIN), (override,))
    text = str(caught.value)
    assert all(word in text for word in words), text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no keys"),
        ("lake: [1", "line"),
        ("lake: x", "sources: is missing"),
        ("lake: x\nsources: {}", "events, orders, ratings"),
        ("lake: x\nas_of: 2024-02-30", r"as_of: 2024-02-30: day is out of range for month"),
        ("lake: x\nseed: " + "9" * 5000, r"seed: 9{40}…: the number is too long"),
        ("lake: x\nseed: 1\nseed: 2", "seed comes twice, again in line 3"),
        ("lake: x\nspark: {conf: {a: 1, a: 2}}", r"spark\.conf\.a comes twice"),
        ("a: &a [*a]", "an alias in line 1 holds itself"),
        ("lake: x\nextends: shop.yaml", "extends itself"),
        ("lake: x\nextends: 5", "extends: give the path of a YAML file, not 5"),
        ("lake: x\nextends: none.yaml", r"none\.yaml: there is no such file"),
        ("lake: " + "[" * 5000, "is nested too deep"),
        ("lake: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("? [a, b]\n: 1", "unhashable key"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(write, text, words):
    with pytest.raises(ConfigError, match=words):
        load_config(write(text))


def test_aliases_of_aliases_are_bounded_and_plain_ones_are_read(write):
    levels = [f"x{level}: &x{level} [{', '.join([f'*x{level - 1}'] * 9)}]" for level in range(1, 30)]
    with pytest.raises(ConfigError, match="stand for more than 100,000 values"):
        load_config(write("\n".join(["x0: &x0 [1]", *levels])))
    shared = yaml.safe_dump(PLAIN) + "seed: &number 4\nhousekeeping: {keep_runs: *number}\n"
    config = load_config(write(shared))
    assert (config.seed, config.housekeeping.keep_runs) == (4, 4)


@pytest.mark.parametrize("folder", ["a`b", "a[1]", "a%20b", "a\\b"])
def test_a_folder_whose_tables_could_not_be_opened_is_no_lake(write, folder):
    with pytest.raises(ConfigError, match=r"lake: has .* in its path, with which tables cannot be opened"):
        load_config(write({**PLAIN, "lake": f"./{folder}/lake"}))
    load_config(write({**PLAIN, "lake": "./50% of it (ä)/lake"}))


def test_a_file_is_no_lake(write):
    with pytest.raises(ConfigError, match="lake: is a file; give a folder"):
        load_config(write({**PLAIN, "lake": write("x", "taken")}))


def test_a_missing_file_is_named():
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: there is no such file"):
        load_config("nowhere.yaml")


@pytest.mark.parametrize("key", ["value", "others.mine"])
def test_a_graph_without_neighbours_is_refused_before_spark_starts(write, key):
    off = "recommend.user_similarity_max_users=0"
    load_config(write(PLAIN), (off,))
    with pytest.raises(
        ConfigError, match=rf"segments\.{key}\.source: graph needs user_similarity, .*max_users: 0"
    ) as error:
        load_config(write(PLAIN), (f"segments.{key}.source=graph", off))
    assert "\n" not in str(error.value)
