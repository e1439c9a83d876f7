"""Writes docs/tables.md, docs/configuration.md and the views of docs/bi.md from contracts, models and view files.

`.venv/bin/python docs/make_pages.py` after a change to one of them; a test holds the pages against the code.
"""

import ast
import inspect
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from segspark.bi.config import MartsConfig
from segspark.bi.marts.catalogue import MartView, load_views
from segspark.config import Config
from segspark.core.contracts import TABLES, Contract

DOCS = Path(__file__).parent
BEGIN, END = "<!-- views: made by docs/make_pages.py -->", "<!-- end of views -->"
KINDS = {
    "log": "Log tables: appended to or merged into, belonging to no run",
    "day": "Day tables: derived from logs, replaced a day at a time",
    "run": "Run tables: written whole for one run, visible when it is published",
}


READERS = """## Readers

Each feature of Delta in a table of a thousand rows that Spark 4.2 with Delta 4.4 wrote, read with deltalake 1.6.6 (its
Arrow data set, and pandas by it), Polars 2.1, and DuckDB 2.0 over deltalake's data set. *Wrong*: every value of the
column came as null, without an error.

| feature | delta-rs | Polars | DuckDB over delta-rs | in this lake |
|---|---|---|---|---|
| partitions | yes | yes | yes | by `run_id` |
| deletion vectors | refuses | yes | refuses | off |
| column mapping | wrong | refuses | wrong | off |
| liquid clustering | yes | yes | yes | off: not together with partitions |
| v2 checkpoints | refuses | refuses | refuses | off |
| row tracking | yes | yes | yes | off |
| type widening | refuses | refuses | refuses | off |
| CHECK constraints | yes | yes | yes | off |
| change data feed | yes | yes | yes | off |

Tables stay at reader version 1, which a test looks for in every table of a lake, and vectors are `array<float>`: a
table with one of MLlib's own does not open outside Spark. `segspark optimize` sorts what is published by `user_bucket`
(ZORDER), which readers need not know of.
"""


def tables_page() -> str:
    """Every table: what a row is, its key, its columns."""
    parts = ["# Tables", "", "Made by `docs/make_pages.py` from the contracts in `segspark/core`. Times are UTC.", ""]
    for kind, title in KINDS.items():
        parts += [f"## {title}", ""]
        for contract in (c for c in TABLES.values() if c.kind == kind):
            parts += _table_section(contract)
    parts.append(READERS)
    return "\n".join(parts).rstrip() + "\n"


def bi_page() -> str:
    """docs/bi.md with every view, its columns, and the questions, between its two marks."""
    page = (DOCS / "bi.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    folder = DOCS.parent / MartsConfig.model_fields["folder"].default
    views = sorted(load_views(str(folder)), key=lambda view: view.name)
    parts = ["", "| view | one row is |", "|---|---|", *(f"| [{v.name}](#{v.name}) | {v.grain} |" for v in views), ""]
    parts += [line for view in views for line in _view_section(view)]
    parts += ["### Questions", "", "Each is a file of `conf/bi/questions`, for `segspark query --file`.", ""]
    for path in sorted((folder / "questions").glob("*.sql")):
        question = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("--").strip()
        parts.append(f"- {question} `{path.name}`")
    return before + BEGIN + "\n".join([*parts, ""]) + END + after


def _view_section(view: MartView) -> list[str]:
    lines = [f"### {view.name}", "", view.comment, "", "| column | what it is |", "|---|---|"]
    return [*lines, *(f"| {name} | {said} |" for name, said in view.columns.items()), ""]


def configuration_page() -> str:
    """Every key of the configuration: its default and what it is."""
    parts = ["# Configuration", "", "Made by `docs/make_pages.py` from the models in each room's `config.py`.", ""]
    parts += ["A file may say `extends: other.yaml`; `--set a.b=c` overrides a key.", ""]
    for path, model in _models(Config, ""):
        parts += [
            f"## {path or 'top level'}",
            "",
            *_paragraph(model),
            "| key | default | what it is |",
            "|---|---|---|",
        ]
        comments = _comments(model)
        for name, field in model.model_fields.items():
            parts.append(f"| `{name}` | {_default(field)} | {comments.get(name, '')} |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _table_section(contract: Contract) -> list[str]:
    lines = [f"### {contract.name}", "", f"One row is {contract.grain}. Key: {', '.join(contract.key)}.", ""]
    lines += ["| column | type | what it is |", "|---|---|---|"]
    lines += [f"| {c.name} | {c.type.replace('|', '/')} | {c.comment}{_personal(c)} |" for c in contract.columns]
    if contract.open_type:
        lines.append(f"| … | {contract.open_type} | further features by name |")
    return [*lines, ""]


def _personal(column: Any) -> str:
    return " (personal)" if column.personal else ""


def _models(model: type[BaseModel], path: str) -> list[tuple[str, type[BaseModel]]]:
    """The model and those of its fields, each once, with the path of the key that holds it."""
    found: dict[type[BaseModel], str] = {model: path}
    for name, field in model.model_fields.items():
        below = f"{path}.{name}".lstrip(".")
        for inner in _models_in(field.annotation):
            for deep_path, deep in _models(inner, below):
                found.setdefault(deep, deep_path)
    return [(where, which) for which, where in found.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _comments(model: type[BaseModel]) -> dict[str, str]:
    """The comment behind each field, of the model and those it inherits from; a model says that it has a section."""
    comments = {name: "see its own section" for name, f in model.model_fields.items() if _models_in(f.annotation)}
    for kind in reversed([k for k in model.__mro__ if issubclass(k, BaseModel) and k is not BaseModel]):
        source = inspect.getsource(kind)
        lines = source.splitlines()
        for node in ast.parse(source).body[0].body:
            if isinstance(node, ast.AnnAssign):
                _, mark, comment = lines[node.end_lineno - 1][node.end_col_offset :].partition("#")
                if mark:
                    comments[node.target.id] = comment.strip().replace("|", "\\|")
    return comments


def _default(field: Any) -> str:
    if field.default is PydanticUndefined:
        return "required" if field.default_factory is None else "see below"
    return "see below" if isinstance(field.default, BaseModel) else f"`{field.default!r}`".replace("|", "\\|")


def _paragraph(model: type[BaseModel]) -> list[str]:
    return [inspect.cleandoc(model.__doc__), ""] if model.__doc__ else []


if __name__ == "__main__":
    (DOCS / "tables.md").write_text(tables_page(), encoding="utf-8")
    (DOCS / "bi.md").write_text(bi_page(), encoding="utf-8")
    (DOCS / "configuration.md").write_text(configuration_page(), encoding="utf-8")
