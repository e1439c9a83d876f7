import io

import pytest
from rich.console import Console

from segspark.bi.person.stage import segment_summary, user_card
from segspark.core.contracts import USER_FEATURES
from segspark.core.errors import InputError
from segspark.core.folder_lake import FolderLake
from segspark.core.words import neutral
from tests.unit.bi.conftest import FAKE
from tests.unit.bi.report.fake_run import HOSTILE, SIZES


def said(renderable):
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


@pytest.fixture(params=["spark", "duckdb"])
def reader(request, shop):
    """The lake as each engine reads it."""
    return shop if request.param == "spark" else FolderLake(shop.root)


def test_the_summary_shows_each_schemes_segments(shop):
    text = said(segment_summary(shop, FAKE.run_id))
    assert "Segments by value" in text and "Segments by taste" in text
    economy = next(line for line in text.splitlines() if line.startswith("economy"))
    assert economy.split()[1:3] == [f"{SIZES[0]}", "38%"]  # 900 of 2,394
    assert "[red]" in text and "\u202e" not in text
    assert "has no segments" in said(segment_summary(shop, "r-unknown"))


def test_the_card_of_a_user_tells_features_segments_items_and_neighbours_with_reasons(reader):
    text = said(user_card(reader, FAKE.run_id, "u0"))
    assert "economy" in text and "aov 43.7 against 84.0" in text
    assert "Money spent" in text and "like Candles" in text
    assert f"rather than {neutral(HOSTILE)}: Money spent" in text  # the centre next to (1, 0), which is u0's nearest
    assert text.index("u2") < text.index("u1")  # the nearest first


def test_the_card_is_the_same_whichever_engine_reads(shop):
    for user_id in ("u0", "u1", "u17", "u-2"):
        cards = []
        for lake in (shop, FolderLake(shop.root)):
            try:
                cards.append(said(user_card(lake, FAKE.run_id, user_id)))
            except InputError as error:
                cards.append(str(error))
        assert cards[0] == cards[1]


def test_an_unknown_user_is_an_input_error(reader):
    with pytest.raises(InputError, match="u-nobody is not in run"):
        user_card(reader, FAKE.run_id, "u-nobody")


def test_a_look_up_reads_one_bucket_and_keeps_the_id_out_of_plans(shop, capsys):
    shop.find_user(USER_FEATURES, FAKE.run_id, "u17").explain("extended")
    plan = capsys.readouterr().out
    assert "user_bucket" in plan.partition("PartitionFilters")[2]
    assert "u17" not in plan
