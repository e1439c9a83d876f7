import pytest

from segspark.core.errors import InputError
from segspark.ingest.config import SourceConfig
from segspark.ingest.files import list_files


@pytest.fixture
def uploads(tmp_path):
    """A folder of uploads beside a file that nobody should read."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "own.csv").write_text("a\n1\n")
    (tmp_path / "uploads" / "2024").mkdir(parents=True)
    (tmp_path / "uploads" / "2024" / "one.csv").write_text("a\n1\n")
    return tmp_path / "uploads"


def names(spark, *paths):
    source = SourceConfig(path=list(map(str, paths)), columns={"user_id": "a"})
    return [file.path.rpartition("/")[2] for file in list_files(spark, "users", source)]


@pytest.mark.parametrize("named", ["", "*", "2024/*.csv", "20[0-9][0-9]", "../uploads/{2024,2025}"])
def test_a_link_out_of_what_is_named_is_refused_and_told(spark, uploads, named):
    (uploads / "2024" / "two.csv").symlink_to(uploads.parent / "secret" / "own.csv")
    with pytest.raises(InputError) as told:
        names(spark, uploads / named)
    assert str(told.value).startswith("sources.users.path: ")
    assert "2024/two.csv is a link out of what is named here, to " in str(told.value)
    assert "secret/own.csv; remove it, or name the place it leads to beside the others" in str(told.value)


def test_a_linked_folder_is_a_link_out_too(spark, uploads):
    (uploads / "more").symlink_to(uploads.parent / "secret", target_is_directory=True)
    with pytest.raises(InputError, match=r"more/own\.csv is a link out"):
        names(spark, uploads)


def test_links_inside_and_to_places_named_beside_are_read(spark, uploads):
    (uploads / "again.csv").symlink_to(uploads / "2024" / "one.csv")
    assert names(spark, uploads) == ["one.csv", "again.csv"]
    (uploads / "more.csv").symlink_to(uploads.parent / "secret" / "own.csv")
    assert "more.csv" in names(spark, uploads, uploads.parent / "secret")


def test_the_named_place_may_itself_be_a_link(spark, uploads):
    link = uploads.parent / "current"
    link.symlink_to(uploads, target_is_directory=True)
    assert names(spark, link) == names(spark, link / "*") == ["one.csv"]


def test_dots_in_a_named_path_are_followed(spark, uploads):
    assert names(spark, f"{uploads}/2024/../2024/*.csv") == ["one.csv"]
