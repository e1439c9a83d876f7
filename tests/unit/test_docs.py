import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def pages():
    spec = importlib.util.spec_from_file_location("make_pages", DOCS / "make_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = {"tables.md": module.tables_page(), "configuration.md": module.configuration_page()}
    return {**made, "bi.md": module.bi_page()}


@pytest.mark.parametrize("name", ["tables.md", "configuration.md", "bi.md"])
def test_the_page_says_what_the_code_says(pages, name):
    assert (DOCS / name).read_text(encoding="utf-8") == pages[name], "run docs/make_pages.py"


def test_every_key_of_the_configuration_says_what_it_is(pages):
    silent = [line for line in pages["configuration.md"].splitlines() if line.endswith("|  |")]
    assert silent == []
