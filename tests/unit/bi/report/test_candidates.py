import json

from segspark.bi.config import ReportConfig
from segspark.bi.report.candidates import candidates_of
from segspark.bi.report.content import RunRows, marks, schemes
from segspark.core.words import NOTHING
from tests.unit.bi.report.fake_run import AS_OF, FakeRun, run_rows

MEASURED = {
    **{"silhouette": 0.415, "davies_bouldin": None, "calinski_harabasz": 1234.5, "prediction_strength": 0.86},
    **{"stability": 0.5, "min_share": 0.004, "max_share": 0.75, "cophenetic": None, "cost": 1.0, "score": 2.8},
}
SEGMENT = {"scheme": "dense", "segment_id": 0, "name": "a", "size": 99, "share": 1.0, "why": "", "strategy": ""}


def tried(**params):
    """A candidate of DBSCAN that found three segments."""
    own = {"scheme": "dense", "model_id": f"dbscan-{params['eps']:g}", "algorithm": "dbscan", "k": 3, "chosen": False}
    return {**MEASURED, **own, "params": json.dumps({**params, "sample_users": 1500, "starts": 5})}


def found(*models):
    rows = RunRows("r-1", AS_OF, 1, segments=[{**SEGMENT, "pca": None}], models=models)
    return candidates_of(schemes(rows, ReportConfig())[0])


def test_every_candidate_is_a_line_with_every_number_that_any_has():
    value, taste = (candidates_of(scheme) for scheme in schemes(run_rows(FakeRun()), ReportConfig()))
    assert [line.tried for line in value.lines] == [f"{k} segments" for k in range(2, 9)]
    assert [line.tried for line in value.lines if line.is_chosen] == ["5 segments"]
    titles = [measure.title for measure in taste.measures]
    assert "Cophenetic correlation" in titles and "Prediction strength" not in titles  # nobody measured it
    assert "Cophenetic correlation" not in [measure.title for measure in value.measures]
    told = dict(zip((measure.name for measure in value.measures), value.lines[3].cells, strict=True))
    assert told["silhouette"] == "0.48" and told["calinski_harabasz"] == "1,840" and told["max_share"] == "30%"


def test_parameters_that_differ_are_told_in_the_order_of_their_size():
    dense = found({**tried(eps=10.5, core=0.02), "k": 2}, tried(eps=9.25, core=0.02), tried(eps=0.5, core=0.02))
    assert [line.tried for line in dense.lines] == ["reach 0.500", "reach 9.25", "reach 10.5"]
    assert dense.measures[0].title == "Segments" and dense.lines[0].cells[0] == "3"
    assert dense.told == "3 candidates, measured on 1,500 users"


def test_what_is_not_known_is_a_dash_and_what_nobody_knows_has_no_column():
    dense = found({**tried(eps=1.0), "davies_bouldin": 0.5}, {**tried(eps=2.0), "silhouette": None})
    by_title = {m.title: [line.cells[n] for line in dense.lines] for n, m in enumerate(dense.measures)}
    assert by_title["Davies-Bouldin"] == ["0.50", NOTHING] and by_title["Silhouette"] == ["0.41", NOTHING]
    assert "Davies-Bouldin" not in [measure.title for measure in found(tried(eps=1.0)).measures]


def test_a_choice_against_the_score_is_noticed():
    assert found({**tried(eps=1.0), "chosen": True, "score": 2.9}, tried(eps=2.0)).is_highest
    assert not found({**tried(eps=1.0), "chosen": True, "score": 2.7}, tried(eps=2.0)).is_highest


def test_the_only_candidate_of_rules_was_told_nothing():
    only = found({**tried(eps=1.0), "params": "{}", "algorithm": "rfm"})
    assert (only.method, [line.tried for line in only.lines]) == ("RFM rules", ["as configured"])


def test_a_fixed_number_of_segments_is_told_though_nothing_else_was_tried():
    fixed = found({**tried(eps=1.0), "params": json.dumps({"k": 3}), "algorithm": "ward"})
    assert [line.tried for line in fixed.lines] == ["3 segments"]


def test_schemes_that_begin_alike_have_badges_that_do_not():
    assert marks(["value", "taste", "tree", "tr", "t"]) == ["V", "T", "Tr", "tr", "t"]
