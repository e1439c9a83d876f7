import pytest

from segspark.core import code


@pytest.fixture
def changed(monkeypatch):
    """Puts a comment behind the source of a module; returns the digests of the rooms' code."""

    def change(module):
        with monkeypatch.context() as patch:
            source = code._source
            patch.setattr(code, "_source", lambda name: source(name) + b"# new\n" * (name == module))
            code.code_of.cache_clear()
            return digests()

    yield change
    code.code_of.cache_clear()


def digests():
    rooms = ("ingest", "features", "segments", "recommend", "campaigns", "bi.marts", "bi.report")
    return {room: code.code_of(f"segspark.{room}.stage") for room in rooms}


@pytest.mark.parametrize(
    ("module", "rooms"),
    [
        ("segspark.recommend.factors", {"recommend"}),
        ("segspark.segments.methods.kmeans", {"segments"}),
        ("segspark.bi.report.page", {"bi.report"}),  # imported inside a function
        ("segspark.bi.marts.moves", {"bi.marts", "bi.report"}),  # the report knows what a move is
        ("segspark.core.exact", {"ingest", "features", "segments", "recommend", "campaigns", "bi.marts", "bi.report"}),
        ("segspark.pipeline", set()),
        ("segspark.bi.serving.server", set()),
    ],
)
def test_a_change_of_a_module_counts_for_the_rooms_that_stand_on_it(changed, module, rooms):
    code.code_of.cache_clear()
    before = digests()
    after = changed(module)
    assert {room for room in before if before[room] != after[room]} == rooms


def test_the_versions_of_libraries_that_compute_are_told():
    assert {told.partition("=")[0] for told in code.libraries().split()} == set(code.LIBRARIES)
