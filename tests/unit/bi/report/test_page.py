import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

import segspark
from segspark.bi.config import COLOURS, ReportConfig
from segspark.bi.report.campaign.rows import CampaignRows
from segspark.bi.report.colours import INK, contrast, lift_tint, text_colour
from segspark.bi.report.content import RunRows
from segspark.bi.report.page import render_page
from segspark.bi.wording import amount
from segspark.core.words import NOTHING
from tests.unit.bi.report.fake_run import AS_OF, HOSTILE, SIZES, SPENT, FakeRun, compared_rows, run_rows

VOID = {"meta", "link", "br"}
# Machado, Oliveira and Fernandes (2009), severity 1: how red- and green-blind people see linear RGB.
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))


class Page(HTMLParser):
    """A page as elements in order, each with its attributes and the path to it, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        else:
            self.text.append(data)

    def having(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def plain():
    return render_page(run_rows(FakeRun()), ReportConfig())


@pytest.fixture(scope="module")
def page(plain):
    return Page(plain)


@pytest.fixture(scope="module")
def compared():
    """A page with all parts: there was a published run."""
    return Page(render_page(compared_rows(FakeRun()), ReportConfig()))


def test_the_page_needs_no_network_and_is_under_3_megabytes(plain, page):
    assert len(plain.encode()) < 3_000_000
    links = [v for _, a in page.elements for k, v in a.items() if k in ("href", "src", "xlink:href", "action")]
    assert links and all(link.startswith(("#", "data:")) for link in links)
    assert "@import" not in plain and "url(http" not in plain


def test_a_page_with_the_most_points_of_many_schemes_is_under_3_megabytes():
    rows = run_rows(FakeRun())
    names = [f"scheme-{n}" for n in range(4)]
    ours = [s for s in rows.segments if s["scheme"] == "value"]
    spread = np.random.default_rng(1).normal(size=(20_000, 2)).tolist()
    points = [{"segment_id": n % 5, "x": x, "y": y} for n, (x, y) in enumerate(spread)]
    full = replace(
        rows,
        segments=[{**segment, "scheme": name} for name in names for segment in ours],
        samples=dict.fromkeys(names, points),
    )
    told = render_page(full, ReportConfig(sample_points=20_000))
    assert "Each dot is one of 6,000 users" in told
    assert len(told.encode()) < 3_000_000


def test_one_script_may_run_and_the_policy_names_it_by_its_digest(page):
    assert page.having("script") == [{"type": "application/json", "id": "charts"}, {"type": "module"}]
    policy = next(meta["content"] for meta in page.having("meta") if meta.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy and "default-src 'none'" in policy and "eval" not in policy
    handlers = [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not handlers


def test_each_picture_that_stands_in_the_page_can_be_drawn_anew_from_its_specification(compared):
    told = json.loads(compared.scripts[0])
    pictures = {picture["aria-labelledby"].split("-title")[0] for picture in compared.having("svg")}
    places = {place["id"] for place in compared.having("div") if place.get("class") == "live"}
    assert set(told["charts"]) == pictures and places == {f"{name}-live" for name in pictures}


def test_headings_come_in_order_and_each_picture_and_table_is_told(compared):
    page = compared
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    pictures = page.having("svg")
    assert len(pictures) == len(page.having("desc")) == len(page.having("figcaption")) == 13
    assert all(picture["role"] == "img" for picture in pictures)
    assert len(page.having("table")) == len(page.having("caption"))
    assert all(heading["scope"] in ("col", "row") for heading in page.having("th"))
    assert page.having("html") == [{"lang": "en"}]


def test_every_id_is_unique_and_every_reference_has_its_target(compared):
    page = compared
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [t for _, a in page.elements for t in a.get("aria-labelledby", "").split()]
    targets += [a["href"][1:] for a in page.having("a")]
    targets += [a["xlink:href"][1:] for a in page.having("use")]
    assert targets and set(targets) <= set(ids)


def test_a_hostile_name_changes_nothing_but_the_text():
    rows = compared_rows(FakeRun(names={0: HOSTILE}, category=HOSTILE))
    hostile = Page(render_page(rows, ReportConfig(title=HOSTILE)))
    plain = Page(render_page(compared_rows(FakeRun(names={0: "renamed too"})), ReportConfig()))
    assert [(tag, set(a)) for tag, a in hostile.elements] == [(tag, set(a)) for tag, a in plain.elements]
    assert "<" not in hostile.scripts[0] and HOSTILE[:20] in json.dumps(json.loads(hostile.scripts[0]))
    shown = "".join(hostile.text)
    assert "<script>alert('x')</script>\" onload=\"x $\\frac{1}{2}$ evil [red]" in shown
    assert "\u202e" not in shown


def test_several_recommenders_are_drawn_by_one_metric_and_stand_side_by_side_in_the_table():
    rows = run_rows(FakeRun())
    als = [row for row in rows.metrics if row["method"] == "als"]
    others = [{**row, "method": name} for name in ("item_cf", "segment_popularity") for row in als]
    beyond = [
        {**row, "metric": name, "value": value, "k": 0 if name == "auc" else 10}
        for row in als[:1]
        for name, value in (("auc", 0.81), ("novelty", 7.25), ("gini", 0.66))
    ]
    page = Page(render_page(replace(rows, metrics=[*rows.metrics, *others, *beyond]), ReportConfig()))
    text = "".join(page.text)
    assert "Learnt tastes (ALS) 0.121, bestsellers 0.052; Items like their own 0.121, bestsellers 0.052; " in text
    assert "Ranking quality (NDCG@10) against the bestsellers" in text
    assert "Catalogue shown (coverage@10) against the bestsellers" in text
    assert "Wanted items ranked above others (AUC)" in text
    shown = text[text.index("Each measure with its 95% interval") :]
    places = [shown.index(part) for part in ("(ALS)", "Items like", "Bestsellers of", "Purchases found")]
    assert places == sorted(places)
    assert "2.3\N{MULTIPLICATION SIGN} as good as showing bestsellers" in text  # that of als


def test_the_same_rows_in_another_order_give_the_same_page():
    rows = compared_rows(FakeRun())
    turned = replace(
        rows,
        segments=rows.segments[::-1],
        models=rows.models[::-1],
        profiles=rows.profiles[::-1],
        quality=rows.quality[::-1],
        trees=rows.trees[::-1],
        moved=rows.moved[::-1],
        lineage=rows.lineage[::-1],
        drift=rows.drift[::-1],
        campaign=CampaignRows(**{name: found[::-1] for name, found in vars(rows.campaign).items()}),
    )
    assert render_page(turned, ReportConfig()) == render_page(rows, ReportConfig())


def test_the_three_headlines_are_the_runs_numbers(page):
    text = " ".join("".join(page.text).split())
    assert f"{sum(SIZES):,} users in 5 segments" in text
    assert "2.3\N{MULTIPLICATION SIGN} as good as showing bestsellers" in text  # 0.121 / 0.052
    money = np.multiply(SPENT, SIZES)
    assert f"High-value, 17% of users, brings {100 * money[2] / money.sum():.0f}% of spending" in text
    assert f"{100 * money[2] / money.sum():.0f}% of spending comes from High-value 17% of users" in text
    assert "no outcome of a campaign is known; the source outcomes would bring it" in text


def test_where_no_spending_is_known_the_rows_accepted_are_a_headline(page):
    poor = Page(render_page(replace(run_rows(FakeRun()), spending=()), ReportConfig()))
    # (313,960 + 4,070) of (320,705 + 4,070)
    assert "97.9% of input rows accepted" in " ".join("".join(poor.text).split())
    assert "of input rows accepted" not in "".join(page.text)


def test_of_a_small_segment_nothing_but_its_name_is_shown():
    rows = run_rows(FakeRun())
    bare = replace(
        rows,
        segments=[
            {**s, "why": "whispered", "strategy": "whispered"} if s["scheme"] == "taste" and s["segment_id"] == 3 else s
            for s in rows.segments
        ],
    )
    text = " ".join("".join(Page(render_page(bare, ReportConfig())).text).split())
    assert "whispered" not in text
    assert "Fewer than 10 users: nothing is shown" in text
    assert "Each dot is one of 2,388 users" in text  # 2,394 less the six


def test_a_count_has_no_decimals_and_stands_apart_from_what_is_judged(page):
    text = " ".join("".join(page.text).split())
    judged, _, facts = text.partition("1 number for information")
    assert "share of items without a categoryitems0.3100.200failed" in judged
    assert "lines without a userorders69,432" in facts and "rows in = accepted" not in facts
    assert [amount(value) for value in (2.0, 0.25, None)] == ["2", "0.250", NOTHING]


def test_changes_are_shown_where_there_was_a_published_run_and_only_there(page, compared):
    assert "What changed since the published run" not in "".join(page.text)
    text = " ".join("".join(compared.text).split())
    assert "Compared with run r-before, which described what customers did before 25 August 2011" in text
    assert "in another segment now: 1.8% by value, 0% by taste" in text  # 42 of 2,354


def test_the_dendrogram_tells_users_and_hides_groups_that_are_too_small(page):
    text = " ".join("".join(page.text).split())
    _, _, drawn = text.partition("How users join into groups: segments by taste")
    drawn, _, _ = drawn.partition("Read from right to left")
    assert "300300198400396500294under 10" in drawn
    told = "T0 Likes Candles, T1 Likes Garden, T2 Segment-2, a segment too small to be described"
    assert f"From one end to the other the segments are {told}." in drawn
    assert "The tree is that of run r-before" in text


def test_numbers_that_were_tried_twice_or_once_make_no_curve():
    rows = run_rows(FakeRun())
    for models in ([rows.models[0]], [{**model, "k": 4} for model in rows.models]):
        text = "".join(Page(render_page(replace(rows, models=models), ReportConfig())).text)
        assert "by number of segments" not in text and "Tried" in text


def test_a_segment_has_one_colour_wherever_its_badge_stands(plain):
    colours = {}
    for piece in plain.split('<span class="badge" style="')[1:]:
        style, _, rest = piece.partition('">')
        colours.setdefault(rest.partition("<")[0], set()).add(style)
    assert set(colours) == {"V0", "V1", "V2", "V3", "V4", "T0", "T1", "T2", "T3"}
    assert all(len(styles) == 1 for styles in colours.values())


def test_a_run_without_segments_still_makes_a_page_that_says_why():
    stages = [{"stage": "segments", "status": "skipped", "note": "two users are too few", "code_version": "1",
               "config_hash": "2", "seconds": 0.0, "rows": 0}]  # fmt: skip
    text = "".join(Page(render_page(RunRows("r-1", AS_OF, 1, stages=stages), ReportConfig())).text)
    assert text.count("two users are too few") == 2  # beside the headline, and among what was left out


def test_what_was_taken_over_is_told_apart_from_what_was_done():
    kinds = [("features", "done", 30.0), ("factors", "taken over", 0.5), ("similarity", "taken over", 0.5)]
    stages = [
        {
            "stage": name,
            "status": status,
            "note": None,
            "code_version": "1",
            "config_hash": "2",
            "seconds": s,
            "rows": 1,
        }
        for name, status, s in kinds
    ]
    text = " ".join("".join(Page(render_page(RunRows("r-1", AS_OF, 1, stages=stages), ReportConfig())).text).split())
    assert "1 stage done, 2 taken over from the run before and 0 skipped" in text


def test_text_on_colours_has_the_contrast_that_wcag_asks_for():
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # WebAIM's published example
    assert all(contrast(text_colour(colour), colour) >= 4.5 for colour in COLOURS)
    assert all(contrast(INK, lift_tint(lift)) >= 4.5 for lift in (0.0, 0.1, 0.5, 1.0, 2.0, 50.0, None))


@pytest.mark.parametrize("sight", [np.eye(3), PROTANOPIA, DEUTERANOPIA], ids=["full", "protanopia", "deuteranopia"])
def test_colours_of_segments_stay_apart_for_colour_blind_readers(sight):
    seen = [lab(np.clip(np.array(sight) @ linear(colour), 0, 1)) for colour in COLOURS]
    nearest = min(np.linalg.norm(one - other) for one, other in combinations(seen, 2))
    assert nearest > 10  # CIE76; 2.3 is the least that is noticed


def linear(colour):
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    ratio = np.array(to_xyz) @ rgb / (0.9505, 1.0, 1.089)
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_page_loads_from_a_zip_as_spark_submit_ships_it(tmp_path):
    root = Path(segspark.__file__).parent
    with zipfile.ZipFile(tmp_path / "segspark.zip", "w") as archive:
        for path in [p for s in ("*.py", "*.j2", "*.css", "*.js") for p in root.rglob(s)]:
            archive.write(path, path.relative_to(root.parent))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import segspark.bi.report.page as p; from segspark.bi.report.content import RunRows\n"
        "from datetime import date\n"
        "assert sys.argv[1] in p.__file__, p.__file__\n"
        "print(len(p.render_page(RunRows('r-1', date(2024, 1, 1), 1), p.ReportConfig())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "segspark.zip")], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5000
